package helm_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/plugin/helm"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/render"
)

// testCase is how the chart of a folder of testdata is rendered, its options.yaml.
// What comes of it is held against the helm binary in hack/equality.
type testCase struct {
	Path string // the Application's, in the checkout
	render.ChartOptions
}

// TestAChartRendersTheSameEachTime guards against what Go leaves to chance, above
// all the order of maps.
func TestAChartRendersTheSameEachTime(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*/input")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := testCase{Path: ".", ChartOptions: render.ChartOptions{ReleaseName: "shop"}}
			data, err := os.ReadFile(filepath.Join(dir, "options.yaml"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			first := c.render(t, input)
			if len(first) == 0 {
				t.Fatal("it renders to nothing, which compares nothing")
			}
			const times = 2
			for range times {
				if diff := cmp.Diff(first, c.render(t, input)); diff != "" {
					t.Fatalf("the next time it renders to something else:\n%s", diff)
				}
			}
		})
	}
}

func (c testCase) render(t *testing.T, input string) []manifest.Object {
	t.Helper()
	checkout, err := render.Open(filepath.Join(input, c.Path), c.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	objects, err := helm.Render(checkout, c.ChartOptions)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
