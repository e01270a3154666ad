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

// folder is what a change writes and removes below one path.
type folder struct {
	files   map[string][]byte
	folders map[string]*folder
	removed map[string]bool // files, and folders with all below
}

var errOverlap = errors.New("a file and a folder of one name")

func (f *folder) add(segments []string, content []byte) error {
	f, err := f.below(segments)
	if err != nil {
		return err
	}
	name := segments[len(segments)-1]
	if f.folders[name] != nil || f.removed[name] {
		return errOverlap
	}
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	f.files[name] = content
	return nil
}

func (f *folder) remove(segments []string) error {
	f, err := f.below(segments)
	if err != nil {
		return err
	}
	name := segments[len(segments)-1]
	if _, written := f.files[name]; written || f.folders[name] != nil {
		return errOverlap
	}
	if f.removed == nil {
		f.removed = map[string]bool{}
	}
	f.removed[name] = true
	return nil
}

// below returns the folder of a path, made where it is not there.
func (f *folder) below(segments []string) (*folder, error) {
	for _, name := range segments[:len(segments)-1] {
		if _, taken := f.files[name]; taken || f.removed[name] {
			return nil, errOverlap
		}
		if f.folders == nil {
			f.folders = map[string]*folder{}
		}
		if f.folders[name] == nil {
			f.folders[name] = &folder{}
		}
		f = f.folders[name]
	}
	return f, nil
}

// graft returns the tree that has everything of an old one but what the folder
// removes, and the folder's files. New objects go to fresh. A tree that holds the files already is
// returned as it is, even where Git would write it differently today.
// The zero hash stands for an empty tree, which Git keeps at the root alone; path
// is for errors.
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
	drop := func(name string) {
		kept := slices.DeleteFunc(entries, func(have object.TreeEntry) bool { return have.Name == name })
		entries, changed = kept, changed || len(kept) < len(entries)
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
		if id.IsZero() {
			drop(name)
			continue
		}
		put(object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: id})
	}
	for name := range f.removed {
		drop(name)
	}
	if !changed && !old.IsZero() {
		return old, nil
	}
	if len(entries) == 0 && path != "" {
		return plumbing.ZeroHash, nil
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
