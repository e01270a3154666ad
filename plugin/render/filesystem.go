package render

import (
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// fileSystem is a checkout as kustomize wants it. What is not overridden works
// on the embedded file system, which is empty and in memory: a build needs none
// of it.
type fileSystem struct {
	filesys.FileSystem
	checkout *Checkout
	// edited is what files hold in place of what they hold in the checkout, by
	// path below the root.
	edited map[string][]byte
}

func newFileSystem(c *Checkout) fileSystem {
	return fileSystem{FileSystem: filesys.MakeFsInMemory(), checkout: c, edited: map[string][]byte{}}
}

// read returns a file by its path below the root.
func (f fileSystem) read(name string) ([]byte, error) {
	if data, found := f.edited[name]; found {
		return data, nil
	}
	return f.checkout.read(name)
}

// resolve follows all links of a path below the root, and tells whether they
// end in a directory. The error is an [absence] where there is nothing, or
// nothing in the checkout.
func (f fileSystem) resolve(name string) (resolved string, isDir bool, err error) {
	if name, err = f.name(filepath.Join(f.checkout.base, name)); err != nil {
		return "", false, err
	}
	path, err := filepath.EvalSymlinks(filepath.Join(f.checkout.base, name))
	if err != nil {
		return "", false, f.checkout.explain(name, err)
	}
	if resolved, err = f.name(path); err != nil {
		return "", false, err
	}
	info, err := f.checkout.root.Stat(resolved)
	if err != nil {
		return "", false, f.checkout.explain(name, err)
	}
	return resolved, info.IsDir(), nil
}

// CleanedAbs resolves a path, links included, to a directory and a file name.
func (f fileSystem) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	name, err := f.name(path)
	if err != nil {
		return "", "", err
	}
	name, isDir, err := f.resolve(name)
	if err != nil {
		return "", "", err
	}
	resolved := filepath.Join(f.checkout.base, name)
	if isDir {
		return filesys.ConfirmedDir(resolved), "", nil
	}
	return filesys.ConfirmedDir(filepath.Dir(resolved)), filepath.Base(resolved), nil
}

// ReadFile reads a file of the checkout, within its bounds.
func (f fileSystem) ReadFile(path string) ([]byte, error) {
	name, err := f.name(path)
	if err != nil {
		return nil, err
	}
	return f.read(name)
}

// IsDir tells whether the path is a directory of the checkout.
func (f fileSystem) IsDir(path string) bool {
	_, file, err := f.CleanedAbs(path)
	return err == nil && file == ""
}

// Exists tells whether the path is in the checkout.
func (f fileSystem) Exists(path string) bool {
	_, _, err := f.CleanedAbs(path)
	return err == nil
}

// name returns a path relative to the root of the checkout.
func (f fileSystem) name(path string) (string, error) {
	c := f.checkout
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.base, c.path, path)
	}
	name, err := filepath.Rel(c.base, path)
	if err != nil || !filepath.IsLocal(name) {
		return "", &absence{name: c.tell(name), err: errOutside}
	}
	return name, nil
}
