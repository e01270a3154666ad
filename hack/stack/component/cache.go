package component

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// CacheDir is where built programs are kept: the folder that WAYBILL_CACHE
// names, else waybill in XDG_CACHE_HOME, else waybill in the user's cache.
func CacheDir() (string, error) {
	if dir := os.Getenv("WAYBILL_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Abs(filepath.Join(dir, "waybill"))
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder to keep built programs in (%w): name one in WAYBILL_CACHE", err)
	}
	return filepath.Join(dir, "waybill"), nil
}

// key stands for all that decides what the set's programs are: the versions and
// sums of its module and its own source, if it has any, what is built and how,
// and the Go that builds it.
func (b *Builder) key(ctx context.Context, set Set) (string, error) {
	golang, err := b.golang(ctx, set, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", fmt.Errorf("asking for the version of Go: %w", err)
	}
	dir := filepath.Join(b.Root, "hack", "components", set.Name)
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", fmt.Errorf("finding the source of %s: %w", set.Name, err)
	}
	hash := sha256.New()
	for _, file := range append([]string{filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")}, sources...) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the versions of %s: %w", set.Name, err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", filepath.Base(file), len(content), content)
	}
	fmt.Fprintf(hash, "%q %q\n", golang, set)
	const length = 12
	return hex.EncodeToString(hash.Sum(nil))[:length], nil
}

// lock waits until no other process builds the set. The file stays, empty.
func (b *Builder) lock(ctx context.Context, set Set) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(b.Cache, set.Name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the cache of %s: %w", set.Name, err)
	}
	const interval = 200 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	said := false
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking the cache of %s: %w", set.Name, err), file.Close())
		}
		if !said {
			fmt.Fprintf(b.Log, "waiting for another run that builds %s\n", set.Name)
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for another run that builds %s: %w", set.Name, ctx.Err()), file.Close())
		case <-tick.C:
		}
	}
}

// keep is how long a version that nobody uses stays in the cache.
const keep = 30 * 24 * time.Hour

func touch(dir string) error {
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return fmt.Errorf("marking the cache as used: %w", err)
	}
	return nil
}

// prune removes versions of the set that have not been used for long.
func (b *Builder) prune(set Set, current string) error {
	entries, err := os.ReadDir(b.Cache)
	if err != nil {
		return fmt.Errorf("reading the cache: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(b.Cache, entry.Name())
		if !entry.IsDir() || path == current || !strings.HasPrefix(entry.Name(), set.Name+"-") {
			continue
		}
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < keep {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing an old version of %s from the cache: %w", set.Name, err)
		}
	}
	return nil
}
