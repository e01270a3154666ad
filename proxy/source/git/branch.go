package git

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
)

// branch finds the newest commits of a branch.
func (l *look) branch(ctx context.Context) (source.Look, error) {
	tip, err := l.Refs.Tip(l.subscription.Branch)
	if err != nil {
		return source.Look{}, err
	}
	return l.remembered(sha256.Sum256([]byte(tip)), func() error {
		seen := 0
		more, err := l.Log(ctx, tip, l.subscription.DiscoveryLimit, func(c gitrepo.Logged) (bool, error) {
			if l.commits.Past(c.At) {
				return false, nil
			}
			seen++
			takes, err := l.takesCommit(c)
			if err != nil {
				return false, err
			}
			if takes {
				l.offer(c.Commit, "")
			}
			return !l.full(), nil
		})
		if err != nil {
			return err
		}
		return l.enough(seen, more)
	})
}

// enough tells why nothing is offered, where that is so.
func (l *look) enough(seen int, more bool) error {
	branch := "the default branch"
	if l.subscription.Branch != "" {
		branch = "branch " + l.subscription.Branch
	}
	switch repo := l.Refs.Repository; {
	case len(l.result.Offers) > 0:
		return nil
	case seen == 0 && !l.subscription.Since.IsZero():
		return l.nothing("%s of %s has no commit since %s: push one, or change since", branch, repo, l.subscription.Since.Format(time.RFC3339))
	case more:
		return l.nothing("none of the newest %d commits of %s of %s %s, and no more are looked at: push one, or change the subscription",
			seen, branch, repo, l.wanted())
	default:
		return l.nothing("none of the %d commits of %s of %s %s: push one, or change the subscription", seen, branch, repo, l.wanted())
	}
}

// wanted tells what a commit has to be; it is empty for any.
func (l *look) wanted() string {
	var all []string
	if !l.commits.Paths().Any() {
		all = append(all, "changes what includePaths and excludePaths select")
	} else if !l.commits.FiltersTags() {
		all = append(all, "changes more than waybills")
	}
	if l.subscription.ExpressionFilter != "" {
		all = append(all, "is let through by expressionFilter")
	}
	return strings.Join(all, " and ")
}

// takesCommit tells whether the subscription takes a commit of a branch.
func (l *look) takesCommit(c gitrepo.Logged) (bool, error) {
	if takes, known := l.known(c.ID); known {
		return takes, nil
	}
	takes, err := l.commits.TakesCommit(expression.Commit{
		ID: c.ID, Author: c.Author.String(), Committer: c.Committer.String(), Subject: c.Subject, CommitDate: c.At,
	})
	if err != nil {
		l.skip("commit %s of %s: its expressionFilter cannot be evaluated (%s): change it so that it can, for every commit", c.ID, l.Refs.Repository, err)
		return false, nil
	}
	if takes {
		if takes, err = l.takesChanges(c.Changes); err != nil {
			return false, err
		}
	}
	l.judge(c.ID, takes)
	return takes, nil
}

// takesChanges tells whether what a commit changes makes it count. Where no paths
// are asked for, a commit that changes nothing at all does: it was made to be
// seen.
func (l *look) takesChanges(changes func(takes func(path string) bool) (bool, error)) (bool, error) {
	paths := l.commits.Paths()
	empty := true
	takes, err := changes(func(path string) bool {
		empty = false
		return paths.Takes(path)
	})
	return takes || empty && paths.Any(), err
}
