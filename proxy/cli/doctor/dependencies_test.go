package doctor

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDoctorStaysLight guards the size of the command line, and how fast each of
// its commands starts: Kubernetes' typed client would add 28 MB.
func TestDoctorStaysLight(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dependency := range strings.Fields(string(out)) {
		for _, heavy := range []string{
			"k8s.io/client-go/kubernetes", "k8s.io/client-go/informers", "k8s.io/api/", "sigs.k8s.io/controller-runtime",
			"github.com/argoproj/argo-cd/v2/pkg/", "github.com/argoproj/argo-cd/v2/util/rbac", "helm.sh/", "github.com/go-git/",
		} {
			if strings.HasPrefix(dependency, heavy) {
				t.Errorf("%s is linked in", dependency)
			}
		}
	}
}
