package helm

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestOneChartCannotTakeTheSidecar holds the bound of a render against the limit
// that the manifests set: two such charts at once, and the rest has room yet.
func TestOneChartCannotTakeTheSidecar(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "argocd", "argocd-repo-server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Resources struct{ Limits map[string]string }
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &deployment); err != nil {
		t.Fatal(err)
	}
	const limit = 1 << 30
	if got := deployment.Spec.Template.Spec.Containers[0].Resources.Limits["memory"]; got != "1Gi" {
		t.Fatalf("the sidecar's limit is %q: change this test with it", got)
	}
	if 2*maxMemory > limit-limit/4 {
		t.Errorf("two charts may take %d MiB of %d", 2*maxMemory>>20, limit>>20)
	}
}
