package gitrepo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Bounds of what one export writes.
const (
	maxExport      = 128 << 20 // bytes of all files
	maxExportFiles = 20_000    // files, links and folders
	maxLink        = 4096      // bytes of a link's target
)

// Export writes what paths hold at a commit into an empty folder, each at its
// path from the root of the repository: whole folders, or single files. The
// empty path, or ".", is the whole tree; what is missing at the commit is left
// out.
//
// Nothing is written outside of the folder, whatever names and links say. A
// symbolic link is written as one only where it stays inside; a submodule is an
// empty folder, and a file that Git LFS keeps elsewhere is its pointer, because
// neither is in the repository.
//
// The error is ErrNoRevision where there is no such commit, and ErrRefused for
// a link that leads outside, a name that no checkout should have, and for more
// than 20,000 files, 128 MiB, or 64 MiB in one file.
func (r *Repositories) Export(ctx context.Context, repoURL, revision string, paths []string, dir string) error {
	return r.selecting(ctx, repoURL, revision, paths, func(ctx context.Context, v *visit, all []selected) error {
		x := &export{visit: v, revision: revision}
		for _, s := range all {
			if err := x.collect(s.path, s.entry); err != nil {
				return err
			}
		}
		if err := x.fetch(ctx); err != nil {
			return err
		}
		return x.write(ctx, dir)
	})
}

// export is what is to be written, the folders before what they hold.
type export struct {
	*visit
	revision string
	entries  []selected
}

// collect lists an entry and all that is below it.
func (x *export) collect(path string, e object.TreeEntry) error {
	if len(x.entries) >= maxExportFiles {
		return x.tooMuch("%d files", maxExportFiles)
	}
	x.entries = append(x.entries, selected{path, e})
	if e.Mode != filemode.Dir {
		return nil
	}
	tree, err := x.store.tree(e.Hash)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, below := range tree.Entries {
		at := below.Name
		if path != "" {
			at = path + "/" + at
		}
		if strings.Contains(below.Name, "/") || seen[below.Name] {
			return refused(nil, "the Git repository %s has a broken folder %s at commit %s: repair it (git fsck)", x.name, sentence.OneLine(at), x.revision)
		}
		seen[below.Name] = true
		if _, err := splitPath(at); err != nil {
			return err
		}
		if err := x.collect(at, below); err != nil {
			return err
		}
	}
	return nil
}

func (x *export) tooMuch(format string, args ...any) error {
	return refused(nil, "what is to be rendered of the Git repository %s is more than %s: "+
		"name what the Application needs in its annotation argocd.argoproj.io/manifest-generate-paths", x.name, fmt.Sprintf(format, args...))
}

// fetch has the contents of all files in the store.
func (x *export) fetch(ctx context.Context) error {
	if _, lacks := x.lacking(); !lacks {
		return nil
	}
	reading, err := x.open(ctx)
	if err != nil {
		return err
	}
	revision := plumbing.NewHash(x.revision)
	if err := reading.fetch(ctx, revision, true, x.store); err != nil {
		return err
	}
	if path, lacks := x.lacking(); lacks {
		return x.leftOut(path, revision)
	}
	return nil
}

// lacking is the path of the first file whose content is not in the store.
func (x *export) lacking() (path string, lacks bool) {
	for _, s := range x.entries {
		if hasContent(s.entry.Mode) && !x.store.has(s.entry.Hash) {
			return s.path, true
		}
	}
	return "", false
}

func hasContent(m filemode.FileMode) bool { return m != filemode.Dir && m != filemode.Submodule }

// weigh refuses what is too large before any of it is written.
func (x *export) weigh() error {
	left := int64(maxExport)
	for _, s := range x.entries {
		if !hasContent(s.entry.Mode) {
			continue
		}
		size, err := x.store.size(s.entry.Hash)
		if err != nil {
			return err
		}
		if left -= size; left < 0 {
			return x.tooMuch("%d MiB", maxExport>>20)
		}
	}
	return nil
}

func (x *export) write(ctx context.Context, dir string) error {
	if err := x.weigh(); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("the folder for the files of a render cannot be opened: %w", reason(err))
	}
	defer root.Close()
	for _, s := range x.entries {
		if ctx.Err() != nil {
			return x.unreachable(ctx, "read", ctx.Err())
		}
		if err := x.put(root, s); err != nil {
			return err
		}
	}
	return nil
}

// put writes one entry.
func (x *export) put(root *os.Root, s selected) error {
	if s.path == "" {
		return nil // the root itself
	}
	made := func(err error) error {
		if err != nil {
			return fmt.Errorf("the files of a render cannot be written: %w", reason(err))
		}
		return nil
	}
	if parent, _, below := cutLast(s.path); below {
		if err := root.MkdirAll(parent, 0o700); err != nil {
			return made(err)
		}
	}
	if !hasContent(s.entry.Mode) {
		return made(root.MkdirAll(s.path, 0o700))
	}
	content, err := x.store.file(s.entry.Hash)
	if err != nil {
		return err
	}
	if s.entry.Mode == filemode.Symlink {
		if !stays(s.path, string(content)) {
			return refused(nil, "the Git repository %s has the link %s, which may lead outside of it: Argo CD renders no repository with such a link; remove it", x.name, sentence.OneLine(s.path))
		}
		return made(root.Symlink(string(content), s.path))
	}
	mode := fs.FileMode(0o600)
	if s.entry.Mode == filemode.Executable {
		mode = 0o700
	}
	file, err := root.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return made(err)
	}
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return made(err)
}

func cutLast(path string) (parent, name string, below bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// stays tells whether a link can lead nowhere but to what lies inside. Steps up
// count from the folder that holds the link, which is a real one, and so must
// all come first: one after the name of another link would count from where
// that leads. Argo CD's own check (util/app/path, CheckOutOfBoundsSymlinks)
// looks at words alone.
func stays(path, target string) bool {
	if target == "" || len(target) > maxLink || strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\x00\\") {
		return false
	}
	depth, down := strings.Count(path, "/"), false
	for _, step := range strings.Split(target, "/") {
		switch step {
		case "", ".":
		case "..":
			if depth--; down || depth < 0 {
				return false
			}
		default:
			down = true
		}
	}
	return true
}
