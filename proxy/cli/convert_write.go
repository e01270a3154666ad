package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// replacement is a new file beside the one whose place it takes.
type replacement struct{ name, target, temporary string }

// replaceAll writes files, each at once or not at all. None is replaced before
// all have been written, so that a full disk leaves them as they were.
func replaceAll(files []converted) (err error) {
	var ready []replacement
	defer func() {
		for _, r := range ready {
			_ = os.Remove(r.temporary) // gone already where it took its place
		}
	}()
	for _, file := range files {
		if bytes.Equal(file.text, file.Text) {
			continue
		}
		r, err := prepare(file)
		if r.temporary != "" {
			ready = append(ready, r)
		}
		if err != nil {
			return fmt.Errorf("%s cannot be written, nothing is: %w", file.name, cause(err))
		}
	}
	for _, r := range ready {
		if err := os.Rename(r.temporary, r.target); err != nil {
			return fmt.Errorf("%s cannot be written: %w", r.name, cause(err))
		}
	}
	return nil
}

// prepare writes a file's new text beside it, with its permissions. A link stays
// one: what it leads to is written.
func prepare(file converted) (replacement, error) {
	r := replacement{name: file.name}
	target, err := filepath.EvalSymlinks(file.name)
	if err != nil {
		return r, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return r, err
	}
	temporary, err := os.CreateTemp(filepath.Dir(target), ".waybill-*.yaml")
	if err != nil {
		return r, err
	}
	r.target, r.temporary = target, temporary.Name()
	_, err = temporary.Write(file.Text)
	return r, errors.Join(err, temporary.Chmod(info.Mode().Perm()), temporary.Sync(), temporary.Close())
}

// cause leaves out the path of a temporary file.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	default:
		return err
	}
}
