package selection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

func TestOneTagIsFollowed(t *testing.T) {
	for name, test := range map[string]struct{ tags, want []string }{
		"where it is there":        {[]string{"v9.0.0", "latest", "latest-debug"}, []string{"latest"}},
		"and nothing where it not": {[]string{"v9.0.0", "latest-debug", "Latest"}, []string{}},
		"or where nothing is":      {nil, []string{}},
	} {
		r := rule(t, pipeline.ImageSubscription{ImageSelectionStrategy: pipeline.StrategyDigest, Constraint: "latest"})
		if diff := cmp.Diff(test.want, r.Select(test.tags)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r.Dated() {
			t.Errorf("%s: one tag is ordered by its date", name)
		}
	}
}
