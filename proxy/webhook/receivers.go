package webhook

import (
	"sync"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

// Receivers are those that the labelled Secrets of a namespace make. They are told
// of the Secrets by an informer.
type Receivers struct {
	log    logr.Logger
	mu     sync.RWMutex
	byName map[string]known
}

// known is a receiver, or why its Secret makes none.
type known struct {
	*receiver.Receiver
	problem error
}

var _ cache.ResourceEventHandler = (*Receivers)(nil)

// NewReceivers returns no receivers yet.
func NewReceivers(log logr.Logger) *Receivers {
	return &Receivers{log: log, byName: map[string]known{}}
}

// OnAdd takes a Secret.
func (r *Receivers) OnAdd(object any, _ bool) {
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return
	}
	made, err := receiver.New(secret.Name, secret.Labels[receiver.Label], secret.Data)
	if err != nil {
		r.log.Info("a Secret is no webhook receiver, and all calls to it are refused", "secret", secret.Namespace+"/"+secret.Name, "why", err.Error())
	}
	receiverReady.WithLabelValues(secret.Name).Set(ready(err))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byName[secret.Name] = known{made, err}
}

func ready(problem error) float64 {
	if problem != nil {
		return 0
	}
	return 1
}

// OnUpdate takes a Secret that has changed, or that is told of again.
func (r *Receivers) OnUpdate(before, after any) {
	was, ok1 := before.(*corev1.Secret)
	is, ok2 := after.(*corev1.Secret)
	if !ok1 || !ok2 || was.ResourceVersion != is.ResourceVersion {
		r.OnAdd(after, false)
	}
}

// OnDelete forgets a Secret.
func (r *Receivers) OnDelete(object any) {
	if unseen, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unseen.Obj
	}
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return
	}
	receiverReady.DeleteLabelValues(secret.Name)
	webhookCalls.DeletePartialMatch(prometheus.Labels{"receiver": secret.Name})
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byName, secret.Name)
}

func (r *Receivers) get(name string) (known, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.byName[name]
	return k, ok
}
