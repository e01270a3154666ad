package render

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// maxEntries bounds the files and folders of one tree: links to folders can make
// a small checkout look without end.
const maxEntries = 20_000

// AbsentRemedy is what to do about what a source needs and the checkout lacks.
const AbsentRemedy = absentRemedy

// File is a file of a tree. Its name is relative to the tree, with slashes.
type File struct {
	Name string
	Data []byte
}

// Path returns the Application's path as it is called in the repository.
func (c *Checkout) Path() string { return c.tell(c.path) }

// Files reads the files of a folder, given relative to the Application's path,
// and of all folders below it, in the order of their names. Links are followed
// as long as they stay in the checkout. skip tells what to pass over; a folder
// that is skipped is not entered.
func (c *Checkout) Files(dir string, skip func(name string, info fs.FileInfo) bool) ([]File, error) {
	files := newFileSystem(c)
	resolved, isDir, err := files.resolve(filepath.Join(c.path, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	if !isDir {
		return nil, fmt.Errorf("%s is no folder", c.tell(resolved))
	}
	w := treeWalk{checkout: c, files: files, skip: skip, root: c.tell(resolved)}
	if err := w.folder("", resolved, nil); err != nil {
		return nil, err
	}
	return w.found, nil
}

type treeWalk struct {
	checkout *Checkout
	files    fileSystem
	skip     func(string, fs.FileInfo) bool
	root     string // as the repository calls it
	entries  int
	found    []File
}

// folder reads a folder, called name in the tree. above are the folders that led
// to it, resolved, this one excluded.
func (w *treeWalk) folder(name, resolved string, above []string) error {
	c := w.checkout
	if slices.Contains(above, resolved) {
		return refusal.New(path.Join(w.root, name)+" is a link to a folder that it lies in", "remove the link")
	}
	entries, err := fs.ReadDir(c.root.FS(), filepath.ToSlash(resolved))
	if err != nil {
		return c.explain(resolved, err)
	}
	if w.entries += len(entries); w.entries > maxEntries {
		return refusal.New(fmt.Sprintf("%s holds more than %d files", c.tell(resolved), maxEntries), "move what is no part of it elsewhere")
	}
	above = append(above, resolved)
	for _, entry := range entries {
		if err := w.entry(path.Join(name, entry.Name()), filepath.Join(resolved, entry.Name()), entry, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWalk) entry(name, resolved string, entry fs.DirEntry, above []string) error {
	info, err := entry.Info()
	if err == nil && entry.Type()&fs.ModeSymlink != 0 {
		if resolved, _, err = w.files.resolve(resolved); err != nil {
			if w.skip(name, info) {
				return nil
			}
			return refusal.Wrap(err, "remove the link "+name)
		}
		info, err = w.checkout.root.Stat(resolved)
	}
	if err != nil {
		return w.checkout.explain(resolved, err)
	}
	switch {
	case w.skip(name, info):
		return nil
	case info.IsDir():
		return w.folder(name, resolved, above)
	}
	data, err := w.checkout.read(resolved)
	if err != nil {
		return err
	}
	w.found = append(w.found, File{Name: name, Data: data})
	return nil
}

// ReadNamed returns a file as the settings of an Application name it: relative
// to its path, or with a leading slash from the root of the repository (argo-cd,
// util/io/path, ResolveValueFilePathOrUrl). The error is fs.ErrNotExist where
// there is none. An address is refused, whatever its scheme.
func (c *Checkout) ReadNamed(name string) ([]byte, error) {
	if u, err := url.Parse(name); err == nil && u.Scheme != "" {
		return nil, refusal.New(withoutSecrets(name)+" is remote, and a render reaches no network", "put the file into the repository")
	}
	below := path.Join(filepath.ToSlash(c.path), name)
	if path.IsAbs(name) {
		below = strings.TrimPrefix(path.Clean(name), "/")
		if inCheckout, found := strings.CutPrefix(below, c.prefix+"/"); found {
			below = inCheckout
		} else if c.prefix != "" {
			return nil, &absence{name: below, err: errOutside}
		}
	}
	resolved, _, err := newFileSystem(c).resolve(filepath.FromSlash(below))
	if err != nil {
		return nil, err
	}
	return c.read(resolved)
}
