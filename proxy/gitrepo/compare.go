package gitrepo

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"k8s.io/utils/lru"
)

// Bounds of a comparison. A tree of a few objects can stand for more files than
// there are atoms; go-git's own DiffTree lists them all before one is looked at.
const (
	maxCompared     = 5_000_000 // entries of folders
	maxComparedPath = 16 << 10  // bytes
)

// trees are folders that were read, a few: the next comparison of a log begins
// with those that the last one ended with.
type trees struct{ read *lru.Cache }

const maxTrees = 32

func (t *trees) get(from *store, id plumbing.Hash) ([]object.TreeEntry, error) {
	if id.IsZero() {
		return nil, nil
	}
	if t.read == nil {
		t.read = lru.New(maxTrees)
	}
	if found, ok := t.read.Get(id); ok {
		if entries, ok := found.([]object.TreeEntry); ok {
			return entries, nil
		}
	}
	tree, err := from.tree(id)
	if err != nil {
		return nil, err
	}
	t.read.Add(id, tree.Entries)
	return tree.Entries, nil
}

// changes tells whether any file that differs between a commit and its parent,
// or nothing, is one that is taken. It reads folders that differ, and no files.
func changes(from *store, read *trees, c, parent *object.Commit, takes func(path string) bool) (bool, error) {
	var before plumbing.Hash
	if parent != nil {
		before = parent.TreeHash
	}
	compared := &comparison{most: maxCompared, takes: takes, read: func(id plumbing.Hash) ([]object.TreeEntry, error) { return read.get(from, id) }}
	found, err := compared.folder("", before, c.TreeHash)
	if err != nil {
		return false, fmt.Errorf("commit %s: %w", c.Hash, err)
	}
	return found, nil
}

type comparison struct {
	read    func(tree plumbing.Hash) ([]object.TreeEntry, error)
	takes   func(path string) bool
	entries int // that were read
	most    int // that are
}

// folder compares two folders of one path, which is empty or ends with a slash.
// The zero hash is for none.
func (c *comparison) folder(path string, before, after plumbing.Hash) (bool, error) {
	if before == after {
		return false, nil
	}
	old, err := c.read(before)
	if err != nil {
		return false, err
	}
	now, err := c.read(after)
	if err != nil {
		return false, err
	}
	if c.entries += len(old) + len(now); c.entries > c.most || len(path) > maxComparedPath {
		return false, refused(nil, "it changes more files and folders than are compared (%d)", c.most)
	}
	old, now = differing(old, now)
	gone := make(map[string]object.TreeEntry, len(old))
	for _, e := range old {
		gone[e.Name] = e
	}
	for _, e := range now {
		was := gone[e.Name]
		delete(gone, e.Name)
		if found, err := c.entry(path+e.Name, was, e); found || err != nil {
			return found, err
		}
	}
	for _, e := range old {
		if _, is := gone[e.Name]; is {
			if found, err := c.entry(path+e.Name, e, object.TreeEntry{}); found || err != nil {
				return found, err
			}
		}
	}
	return false, nil
}

// entry compares what stands at one path; the zero entry is for nothing.
func (c *comparison) entry(path string, was, is object.TreeEntry) (bool, error) {
	if was.Hash == is.Hash && was.Mode == is.Mode {
		return false, nil
	}
	if (isFile(was) || isFile(is)) && c.takes(path) {
		return true, nil
	}
	return c.folder(path+"/", folderOf(was), folderOf(is))
}

// isFile tells of a link and a submodule too.
func isFile(e object.TreeEntry) bool { return !e.Hash.IsZero() && e.Mode != filemode.Dir }

func folderOf(e object.TreeEntry) plumbing.Hash {
	if e.Mode == filemode.Dir {
		return e.Hash
	}
	return plumbing.ZeroHash
}

// differing leaves out what two folders have in common at their beginnings and
// ends: in a large folder, almost all.
func differing(old, now []object.TreeEntry) (a, b []object.TreeEntry) {
	for len(old) > 0 && len(now) > 0 && old[0] == now[0] {
		old, now = old[1:], now[1:]
	}
	for len(old) > 0 && len(now) > 0 && old[len(old)-1] == now[len(now)-1] {
		old, now = old[:len(old)-1], now[:len(now)-1]
	}
	return old, now
}
