package install

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/waybill-cd/waybill/hack/bundle"
	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/process"
)

const (
	// Namespace is Waybill's own.
	Namespace = "waybill"
	// Proxy is the name of the proxy's first replica in the stack.
	Proxy          = "waybill-proxy"
	serviceAccount = "waybill-proxy"
	gatesSecret    = "waybill-gates"
)

// Options of an installation.
type Options struct {
	// Env is NAME=value for the proxy's processes.
	Env []string
	// Args are further flags of the proxy.
	Args []string
	// APIServer is the URL, and its certificate in PEM, through which the proxy's
	// processes reach the API server; empty for the API server itself.
	APIServer   string
	Certificate []byte
}

// Installation is Waybill, installed in a stack.
type Installation struct {
	stack    *stack.Stack
	binaries Binaries
	options  Options
	gates    string // folder of the gates' secrets
	config   string // kubeconfig of the proxy's ServiceAccount
	url      string
	metrics  []string // addresses, by replica
	webhooks []string
	replicas int
}

// Install applies Waybill's manifests to a stack and starts one replica of the
// proxy.
func Install(ctx context.Context, s *stack.Stack, root string, b Binaries, o Options) (*Installation, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	i := &Installation{stack: s, binaries: b, options: o, url: fmt.Sprintf("http://127.0.0.1:%d", port), gates: filepath.Join(s.Dir(), "gates")}
	// The proxy and Argo CD's components run as processes here, not as pods.
	options := bundle.Options{ProxyURL: i.url, WithoutWorkloads: true}
	own, err := bundle.Waybill(root, options)
	if err != nil {
		return nil, err
	}
	if err := s.Apply(ctx, own); err != nil {
		return nil, fmt.Errorf("applying Waybill's manifests: %w", err)
	}
	if err := i.makeGates(ctx); err != nil {
		return nil, err
	}
	argocd, err := bundle.ArgoCD(root, options)
	if err != nil {
		return nil, err
	}
	if err := s.Apply(ctx, argocd); err != nil {
		return nil, fmt.Errorf("applying what Waybill adds to Argo CD: %w", err)
	}
	if i.config, err = s.ServiceAccountKubeconfig(ctx, Namespace, serviceAccount); err != nil {
		return nil, err
	}
	if o.APIServer != "" {
		if err := i.reachThrough(o.APIServer, o.Certificate); err != nil {
			return nil, err
		}
	}
	return i, i.start(ctx, Proxy, port)
}

// reachThrough makes the proxy's kubeconfig name another URL.
func (i *Installation) reachThrough(url string, certificate []byte) error {
	config, err := clientcmd.LoadFromFile(i.config)
	if err != nil {
		return fmt.Errorf("reading the proxy's kubeconfig: %w", err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server, cluster.CertificateAuthority, cluster.CertificateAuthorityData = url, "", certificate
	}
	return clientcmd.WriteToFile(*config, i.config)
}

// makeGates makes the gates' secrets with the command that users run, and lays
// out the proxy's as a mounted Secret would be.
func (i *Installation) makeGates(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, i.binaries.CLI, "gate-secrets")
	cmd.Env = i.stack.Environment()
	secrets, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("making the gates' secrets: %w", err)
	}
	if err := i.stack.Apply(ctx, secrets); err != nil {
		return fmt.Errorf("applying the gates' secrets: %w", err)
	}
	out, err := i.stack.Kubectl(ctx, nil, "get", "secret", gatesSecret, "-n", Namespace, "-o", "json")
	if err != nil {
		return err
	}
	var secret struct {
		Data map[string]string `json:"data"`
	}
	if err := json.Unmarshal(out, &secret); err != nil {
		return fmt.Errorf("reading the gates' secrets: %w", err)
	}
	if err := os.MkdirAll(i.gates, 0o700); err != nil {
		return err
	}
	for name, value := range secret.Data {
		plain, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return fmt.Errorf("reading the secret of gate %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(i.gates, name), plain, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (i *Installation) start(ctx context.Context, name string, port int) error {
	metricsPort, err := i.stack.Port()
	if err != nil {
		return err
	}
	webhookPort, err := i.stack.Port()
	if err != nil {
		return err
	}
	metrics, webhooks := fmt.Sprintf("127.0.0.1:%d", metricsPort), fmt.Sprintf("127.0.0.1:%d", webhookPort)
	args := append([]string{
		"--namespace", Namespace, "--argocd-namespace", stack.ArgoCDNamespace,
		"--listen", fmt.Sprintf("127.0.0.1:%d", port), "--metrics-listen", metrics,
		"--webhook-listen", webhooks,
		"--gates-dir", i.gates, "--cache-dir", filepath.Join(i.stack.Dir(), "cache-"+name),
		"--plugin", i.binaries.Plugin, "--kubeconfig", i.config,
	}, i.options.Args...)
	err = i.stack.Run(ctx, process.Spec{
		Name: name, Path: i.binaries.Proxy, Args: args, Env: append([]string{"POD_UID=" + name}, i.options.Env...),
		Ready: process.HTTPReady(http.DefaultClient, "http://"+metrics+"/readyz"),
	})
	if err != nil {
		return err
	}
	i.metrics = append(i.metrics, metrics)
	i.webhooks = append(i.webhooks, webhooks)
	i.replicas++
	return nil
}

// AddReplica starts one more replica of the proxy, as the Deployment has, and
// returns the name of its process. Argo CD goes on calling the first.
func (i *Installation) AddReplica(ctx context.Context) (string, error) {
	port, err := i.stack.Port()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%d", Proxy, i.replicas+1)
	return name, i.start(ctx, name, port)
}

// URL is where the first replica answers the API.
func (i *Installation) URL() string { return i.url }

// MetricsURL is where the first replica tells its metrics.
func (i *Installation) MetricsURL() string { return "http://" + i.metrics[0] + "/metrics" }

// WebhookURL is where the first replica answers webhooks.
func (i *Installation) WebhookURL() string { return "http://" + i.webhooks[0] }

// GateSecret returns the secret of a gate.
func (i *Installation) GateSecret(gate string) (string, error) {
	data, err := os.ReadFile(filepath.Join(i.gates, gate))
	return strings.TrimSpace(string(data)), err
}
