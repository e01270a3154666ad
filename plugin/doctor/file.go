package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

const (
	maxFile    = 1 << 20 // of one file, in bytes
	maxEntries = 1000    // of one folder
)

// read returns the beginning of a small file of the sidecar.
func (s Sidecar) read(path string) (string, error) {
	file, err := os.Open(s.at(path))
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return "", cause(err)
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return string(data), nil
}

// first returns the text of the first of several files that can be read.
func (s Sidecar) first(paths ...string) (text string, found bool) {
	for _, path := range paths {
		if text, err := s.read(path); err == nil {
			return strings.TrimSpace(text), true
		}
	}
	return "", false
}

// list returns the entries of a folder, the first of too many.
func (s Sidecar) list(path string) ([]fs.DirEntry, error) {
	folder, err := os.Open(s.at(path))
	if err != nil {
		return nil, cause(err)
	}
	defer folder.Close()
	entries, err := folder.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, cause(err)
	}
	return entries, nil
}

// fields reads a file of the kernel's with a name and a value on each line.
func fields(text, separator string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), separator); ok {
			all[name] = strings.TrimSpace(value)
		}
	}
	return all
}

// number reads a count of the kernel's; false where it is none, such as "max".
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n >= 0
}

// cause strips off the path, which the sentence around it tells.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
