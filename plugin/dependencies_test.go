package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestThePluginStaysLight guards what the plugin costs for each render: what is
// linked is loaded and initialised each time. kustomize itself brings net/http.
func TestThePluginStaysLight(t *testing.T) {
	for _, dependency := range dependencies(t, ".") {
		for _, heavy := range []string{
			"k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/api/", "sigs.k8s.io/controller-runtime", "github.com/argoproj/", "helm.sh/",
			"github.com/go-git/", "github.com/google/go-containerregistry", "github.com/expr-lang/", "github.com/spf13/",
			"github.com/waybill-cd/waybill/proxy",
		} {
			if strings.HasPrefix(dependency, heavy) {
				t.Errorf("%s is linked in", dependency)
			}
		}
	}
}

// TestTheChartBinaryHasHelmsEngineAlone guards it too: the rest of Helm brings
// kubectl, registries and databases.
func TestTheChartBinaryHasHelmsEngineAlone(t *testing.T) {
	for _, dependency := range dependencies(t, "./chart") {
		for _, heavy := range []string{
			"helm.sh/helm/v3/pkg/action", "helm.sh/helm/v3/pkg/cli", "helm.sh/helm/v3/pkg/getter", "helm.sh/helm/v3/pkg/registry", "helm.sh/helm/v3/pkg/downloader",
			"k8s.io/kubectl", "k8s.io/cli-runtime", "oras.land/", "github.com/argoproj/", "sigs.k8s.io/controller-runtime", "github.com/spf13/cobra",
			"github.com/google/go-containerregistry", "github.com/waybill-cd/waybill/proxy",
		} {
			if strings.HasPrefix(dependency, heavy) {
				t.Errorf("%s is linked in", dependency)
			}
		}
	}
}

// TestPinningReachesNothing guards the packages that need no kustomize.
func TestPinningReachesNothing(t *testing.T) {
	for _, own := range []string{"./pin", "./manifest", "./refusal"} {
		for _, dependency := range dependencies(t, own) {
			if dependency == "net" || dependency == "net/http" || dependency == "os/exec" || strings.Contains(dependency, "kustomize") {
				t.Errorf("%s imports %s", own, dependency)
			}
		}
	}
}

func dependencies(t *testing.T, of string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", of).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}
