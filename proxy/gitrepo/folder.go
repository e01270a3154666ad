package gitrepo

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"
)

// folder is what a change writes below one path.
type folder struct {
	files   map[string][]byte
	folders map[string]*folder
}

var errOverlap = errors.New("a file and a folder of one name")

func (f *folder) add(segments []string, content []byte) error {
	name := segments[0]
	if len(segments) == 1 {
		if f.folders[name] != nil {
			return errOverlap
		}
		if f.files == nil {
			f.files = map[string][]byte{}
		}
		f.files[name] = content
		return nil
	}
	if _, taken := f.files[name]; taken {
		return errOverlap
	}
	if f.folders == nil {
		f.folders = map[string]*folder{}
	}
	if f.folders[name] == nil {
		f.folders[name] = &folder{}
	}
	return f.folders[name].add(segments[1:], content)
}

// graft returns the tree that has everything of an old one, and the folder's
// files. New objects go to fresh. A tree that holds the files already is
// returned as it is, even where Git would write it differently today.
// The zero hash stands for an empty tree; path is for errors.
func (f *folder) graft(old plumbing.Hash, path string, from *store, fresh *memory.Storage) (plumbing.Hash, error) {
	tree := &object.Tree{}
	if !old.IsZero() {
		var err error
		if tree, err = from.tree(old); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	entries, changed := slices.Clone(tree.Entries), false
	put := func(e object.TreeEntry) {
		i := slices.IndexFunc(entries, func(have object.TreeEntry) bool { return have.Name == e.Name })
		switch {
		case i < 0:
			entries, changed = append(entries, e), true
		case entries[i] != e:
			entries[i], changed = e, true
		}
	}
	for name, content := range f.files {
		mode, err := fileMode(entries, name, path)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		id, err := fresh.SetEncodedObject(encode(plumbing.BlobObject, content))
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("making the file %s: %w", path+name, err)
		}
		put(object.TreeEntry{Name: name, Mode: mode, Hash: id})
	}
	for name, below := range f.folders {
		old, err := subtree(entries, name, path)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		id, err := below.graft(old, path+name+"/", from, fresh)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		put(object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: id})
	}
	if !changed && !old.IsZero() {
		return old, nil
	}
	sort.Sort(object.TreeEntrySorter(entries))
	return addObject(fresh, &object.Tree{Entries: entries})
}

func find(entries []object.TreeEntry, name string) (object.TreeEntry, bool) {
	i := slices.IndexFunc(entries, func(e object.TreeEntry) bool { return e.Name == name })
	if i < 0 {
		return object.TreeEntry{}, false
	}
	return entries[i], true
}

// fileMode is the mode that a file is written with: the one that it has.
func fileMode(entries []object.TreeEntry, name, path string) (filemode.FileMode, error) {
	e, exists := find(entries, name)
	if !exists {
		return filemode.Regular, nil
	}
	if e.Mode != filemode.Regular && e.Mode != filemode.Executable {
		return 0, refused(nil, "%s cannot be written: the Git repository has %s there; remove it, or choose another path", path+name, kind(e.Mode))
	}
	return e.Mode, nil
}

func subtree(entries []object.TreeEntry, name, path string) (plumbing.Hash, error) {
	e, exists := find(entries, name)
	if exists && e.Mode != filemode.Dir {
		return plumbing.ZeroHash, refused(nil, "nothing can be written below %s: the Git repository has %s there; remove it, or choose another path", path+name, kind(e.Mode))
	}
	return e.Hash, nil
}

func kind(m filemode.FileMode) string {
	switch m {
	case filemode.Dir:
		return "a folder"
	case filemode.Symlink:
		return "a symbolic link"
	case filemode.Submodule:
		return "a submodule"
	default:
		return "a file"
	}
}

func encode(t plumbing.ObjectType, content []byte) plumbing.EncodedObject {
	o := &plumbing.MemoryObject{}
	o.SetType(t)
	_, _ = o.Write(content) // appends to memory, and never fails
	return o
}

// addObject stores a tree or a commit.
func addObject(to *memory.Storage, o object.Object) (plumbing.Hash, error) {
	encoded := &plumbing.MemoryObject{}
	if err := o.Encode(encoded); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("making a Git %s: %w", o.Type(), err)
	}
	return to.SetEncodedObject(encoded)
}
