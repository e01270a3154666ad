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

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
	"github.com/waybill-cd/waybill/hack/stack/process"
)

// ArgoCDNamespace is where Argo CD's objects stand.
const ArgoCDNamespace = "argocd"

// resync is how often Argo CD looks at an Application, and at its branch in Git,
// when nothing tells it to. Nothing on the stack depends on it: whoever pushes
// asks for a refresh. It is short enough that a person who does not sees the
// change, and long enough to cost nothing.
const resync = 20 * time.Second

// argocdAddresses are ports on 127.0.0.1.
type argocdAddresses struct {
	redis, repoServer, repoServerMetrics, controllerMetrics, server, serverMetrics int
}

// ArgoCDURL is where argocd-server listens.
func (s *Stack) ArgoCDURL() string { return "http://" + local(s.argocd.server) }

// ArgoCDPath is the path of Argo CD's program, which is its command line too.
func (s *Stack) ArgoCDPath() string { return filepath.Join(s.bin.argocd, "argocd") }

// argocdProcess is one of Argo CD's processes: all are the same program.
func (s *Stack) argocdProcess(name string, healthPort int, args ...string) process.Spec {
	return process.Spec{
		Name: name,
		Path: s.ArgoCDPath(),
		Args: args,
		Env: []string{
			// Git asks the program argocd for passwords.
			"PATH=" + s.bin.argocd + string(filepath.ListSeparator) + os.Getenv("PATH"),
			"KUBECONFIG=" + s.folder.join(argocdKubeconfig),
			"ARGOCD_BINARY_NAME=" + name,
			"ARGOCD_FAKE_IN_CLUSTER=true",
			"ARGOCD_GPG_ENABLED=false",
			"ARGOCD_TLS_DATA_PATH=" + s.folder.join("argocd/tls"),
			"ARGOCD_SSH_DATA_PATH=" + s.folder.join("argocd/ssh"),
			"ARGOCD_PLUGINSOCKFILEPATH=" + s.folder.join(socketFolder),
			"ARGOCD_ASK_PASS_SOCK=" + s.folder.join("askpass.sock"),
			"ARGOCD_RECONCILIATION_TIMEOUT=" + resync.String(),
		},
		Ready: process.HTTPReady(nil, "http://"+local(healthPort)+"/healthz"),
	}
}

// startRepoServer needs nothing but Redis.
func (s *Stack) startRepoServer(ctx context.Context) error {
	for _, name := range []string{"argocd/tls", "argocd/ssh", socketFolder} {
		if err := os.MkdirAll(s.folder.join(name), 0o700); err != nil {
			return fmt.Errorf("making a folder for %s: %w", ArgoCDRepoServer, err)
		}
	}
	return s.Run(ctx, s.argocdProcess(ArgoCDRepoServer, s.argocd.repoServerMetrics,
		"--address="+loopback.Address,
		fmt.Sprintf("--port=%d", s.argocd.repoServer),
		"--metrics-address="+loopback.Address,
		fmt.Sprintf("--metrics-port=%d", s.argocd.repoServerMetrics),
		"--redis="+local(s.argocd.redis),
		"--disable-tls",
		// In a cluster, this comes from argocd-cmd-params-cm, where the bundle
		// sets it.
		"--plugin-use-manifest-generate-paths",
	))
}

// startArgoCD installs Argo CD and starts what needs the API server.
func (s *Stack) startArgoCD(ctx context.Context) error {
	if err := s.install(ctx); err != nil {
		return err
	}
	controller := s.argocdProcess(ArgoCDController, s.argocd.controllerMetrics,
		fmt.Sprintf("--metrics-port=%d", s.argocd.controllerMetrics),
		"--redis="+local(s.argocd.redis),
		"--repo-server="+local(s.argocd.repoServer),
		"--repo-server-plaintext",
	)
	server := s.argocdServer(s.argocd.server, s.argocd.serverMetrics)
	return inParallel(ctx,
		func(ctx context.Context) error { return s.Run(ctx, controller) },
		func(ctx context.Context) error {
			if err := s.Run(ctx, server); err != nil {
				return err
			}
			return s.awaitPath(ctx, "/apis/argoproj.io/v1alpha1/namespaces/"+ArgoCDNamespace+"/appprojects/default")
		},
	)
}

// argocdServer is a process of argocd-server on the two ports.
func (s *Stack) argocdServer(port, metrics int, args ...string) process.Spec {
	server := s.argocdProcess(ArgoCDServer, port, append([]string{
		"--address=" + loopback.Address,
		fmt.Sprintf("--port=%d", port),
		"--metrics-address=" + loopback.Address,
		fmt.Sprintf("--metrics-port=%d", metrics),
		"--redis=" + local(s.argocd.redis),
		"--repo-server=" + local(s.argocd.repoServer),
		"--repo-server-plaintext",
		"--insecure",
		"--enable-proxy-extension",
	}, args...)...)
	// Five failed logins would lock an account for minutes, and who has just
	// made one tries until it is known.
	server.Env = append(server.Env, "ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT=1000")
	return server
}

// ServeUnder starts one more argocd-server, which serves everything under a root
// path such as /argocd, and returns its URL without that path.
func (s *Stack) ServeUnder(ctx context.Context, rootPath string) (string, error) {
	port, err := s.ports.Take()
	if err != nil {
		return "", err
	}
	metrics, err := s.ports.Take()
	if err != nil {
		return "", err
	}
	server := s.argocdServer(port, metrics, "--rootpath="+rootPath)
	server.Name = ArgoCDServer + "-under-a-root-path"
	return "http://" + local(port), s.Run(ctx, server)
}

// installer owns the fields of Argo CD's own objects. It is not the manager of
// Apply, so that a bundle applied later may name the same objects without taking
// anything from them.
const installer = "waybill-stack-install"

// install applies Argo CD's CRDs and configuration from its module.
func (s *Stack) install(ctx context.Context) error {
	var crds, config bytes.Buffer
	if err := joinManifests(&crds, filepath.Join(s.bin.argocd, "crds")); err != nil {
		return err
	}
	fmt.Fprintf(&config, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", ArgoCDNamespace)
	if err := joinManifests(&config, filepath.Join(s.bin.argocd, "config")); err != nil {
		return err
	}
	err := inParallel(ctx,
		func(ctx context.Context) error { return s.apply(ctx, installer, crds.Bytes(), "-f", "-") },
		func(ctx context.Context) error {
			if err := s.apply(ctx, installer, config.Bytes(), "-n", ArgoCDNamespace, "-f", "-"); err != nil {
				return err
			}
			return s.setAdminPassword(ctx)
		},
	)
	if err != nil {
		return fmt.Errorf("installing Argo CD: %w", err)
	}
	for _, resource := range []string{"applications", "applicationsets", "appprojects"} {
		if err := s.awaitPath(ctx, "/apis/argoproj.io/v1alpha1/"+resource); err != nil {
			return err
		}
	}
	return nil
}

// awaitPath waits until the API server serves a path.
func (s *Stack) awaitPath(ctx context.Context, path string) error {
	client, err := s.httpClient()
	if err != nil {
		return err
	}
	var last error
	ready := process.HTTPReady(client, s.kube.url()+path)
	err = wait.PollUntilContextTimeout(ctx, waitInterval, waitTimeout, true, func(ctx context.Context) (bool, error) {
		last = ready(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the API server does not serve %s: %w", path, errors.Join(err, last))
	}
	return nil
}

const (
	// socketFolder is the folder of the plugins' sockets.
	socketFolder = "plugins"
	// maxSocketPath is what the shortest of the systems allows.
	maxSocketPath = 103
)

// startPlugin runs argocd-cmp-server, as the sidecar does.
func (s *Stack) startPlugin(ctx context.Context) error {
	plugin := s.config.Plugin
	if plugin == nil {
		return nil
	}
	content, err := os.ReadFile(plugin.Config)
	if err != nil {
		return fmt.Errorf("reading the configuration of the plugin: %w", err)
	}
	socket, err := pluginSocket(content)
	if err != nil {
		return err
	}
	socket = filepath.Join(s.folder.join(socketFolder), socket)
	if len(socket) > maxSocketPath {
		return fmt.Errorf("the path of the stack's folder is %d characters too long for a Unix socket: choose a shorter one",
			len(socket)-maxSocketPath)
	}
	binary, err := filepath.Abs(plugin.Binary)
	if err != nil {
		return fmt.Errorf("finding the plugin: %w", err)
	}
	config, err := s.writeFile("argocd/plugin/plugin.yaml", content)
	if err != nil {
		return err
	}
	for _, name := range []string{socketFolder, "argocd/cmp"} {
		if err := os.MkdirAll(s.folder.join(name), 0o700); err != nil {
			return fmt.Errorf("making a folder for %s: %w", ArgoCDCMPServer, err)
		}
	}
	spec := s.argocdProcess(ArgoCDCMPServer, 0, "--config-dir-path="+filepath.Dir(config))
	spec.Env = s.sidecarVariables(binary)
	spec.Ready = process.DialReady("unix", socket)
	return s.Run(ctx, spec)
}

// sidecarVariables are those of argocd-cmp-server, beside the stack's own.
func (s *Stack) sidecarVariables(binary string) []string {
	own := []string{
		"PATH=" + filepath.Dir(binary) + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"ARGOCD_CMP_WORKDIR=" + s.folder.join("argocd/cmp"),
	}
	return slices.Concat(s.argocdProcess(ArgoCDCMPServer, 0).Env, own, s.config.Plugin.Env)
}

// SidecarEnvironment is the whole environment of argocd-cmp-server, for a program
// that is run as kubectl exec runs it in the sidecar. The stack must have a
// plugin.
func (s *Stack) SidecarEnvironment() ([]string, error) {
	binary, err := filepath.Abs(s.config.Plugin.Binary)
	if err != nil {
		return nil, fmt.Errorf("finding the plugin: %w", err)
	}
	return append(s.Environment(), s.sidecarVariables(binary)...), nil
}

// pluginSocket is the name that argocd-cmp-server gives the socket.
func pluginSocket(config []byte) (string, error) {
	var plugin struct {
		Metadata struct{ Name string }
		Spec     struct{ Version string }
	}
	if err := yaml.Unmarshal(config, &plugin); err != nil {
		return "", fmt.Errorf("reading the configuration of the plugin: %w", err)
	}
	if plugin.Metadata.Name == "" {
		return "", errors.New("the configuration of the plugin has no metadata.name")
	}
	if plugin.Spec.Version != "" {
		return plugin.Metadata.Name + "-" + plugin.Spec.Version + ".sock", nil
	}
	return plugin.Metadata.Name + ".sock", nil
}
