package gitrepo

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// File returns the content of a file at a commit, which is named by its full
// ID and need not be the tip of a branch.
//
// The error is ErrNoRevision where the repository does not have, or does not
// hand out, the commit; ErrNoFile where there is no regular file of that path
// at it; ErrRefused where repeating the call does not help.
func (r *Repositories) File(ctx context.Context, repoURL, revision, path string) ([]byte, error) {
	segments, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	if !fullID.MatchString(revision) {
		return nil, failed(ErrNoRevision, "%q is not the full ID of a Git commit (40 hex digits)", sentence.OneLine(revision))
	}
	var content []byte
	err = r.visit(ctx, repoURL, first, func(ctx context.Context, v *visit) error {
		content, err = v.file(ctx, plumbing.NewHash(revision), path, segments)
		return err
	})
	return content, err
}

func (v *visit) file(ctx context.Context, revision plumbing.Hash, path string, segments []string) ([]byte, error) {
	if err := v.ensure(ctx, revision); err != nil {
		return nil, err
	}
	commit, err := v.store.commit(revision)
	if err != nil {
		return nil, err
	}
	entry, err := v.entry(commit, path, segments)
	if err != nil {
		return nil, err
	}
	return v.content(ctx, revision, path, entry)
}

// entry finds a file in the folders of a commit; ErrNoFile where it has none.
func (v *visit) entry(commit *object.Commit, path string, segments []string) (object.TreeEntry, error) {
	entry := object.TreeEntry{Mode: filemode.Dir, Hash: commit.TreeHash}
	for _, name := range segments {
		if entry.Mode != filemode.Dir {
			return entry, failed(ErrNoFile, "the Git repository %s has no file %s at commit %s: the path leads through %s", v.name, path, commit.Hash, kind(entry.Mode))
		}
		tree, err := v.store.tree(entry.Hash)
		if err != nil {
			return entry, err
		}
		var exists bool
		if entry, exists = find(tree.Entries, name); !exists {
			return entry, failed(ErrNoFile, "the Git repository %s has no file %s at commit %s", v.name, path, commit.Hash)
		}
	}
	if entry.Mode != filemode.Regular && entry.Mode != filemode.Executable {
		return entry, failed(ErrNoFile, "the Git repository %s has %s, not a file, at %s of commit %s", v.name, kind(entry.Mode), path, commit.Hash)
	}
	return entry, nil
}

// content reads a file of a commit, which is fetched where the store lacks it.
func (v *visit) content(ctx context.Context, revision plumbing.Hash, path string, entry object.TreeEntry) ([]byte, error) {
	if !v.store.has(entry.Hash) {
		reading, err := v.open(ctx)
		if err != nil {
			return nil, err
		}
		if err := reading.fetch(ctx, revision, true, v.store); err != nil {
			return nil, err
		}
		if !v.store.has(entry.Hash) {
			return nil, v.leftOut(path, revision)
		}
	}
	size, err := v.store.size(entry.Hash)
	if err != nil {
		return nil, err
	}
	if size > v.options.MaxFile {
		return nil, refused(nil, "%s at commit %s of the Git repository %s is larger than %d KiB", path, revision, v.name, v.options.MaxFile>>10)
	}
	return v.store.file(entry.Hash)
}

// leftOut is the error of a file that a fetch of the files did not bring.
func (v *visit) leftOut(path string, revision plumbing.Hash) error {
	return refused(nil, "%s at commit %s of the Git repository %s is larger than %d MiB: keep it in Git LFS, or elsewhere",
		sentence.OneLine(path), revision, v.name, maxObject>>20)
}
