package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
	"github.com/waybill-cd/waybill/hack/stack/process"
)

// kubernetesAddresses are ports on 127.0.0.1.
type kubernetesAddresses struct {
	etcd, etcdPeer, apiServer, controllerManager, scheduler, kwok int
}

func (a kubernetesAddresses) url() string { return "https://" + local(a.apiServer) }

// local is the address of a port.
func local(port int) string { return fmt.Sprintf("%s:%d", loopback.Address, port) }

// startAPIServer starts etcd and the API server.
func (s *Stack) startAPIServer(ctx context.Context) error {
	etcd := "http://" + local(s.kube.etcd)
	peer := "http://" + local(s.kube.etcdPeer)
	err := s.Run(ctx, process.Spec{
		Name: Etcd,
		Path: filepath.Join(s.bin.kubernetes, "etcd"),
		Args: []string{
			"--data-dir=" + s.folder.join("etcd"),
			"--listen-client-urls=" + etcd,
			"--advertise-client-urls=" + etcd,
			"--listen-peer-urls=" + peer,
			"--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=default=" + peer,
			// No data outlives the stack, so none need survive a power cut.
			"--unsafe-no-fsync",
		},
		Ready: process.HTTPReady(nil, etcd+"/health"),
	})
	if err != nil {
		return err
	}
	client, err := s.httpClient()
	if err != nil {
		return err
	}
	return s.Run(ctx, process.Spec{
		Name: KubeAPIServer,
		Path: filepath.Join(s.bin.kubernetes, "kube-apiserver"),
		Args: []string{
			"--etcd-servers=" + etcd,
			"--bind-address=" + loopback.Address,
			fmt.Sprintf("--secure-port=%d", s.kube.apiServer),
			// A loopback address may not stand in an Endpoints object; nothing
			// on the stack looks the API server up in one.
			"--advertise-address=" + loopback.Address,
			"--endpoint-reconciler-type=none",
			"--service-cluster-ip-range=10.96.0.0/16",
			"--authorization-mode=RBAC",
			// It would hold Pods back until their ServiceAccount exists, for
			// a token that no container will ever read.
			"--disable-admission-plugins=ServiceAccount",
			"--token-auth-file=" + s.folder.join(tokenFile),
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + s.folder.join(accountKey),
			"--service-account-signing-key-file=" + s.folder.join(accountKey),
			"--tls-cert-file=" + s.folder.join(servingCert),
			"--tls-private-key-file=" + s.folder.join(servingKey),
			"--cert-dir=" + s.folder.join("kube"),
			"--profiling=false",
		},
		Ready: process.HTTPReady(client, s.kube.url()+"/readyz"),
		Grace: 10 * time.Second, // it lets requests end
	})
}

// startControllers starts what turns a Deployment into Pods that are Ready.
func (s *Stack) startControllers(ctx context.Context) error {
	return inParallel(ctx, s.startControllerManager, s.startScheduler, s.startKwok)
}

func (s *Stack) startControllerManager(ctx context.Context) error {
	return s.runController(ctx, KubeControllerManager, s.kube.controllerManager,
		"--service-account-private-key-file="+s.folder.join(accountKey),
		"--root-ca-file="+s.folder.join(servingCert),
	)
}

func (s *Stack) startScheduler(ctx context.Context) error {
	return s.runController(ctx, KubeScheduler, s.kube.scheduler)
}

func (s *Stack) runController(ctx context.Context, name string, port int, args ...string) error {
	client, err := s.httpClient()
	if err != nil {
		return err
	}
	return s.Run(ctx, process.Spec{
		Name: name,
		Path: filepath.Join(s.bin.kubernetes, name),
		Args: append([]string{
			"--kubeconfig=" + s.Kubeconfig(),
			"--bind-address=" + loopback.Address,
			fmt.Sprintf("--secure-port=%d", port),
			"--tls-cert-file=" + s.folder.join(servingCert),
			"--tls-private-key-file=" + s.folder.join(servingKey),
			// There is one of it.
			"--leader-elect=false",
		}, args...),
		Ready: process.HTTPReady(client, "https://"+local(port)+"/healthz"),
	})
}

// nodeName is the one Node, which exists in name only.
const nodeName = "node-0"

func (s *Stack) startKwok(ctx context.Context) error {
	config, err := s.writeStages()
	if err != nil {
		return err
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: nodeName,
		Labels: map[string]string{
			corev1.LabelHostname:   nodeName,
			corev1.LabelOSStable:   "linux",
			corev1.LabelArchStable: "amd64",
		},
	}}
	if _, err := s.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("making the Node: %w", err)
	}
	address := local(s.kube.kwok)
	err = s.Run(ctx, process.Spec{
		Name: Kwok,
		Path: filepath.Join(s.bin.kwok, "kwok"),
		Args: []string{
			"--kubeconfig=" + s.Kubeconfig(),
			"--config=" + config,
			"--manage-all-nodes",
			"--node-lease-duration-seconds=40",
			"--server-address=" + address,
		},
		Ready: process.HTTPReady(nil, "http://"+address+"/healthz"),
	})
	if err != nil {
		return err
	}
	return s.awaitNode(ctx)
}

// writeStages joins the Stage files, because kwok takes one file.
func (s *Stack) writeStages() (string, error) {
	var all bytes.Buffer
	for _, asset := range []string{"node-fast", "node-heartbeat", "pod-fast"} {
		if err := joinManifests(&all, filepath.Join(s.bin.kwok, asset)); err != nil {
			return "", err
		}
	}
	return s.writeFile("kube/kwok.yaml", all.Bytes())
}

// joinManifests writes the YAML files of a folder as one stream, in the order of
// their names.
func joinManifests(to *bytes.Buffer, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("listing %s: %w", filepath.Base(folder), err)
	}
	slices.Sort(files)
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", filepath.Base(file), err)
		}
		to.WriteString("---\n")
		to.Write(content)
		to.WriteString("\n")
	}
	return nil
}

// waitInterval and waitTimeout are for conditions in the cluster.
const (
	waitInterval = 100 * time.Millisecond
	waitTimeout  = time.Minute
)

func (s *Stack) awaitNode(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, waitInterval, waitTimeout, true, func(ctx context.Context) (bool, error) {
		var node *corev1.Node
		node, last = s.client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		return last == nil && slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		}), nil
	})
	if err != nil {
		return fmt.Errorf("the Node did not become Ready, which is the work of %s: %w", Kwok, errors.Join(err, last))
	}
	return nil
}
