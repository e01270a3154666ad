package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// marker is the file by which a stack knows its own folder, and which it locks.
const marker = ".waybill-stack"

// folder holds all that one stack writes.
type folder struct {
	path      string
	temporary bool
	lock      *os.File
}

// openFolder takes a folder for a stack, and empties one that a stack has used.
func openFolder(path string) (*folder, error) {
	f := &folder{temporary: path == ""}
	if f.temporary {
		made, err := os.MkdirTemp("", "waybill-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for the stack: %w", err)
		}
		path = made
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the folder for the stack: %w", err)
	}
	f.path = absolute
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *folder) prepare() error {
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return fmt.Errorf("making the folder for the stack: %w", err)
	}
	if err := f.claim(); err != nil {
		return err
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("reading the stack's folder: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == marker {
			continue
		}
		if err := removeAll(f.join(entry.Name())); err != nil {
			return fmt.Errorf("emptying the stack's folder: %w", err)
		}
	}
	for _, name := range []string{"log", "home", "tmp"} {
		if err := os.Mkdir(f.join(name), 0o700); err != nil {
			return fmt.Errorf("preparing the stack's folder: %w", err)
		}
	}
	return nil
}

// claim refuses a folder that is somebody else's, or in use, before anything in
// it is touched.
func (f *folder) claim() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("reading the stack's folder: %w", err)
	}
	if _, err := os.Stat(f.join(marker)); err != nil && len(entries) > 0 {
		return fmt.Errorf("the folder %s is not empty and no stack has used it: name a new one", filepath.Base(f.path))
	}
	lock, err := os.OpenFile(f.join(marker), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking the stack's folder: %w", err)
	}
	f.lock = lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("another stack runs in the folder %s: stop it, or name another folder", filepath.Base(f.path))
		}
		return fmt.Errorf("locking the stack's folder: %w", err)
	}
	return nil
}

func (f *folder) join(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

func (f *folder) log() string { return f.join("log") }

// close gives the folder up, and removes a temporary one.
func (f *folder) close() error {
	if f.lock != nil {
		// Closed twice when the stack is stopped twice, which does no harm.
		_ = f.lock.Close()
	}
	if !f.temporary {
		return nil
	}
	if err := removeAll(f.path); err != nil {
		return fmt.Errorf("removing the stack's folder: %w", err)
	}
	return nil
}

// removeAll removes folders too that their owner may not read, such as those in
// which the repo-server keeps its clones.
func removeAll(path string) error {
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(path)
}
