// Package leader lets the replicas of the proxy ask the one that runs the loops
// for what only that one knows and nobody stores.
package leader

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

// Lease elects the replica that runs the loops, and knows where that one can be
// asked. It learns that from the reads by which a replica waits for its election,
// and makes none of its own.
type Lease struct {
	*resourcelock.LeaseLock
	holder atomic.Pointer[string]
}

// requestTimeout bounds a request for the Lease, so that a slow answer costs the
// holder one renewal and not the Lease (renewed for 10 s by default).
const requestTimeout = 5 * time.Second

// NewLease makes the lock of a Lease for a replica. pod is the UID of its pod, empty
// outside of one; address is where the other replicas can ask it, host:port, empty
// where they cannot.
func NewLease(config *rest.Config, namespace, name, pod, address string) (*Lease, error) {
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	config.Timeout = requestTimeout
	client, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kubernetes: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("this machine has no name: %w", err)
	}
	return &Lease{LeaseLock: &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Client: client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity(host, pod, address)},
	}}, nil
}

// identity tells replicas apart, and holds the address. A container that is started
// again in its pod is the same replica as before, and takes its Lease up at once
// where it would wait for that to expire: kubelet starts it when the last one has
// ended, and not before.
func identity(host, pod, address string) string {
	if pod == "" {
		pod = string(uuid.NewUUID())
	}
	id := host + "_" + pod
	if address == "" {
		return id
	}
	return id + "@" + address
}

// Record has elections told as Events. It is called before the first.
func (l *Lease) Record(events record.EventRecorder) { l.LockConfig.EventRecorder = events }

// Get reads the Lease, and notes who holds it.
func (l *Lease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	held, raw, err := l.LeaseLock.Get(ctx)
	if err == nil {
		l.holder.Store(&held.HolderIdentity)
	}
	return held, raw, err
}

// Holder returns the address of the replica that holds the Lease. It is false for
// this very one, and for one that is not known or that cannot be asked.
func (l *Lease) Holder() (address string, ok bool) {
	held := l.holder.Load()
	if held == nil || *held == l.Identity() {
		return "", false
	}
	_, address, _ = strings.Cut(*held, "@")
	_, _, err := net.SplitHostPort(address)
	return address, err == nil
}

// Address is where other replicas can ask one that listens at an address: there,
// or at the IP of its pod where that is every interface. It is empty where no host
// is known.
func Address(listen, podIP string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = podIP
	}
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, port)
}
