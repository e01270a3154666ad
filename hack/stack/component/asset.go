package component

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// asset copies a folder of a module into the cache.
func (b *Builder) asset(ctx context.Context, set Set, asset Asset, dir string) error {
	path := filepath.Join(dir, asset.Name)
	if exists(path) {
		return nil
	}
	module, err := b.golang(ctx, set, "list", "-m", "-f", "{{.Dir}}", asset.Module)
	if err != nil {
		return fmt.Errorf("finding the files of %s: %w", asset.Module, err)
	}
	if module == "" {
		return fmt.Errorf("the files of %s are not downloaded: run go mod download in hack/components/%s", asset.Module, set.Name)
	}
	temp, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return fmt.Errorf("keeping the files of %s: %w", asset.Module, err)
	}
	defer os.RemoveAll(temp)
	if err := copyFolder(temp, os.DirFS(filepath.Join(module, filepath.FromSlash(asset.Folder)))); err != nil {
		return fmt.Errorf("keeping the files of %s: %w", asset.Module, err)
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return fmt.Errorf("keeping the files of %s: %w", asset.Module, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("keeping the files of %s: %w", asset.Module, err)
	}
	return nil
}

// copyFolder leaves Go files and folders behind: what the stack reads stands
// flat, and the files of a module are read-only, which a copy is not to be.
func copyFolder(to string, from fs.FS) error {
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		content, err := fs.ReadFile(from, entry.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, entry.Name()), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
