package equality

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// minCases is how many cases stand behind each claim of equality.
const minCases = 30

func TestKustomizationsRenderAsKustomizeBuildsThem(t *testing.T) {
	roots, err := filepath.Glob("../../plugin/render/testdata/*")
	if err != nil || len(roots) < minCases {
		t.Fatalf("there are %d cases, want %d: %v", len(roots), minCases, err)
	}
	for _, root := range roots {
		t.Run(filepath.Base(root), func(t *testing.T) {
			want, err := exec.CommandContext(t.Context(), programs.kustomize, "build", filepath.Join(root, "app")).Output()
			if err != nil {
				t.Fatal(err)
			}
			got, refusal := generate(t, root, "app", nil)
			if refusal != "" {
				t.Fatal(refusal)
			}
			if diff := cmp.Diff(objects(t, string(want)), objects(t, got)); diff != "" {
				t.Errorf("-kustomize +plugin:\n%s", diff)
			}
		})
	}
}
