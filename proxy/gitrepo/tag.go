package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// Tag is what is known of what a tag names.
type Tag struct {
	// Commit is the commit that it comes down to; its ID is empty where it names
	// something else, or a commit that nobody can read.
	Commit Commit
	// CreatedAt is when an annotated tag was made, else the committer's date: what
	// Git calls creatordate.
	CreatedAt time.Time
	// Tagger and Annotation, its first line, are those of an annotated tag.
	Tagger     Author
	Annotation string
}

// tagKey is an object at a place. What it says never changes.
type tagKey struct {
	place  string
	object string
}

const (
	maxKnownTags = 100_000
	tagBatch     = 500 // objects that are asked for at once
	// wholeBatch is that where the host cannot leave out folders and files.
	wholeBatch = 10
	// changeBatch is how many commits are compared at once.
	changeBatch = 20
	maxChain    = 10 // tags of tags
)

// Tags tells of the objects that tags name, by their full IDs. What was asked for
// before, by any look at this place, is not asked for again.
func (l *Look) Tags(ctx context.Context, objects []string) (map[string]Tag, error) {
	known := make(map[string]Tag, len(objects))
	var unknown []string
	for _, id := range objects {
		if found, ok := l.repositories.tags.Get(tagKey{l.place, id}); ok {
			if tag, ok := found.(Tag); ok {
				known[id] = tag
				continue
			}
		}
		unknown = append(unknown, id)
	}
	size := tagBatch
	if !l.reading.filters() {
		size = wholeBatch
	}
	for batch := range slices.Chunk(unknown, size) {
		err := l.apart(ctx, batch, 1, packp.FilterTreeDepth(0), func(s *store) error {
			for _, id := range batch {
				tag, err := s.tag(plumbing.NewHash(id))
				if err != nil {
					return err
				}
				known[id] = tag
				l.repositories.tags.Add(tagKey{l.place, id}, tag)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// Changes tells of the objects that tags name, by their full IDs, whether any file
// that their commits add, change or remove is one that is taken. Each is compared with
// its first parent; where the host's own history ends before that, it is none.
func (l *Look) Changes(ctx context.Context, objects []string, takes func(path string) bool) (map[string]bool, error) {
	found := make(map[string]bool, len(objects))
	for batch := range slices.Chunk(objects, changeBatch) {
		err := l.apart(ctx, batch, 2, packp.FilterBlobNone(), func(s *store) (err error) {
			for _, id := range batch {
				if found[id], err = l.changes(s, plumbing.NewHash(id), takes); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (l *Look) changes(s *store, id plumbing.Hash, takes func(path string) bool) (bool, error) {
	tag, err := s.tag(id)
	if err != nil || tag.Commit.ID == "" {
		return false, err
	}
	c, err := s.commit(plumbing.NewHash(tag.Commit.ID))
	if err != nil {
		return false, err
	}
	var parent *object.Commit
	switch {
	case slices.Contains(l.reading.refs.Shallows, c.Hash):
		return false, nil // nobody can tell what it changes
	case len(c.ParentHashes) > 0:
		if parent, err = s.commit(c.ParentHashes[0]); err != nil {
			return false, err
		}
	}
	return changes(s, &l.trees, c, parent, takes)
}

// apart fetches objects into a store that is gone when f returns: what is there
// without all of its history would be taken for what the history has.
func (l *Look) apart(ctx context.Context, ids []string, depth int, filter packp.Filter, f func(*store) error) error {
	s, err := newStore(l.repositories.folder)
	if err != nil {
		return err
	}
	defer s.remove()
	objects := make([]plumbing.Hash, len(ids))
	for i, id := range ids {
		objects[i] = plumbing.NewHash(id)
	}
	if _, err := l.reading.request(ctx, wanted{objects: objects, depth: depth, filter: filter}, s); err != nil {
		if errors.Is(err, ErrNoRevision) {
			return failed(err, "%s: it may have changed while it was looked at", err)
		}
		return err
	}
	return f(s)
}

// tag reads what a tag names. What is no commit, or no proper one, is nothing:
// that is how it will ever be. The error is a *damage.
func (s *store) tag(id plumbing.Hash) (Tag, error) {
	var found Tag
	for range maxChain {
		o, err := s.objects.EncodedObject(plumbing.AnyObject, id)
		if err != nil {
			return Tag{}, &damage{fmt.Errorf("object %s: %w", id, err)}
		}
		if o.Type() != plumbing.TagObject {
			return found.of(o), nil
		}
		t := &object.Tag{}
		if err := t.Decode(o); err != nil || t.TargetType != plumbing.CommitObject && t.TargetType != plumbing.TagObject {
			return Tag{}, nil //nolint:nilerr // it names nothing that is of use
		}
		if found.Annotation == "" && found.CreatedAt.IsZero() {
			found = Tag{CreatedAt: t.Tagger.When.UTC(), Tagger: authorOf(t.Tagger), Annotation: subject(t.Message)}
		}
		id = t.Target
	}
	return Tag{}, nil
}

// of completes what tags say by the object that they come down to.
func (t Tag) of(o plumbing.EncodedObject) Tag {
	c := &object.Commit{}
	if o.Type() != plumbing.CommitObject || c.Decode(o) != nil {
		return Tag{}
	}
	t.Commit = commitOf(c)
	if t.CreatedAt.IsZero() { // not annotated, or long ago, before taggers were recorded
		t.CreatedAt = t.Commit.At
	}
	return t
}
