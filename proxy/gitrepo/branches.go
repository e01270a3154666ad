package gitrepo

import (
	"context"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Branches are where the branches of a repository stand at one moment.
type Branches struct {
	// Repository names it for people.
	Repository string
	// Head is the full ID of the default branch's newest commit; empty for none.
	Head string
	// Tips are the full IDs of the newest commits, by the branches' short names.
	Tips map[string]string
}

// Branches asks a repository for all of its branches, in one request.
func (r *Repositories) Branches(ctx context.Context, repoURL string) (Branches, error) {
	return r.branches(ctx, repoURL, yields)
}

func (r *Repositories) branches(ctx context.Context, repoURL string, rank rank) (Branches, error) {
	var found Branches
	err := r.visit(ctx, repoURL, rank, func(ctx context.Context, v *visit) error {
		reading, err := v.open(ctx)
		if err != nil {
			return err
		}
		found = reading.branches()
		return nil
	})
	return found, err
}

// Tip returns the full ID of a branch's newest commit; of the default branch
// where the name is empty. The error is ErrNoRevision and ErrRefused where there
// is no such branch.
func (b Branches) Tip(branch string) (string, error) {
	if branch == "" {
		if b.Head == "" {
			return "", refused(ErrNoRevision, "the Git repository %s has no default branch: set one, or name the branch", b.Repository)
		}
		return b.Head, nil
	}
	tip, exists := b.Tips[branch]
	if !exists {
		return "", refused(ErrNoRevision, "the Git repository %s has no branch %s, it has %s: push it, or name another one",
			b.Repository, sentence.OneLine(branch), sentence.OneLine(few(slices.Sorted(maps.Keys(b.Tips)))))
	}
	return tip, nil
}

// Tip is [Branches.Tip] of one branch, as it stands now.
func (r *Repositories) Tip(ctx context.Context, repoURL, branch string) (string, error) {
	all, err := r.Branches(ctx, repoURL)
	if err != nil {
		return "", err
	}
	return all.Tip(branch)
}

// Start returns the commit whose tree a change takes: that of the branch, or of
// a stage branch the base, see [Change].
func (b Branches) Start(c Change) (string, error) {
	switch {
	case !c.Own:
		return b.Tip(c.Branch)
	case c.Base != "":
		return c.Base, nil
	default:
		return b.Tip("")
	}
}

// Start is [Branches.Start] of a change as it stands now. Where the change's own
// promotion wrote to the stage branch last, it is the base of that: so that what is
// made of the base is the same when the call is repeated, though the default branch
// has moved on.
func (r *Repositories) Start(ctx context.Context, c Change) (string, error) {
	all, err := r.branches(ctx, c.RepoURL, first)
	if err != nil {
		return "", err
	}
	tip, exists := all.Tips[c.Branch]
	if c.Own && c.Base == "" && exists {
		var base string
		err := r.visit(ctx, c.RepoURL, first, func(ctx context.Context, v *visit) error {
			at := plumbing.NewHash(tip)
			if err := v.ensure(ctx, at); err != nil {
				return err
			}
			commit, err := v.store.commit(at)
			if err == nil {
				base = c.baseOf(commit)
			}
			return err
		})
		if err != nil || base != "" {
			return base, err
		}
	}
	return all.Start(c)
}
