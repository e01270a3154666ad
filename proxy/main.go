// Command waybill-proxy is the backend of Waybill's Argo CD extension.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source/pace"
	"github.com/waybill-cd/waybill/proxy/source/registry/cloud"
)

// version is set by the linker.
var version = "dev"

// settings are those of an installation.
type settings struct {
	namespace     string
	argocd        string
	applications  string
	listen        string
	webhookListen string
	metricsListen string
	gates         string
	cache         string
	plugin        string
	timeout       time.Duration
	retention     time.Duration
	kubeconfig    string

	registryRequests float64
	cloudRegistries  string
	verbose          bool
	showVersion      bool
}

func (s *settings) flags() *flag.FlagSet {
	f := flag.NewFlagSet("waybill-proxy", flag.ContinueOnError)
	f.StringVar(&s.namespace, "namespace", pipeline.DefaultNamespace, "Waybill's own namespace, which holds its state")
	f.StringVar(&s.argocd, "argocd-namespace", "argocd", "Argo CD's namespace")
	f.StringVar(&s.applications, "application-namespaces", "", "further namespaces of Applications, separated by commas")
	f.StringVar(&s.listen, "listen", ":8080", "address of the API, for argocd-server alone")
	f.StringVar(&s.webhookListen, "webhook-listen", ":8082", "address of the webhooks of Git hosts and registries; empty for none")
	f.StringVar(&s.metricsListen, "metrics-listen", ":8081", "address of /metrics, /healthz and /readyz")
	f.StringVar(&s.gates, "gates-dir", "/etc/waybill/gates", "folder with a file for each gate, named as the extension is, that holds its secret")
	f.StringVar(&s.cache, "cache-dir", "/var/cache/waybill", "folder for what can be fetched again")
	f.StringVar(&s.plugin, "plugin", besideSelf("waybill-plugin"), "the plugin's binary, which previews run; waybill-plugin-chart stands beside it")
	f.DurationVar(&s.timeout, "promotion-timeout", 15*time.Minute, "how long a promotion may run before it has failed")
	f.DurationVar(&s.retention, "retention", 365*24*time.Hour, "how long ended promotions, and freight that nothing names, are kept")
	f.Float64Var(&s.registryRequests, "registry-requests", pace.DefaultPerSecond, "requests to each host of images, charts or Git repositories in a second, at most")
	f.StringVar(&s.cloudRegistries, "cloud-registries", "", "registries of Amazon, Google and Azure, separated by commas, that every pipeline may read with the proxy's own cloud identity")
	f.StringVar(&s.kubeconfig, "kubeconfig", "", "kubeconfig file; in a cluster, the ServiceAccount's credentials")
	f.BoolVar(&s.verbose, "verbose", false, "log what is decided, too")
	f.BoolVar(&s.showVersion, "version", false, "print the version and exit")
	return f
}

// besideSelf returns the path of a program that stands beside this one.
func besideSelf(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}

func (s *settings) check() error {
	if s.timeout < time.Minute {
		return fmt.Errorf("--promotion-timeout %s is too short for any deployment: at least 1m", s.timeout)
	}
	if s.retention < 24*time.Hour {
		return fmt.Errorf("--retention %s is too short for a record of who did what: at least 24h", s.retention)
	}
	if s.registryRequests < 1 {
		return fmt.Errorf("--registry-requests %g is too few for any look: at least 1", s.registryRequests)
	}
	for _, host := range list(s.cloudRegistries) {
		if err := cloud.Check(host); err != nil {
			return fmt.Errorf("--cloud-registries: %w", err)
		}
	}
	if s.namespace == s.argocd {
		return fmt.Errorf("--namespace and --argocd-namespace are both %s: Waybill keeps its state in a namespace of its own", s.namespace)
	}
	if s.webhookListen != "" {
		if err := checkAddress("--webhook-listen", s.webhookListen); err != nil {
			return err
		}
	}
	return errors.Join(checkAddress("--listen", s.listen), checkAddress("--metrics-listen", s.metricsListen))
}

func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s %q is not an address: write [host]:port", flag, address)
	}
	return nil
}

func (s *settings) applicationNamespaces() []string {
	names := []string{s.argocd}
	for _, name := range list(s.applications) {
		if name != s.argocd {
			names = append(names, name)
		}
	}
	return names
}

// list splits what is separated by commas.
func list(text string) []string {
	var parts []string
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func main() {
	var s settings
	flags := s.flags()
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	case s.showVersion:
		fmt.Println(version)
		return
	}
	if err := s.check(); err != nil {
		fmt.Fprintln(os.Stderr, "waybill-proxy:", err)
		os.Exit(2)
	}
	log.SetLogger(logger(s.verbose))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "waybill-proxy:", err)
		os.Exit(1)
	}
}

func logger(verbose bool) logr.Logger { return zap.New(zap.UseDevMode(verbose)) }
