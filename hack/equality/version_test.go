package equality

import (
	"debug/buildinfo"
	"testing"
)

// TestBothSidesAreOfOneVersion guards every comparison: the programs have modules
// of their own, in which dependencies are raised apart from the plugin's. The
// Kubernetes client is left out: this repository has Argo CD's, from which the
// plugin takes the list of APIs that a chart sees without a cluster.
func TestBothSidesAreOfOneVersion(t *testing.T) {
	for _, tt := range []struct{ module, ours, theirs string }{
		{"sigs.k8s.io/kustomize/api", programs.plugin, programs.kustomize},
		{"sigs.k8s.io/kustomize/kyaml", programs.plugin, programs.kustomize},
		{"helm.sh/helm/v3", programs.plugin + "-chart", programs.helm},
		{"github.com/Masterminds/sprig/v3", programs.plugin + "-chart", programs.helm},
	} {
		if ours, theirs := version(t, tt.ours, tt.module), version(t, tt.theirs, tt.module); ours != theirs || ours == "" {
			t.Errorf("%s is %q in the plugin and %q in what it is held against", tt.module, ours, theirs)
		}
	}
}

func version(t *testing.T, program, module string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Main.Path == module {
		return info.Main.Version
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			if dependency.Replace != nil {
				return dependency.Replace.Version
			}
			return dependency.Version
		}
	}
	return ""
}
