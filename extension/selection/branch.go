package selection

import (
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Commits selects commits: of a branch, and what of a tag depends on its commit.
// The branch's own order, newest first, is the rank.
type Commits struct {
	commit *expression.Condition[expression.Commit]
	tag    *expression.Condition[expression.Tag]
	paths  Paths
	since  time.Time
}

// ForCommits makes the rule of a Git subscription. A subscription of a valid
// pipeline always gives one.
func ForCommits(s pipeline.GitSubscription) (Commits, error) {
	c := Commits{since: s.Since.Time}
	var err error
	if c.paths, err = ForPaths(s.IncludePaths, s.ExcludePaths); err != nil || s.ExpressionFilter == "" {
		return c, err
	}
	if s.CommitSelectionStrategy == pipeline.StrategyNewestFromBranch || s.CommitSelectionStrategy == "" {
		condition, err := expression.CompileCommit(s.ExpressionFilter)
		c.commit = &condition
		return c, err
	}
	condition, err := expression.CompileTag(s.ExpressionFilter)
	c.tag = &condition
	return c, err
}

// Paths tells which changes count.
func (c Commits) Paths() Paths { return c.paths }

// Past tells that a commit, and with it all before, is older than what counts.
func (c Commits) Past(commitDate time.Time) bool { return commitDate.Before(c.since) }

// TakesCommit tells whether the expressionFilter takes a commit.
func (c Commits) TakesCommit(commit expression.Commit) (bool, error) {
	if c.commit == nil {
		return true, nil
	}
	return c.commit.Holds(commit)
}

// TakesTag tells whether the expressionFilter takes a tag.
func (c Commits) TakesTag(tag expression.Tag) (bool, error) {
	if c.tag == nil {
		return true, nil
	}
	return c.tag.Holds(tag)
}

// FiltersTags tells that a tag can only be judged by what its commit says.
func (c Commits) FiltersTags() bool { return c.tag != nil }
