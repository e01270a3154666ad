package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// selected is a folder or file of a commit that paths name.
type selected struct {
	path  string // empty for the root
	entry object.TreeEntry
}

// Tree names what paths hold at a commit: equal names are equal files. It reads
// no file, so that for a commit that was seen before it costs no request.
//
// The empty path, or ".", is the whole tree. What a path names may be missing;
// that is part of the name.
func (r *Repositories) Tree(ctx context.Context, repoURL, revision string, paths []string) (string, error) {
	var id string
	err := r.selecting(ctx, repoURL, revision, paths, func(_ context.Context, _ *visit, all []selected) error {
		h := sha256.New()
		for _, s := range all {
			fmt.Fprintf(h, "%q %s %s\n", s.path, s.entry.Mode, s.entry.Hash)
		}
		id = hex.EncodeToString(h.Sum(nil))
		return nil
	})
	return id, err
}

// selecting calls f with what the paths name at a commit, sorted, none below
// another one.
func (r *Repositories) selecting(ctx context.Context, repoURL, revision string, paths []string, f func(context.Context, *visit, []selected) error) error {
	wanted, err := distinct(paths)
	if err != nil {
		return err
	}
	if !fullID.MatchString(revision) {
		return failed(ErrNoRevision, "%q is not the full ID of a Git commit (40 hex digits)", sentence.OneLine(revision))
	}
	return r.visit(ctx, repoURL, yields, func(ctx context.Context, v *visit) error {
		at := plumbing.NewHash(revision)
		if err := v.ensure(ctx, at); err != nil {
			return err
		}
		commit, err := v.store.commit(at)
		if err != nil {
			return err
		}
		var all []selected
		for _, path := range wanted {
			entry, exists, err := v.lookUp(commit.TreeHash, path)
			if err != nil {
				return err
			}
			if exists {
				all = append(all, selected{path, entry})
			}
		}
		return f(ctx, v, all)
	})
}

// lookUp finds what a path names below a tree. It follows no link.
func (v *visit) lookUp(tree plumbing.Hash, path string) (object.TreeEntry, bool, error) {
	entry := object.TreeEntry{Mode: filemode.Dir, Hash: tree}
	if path == "" {
		return entry, true, nil
	}
	for _, name := range strings.Split(path, "/") {
		if entry.Mode != filemode.Dir {
			return entry, false, nil
		}
		in, err := v.store.tree(entry.Hash)
		if err != nil {
			return entry, false, err
		}
		var exists bool
		if entry, exists = find(in.Entries, name); !exists {
			return entry, false, nil
		}
	}
	return entry, true, nil
}

const maxPaths = 256

// distinct checks paths, sorts them, and leaves out those below another.
func distinct(paths []string) ([]string, error) {
	if len(paths) > maxPaths {
		return nil, refused(nil, "%d paths of a Git repository are asked for at once: name at most %d", len(paths), maxPaths)
	}
	var all []string
	for _, path := range paths {
		if path == "" || path == "." {
			return []string{""}, nil
		}
		if _, err := splitPath(path); err != nil {
			return nil, err
		}
		all = append(all, path)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(path string) bool {
		return slices.ContainsFunc(all, func(above string) bool { return strings.HasPrefix(path, above+"/") })
	}), nil
}
