package selection_test

import (
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

func commits(t *testing.T, s pipeline.GitSubscription) selection.Commits {
	t.Helper()
	c, err := selection.ForCommits(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCommitsOfABranchAreTakenByTheirFilter(t *testing.T) {
	made := time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	commit := expression.Commit{
		ID: "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90", Author: "Alice <alice@example.com>", Committer: "Bot <bot@example.com>",
		Subject: "fix: sell more", CommitDate: made,
	}
	for filter, want := range map[string]bool{
		"":                                true,
		`subject startsWith "fix:"`:       true,
		`not (subject contains "[skip]")`: true,
		`author contains "bob@"`:          false,
		`committer matches "^Bot <"`:      true,
		`commitDate > date("2026-03-04")`: true,
		`commitDate.Year() < 2026`:        false,
		`id startsWith "4b1c"`:            true,
		`author == committer`:             false,
	} {
		for _, strategy := range []string{pipeline.StrategyNewestFromBranch, ""} {
			c := commits(t, pipeline.GitSubscription{CommitSelectionStrategy: strategy, ExpressionFilter: filter})
			if got, err := c.TakesCommit(commit); got != want || err != nil {
				t.Errorf("%s: %t, %v, want %t", filter, got, err, want)
			}
			if got, err := c.TakesTag(expression.Tag{}); !got || err != nil || c.FiltersTags() {
				t.Errorf("%s: a branch's filter is put to a tag", filter)
			}
		}
	}
}

func TestTagsAreTakenByTheirFilter(t *testing.T) {
	annotated := expression.Tag{
		Tag: "v1.2.0", ID: "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90", Author: "Alice <alice@example.com>", Committer: "Alice <alice@example.com>",
		Subject: "Sell more", CreatorDate: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC), Tagger: "Bob <bob@example.com>", Annotation: "Release 1.2.0",
	}
	light := annotated
	light.Tagger, light.Annotation = "", ""
	for filter, want := range map[string][2]bool{
		"":                                      {true, true},
		`annotation startsWith "Release"`:       {true, false},
		`tagger == ""`:                          {false, true},
		`tag startsWith "v1." && subject != ""`: {true, true},
		`creatorDate.Weekday().String() == "Wednesday"`: {true, true},
	} {
		for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyLexical, pipeline.StrategyNewestTag} {
			c := commits(t, pipeline.GitSubscription{CommitSelectionStrategy: strategy, ExpressionFilter: filter})
			for i, tag := range []expression.Tag{annotated, light} {
				if got, err := c.TakesTag(tag); got != want[i] || err != nil {
					t.Errorf("%s of %+v: %t, %v, want %t", filter, tag, got, err, want[i])
				}
			}
			if got, err := c.TakesCommit(expression.Commit{}); !got || err != nil {
				t.Errorf("%s: a tag's filter is put to a commit of a branch", filter)
			}
			// Whoever has no filter need not read the commits of a thousand tags.
			if c.FiltersTags() != (filter != "") {
				t.Errorf("%q: FiltersTags = %t", filter, c.FiltersTags())
			}
		}
	}
}

func TestCommitsBeforeADateAreOfThePast(t *testing.T) {
	since := time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	c := commits(t, pipeline.GitSubscription{Since: pipeline.Timestamp{Time: since}})
	for name, test := range map[string]struct {
		at   time.Time
		want bool
	}{
		"just before":          {since.Add(-time.Second), true},
		"at that very second":  {since, false},
		"in another time zone": {since.In(time.FixedZone("PST", -8*3600)), false},
		"after":                {since.Add(time.Second), false},
	} {
		if got := c.Past(test.at); got != test.want {
			t.Errorf("%s: Past = %t, want %t", name, got, test.want)
		}
	}
	if commits(t, pipeline.GitSubscription{}).Past(time.Unix(0, 0)) {
		t.Error("without a date, something is of the past")
	}
}

func TestARuleOfCommitsThatCannotBeFollowedIsRefused(t *testing.T) {
	for want, s := range map[string]pipeline.GitSubscription{
		`"a[" is not a glob`: {IncludePaths: []string{"glob:a["}},
		"\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`":                                                           {ExcludePaths: []string{"regex:("}},
		`is not a condition: unknown name tag (1:1): an expression here sees id, author, committer, subject, commitDate`:                                  {ExpressionFilter: "tag"},
		`is not a condition: unknown name commitDate (1:1): an expression here sees tag, id, author, committer, subject, creatorDate, tagger, annotation`: {CommitSelectionStrategy: pipeline.StrategySemVer, ExpressionFilter: "commitDate"},
	} {
		if _, err := selection.ForCommits(s); err == nil || err.Error() != want {
			t.Errorf("ForCommits says %v, want %s", err, want)
		}
	}
}
