package main

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// own is what this repository's packages begin with.
const own = "github.com/waybill-cd/waybill/"

// TestThePluginStaysLight guards what the plugin costs for each render: what is
// linked is loaded and initialised each time. kustomize itself brings net/http.
func TestThePluginStaysLight(t *testing.T) {
	needed := []string{
		own + "extension/finding", own + "extension/freight", own + "extension/images", own + "extension/parameters", own + "extension/pipeline/name", own + "extension/waybill",
	}
	for _, dependency := range dependencies(t, ".") {
		if strings.HasPrefix(dependency, own) && !strings.HasPrefix(dependency, own+"plugin") && !slices.Contains(needed, dependency) {
			t.Errorf("%s is linked in", dependency)
		}
		for _, heavy := range []string{
			"k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/api/", "sigs.k8s.io/controller-runtime", "github.com/argoproj/", "helm.sh/",
			"github.com/go-git/", "github.com/google/go-containerregistry", "github.com/expr-lang/", "github.com/spf13/",
			"github.com/Masterminds/", "github.com/santhosh-tekuri/", own + "plugin/helm",
		} {
			if strings.HasPrefix(dependency, heavy) {
				t.Errorf("%s is linked in", dependency)
			}
		}
	}
}

// TestThePluginPreparesNothingAtItsStart guards the same: a pattern that is
// compiled for a package costs each render hundreds of allocations, and most
// renders need none.
func TestThePluginPreparesNothingAtItsStart(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's program links all that the plugin does.
	program := exec.CommandContext(t.Context(), self, "-test.run=^$")
	program.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	trace, err := program.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, trace)
	}
	const most = 20
	traced := 0
	for line := range strings.Lines(string(trace)) {
		// init <package> @2.3 ms, 0 ms clock, 336 bytes, 2 allocs
		fields := strings.Fields(line)
		if len(fields) != 11 || fields[0] != "init" {
			continue
		}
		traced++
		if allocations, err := strconv.Atoi(fields[9]); err != nil || strings.HasPrefix(fields[1], own) && allocations > most {
			t.Errorf("%s makes %s allocations at the start, want %d at most: prepare things where they are needed", fields[1], fields[9], most)
		}
	}
	if traced == 0 {
		t.Errorf("the start was not traced:\n%s", trace)
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
	for _, pkg := range []string{"./pin", "./manifest", "./refusal"} {
		for _, dependency := range dependencies(t, pkg) {
			if dependency == "net" || dependency == "net/http" || dependency == "os/exec" || strings.Contains(dependency, "kustomize") {
				t.Errorf("%s imports %s", pkg, dependency)
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
