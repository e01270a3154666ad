package cli

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// gateSecretName is the name of both Secrets: the proxy's manifests mount the
// one, extension.config refers to the other.
const gateSecretName = "waybill-gates"

// gateSecretSize of a gate's secret, in random bytes.
const gateSecretSize = 32

// extensionName is what Argo CD accepts for a proxy extension.
var extensionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// secret is a Kubernetes Secret, as far as gates need one.
type secret struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   secretMetadata    `json:"metadata"`
	Type       string            `json:"type"`
	StringData map[string]string `json:"stringData"`
}

type secretMetadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

func (c *command) gateSecretsCommand() *cobra.Command {
	var namespace, argocdNamespace string
	var more []string
	cmd := &cobra.Command{
		Use:   "gate-secrets",
		Short: "Print the Secrets by which the proxy knows Argo CD, with fresh values",
		Long: `Print the two Secrets by which the proxy knows that a call came through Argo CD,
with fresh random values: one for the proxy, and one, with the same values, for
argocd-server. Each gate has its own.

Applied again, this changes the values. Restart both sides afterwards: argocd-server
and waybill-proxy read them when they start. A server-side apply keeps the values
out of an annotation.`,
		Example: `  argocd-waybill gate-secrets | kubectl apply --server-side -f -
  argocd-waybill gate-secrets --gate qa-approve | kubectl apply --server-side -f -`,
		Args: arguments(0, 0),
		RunE: c.run(func(*cobra.Command, []string) error {
			gates := append([]string{pipeline.GateRead, pipeline.GatePromote, pipeline.GateApprove}, more...)
			slices.Sort(gates)
			values, err := gateValues(slices.Compact(gates))
			if err != nil {
				return err
			}
			for _, s := range []secret{
				gateSecret(namespace, "waybill", values),
				// Argo CD resolves references only to Secrets with its label.
				gateSecret(argocdNamespace, "argocd", values),
			} {
				text, err := yaml.Marshal(s)
				if err != nil {
					return fmt.Errorf("the Secret cannot be written: %w", err)
				}
				if err := c.print("---\n%s", text); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&namespace, "namespace", pipeline.DefaultNamespace, "the proxy's namespace")
	cmd.Flags().StringVar(&argocdNamespace, "argocd-namespace", "argocd", "Argo CD's namespace")
	cmd.Flags().StringSliceVar(&more, "gate", nil, "name of a further gate; may be repeated")
	return cmd
}

func gateValues(gates []string) (map[string]string, error) {
	values := make(map[string]string, len(gates))
	for _, gate := range gates {
		if !extensionName.MatchString(gate) {
			return nil, usage("--gate: %q is not the name of a proxy extension: use letters, digits, hyphens and underscores", gate)
		}
		random := make([]byte, gateSecretSize)
		// It never fails: without randomness the program ends.
		_, _ = rand.Read(random)
		// No value starts with "$", which Argo CD would take for a reference.
		values[gate] = base64.RawURLEncoding.EncodeToString(random)
	}
	return values, nil
}

func gateSecret(namespace, partOf string, values map[string]string) secret {
	return secret{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque",
		Metadata: secretMetadata{
			Name: gateSecretName, Namespace: namespace,
			Labels: map[string]string{"app.kubernetes.io/part-of": partOf},
		},
		StringData: values,
	}
}
