package gitrepo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Entry is a commit as a list of changes shows it.
type Entry struct {
	ID      string
	Subject string
	Author  string
	At      time.Time
}

// Between are the commits between two.
type Between struct {
	// Commits are newest first.
	Commits []Entry
	// Backwards tells that the commits are those that would be taken back: the
	// first of the two is the newer one.
	Backwards bool
	// More tells that there are more than the list holds.
	More bool
}

// maxBetween bounds a list of commits, and how deep history is fetched for it.
const maxBetween = 100

// Between lists the commits that are in the history of one commit and not in
// that of another, at most 100. It fetches no more history than that, and no
// files.
func (r *Repositories) Between(ctx context.Context, repoURL, from, to string) (Between, error) {
	for _, id := range []string{from, to} {
		if !fullID.MatchString(id) {
			return Between{}, failed(ErrNoRevision, "%q is not the full ID of a Git commit (40 hex digits)", sentence.OneLine(id))
		}
	}
	if from == to {
		return Between{}, nil
	}
	var found Between
	err := r.visit(ctx, repoURL, yields, func(ctx context.Context, v *visit) error {
		reading, err := v.open(ctx)
		if err != nil {
			return err
		}
		history, err := newStore(r.folder)
		if err != nil {
			return err
		}
		defer history.remove()
		wants := []plumbing.Hash{plumbing.NewHash(from), plumbing.NewHash(to)}
		if _, err := reading.request(ctx, wanted{objects: wants, depth: maxBetween + 1, filter: packp.FilterTreeDepth(0)}, history); err != nil {
			return err
		}
		older, err := history.ancestors(wants[0])
		if err != nil {
			return err
		}
		newer, err := history.ancestors(wants[1])
		if err != nil {
			return err
		}
		found = difference(older, newer)
		if len(found.Commits) == 0 {
			found = difference(newer, older)
			found.Backwards = true
		}
		return nil
	})
	return found, err
}

// ancestors returns a commit and what was fetched of its history.
func (s *store) ancestors(of plumbing.Hash) (map[plumbing.Hash]*object.Commit, error) {
	all := map[plumbing.Hash]*object.Commit{}
	for next := []plumbing.Hash{of}; len(next) > 0; next = next[1:] {
		id := next[0]
		if all[id] != nil || id != of && !s.has(id) {
			continue
		}
		c, err := s.commit(id)
		if err != nil {
			return nil, err
		}
		all[id] = c
		next = append(next, c.ParentHashes...)
	}
	return all, nil
}

// difference lists what newer has beyond older.
func difference(older, newer map[plumbing.Hash]*object.Commit) Between {
	var b Between
	for id, c := range newer {
		if older[id] != nil {
			continue
		}
		b.Commits = append(b.Commits, Entry{
			ID: id.String(), Subject: subject(c.Message), Author: sentence.OneLine(c.Author.Name), At: c.Committer.When.UTC(),
		})
		// A parent that was not fetched may be one more, or be in the older history.
		for _, parent := range c.ParentHashes {
			b.More = b.More || newer[parent] == nil
		}
	}
	slices.SortFunc(b.Commits, func(x, y Entry) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.ID, y.ID)) })
	if len(b.Commits) > maxBetween {
		b.Commits, b.More = b.Commits[:maxBetween], true
	}
	return b
}

func subject(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return sentence.OneLine(line)
}
