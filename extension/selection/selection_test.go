package selection_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func rule(t testing.TB, s pipeline.ImageSubscription) selection.Rule {
	t.Helper()
	r, err := selection.ForImage(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whatever the strategy, but for Digest.
func TestExpressionsTakeAndLeaveTags(t *testing.T) {
	tests := map[string]struct {
		subscription pipeline.ImageSubscription
		tags         []string
		want         []string
	}{
		"tags that none of the expressions allows are left out": {
			pipeline.ImageSubscription{AllowTagsRegexes: []string{`^v1\.`, `^v3\.`}},
			[]string{"v1.0.0", "v2.0.0", "v3.0.0", "1.0.0"}, []string{"v3.0.0", "v1.0.0"},
		},
		"tags that one of the expressions ignores are left out": {
			pipeline.ImageSubscription{IgnoreTagsRegexes: []string{"alpha", "beta"}},
			[]string{"1.0.0-alpha", "1.0.0-beta", "1.0.0-rc"}, []string{"1.0.0-rc"},
		},
		"ignoring goes before allowing": {
			pipeline.ImageSubscription{AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"^v2"}},
			[]string{"v1.0.0", "v2.0.0"}, []string{"v1.0.0"},
		},
		"an expression matches anywhere in the tag, unless it is anchored": {
			pipeline.ImageSubscription{AllowTagsRegexes: []string{"1"}, IgnoreTagsRegexes: []string{"^1"}},
			[]string{"1.0.0", "v1.0.0", "v2.1.0", "v2.0.0"}, []string{"v2.1.0", "v1.0.0"},
		},
	}
	for name, test := range tests {
		for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyLexical, pipeline.StrategyNewestBuild} {
			t.Run(name+", "+strategy, func(t *testing.T) {
				test.subscription.ImageSelectionStrategy = strategy
				got := rule(t, test.subscription).Select(test.tags)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("Select (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestARuleThatCannotBeFollowedIsRefused(t *testing.T) {
	tests := map[string]struct {
		subscription pipeline.ImageSubscription
		want         string
	}{
		"a strategy":            {pipeline.ImageSubscription{ImageSelectionStrategy: "Newest"}, `imageSelectionStrategy "Newest" is not known`},
		"a constraint":          {pipeline.ImageSubscription{Constraint: "latest"}, `"latest" is not a version range: improper constraint: latest`},
		"an allowed expression": {pipeline.ImageSubscription{AllowTagsRegexes: []string{"("}}, "\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`"},
		"an ignored expression": {pipeline.ImageSubscription{IgnoreTagsRegexes: []string{"["}}, "\"[\" is not a regular expression (RE2): error parsing regexp: missing closing ]: `[`"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := selection.ForImage(test.subscription); err == nil || err.Error() != test.want {
				t.Errorf("ForImage says %v, want %s", err, test.want)
			}
		})
	}
}

func TestARuleOfGitsTagsThatCannotBeFollowedIsRefused(t *testing.T) {
	for want, s := range map[string]pipeline.GitSubscription{
		`commitSelectionStrategy "NewestFromBranch" takes no tags`:                              {CommitSelectionStrategy: pipeline.StrategyNewestFromBranch},
		`commitSelectionStrategy "" takes no tags`:                                              {},
		`"latest" is not a version range: improper constraint: latest`:                          {CommitSelectionStrategy: pipeline.StrategySemVer, SemverConstraint: "latest"},
		"\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`": {CommitSelectionStrategy: pipeline.StrategyLexical, AllowTagsRegexes: []string{"("}},
	} {
		if _, err := selection.ForTags(s); err == nil || err.Error() != want {
			t.Errorf("ForTags says %v, want %s", err, want)
		}
	}
}

func TestSelectingLeavesItsInputAlone(t *testing.T) {
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyLexical, pipeline.StrategyNewestBuild} {
		tags := []string{"1.0.0", "3.0.0", "2.0.0"}
		rule(t, pipeline.ImageSubscription{ImageSelectionStrategy: strategy}).Select(tags)
		if diff := cmp.Diff([]string{"1.0.0", "3.0.0", "2.0.0"}, tags); diff != "" {
			t.Errorf("%s: the caller's tags (-want +got):\n%s", strategy, diff)
		}
	}
}

func TestOneRuleServesSeveralGoroutines(t *testing.T) {
	r := rule(t, pipeline.ImageSubscription{Constraint: "^1.0.0", AllowTagsRegexes: []string{"^1"}, IgnoreTagsRegexes: []string{"rc"}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got := r.Select([]string{"1.0.0", "1.2.0", "1.3.0-rc", "2.0.0"}); len(got) != 2 || got[0] != "1.2.0" {
					t.Errorf("Select = %v", got)
				}
			}
		})
	}
	all.Wait()
}

// The tags are a list in a registry's order, which means nothing.
func FuzzSelectionIsASubsetInAnOrderOfItsOwn(f *testing.F) {
	f.Add("1.0.0 v1.0.0 1.0 latest 2.0.0-rc.1 1.0.0+a 1.0.0+b", "^1.0.0", "", "rc", false, uint8(0), uint64(1))
	f.Add("1 2 3 v1 v2 v3", ">=1, <3 || 7", "^v", "", false, uint8(1), uint64(2))
	f.Add("0.0.0 0.0.0-0 0.0.0-a 0.0.0", "*", ".", "-a$", true, uint8(0), uint64(3))
	f.Add("", "", "", "", true, uint8(2), uint64(0))
	f.Add("1.0.0 1.0.0 1.0.0", "", "", "", true, uint8(3), uint64(9))
	f.Fuzz(func(t *testing.T, text, constraint, allow, ignore string, strict bool, strategy uint8, seed uint64) {
		strategies := []string{pipeline.StrategySemVer, pipeline.StrategyLexical, pipeline.StrategyNewestBuild, pipeline.StrategyDigest}
		s := pipeline.ImageSubscription{ImageSelectionStrategy: strategies[int(strategy)%len(strategies)], Constraint: constraint, StrictSemvers: &strict}
		if allow != "" {
			s.AllowTagsRegexes = []string{allow}
		}
		if ignore != "" {
			s.IgnoreTagsRegexes = []string{ignore}
		}
		r, err := selection.ForImage(s)
		if err != nil {
			return
		}
		tags := strings.Fields(text)
		selected := r.Select(tags)

		left := slices.Clone(tags)
		for _, tag := range selected {
			i := slices.Index(left, tag)
			if i < 0 {
				t.Fatalf("%q is selected from %q more often than it is there", tag, tags)
			}
			left = slices.Delete(left, i, i+1)
		}
		for _, tag := range left {
			if slices.Contains(selected, tag) {
				t.Errorf("%q is selected once and left out once", tag)
			}
		}
		if diff := cmp.Diff(selected, r.Select(selected)); diff != "" {
			t.Errorf("what was selected is selected again otherwise:\n%s", diff)
		}
		random := rand.New(rand.NewPCG(seed, seed))
		random.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
		if diff := cmp.Diff(selected, r.Select(tags)); diff != "" {
			t.Errorf("another order of the tags selects otherwise:\n%s", diff)
		}
	})
}
