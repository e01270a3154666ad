package git_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/git"
	gitsource "github.com/waybill-cd/waybill/proxy/source/git"
)

func TestTheNewestCommitsOfABranchAreOffered(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.push(t, fmt.Sprint("Change ", i), "app.yaml")
	}
	id := w.push(t, "Fix the cart\n\nIt was broken.", "app.yaml")
	sub := w.of(pipeline.GitSubscription{Branch: "main", DiscoveryLimit: 3})
	sub.Name = "shop"
	found, err := w.source.Discover(t.Context(), "waybill", sub)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Fix the cart", "Change 4", "Change 3"}, subjects(found)); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
	best := found.Offers[0]
	at := *best.Detail.CreatedAt
	if diff := cmp.Diff(freight.Offer{
		Commit: &freight.Commit{RepoURL: w.url, ID: id, Subscription: "shop"},
		Detail: freight.Detail{Kind: freight.KindCommit, RepoURL: w.url, Subscription: "shop", Subject: "Fix the cart", Author: "Dev", CreatedAt: &at},
	}, best); diff != "" || time.Since(at) > time.Hour {
		t.Errorf("the best one, of %s (-want +got):\n%s", at, diff)
	}
}

func TestCommitsCountByWhatTheyChange(t *testing.T) {
	w := newWorld(t)
	w.push(t, "docs", "docs/README.md")
	w.push(t, "deploy", "deploy/app.yaml")
	w.push(t, "deploy and waybill", "deploy/app.yaml", "deploy/waybill-shop-dev.yaml")
	w.push(t, "test", "deploy/test/a.yaml")
	w.push(t, "waybill", "deploy/waybill-shop-dev.yaml")
	w.git(t, "update-ref", "refs/heads/main", w.gitAt(t, 2_000_000_000, "commit-tree", "-p", "main", "-m", "nothing", "main^{tree}"))
	for name, tt := range map[string]struct {
		include, exclude []string
		want             []string
	}{
		"anything but waybills alone": {nil, nil, []string{"nothing", "test", "deploy and waybill", "deploy", "docs", "Begin"}},
		"a folder":                    {[]string{"deploy/"}, nil, []string{"test", "deploy and waybill", "deploy"}},
		"a folder without another":    {[]string{"deploy"}, []string{"deploy/test"}, []string{"deploy and waybill", "deploy"}},
		"a glob":                      {[]string{"glob:**/*.md"}, nil, []string{"docs"}},
		"an expression":               {[]string{`regex:^app\.yaml$`}, nil, []string{"Begin"}},
		"all but a folder":            {nil, []string{"deploy"}, []string{"docs", "Begin"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := subjects(w.look(t, pipeline.GitSubscription{IncludePaths: tt.include, ExcludePaths: tt.exclude}))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("offers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommitsAreFiltered(t *testing.T) {
	w := newWorld(t)
	tip := "main"
	for i, message := range []string{"feat: one", "fix: two", "feat: three", "chore: four"} {
		tip = w.gitAt(t, 1_800_000_000+i, "commit-tree", "-p", tip, "-m", message, "main^{tree}")
	}
	w.git(t, "update-ref", "refs/heads/main", tip)
	for name, tt := range map[string]struct {
		filter  string
		since   time.Time
		want    []string
		skipped int
	}{
		"by subject":              {filter: `subject startsWith "feat"`, want: []string{"feat: three", "feat: one"}},
		"by author and committer": {filter: `author == "Ada <ada@example.com>" && committer == "Eve <eve@example.com>" && !(subject contains "four")`, want: []string{"feat: three", "fix: two", "feat: one"}},
		"by date":                 {filter: `commitDate.Unix() == 1800000001`, want: []string{"fix: two"}},
		"by ID":                   {filter: `id matches "^[0-9a-f]{40}$" && subject == "feat: one"`, want: []string{"feat: one"}},
		"since a date":            {since: time.Unix(1_800_000_002, 0), want: []string{"chore: four", "feat: three"}},
		"but for those on which the filter fails": {
			filter: `subject startsWith "feat" ? true : [1, 2][len(subject)] == 1`, want: []string{"feat: three", "feat: one"}, skipped: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := w.look(t, pipeline.GitSubscription{ExpressionFilter: tt.filter, Since: pipeline.Timestamp{Time: tt.since}})
			if diff := cmp.Diff(tt.want, subjects(found)); diff != "" || len(found.Skipped) != tt.skipped {
				t.Errorf("skipped %q; offers (-want +got):\n%s", found.Skipped, diff)
			}
		})
	}
}

func TestABranchIsNotWalkedTwice(t *testing.T) {
	w := newWorld(t)
	history := make([]git.Commit, 200)
	for i := range history {
		history[i] = git.Commit{Message: fmt.Sprint("Change ", i), Files: map[string]string{fmt.Sprintf("%d/a", i%50): fmt.Sprint(i)}}
	}
	if err := w.CommitAll(t.Context(), "shop", history); err != nil {
		t.Fatal(err)
	}
	sub := pipeline.GitSubscription{IncludePaths: []string{"7/"}, DiscoveryLimit: 2}
	want := []string{"Change 157", "Change 107"}
	w.costs(t, "the first look", 2, func() { // 32 commits, and 128 more
		if diff := cmp.Diff(want, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
	w.costs(t, "a look at what is unchanged", 0, func() {
		if diff := cmp.Diff(want, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
	w.push(t, "Change 200", "7/b")
	w.costs(t, "a look at one commit more", 1, func() {
		if diff := cmp.Diff([]string{"Change 200", "Change 157"}, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
	w.costs(t, "another subscription to what is there", 0, func() { w.look(t, pipeline.GitSubscription{}) })
}

func TestABranchThatIsReplacedIsFollowed(t *testing.T) {
	w := newWorld(t)
	begin := w.git(t, "rev-parse", "main")
	w.push(t, "to be undone", "app.yaml")
	w.look(t, pipeline.GitSubscription{})
	other := w.gitAt(t, 1_900_000_000, "commit-tree", "-p", begin, "-m", "instead", "main^{tree}")
	w.git(t, "update-ref", "refs/heads/main", other)
	w.git(t, "reflog", "expire", "--expire=now", "--all")
	w.git(t, "gc", "--quiet", "--prune=now")
	if diff := cmp.Diff([]string{"instead", "Begin"}, subjects(w.look(t, pipeline.GitSubscription{}))); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
	w.git(t, "update-ref", "refs/heads/main", begin)
	w.costs(t, "a branch that goes back", 0, func() {
		if diff := cmp.Diff([]string{"Begin"}, subjects(w.look(t, pipeline.GitSubscription{}))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	})
}

func TestABranchWithNothingToOfferSaysWhatIsWanted(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		sub  pipeline.GitSubscription
		want string
	}{
		"paths":  {pipeline.GitSubscription{IncludePaths: []string{"charts/"}}, "none of the 1 commits of the default branch of " + w.url + " changes what includePaths and excludePaths select"},
		"filter": {pipeline.GitSubscription{Branch: "main", ExpressionFilter: "false"}, "of branch main of " + w.url + " changes more than waybills and is let through by expressionFilter"},
		"since":  {pipeline.GitSubscription{Since: pipeline.Timestamp{Time: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}, "has no commit since 2100-01-01T00:00:00Z: push one"},
		"errors": {pipeline.GitSubscription{ExpressionFilter: "[true][len(id)]"}, "its expressionFilter cannot be evaluated"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.discover(t, tt.sub)
			if !errors.Is(err, gitsource.ErrNothing) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
