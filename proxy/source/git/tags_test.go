package git_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
	gitsource "github.com/waybill-cd/waybill/proxy/source/git"
)

// releases are tags, annotated and not, on a commit each; their dates are not in
// the order of their versions.
func releases(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for i, name := range []string{"v1.0.0", "v1.1.0", "v1.10.0", "v2.0.0-rc.1", "nightly"} {
		files := []string{"src/main.go"}
		if i%2 == 0 {
			files = append(files, "deploy/app.yaml")
		}
		w.push(t, "work on "+name, files...)
		at := 1_900_000_000 - i
		if i%2 == 0 {
			w.gitAt(t, at, "tag", "-a", "-m", "Release "+name+"\n\nWith notes.", name, "main")
		} else {
			id := w.gitAt(t, at, "commit-tree", "-p", "main^", "-m", "work on "+name, "main^{tree}")
			w.git(t, "tag", name, id)
		}
	}
	return w
}

func TestTagsAreOfferedByTheirStrategy(t *testing.T) {
	w := releases(t)
	for name, tt := range map[string]struct {
		sub  pipeline.GitSubscription
		want []string
	}{
		"greatest version":    {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}, []string{"v2.0.0-rc.1", "v1.10.0", "v1.1.0", "v1.0.0"}},
		"version in a range":  {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, SemverConstraint: "^1.0.0"}, []string{"v1.10.0", "v1.1.0", "v1.0.0"}},
		"last by name":        {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical}, []string{"v2.0.0-rc.1", "v1.10.0", "v1.1.0", "v1.0.0", "nightly"}},
		"newest":              {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag}, []string{"v1.0.0", "v1.1.0", "v1.10.0", "v2.0.0-rc.1", "nightly"}},
		"newest, a few":       {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, DiscoveryLimit: 2}, []string{"v1.0.0", "v1.1.0"}},
		"allowed and ignored": {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical, AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"-"}}, []string{"v1.10.0", "v1.1.0", "v1.0.0"}},
		"by tagger":           {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical, ExpressionFilter: `tagger == "Eve <eve@example.com>" && annotation startsWith "Release v"`}, []string{"v1.10.0", "v1.0.0"}},
		"by commit": {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical, ExpressionFilter: `tagger == "" && author == "Ada <ada@example.com>" && subject == "work on " + tag && creatorDate.Unix() < 1900000000 && len(id) == 40`},
			[]string{"v2.0.0-rc.1", "v1.1.0"}},
		"by paths":            {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, IncludePaths: []string{"deploy/"}}, []string{"v1.10.0", "v1.0.0"}},
		"by paths and filter": {pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, IncludePaths: []string{"deploy/"}, ExpressionFilter: `tag != "v1.10.0"`}, []string{"v1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, subjects(w.look(t, tt.sub))); diff != "" {
				t.Errorf("offers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATagIsOfferedWithItsCommit(t *testing.T) {
	w := releases(t)
	best := w.look(t, pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, SemverConstraint: "1.10.0"}).Offers[0]
	if want := w.git(t, "rev-parse", "v1.10.0^{commit}"); best.Commit.ID != want || best.Commit.Tag != "v1.10.0" {
		t.Errorf("offer %+v, want commit %s", best.Commit, want)
	}
	if d := best.Detail; d.Subject != "work on v1.10.0" || d.Author != "Dev" || d.CreatedAt == nil {
		t.Errorf("details %+v", d)
	}
}

func TestATagThatMovedIsAnotherCommit(t *testing.T) {
	w := releases(t)
	sub := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, DiscoveryLimit: 1}
	before := w.look(t, sub).Offers[0].Commit
	w.git(t, "tag", "--force", "v2.0.0-rc.1", "v1.0.0^{commit}")
	w.costs(t, "a tag that moved", 1, func() {
		if after := w.look(t, sub).Offers[0].Commit; after.Tag != before.Tag || after.ID == before.ID || after.ID != w.git(t, "rev-parse", "v1.0.0^{commit}") {
			t.Errorf("after %+v, before %+v", after, before)
		}
	})
}

// manyTags are as many tags of as many commits, in the order of their dates.
func manyTags(t *testing.T, w *world, from, to int) {
	t.Helper()
	var script strings.Builder
	if from == 0 {
		script.WriteString("reset refs/heads/tagged\nfrom refs/heads/main^0\n\n")
	}
	for i := from; i < to; i++ {
		fmt.Fprintf(&script, "commit refs/heads/tagged\nmark :%d\ncommitter Dev <dev@example.com> %d +0000\ndata 1\nx\nM 100644 inline n/%d\ndata 1\nx\n\n",
			i+1, 1_700_000_000+i, i%100)
		fmt.Fprintf(&script, "tag 1.0.%d\nfrom :%d\ntagger Dev <dev@example.com> %d +0000\ndata 1\nx\n", i, i+1, 1_700_000_000+i)
	}
	w.script(t, script.String())
}

func TestTagsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	manyTags(t, w, 0, 1200)
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyLexical} {
		w.restart(t)
		sub := pipeline.GitSubscription{CommitSelectionStrategy: strategy}
		w.costs(t, strategy, 1, func() { w.look(t, sub) })
		if details := w.wire.received[1]; details > 8<<10 {
			t.Errorf("%s reads %d bytes for 20 tags of 1200", strategy, details)
		}
		w.costs(t, strategy+" again", 0, func() { w.look(t, sub) })
	}

	w.restart(t)
	sub := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, DiscoveryLimit: 2}
	w.costs(t, "the dates of 1200 tags", 3, func() {
		if diff := cmp.Diff([]string{"1.0.1199", "1.0.1198"}, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
	w.costs(t, "what is unchanged", 0, func() { w.look(t, sub) })
	manyTags(t, w, 1200, 1201)
	w.costs(t, "one tag more", 1, func() {
		if diff := cmp.Diff([]string{"1.0.1200", "1.0.1199"}, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
	w.costs(t, "another subscription to what is known", 0, func() {
		w.look(t, pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, ExpressionFilter: `tag endsWith "7"`})
	})
}

func TestTagsThatAFilterLeavesOutAreNotCompared(t *testing.T) {
	w := newWorld(t)
	manyTags(t, w, 0, 1000)
	w.costs(t, "1000 tags that the filter leaves out", 5, func() { // 20, 80, 320, 500, and the rest
		sub := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, IncludePaths: []string{"n"}, ExpressionFilter: `tag == "1.0.1000"`}
		if _, err := w.discover(t, sub); !errors.Is(err, gitsource.ErrNothing) {
			t.Errorf("error %v", err)
		}
	})
}

func TestALongWayToATagTakesSeveralLooks(t *testing.T) {
	w := newWorld(t)
	manyTags(t, w, 0, 520)
	w.git(t, "tag", "0.0.1", "main")
	sub := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, IncludePaths: []string{"app.yaml"}, DiscoveryLimit: 50}
	_, err := w.discover(t, sub)
	if !errors.As(err, new(*source.Incomplete)) || !strings.Contains(err.Error(), "and none of them qualifies: the next look goes on") {
		t.Fatalf("the first look: %v", err)
	}
	if diff := cmp.Diff([]string{"0.0.1"}, subjects(w.look(t, sub))); diff != "" {
		t.Errorf("the second look (-want +got):\n%s", diff)
	}
	w.costs(t, "a third one", 0, func() { w.look(t, sub) })
}

func TestATagOfNoCommitIsPassedOver(t *testing.T) {
	w := releases(t)
	w.git(t, "tag", "v9.0.0", "main:app.yaml")
	w.git(t, "tag", "-a", "-m", "a tree", "v8.0.0", "main^{tree}")
	w.git(t, "tag", "-a", "-m", "a tag of a tag", "v7.0.0", "v1.0.0")
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestTag} {
		found := w.look(t, pipeline.GitSubscription{CommitSelectionStrategy: strategy, AllowTagsRegexes: []string{`^v[1789]`}, DiscoveryLimit: 20})
		tags := subjects(found)
		if len(found.Skipped) != 2 || !strings.Contains(strings.Join(found.Skipped, "\n"), "tag v9.0.0 of "+w.url+": it names no commit") {
			t.Errorf("%s skipped %q", strategy, found.Skipped)
		}
		if len(tags) != 4 || !strings.Contains(strings.Join(tags, " "), "v7.0.0") {
			t.Errorf("%s offers %q", strategy, tags)
		}
	}
}

func TestNoTagThatQualifiesSaysWhatIsWanted(t *testing.T) {
	w := newWorld(t)
	expect := func(s pipeline.GitSubscription, want string) {
		t.Helper()
		_, err := w.discover(t, s)
		if !errors.Is(err, gitsource.ErrNothing) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	semver := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer, SemverConstraint: "^2.0.0"}
	expect(semver, w.url+" has no tags: push one")
	w.git(t, "tag", "v1.0.0", "main")
	expect(semver, "none of the 1 tags of "+w.url+" qualifies, wanted is a full semantic version within ^2.0.0: push one")
	expect(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical, AllowTagsRegexes: []string{"^release"}}, "wanted is any that allowTagsRegexes and ignoreTagsRegexes let through")
	expect(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, ExpressionFilter: `annotation != ""`}, "wanted is any whose commit is let through by expressionFilter")
	expect(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyLexical, IncludePaths: []string{"charts"}}, "whose commit changes what includePaths and excludePaths select")
}

func TestAWaybillUnderATagCountsUnlessPathsAreAskedFor(t *testing.T) {
	w := newWorld(t)
	w.push(t, "Promote to dev", "deploy/waybill-shop-dev.yaml")
	w.git(t, "tag", "v1.0.0", "main")
	sub := pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}
	if diff := cmp.Diff([]string{"v1.0.0"}, subjects(w.look(t, sub))); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
	sub.IncludePaths = []string{"deploy/"}
	if _, err := w.discover(t, sub); !errors.Is(err, gitsource.ErrNothing) {
		t.Errorf("where paths are asked for: %v", err)
	}
}
