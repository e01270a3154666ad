package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"
)

// Commit writes a change to a branch, unless the branch holds it already, and
// tells the commit that holds it.
//
// The error is ErrRefused where repeating the call does not help: no such
// branch, no right to write, a protected branch, a branch of another owner, a
// path that leads through a file; it is ErrNoRevision too where Base is not in
// the repository. It is ErrMoved where the branch has left the change's Tip. What
// Admits says is returned as it is. Any other
// is of the moment, and the call can be repeated whether or not the push
// arrived.
func (r *Repositories) Commit(ctx context.Context, c Change) (Written, error) {
	files, err := c.check()
	if err != nil {
		return Written{}, err
	}
	var done Written
	err = r.visit(ctx, c.RepoURL, first, func(ctx context.Context, v *visit) error {
		done, err = v.commit(ctx, c, files)
		return err
	})
	return done, err
}

func (v *visit) commit(ctx context.Context, c Change, files *folder) (Written, error) {
	var lost *lostRace
	for attempt := range v.options.Attempts {
		if attempt > 0 {
			if err := v.pause(ctx, attempt); err != nil {
				return Written{}, err
			}
		}
		var (
			done Written
			err  error
		)
		if done, lost, err = v.attempt(ctx, c, files, lost); lost == nil {
			return done, err
		}
	}
	return Written{}, failed(lost.err, "the push to branch %s of the Git repository %s lost against others %d times (%s): try again later",
		c.Branch, v.name, v.options.Attempts, lost.err)
}

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// pause waits before another attempt, for a random time that grows: those who
// push at the same time must not meet again.
func (v *visit) pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(rand.N(min(firstPause<<attempt, maxPause))) //nolint:gosec // a pause is no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return v.unreachable(ctx, "write", ctx.Err())
	}
}

// lostRace is an attempt after which the branch has to be looked at again.
type lostRace struct {
	tip plumbing.Hash // that the attempt was made on
	err error         // what the server said
}

// refusal tells that a push was not rejected for a race: the branch still
// stands where it was, and the server did not speak of its lock.
func (l *lostRace) refusal(tip plumbing.Hash) bool {
	var r *rejection
	if l == nil || l.tip != tip || !errors.As(l.err, &r) {
		return false
	}
	return !slices.ContainsFunc([]string{"lock", "fetch first", "fast-forward", "stale", "already exists", "old value", "failed to update ref"},
		func(word string) bool { return strings.Contains(r.status, word) })
}

// attempt makes the change once, on the tip that the branch has now. It tells
// of the race that it lost, if it did, and knows of the last one.
func (v *visit) attempt(ctx context.Context, c Change, files *folder, last *lostRace) (Written, *lostRace, error) {
	writing, err := v.write(ctx)
	if err != nil {
		return Written{}, nil, err
	}
	tip := writing.tip(c.Branch)
	if tip.IsZero() && !c.Own {
		return Written{}, nil, refused(nil, "the Git repository %s has no branch %s: push it, or let the Application track another one", v.name, c.Branch)
	}
	if last.refusal(tip) {
		return Written{}, nil, refused(last.err, "the Git repository %s does not accept the push to branch %s (%s): "+
			"let its account push there, or give the stage a branch of its own", v.name, c.Branch, last.err)
	}
	if !tip.IsZero() {
		if err := v.ensure(ctx, tip); errors.Is(err, ErrNoRevision) { // replaced since it was listed
			return Written{}, &lostRace{tip, err}, nil
		} else if err != nil {
			return Written{}, nil, err
		}
	}

	next, err := v.prepare(ctx, c, files, tip)
	if err != nil || next.fresh == nil {
		return next.Written, nil, err
	}
	if !c.Own && c.Tip != "" && c.Tip != tip.String() {
		return Written{}, nil, failed(ErrMoved, "branch %s of the Git repository %s has moved on to commit %s", c.Branch, v.name, tip)
	}
	pack, err := next.pack()
	if err != nil {
		return Written{}, nil, fmt.Errorf("packing the commit to branch %s of the Git repository %s: %w", c.Branch, v.name, err)
	}
	err = writing.push(ctx, c.Branch, tip, next.id, pack)
	if errors.As(err, new(*rejection)) {
		return Written{}, &lostRace{tip, err}, nil
	}
	if err != nil {
		return Written{}, nil, err
	}
	// The push is done; a store that cannot keep it is only slower next time.
	if v.store.keep(next.fresh) != nil {
		v.store.bytes = v.options.MaxCopy + 1
	}
	return next.Written, nil, nil
}

// ensure has a commit and its folders in the store.
func (v *visit) ensure(ctx context.Context, commit plumbing.Hash) error {
	if v.store.has(commit) {
		return nil
	}
	reading, err := v.open(ctx)
	if err != nil {
		return err
	}
	return reading.fetch(ctx, commit, false, v.store)
}

func (v *visit) open(ctx context.Context) (*reading, error) {
	if v.reading == nil {
		var err error
		if v.reading, err = v.read(ctx); err != nil {
			return nil, err
		}
	}
	return v.reading, nil
}

// prepared is a commit that is not pushed yet, or what stands already.
type prepared struct {
	Written
	id    plumbing.Hash
	fresh *memory.Storage // the new objects; nil when there is nothing to push
}

func (p prepared) pack() ([]byte, error) {
	ids := make([]plumbing.Hash, 0, len(p.fresh.Objects))
	for id := range p.fresh.Objects {
		ids = append(ids, id)
	}
	plumbing.HashesSort(ids)
	var b bytes.Buffer
	_, err := packfile.NewEncoder(&b, p.fresh, false).Encode(ids, 0)
	return b.Bytes(), err
}

// prepare makes the commit that brings a branch from its tip (zero for a new
// branch) to the change.
func (v *visit) prepare(ctx context.Context, c Change, files *folder, tip plumbing.Hash) (prepared, error) {
	var (
		parent = tip
		base   = tip
		now    *object.Commit
		err    error
	)
	if !tip.IsZero() {
		if now, err = v.store.commit(tip); err != nil {
			return prepared{}, err
		}
		if err = v.admitted(ctx, c, now); err != nil {
			return prepared{}, err
		}
	}
	if c.Own {
		if made, err := v.madeBefore(c, files, now); err != nil || made.Commit != "" {
			return prepared{Written: made}, err
		}
		if base, err = v.base(ctx, c); err != nil {
			return prepared{}, err
		}
		if tip.IsZero() {
			parent = base
		}
	}
	from, err := v.store.commit(base)
	if err != nil {
		return prepared{}, err
	}
	fresh := memory.NewStorage()
	tree, err := files.graft(from.TreeHash, "", v.store, fresh)
	if err != nil {
		return prepared{}, err
	}
	told := Written{Changed: true}
	if c.Own {
		told.Base = base.String()
	}
	if now != nil && now.TreeHash == tree {
		told.Commit, told.Changed = tip.String(), false
		return prepared{Written: told}, nil
	}
	by := object.Signature{Name: v.options.Author.Name, Email: v.options.Author.Email, When: c.At.UTC()}
	id, err := addObject(fresh, &object.Commit{
		Author: by, Committer: by, Message: c.text(told.Base), TreeHash: tree, ParentHashes: []plumbing.Hash{parent},
	})
	if err != nil {
		return prepared{}, err
	}
	told.Commit = id.String()
	return prepared{told, id, fresh}, nil
}

// madeBefore tells of a stage branch whose tip is this very change: of this
// promotion, with these files, and on this base. The head of the default branch
// may have moved since; that does not make it another change.
func (v *visit) madeBefore(c Change, files *folder, tip *object.Commit) (Written, error) {
	base := c.baseOf(tip)
	if base == "" || c.Base != "" && c.Base != base {
		return Written{}, nil
	}
	tree, err := files.graft(tip.TreeHash, "", v.store, memory.NewStorage())
	if err != nil || tree != tip.TreeHash {
		return Written{}, err
	}
	return Written{Commit: tip.Hash.String(), Base: base}, nil
}

// baseOf returns the base of a stage branch's tip where that is of the change's own
// promotion; else none.
func (c Change) baseOf(tip *object.Commit) string {
	if tip == nil || c.Promotion == "" {
		return ""
	}
	trailers := trailersOf(tip.Message)
	if trailers[TrailerPromotion] != c.Promotion {
		return ""
	}
	return trailers[TrailerBase]
}

// base has the commit in the store whose tree a stage branch takes.
func (v *visit) base(ctx context.Context, c Change) (plumbing.Hash, error) {
	base := plumbing.NewHash(c.Base)
	if c.Base == "" {
		reading, err := v.open(ctx)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if reading.refs.Head == nil {
			return plumbing.ZeroHash, refused(nil, "the Git repository %s has no default branch: set one, or name the commit to start from", v.name)
		}
		base = *reading.refs.Head
	}
	err := v.ensure(ctx, base)
	if errors.Is(err, ErrNoRevision) {
		return plumbing.ZeroHash, refused(err, "%s", err)
	}
	return base, err
}

// admitted tells why a change may not follow what its branch holds: it is another
// owner's, or the change does not admit to replace a file.
func (v *visit) admitted(ctx context.Context, c Change, tip *object.Commit) error {
	if owner := trailersOf(tip.Message)[TrailerOwner]; c.Own && owner != "" && owner != c.Owner {
		return refused(nil, "branch %s of the Git repository %s belongs to stage %s, which wrote there last: give stage %s a branch of its own, "+
			"or, where stage %s is gone or has another name now, push a commit of your own to the branch",
			c.Branch, v.name, owner, c.Owner, owner)
	}
	if c.Admits == nil {
		return nil
	}
	judged := c.Judged
	if judged == nil {
		judged = slices.Sorted(maps.Keys(c.Files))
	}
	for _, path := range judged {
		present, err := v.replaces(ctx, tip, path, c.Files[path])
		if errors.Is(err, ErrNoFile) {
			continue
		}
		if err != nil {
			return err
		}
		if present != nil {
			if err := c.Admits(path, present); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaces returns what a file holds that is to hold something else; nil where
// it holds that already, which costs no fetch.
func (v *visit) replaces(ctx context.Context, tip *object.Commit, path string, content []byte) ([]byte, error) {
	segments, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	entry, err := v.entry(tip, path, segments)
	if err != nil || entry.Hash == plumbing.ComputeHash(plumbing.BlobObject, content) {
		return nil, err
	}
	return v.content(ctx, tip.Hash, path, entry)
}
