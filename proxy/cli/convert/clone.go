package convert

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/parameters"
)

const cloneRemedy = "pass --repo with a clone of its repository, at the revision that it names"

// Clone is a local clone of the repository that Applications name. Nothing
// outside of it is read.
type Clone struct {
	root *os.Root
	// of is the repository that it is taken for: the first that a source names.
	of string
}

// OpenClone opens a clone; the caller closes it.
func OpenClone(dir string) (*Clone, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the clone cannot be opened: %w", errors.Unwrap(err))
	}
	return &Clone{root: root}, nil
}

// Close releases the clone.
func (c *Clone) Close() error { return c.root.Close() }

// isOf tells whether the clone is taken for that of a repository.
func (c *Clone) isOf(repository string) bool {
	repository = freight.GitRepository(repository)
	if c.of == "" {
		c.of = repository
	}
	return c.of == repository
}

// kind tells what a path holds, by the rule of the plugin and of Argo CD
// (argo-cd, util/app/discovery, Discover): a kustomization goes before a chart.
func (c *Clone) kind(dir string) (parameters.Kind, error) {
	names, err := c.names(path.Clean(dir))
	switch {
	case err != nil:
		return "", err
	case slices.ContainsFunc(names, isKustomization):
		return parameters.Kustomization, nil
	case slices.Contains(names, chartFile):
		return parameters.Chart, nil
	default:
		return parameters.Plain, nil
	}
}

const chartFile = "Chart.yaml"

func isKustomization(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), name)
}

// describe names a kind in a sentence.
func describe(kind parameters.Kind) string {
	switch kind {
	case parameters.Kustomization:
		return "a kustomization"
	case parameters.Chart:
		return "a chart"
	default:
		return "plain manifests"
	}
}

func (c *Clone) names(dir string) ([]string, error) {
	entries, err := fs.ReadDir(c.root.FS(), dir)
	if err != nil {
		return nil, c.explain(dir, err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// maxClonedFile bounds a file of a clone that is looked into, in bytes.
const maxClonedFile = 4 << 20

func (c *Clone) read(name string) ([]byte, error) {
	file, err := c.root.Open(name)
	if err != nil {
		return nil, c.explain(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxClonedFile+1))
	if err != nil {
		return nil, c.explain(name, err)
	}
	if len(data) > maxClonedFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxClonedFile>>20)
	}
	return data, nil
}

// stat tells whether a path is there, and whether it is a folder.
func (c *Clone) stat(name string) (isDir bool, err error) {
	info, err := c.root.Stat(name)
	if err != nil {
		return false, c.explain(name, err)
	}
	return info.IsDir(), nil
}

func (c *Clone) explain(name string, err error) error {
	var cause *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not in the clone", name)
	case errors.As(err, &cause):
		return fmt.Errorf("%s cannot be read in the clone: %w", name, cause.Err)
	default:
		return fmt.Errorf("%s cannot be read in the clone", name)
	}
}

// link finds a symbolic link on the way to a path.
func (c *Clone) link(name string) (string, bool) {
	at := ""
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		if info, err := c.root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at, true
		}
	}
	return "", false
}

// linkBelow finds a symbolic link in a folder and those below.
func (c *Clone) linkBelow(dir string) (string, bool) {
	found := ""
	_ = fs.WalkDir(c.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.Type()&fs.ModeSymlink != 0:
			found = name
			return fs.SkipAll
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		}
		return nil
	})
	return found, found != ""
}

// fileBelow finds a file by how its name ends, in a folder or also in those below.
func (c *Clone) fileBelow(dir, ending string, recurse bool) (string, bool) {
	found := ""
	_ = fs.WalkDir(c.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && name != dir && !recurse:
			return fs.SkipDir
		case !d.IsDir() && path.Ext(name) == ending:
			found = name
			return fs.SkipAll
		}
		return nil
	})
	return found, found != ""
}
