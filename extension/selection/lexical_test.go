package selection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func TestTheLastTagInByteOrderComesFirst(t *testing.T) {
	for name, test := range map[string]struct{ tags, want []string }{
		"none":                         {nil, []string{}},
		"dates":                        {[]string{"2026-01-31", "2026-02-01", "2025-12-31"}, []string{"2026-02-01", "2026-01-31", "2025-12-31"}},
		"numbers are text":             {[]string{"9", "10"}, []string{"9", "10"}},
		"lower case after upper case":  {[]string{"Z", "a", "_", "A"}, []string{"a", "_", "Z", "A"}},
		"what goes on is later":        {[]string{"v1", "v1.0", "v1-rc"}, []string{"v1.0", "v1-rc", "v1"}},
		"bytes, not a language's rule": {[]string{"z", "ä"}, []string{"ä", "z"}},
		"anything is a tag":            {[]string{"latest", "main-4b1c27c"}, []string{"main-4b1c27c", "latest"}},
	} {
		images := rule(t, pipeline.ImageSubscription{ImageSelectionStrategy: pipeline.StrategyLexical})
		if diff := cmp.Diff(test.want, images.Select(test.tags)); diff != "" {
			t.Errorf("%s, of images (-want +got):\n%s", name, diff)
		}
		tags, err := selection.ForTags(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, tags.Select(test.tags)); diff != "" {
			t.Errorf("%s, of Git (-want +got):\n%s", name, diff)
		}
		if images.Dated() || tags.Dated() {
			t.Errorf("%s: names are ordered by their dates", name)
		}
	}
}
