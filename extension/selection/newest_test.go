package selection_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func TestTheNewestComesFirst(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, time.March, 4, 5, 6, second, 0, time.UTC) }
	tagged := func(tag string, at time.Time) selection.Dated { return selection.Dated{Tag: tag, At: at} }
	for name, test := range map[string]struct {
		tags []selection.Dated
		want []string
	}{
		"none":             {nil, nil},
		"whatever its tag": {[]selection.Dated{tagged("z", at(1)), tagged("a", at(3)), tagged("m", at(2))}, []string{"a", "m", "z"}},
		"of one date, the tag that is last in byte order": {[]selection.Dated{tagged("v1.9", at(1)), tagged("v1.10", at(1)), tagged("v2", at(1))}, []string{"v2", "v1.9", "v1.10"}},
		"one date in two time zones":                      {[]selection.Dated{tagged("a", at(1)), tagged("b", at(1).In(time.FixedZone("CET", 3600)))}, []string{"b", "a"}},
		"what has no date is last":                        {[]selection.Dated{tagged("z", time.Time{}), tagged("a", time.Unix(0, 0)), tagged("y", time.Time{})}, []string{"a", "z", "y"}},
		"a fraction of a second counts":                   {[]selection.Dated{tagged("z", at(1)), tagged("a", at(1).Add(time.Nanosecond))}, []string{"a", "z"}},
	} {
		for seed := range uint64(5) {
			random := rand.New(rand.NewPCG(seed, 0))
			random.Shuffle(len(test.tags), func(i, j int) { test.tags[i], test.tags[j] = test.tags[j], test.tags[i] })
			selection.Newest(test.tags)
			var got []string
			for _, tag := range test.tags {
				got = append(got, tag.Tag)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// The dates have to be asked for, one by one: the rule says of which tags.
func TestOnlyTagsThatQualifyNeedADate(t *testing.T) {
	tags := []string{"v1", "v2-rc", "latest", "v3"}
	images := rule(t, pipeline.ImageSubscription{ImageSelectionStrategy: pipeline.StrategyNewestBuild, AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"rc"}})
	git, err := selection.ForTags(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"rc"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]selection.Rule{"NewestBuild": images, "NewestTag": git} {
		if diff := cmp.Diff([]string{"v3", "v1"}, r.Select(tags)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !r.Dated() {
			t.Errorf("%s goes by no date", name)
		}
	}
}

func ExampleNewest() {
	day := func(d int) time.Time { return time.Date(2026, time.March, d, 0, 0, 0, 0, time.UTC) }
	tags := []selection.Dated{{Tag: "main-4b1c27c", At: day(1)}, {Tag: "main-c0ffee5", At: day(3)}, {Tag: "main-7d3f0c1", At: day(2)}}
	selection.Newest(tags)
	fmt.Println(tags[0].Tag)
	// Output: main-c0ffee5
}
