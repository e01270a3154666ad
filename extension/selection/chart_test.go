package selection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func TestTheGreatestVersionOfAChartComesFirst(t *testing.T) {
	const classic, registry = "https://charts.example.com", "oci://registry.example.com/charts/db"
	for name, test := range map[string]struct {
		repoURL, constraint string
		versions, want      []string
	}{
		"of a classic repository":                 {classic, "", []string{"1.9.0", "1.10.0", "v1.2.0"}, []string{"1.10.0", "1.9.0", "v1.2.0"}},
		"which may be short":                      {classic, "", []string{"1", "0.9.1", "1.1"}, []string{"1.1", "1", "0.9.1"}},
		"which may be none":                       {classic, "", []string{"latest", "", "1.0.0.0"}, []string{}},
		"in a constraint":                         {classic, "^1.0.0", []string{"0.9.0", "1.2.0", "1.3.0-rc.1", "2.0.0"}, []string{"1.2.0"}},
		"with its build, last in byte order":      {classic, "", []string{"1.0.0+a", "1.0.0+b", "1.0.0"}, []string{"1.0.0+b", "1.0.0+a", "1.0.0"}},
		"an underscore is none of an index":       {classic, "", []string{"1.0.0_b", "1.0.0"}, []string{"1.0.0"}},
		"of a registry":                           {registry, "", []string{"1.9.0", "1.10.0"}, []string{"1.10.0", "1.9.0"}},
		"where an underscore stands for the plus": {registry, "", []string{"1.0.0_a", "1.0.0_b.1", "1.0.0", "1.0.1_x"}, []string{"1.0.1_x", "1.0.0_b.1", "1.0.0_a", "1.0.0"}},
		"which must be full":                      {registry, "", []string{"1", "1.1", "latest", "sha256-0123.sig", "1.1.1"}, []string{"1.1.1"}},
		"without a v":                             {registry, "", []string{"v1.2.0", "1.1.0"}, []string{"1.1.0"}},
		"in a constraint too":                     {registry, "<2", []string{"2.0.0_a", "1.9.9_a"}, []string{"1.9.9_a"}},
	} {
		r, err := selection.ForChart(pipeline.ChartSubscription{RepoURL: test.repoURL, SemverConstraint: test.constraint})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, r.Select(test.versions)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r.Dated() {
			t.Errorf("%s: versions are ordered by their dates", name)
		}
	}
	if _, err := selection.ForChart(pipeline.ChartSubscription{RepoURL: registry, SemverConstraint: "newest"}); err == nil {
		t.Error("a constraint that is none is followed")
	}
}
