package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/cli/doctor"
)

const (
	// kubernetesTimeout bounds one request to Kubernetes.
	kubernetesTimeout = 30 * time.Second
	// versionTimeout bounds how long argocd-server is asked for its version.
	versionTimeout = 5 * time.Second
)

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	kubeconfig      string
	context         string
	argocdNamespace string
	namespace       string
	only            []string
	failOn          string
}

func (c *command) doctorCommand() *cobra.Command {
	var o doctorOptions
	severities := []string{string(finding.Error), string(finding.Warning)}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at the installation, and tell what to mend",
		Long: `Look at the installation, and tell what to mend: Argo CD's version and settings, the
gates and their secrets, who may pass them by Argo CD's policy, the plugin's sidecar,
the UI extension, the Applications that are bound to stages, the ApplicationSets that
would undo waybills, and the proxy with its pipelines and credentials.

doctor is for administrators. It reads from Kubernetes, with the kubeconfig of
kubectl, and writes nothing; secrets are compared by their hashes and never shown.
argocd-server is asked for its version where its image does not tell it.

What may not be read is a finding, and the rest is looked at. To read everything
takes these rights:

` + doctor.Rights + `

What a render sees is told by the plugin itself:
  kubectl exec -n argocd deploy/argocd-repo-server -c waybill -- waybill-plugin doctor

The exit code is 1 if there is an error, and with --fail-on warning also if there
is a warning.`,
		Example: `  argocd-waybill doctor
  argocd-waybill doctor --only gates,policy
  argocd-waybill doctor -o json | jq '.findings[] | select(.severity == "error")'`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			for _, name := range o.only {
				if !slices.Contains(doctor.Checks(), name) {
					return usage("--only: there is no check %q: use %s", name, strings.Join(doctor.Checks(), ", "))
				}
			}
			if !slices.Contains(severities, o.failOn) {
				return usage("--fail-on: %q is not known: use %s", o.failOn, strings.Join(severities, " or "))
			}
			findings, err := c.diagnose(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.tellFindings(findings, finding.Severity(o.failOn))
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubectl's config file (default: where kubectl finds it)")
	flags.StringVar(&o.context, "context", "", "the context of the kubeconfig to use")
	flags.StringVar(&o.argocdNamespace, "argocd-namespace", "argocd", "Argo CD's namespace")
	flags.StringVar(&o.namespace, "namespace", pipeline.DefaultNamespace, "Waybill's namespace")
	flags.StringSliceVar(&o.only, "only", nil, "checks to make: "+strings.Join(doctor.Checks(), ", "))
	flags.StringVar(&o.failOn, "fail-on", string(finding.Error), "the least severity that fails: "+strings.Join(severities, ", "))
	words := func(offered []string) completer {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return offered, cobra.ShellCompDirectiveNoFileComp
		}
	}
	c.complete(cmd, "only", words(doctor.Checks()))
	c.complete(cmd, "fail-on", words(severities))
	c.outputFlag(cmd, formatWide, formatJSON, formatYAML)
	return cmd
}

// diagnose reads the installation and examines it.
func (c *command) diagnose(ctx context.Context, o doctorOptions) ([]finding.Finding, error) {
	connect := c.Kubernetes
	if connect == nil {
		connect = c.kubernetes
	}
	client, err := connect(o.kubeconfig, o.context)
	if err != nil {
		return nil, err
	}
	in, err := doctor.Read(ctx, client, doctor.Options{
		ArgoCDNamespace: o.argocdNamespace, Namespace: o.namespace, Now: c.Now(), CLIVersion: c.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("Kubernetes cannot be read: %w: check the kubeconfig with kubectl version", err)
	}
	if doctor.NeedsServerVersion(in) {
		in.ServerVersion = c.serverVersion(ctx)
	}
	return doctor.Examine(in, o.only), nil
}

// serverVersion asks argocd-server, if somebody is logged in there.
func (c *command) serverVersion(ctx context.Context) string {
	reach, err := c.connect()
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	version, err := reach.ServerVersion(ctx)
	if err != nil {
		return ""
	}
	return version
}

// kubernetes makes a client as kubectl does.
func (c *command) kubernetes(kubeconfig, context string) (dynamic.Interface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("there is no way to Kubernetes: %w: give --kubeconfig, or --context", err)
	}
	config.UserAgent = "argocd-waybill/" + c.Version
	config.Timeout = kubernetesTimeout
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("there is no way to Kubernetes: %w: correct the kubeconfig", err)
	}
	return client, nil
}

// tellFindings writes the findings, and returns an error where one is as bad as least.
func (c *command) tellFindings(findings []finding.Finding, least finding.Severity) error {
	if c.structured() {
		if err := c.write(map[string]any{"findings": findings}); err != nil {
			return err
		}
	} else if err := c.tellLines(findings); err != nil {
		return err
	}
	failures, warnings := finding.Count(findings, finding.Error), finding.Count(findings, finding.Warning)
	if failures > 0 || warnings > 0 && least == finding.Warning {
		return errors.New("doctor has found " + counted(failures, "error") + " and " + counted(warnings, "warning"))
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// tellLines writes the findings for people, below the names of the checks.
func (c *command) tellLines(findings []finding.Finding) error {
	arrow := c.style.branches().remedy
	marks := map[finding.Severity]mark{finding.OK: markYes, finding.Warning: markWarn, finding.Error: markNo}
	group := ""
	for _, f := range findings {
		if f.Check != group {
			group = f.Check
			if err := c.print("%s\n", clean(group)); err != nil {
				return err
			}
		}
		if err := c.print("  %s %s\n", c.style.mark(marks[f.Severity]), clean(f.Fact)); err != nil {
			return err
		}
		if f.Remedy != "" {
			if err := c.print("      %s%s\n", arrow, clean(f.Remedy)); err != nil {
				return err
			}
		}
		if c.output != formatWide {
			continue
		}
		for _, subject := range f.Subjects {
			if err := c.print("      %s\n", clean(subject)); err != nil {
				return err
			}
		}
	}
	return nil
}
