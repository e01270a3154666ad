package render

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Bounds of what one render reads. Argo CD hands over whole repositories, of
// which manifests are a small part.
const (
	maxFile  = 32 << 20  // one file, in bytes
	maxTotal = 256 << 20 // all files of a render, in bytes
)

// Checkout is the part of a repository that Argo CD unpacked for a render, seen
// from an Application's path. Nothing is written, nothing outside of it is
// read, whatever paths and links say, and all that is read is bounded.
type Checkout struct {
	root   *os.Root
	base   string // the root's absolute path, without links
	path   string // the Application's path below it
	prefix string // of the root in the repository, as far as it is known
	left   int64  // bytes that may still be read
}

// errOutside is why a path that leaves the checkout is not read.
var errOutside = errors.New("it lies outside of the checkout")

// absence is a file or directory that a render needs and cannot have.
type absence struct {
	name string // in the repository
	err  error  // fs.ErrNotExist or errOutside
}

func (a *absence) Error() string {
	if errors.Is(a.err, errOutside) {
		return a.name + " lies outside of what Argo CD unpacked"
	}
	return "there is no " + a.name
}

func (a *absence) Unwrap() error { return a.err }

// Open opens the checkout that holds an Application's path. sourcePath is the
// path as the Application names it (ARGOCD_APP_SOURCE_PATH), empty when it is
// not known; see [rootOf].
func Open(dir, sourcePath string) (*Checkout, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, errors.New("the Application's path cannot be found")
	}
	if absolute, err = filepath.EvalSymlinks(absolute); err != nil {
		return nil, errors.New("the Application's path cannot be found")
	}
	base := rootOf(absolute, sourcePath)
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, errors.New("the checkout cannot be opened")
	}
	relative, err := filepath.Rel(base, absolute)
	if err != nil {
		return nil, errors.New("the Application's path cannot be found")
	}
	return &Checkout{root: root, base: base, path: relative, prefix: prefixOf(sourcePath, relative), left: maxTotal}, nil
}

// Close releases the checkout.
func (c *Checkout) Close() error { return c.root.Close() }

// Read returns a file of the Application's path. The error is fs.ErrNotExist
// where there is none.
func (c *Checkout) Read(name string) ([]byte, error) {
	return c.read(filepath.Join(c.path, name))
}

// Names returns the sorted names of what is in the Application's path.
func (c *Checkout) Names() ([]string, error) {
	entries, err := fs.ReadDir(c.root.FS(), filepath.ToSlash(c.path))
	if err != nil {
		return nil, errors.New("the Application's path cannot be listed")
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

// read returns a file by its path below the root.
func (c *Checkout) read(name string) ([]byte, error) {
	file, err := c.root.Open(name)
	if err != nil {
		return nil, c.explain(name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, c.explain(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", c.tell(name))
	}
	data, err := io.ReadAll(io.LimitReader(file, min(maxFile, c.left)+1))
	if err != nil {
		return nil, c.explain(name, err)
	}
	if len(data) > maxFile {
		return nil, refusal.New(fmt.Sprintf("%s is larger than %d MiB", c.tell(name), maxFile>>20), "split it")
	}
	if c.left -= int64(len(data)); c.left < 0 {
		return nil, refusal.New(fmt.Sprintf("the render reads more than %d MiB", maxTotal>>20), "split the Application")
	}
	return data, nil
}

// tell returns a path below the root as it is called in the repository.
func (c *Checkout) tell(name string) string {
	return path.Join(c.prefix, filepath.ToSlash(name))
}

// explain says what is wrong with a file in terms of the repository.
func (c *Checkout) explain(name string, err error) error {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &absence{name: c.tell(name), err: fs.ErrNotExist}
	case errors.As(err, &pathError):
		return fmt.Errorf("%s cannot be read: %w", c.tell(name), pathError.Err)
	}
	return fmt.Errorf("%s cannot be read: %w", c.tell(name), err)
}

// workFolder is what argocd-cmp-server unpacks each checkout below, in a folder
// of its own (common.DefaultCMPWorkDirName in Argo CD).
const workFolder = "_cmp_server"

// rootOf finds the root of the checkout that an absolute path is in: Argo CD's
// work folder knows it; else the source path names what to strip, of which
// Argo CD may have left out the beginning (manifest-generate-paths); else it is
// where the Git repository starts; else the path itself.
func rootOf(dir, sourcePath string) string {
	parts := strings.Split(filepath.ToSlash(dir), "/")
	for i, part := range parts {
		if part == workFolder && i+1 < len(parts) {
			return filepath.FromSlash(strings.Join(parts[:i+2], "/"))
		}
	}
	if sourcePath != "" {
		named := strings.Split(filepath.ToSlash(filepath.Clean(sourcePath)), "/")
		for len(named) > 0 && len(parts) > 2 && named[len(named)-1] == parts[len(parts)-1] {
			named, parts = named[:len(named)-1], parts[:len(parts)-1]
		}
		return filepath.FromSlash(strings.Join(parts, "/"))
	}
	for above := dir; ; above = filepath.Dir(above) {
		if _, err := os.Lstat(filepath.Join(above, ".git")); err == nil {
			return above
		}
		if above == filepath.Dir(above) {
			return dir
		}
	}
}

// prefixOf returns where the root of a checkout lies in the repository: what is
// left of the source path before the Application's path in the checkout.
func prefixOf(sourcePath, relative string) string {
	named, relative := path.Clean(filepath.ToSlash(sourcePath)), filepath.ToSlash(relative)
	if relative == "." && named != "." {
		return named
	}
	prefix, found := strings.CutSuffix(named, "/"+relative)
	if !found {
		return ""
	}
	return prefix
}
