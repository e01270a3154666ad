package gitrepo

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// maxGlob is what one call reads, in bytes of all files.
const maxGlob = 64 << 20

// Glob returns the regular files at a commit that a pattern matches, each by its
// path below a folder, which is the root where it is empty or ".". Patterns are
// those of path.Match, from the folder; links are not followed. A folder that is
// not there holds nothing.
//
// The error is ErrNoRevision where there is no such commit, and ErrRefused where
// repeating the call does not help: above all for more than 64 MiB.
func (r *Repositories) Glob(ctx context.Context, repoURL, revision, folder string, patterns ...string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := r.selecting(ctx, repoURL, revision, []string{folder}, func(ctx context.Context, v *visit, all []selected) error {
		clear(files) // of a try before
		x := &export{visit: v, revision: revision}
		for _, s := range all {
			if err := x.matching(s.entry, "", patterns); err != nil {
				return err
			}
		}
		if err := x.fetch(ctx); err != nil {
			return err
		}
		left := int64(maxGlob)
		for _, s := range x.entries {
			size, err := v.store.size(s.entry.Hash)
			if err != nil {
				return err
			}
			if left -= size; left < 0 {
				return refused(nil, "%s of the Git repository %s holds more than %d MiB at commit %s: keep less there", sentence.OneLine(folder), v.name, maxGlob>>20, revision)
			}
			if files[s.path], err = v.store.file(s.entry.Hash); err != nil {
				return err
			}
		}
		return nil
	})
	return files, err
}

// matching lists the files below a folder, at a path from where the patterns
// begin. It opens no folder that no pattern leads into.
func (x *export) matching(e object.TreeEntry, at string, patterns []string) error {
	if e.Mode != filemode.Dir || e.Hash == plumbing.ZeroHash {
		return nil
	}
	tree, err := x.store.tree(e.Hash)
	if err != nil {
		return err
	}
	for _, below := range tree.Entries {
		name := path.Join(at, below.Name)
		switch {
		case below.Mode == filemode.Dir && leadsInto(name, patterns):
			if err := x.matching(below, name, patterns); err != nil {
				return err
			}
		case below.Mode != filemode.Regular && below.Mode != filemode.Executable:
		case slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) }):
			if len(x.entries) >= maxExportFiles {
				return refused(nil, "the Git repository %s holds more than %d such files at commit %s: keep fewer", x.name, maxExportFiles, x.revision)
			}
			x.entries = append(x.entries, selected{name, below})
		}
	}
	return nil
}

func matches(pattern, name string) bool {
	matched, err := path.Match(pattern, name)
	return err == nil && matched
}

// leadsInto tells whether a pattern matches something below a folder.
func leadsInto(folder string, patterns []string) bool {
	depth := strings.Count(folder, "/") + 1
	return slices.ContainsFunc(patterns, func(p string) bool {
		parts := strings.Split(p, "/")
		return len(parts) > depth && matches(strings.Join(parts[:depth], "/"), folder)
	})
}
