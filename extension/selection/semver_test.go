package selection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func TestTheGreatestVersionThatQualifiesComesFirst(t *testing.T) {
	no := false
	tests := map[string]struct {
		subscription pipeline.ImageSubscription
		tags         []string
		want         []string
	}{
		"no tags": {pipeline.ImageSubscription{}, nil, []string{}},
		"versions are numbers, not text": {
			pipeline.ImageSubscription{},
			[]string{"v1.9.0", "v1.10.0", "v1.2.0"}, []string{"v1.10.0", "v1.9.0", "v1.2.0"},
		},
		"a pre-release comes before its release": {
			pipeline.ImageSubscription{ImageSelectionStrategy: "SemVer"},
			[]string{"1.0.0-rc.2", "1.0.0", "1.0.0-rc.10", "0.9.0"}, []string{"1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "0.9.0"},
		},
		"a tag that is no version is left out": {
			pipeline.ImageSubscription{},
			[]string{"latest", "main-4b1c27c", "", "v", "1.0.0", "vv1.0.0", "1.0.0.0", "01.0.0", "99999999999999999999.0.0"}, []string{"1.0.0"},
		},
		"only full versions count": {
			pipeline.ImageSubscription{},
			[]string{"1", "v1.2", "1.2.3"}, []string{"1.2.3"},
		},
		"short versions count where the subscription says so": {
			pipeline.ImageSubscription{StrictSemvers: &no},
			[]string{"1", "v1.2", "1.2.3", "latest"}, []string{"1.2.3", "v1.2", "1"},
		},
		"a constraint bounds the versions": {
			pipeline.ImageSubscription{Constraint: "^1.2.0"},
			[]string{"1.1.9", "1.2.0", "1.99.0", "2.0.0"}, []string{"1.99.0", "1.2.0"},
		},
		"a constraint leaves pre-releases out": {
			pipeline.ImageSubscription{Constraint: ">=1.0.0"},
			[]string{"1.1.0-rc.1", "1.0.0"}, []string{"1.0.0"},
		},
		"a constraint that names one lets pre-releases in": {
			pipeline.ImageSubscription{Constraint: ">=1.0.0-0"},
			[]string{"1.1.0-rc.1", "1.0.0"}, []string{"1.1.0-rc.1", "1.0.0"},
		},
		"equal versions are ordered by the tag, the last in the alphabet first": {
			pipeline.ImageSubscription{StrictSemvers: &no},
			[]string{"1.0", "v1.0.0", "1.0.0", "1.0.0+b", "1.0.0+a"}, []string{"v1.0.0", "1.0.0+b", "1.0.0+a", "1.0.0", "1.0"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := rule(t, test.subscription).Select(test.tags)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Select (-want +got):\n%s", diff)
			}
		})
	}
}

// Git's tags and images' are versions by one rule.
func TestTheGreatestVersionOfGitsTagsComesFirst(t *testing.T) {
	no := false
	for name, test := range map[string]struct {
		subscription pipeline.GitSubscription
		want         []string
	}{
		"all":                          {pipeline.GitSubscription{}, []string{"v2.0.0-rc.1", "v1.10.0", "1.9.0"}},
		"within a constraint":          {pipeline.GitSubscription{SemverConstraint: "<1.10"}, []string{"1.9.0"}},
		"short ones too":               {pipeline.GitSubscription{StrictSemvers: &no}, []string{"v2.0.0-rc.1", "v1.10.0", "1.9.0", "v1"}},
		"that an expression allows":    {pipeline.GitSubscription{AllowTagsRegexes: []string{"^v"}}, []string{"v2.0.0-rc.1", "v1.10.0"}},
		"that no expression ignores":   {pipeline.GitSubscription{IgnoreTagsRegexes: []string{"rc"}}, []string{"v1.10.0", "1.9.0"}},
		"and a monorepo's, by no rule": {pipeline.GitSubscription{AllowTagsRegexes: []string{"^api/"}}, []string{}},
	} {
		test.subscription.CommitSelectionStrategy = pipeline.StrategySemVer
		r, err := selection.ForTags(test.subscription)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, r.Select([]string{"v1", "1.9.0", "api/v3.0.0", "v2.0.0-rc.1", "v1.10.0", "latest"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r.Dated() {
			t.Errorf("%s: versions are ordered by their dates", name)
		}
	}
}
