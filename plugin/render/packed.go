package render

import (
	"errors"
	"io/fs"
	"strings"
)

// Packed is what Argo CD packed for a render, and unpacked again beside the
// plugin.
type Packed struct {
	// Root is where it begins in the repository, "." for the whole of it, as far
	// as that is known.
	Root string
	// Files and Bytes count all of it; Git those below .git, in bytes.
	Files int
	Bytes int64
	Git   int64
	// HasGit tells that .git came along, which is so where nothing narrowed what
	// was packed.
	HasGit bool
	// Argo tells that Argo CD unpacked it; else it is a checkout of somebody's.
	Argo bool
	// Cut tells that there is more than was counted.
	Cut bool
}

// maxCounted bounds how many files are counted.
const maxCounted = 200_000

const gitFolder = ".git"

// Packed counts what is in the checkout, not only in the Application's path.
func (c *Checkout) Packed() (Packed, error) {
	p := Packed{Root: c.prefix, Argo: strings.Contains(c.base, "/"+workFolder+"/")}
	if p.Root == "" {
		p.Root = "."
	}
	err := fs.WalkDir(c.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			// What cannot be looked at is not counted.
			return nil //nolint:nilerr // see above
		}
		inGit := name == gitFolder || strings.HasPrefix(name, gitFolder+"/")
		p.HasGit = p.HasGit || inGit
		if entry.IsDir() {
			return nil
		}
		if p.Files == maxCounted {
			p.Cut = true
			return fs.SkipAll
		}
		p.Files++
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return nil //nolint:nilerr // a link, or gone meanwhile
		}
		p.Bytes += info.Size()
		if inGit {
			p.Git += info.Size()
		}
		return nil
	})
	if err != nil {
		return Packed{}, errors.New("the checkout cannot be listed")
	}
	return p, nil
}
