package gitrepo

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Commit is a commit of a history.
type Commit struct {
	ID string
	// Subject is the first line of the message.
	Subject           string
	Author, Committer Author
	// At is the committer's date.
	At time.Time
}

func commitOf(c *object.Commit) Commit {
	return Commit{
		ID: c.Hash.String(), Subject: subject(c.Message), Author: authorOf(c.Author), Committer: authorOf(c.Committer), At: c.Committer.When.UTC(),
	}
}

func authorOf(s object.Signature) Author {
	return Author{sentence.OneLine(s.Name), sentence.OneLine(s.Email)}
}

// String writes the author as Git does: Name <address>.
func (a Author) String() string {
	if a == (Author{}) {
		return ""
	}
	return a.Name + " <" + a.Email + ">"
}

// Logged is a commit of a log, and what it changes.
type Logged struct {
	Commit
	look   *Look
	commit *object.Commit
	parent *object.Commit // the first one; nil for none
}

// Changes tells whether any file that the commit adds, changes or removes is one
// that is taken. It is compared with its first parent, a first commit with nothing.
func (c Logged) Changes(takes func(path string) bool) (bool, error) {
	h, err := c.look.history()
	if err != nil {
		return false, err
	}
	return changes(h.store, &c.look.trees, c.commit, c.parent, takes)
}

// Log calls visit for the commits of a history in the order of git log, the
// newest first, until that returns false. Likely is how many it will probably
// want: so many are fetched at once.
//
// It goes back at most Options.MaxLog commits, or to where the host's own history
// ends; more tells that there are commits before.
func (l *Look) Log(ctx context.Context, tip string, likely int, visit func(Logged) (bool, error)) (more bool, err error) {
	w := &walk{look: l, tip: plumbing.NewHash(tip), step: max(firstDepth, likely+1), seen: map[plumbing.Hash]bool{}}
	if w.history, err = l.history(); err != nil {
		return false, err
	}
	if !w.history.has(w.tip) {
		if err := w.deepen(ctx); err != nil {
			return false, err
		}
	}
	newest, err := w.history.commit(w.tip)
	if err != nil {
		return false, err
	}
	w.add(newest)
	for w.visited = 0; len(w.next) > 0; w.visited++ {
		if err := ctx.Err(); err != nil {
			return false, l.reading.unreachable(ctx, "read", err)
		}
		if w.visited == l.repositories.options.MaxLog {
			return true, nil
		}
		c := w.next[0].commit
		whole, err := w.parents(ctx, c)
		if err != nil || !whole {
			return !whole, err
		}
		heap.Pop(&w.next)
		logged := Logged{Commit: commitOf(c), look: l, commit: c}
		for i, id := range c.ParentHashes {
			parent, err := w.history.commit(id)
			if err != nil {
				return false, err
			}
			if i == 0 {
				logged.parent = parent
			}
			w.add(parent)
		}
		if wanted, err := visit(logged); err != nil || !wanted {
			return false, err
		}
	}
	return false, nil
}

// walk goes through a history by the dates of its commits. It never goes past a
// commit whose parents are not there: one of them might be the next.
type walk struct {
	look    *Look
	history *history
	tip     plumbing.Hash
	next    frontier
	seen    map[plumbing.Hash]bool
	visited int
	depth   int // that was fetched
	step    int // how much further the next request goes
}

// add has a commit visited, once.
func (w *walk) add(c *object.Commit) {
	if !w.seen[c.Hash] {
		w.seen[c.Hash] = true
		heap.Push(&w.next, waiting{c, len(w.seen)})
	}
}

// parents has those of a commit in the history. It is false where the host itself
// lacks them.
func (w *walk) parents(ctx context.Context, c *object.Commit) (bool, error) {
	const tries = 2
	for range tries {
		if !slices.ContainsFunc(c.ParentHashes, func(id plumbing.Hash) bool { return !w.history.has(id) }) {
			return true, nil
		}
		if slices.Contains(w.look.reading.refs.Shallows, c.Hash) {
			return false, nil
		}
		// Each commit on the way from the tip was visited.
		w.depth = max(w.depth, w.visited+1)
		if err := w.deepen(ctx); err != nil {
			return false, err
		}
	}
	return false, &damage{fmt.Errorf("the parents of commit %s are missing", c.Hash)}
}

func (w *walk) deepen(ctx context.Context) error {
	if err := w.look.fetch(ctx, w.tip, w.depth+w.step); err != nil {
		return err
	}
	w.depth += w.step
	w.step = w.history.step(w.step)
	return nil
}

// waiting is a commit that is to be visited.
type waiting struct {
	commit *object.Commit
	number int // in the order they were found
}

// frontier is a heap (container/heap): the newest first, of one date the one that
// was found first, as in Git's own log.
type frontier []waiting

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(i, j int) bool {
	a, b := f[i], f[j]
	return cmp.Or(cmp.Compare(b.commit.Committer.When.Unix(), a.commit.Committer.When.Unix()), cmp.Compare(a.number, b.number)) < 0
}
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push implements heap.Interface.
func (f *frontier) Push(x any) {
	if w, ok := x.(waiting); ok {
		*f = append(*f, w)
	}
}

// Pop implements heap.Interface.
func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
