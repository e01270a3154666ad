package gitrepo

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

// Refs are the branches and tags of a repository at one moment.
type Refs struct {
	Branches
	// Tags are what the tags name, by their short names.
	Tags map[string]TagRef
}

// TagRef is what a tag names.
type TagRef struct {
	// Object is the full ID of what it names itself: a commit, or an object of its
	// own where it is annotated.
	Object string
	// Commit is the full ID of what that comes down to: a commit, in all but odd
	// repositories.
	Commit string
}

// listing is what a repository answered when it was asked for its references.
type listing struct {
	began   time.Time
	reading *reading
	refs    Refs
	err     error
}

// list asks for the references, unless somebody has asked since the caller was
// called: who waited for that answer takes it, be it an error.
func (r *repository) list(ctx context.Context, called time.Time, from remote) (*reading, Refs, error) {
	if l := r.listing; l != nil && l.began.After(called) {
		return l.reading, l.refs, l.err
	}
	l := &listing{began: time.Now()}
	if l.reading, l.err = from.read(ctx); l.err == nil {
		l.refs = l.reading.allRefs()
	}
	if ctx.Err() == nil { // what one caller broke off is no answer for others
		r.listing = l
	}
	return l.reading, l.refs, l.err
}

func (r *reading) allRefs() Refs {
	all := Refs{Branches: r.branches(), Tags: map[string]TagRef{}}
	for name, id := range r.refs.References {
		tag, ok := tagName(name)
		if !ok {
			continue
		}
		commit, peeled := r.refs.Peeled[name]
		if !peeled {
			commit = id
		}
		all.Tags[tag] = TagRef{id.String(), commit.String()}
	}
	return all
}

const maxTagName = 255 // bytes; what Git hosts keep in a file's name

// tagName returns the short name of a tag, where a reference is one that Git
// itself would make.
func tagName(reference string) (string, bool) {
	name, ok := strings.CutPrefix(reference, "refs/tags/")
	if !ok || len(name) > maxTagName || plumbing.ReferenceName(reference).Validate() != nil {
		return "", false
	}
	return name, !strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
}

func (r *reading) branches() Branches {
	found := Branches{Repository: r.name, Tips: map[string]string{}}
	if r.refs.Head != nil {
		found.Head = r.refs.Head.String()
	}
	for name, id := range r.refs.References {
		if ref := plumbing.ReferenceName(name); ref.IsBranch() {
			found.Tips[ref.Short()] = id.String()
		}
	}
	return found
}
