package gitrepo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

const (
	maxCached  = 2 << 20 // bytes of decoded objects in memory, for each store
	maxFetches = 64      // packs in a store: each makes every lookup slower
	readAhead  = 64 << 10
)

// store is a copy of a repository at a few of its commits, each without its
// parents, and with all of its folders; of its files it may hold only some. It
// can be dropped at any time.
type store struct {
	dir     string
	objects *filesystem.Storage
	cached  cache.Object
	fetches int
	bytes   int64  // fetched or written
	last    weight // of what was fetched last
}

func newStore(folder string) (*store, error) {
	dir, err := os.MkdirTemp(folder, "repository-")
	if err != nil {
		return nil, &damage{err}
	}
	cached := cache.NewObjectLRU(maxCached)
	s := &store{dir: dir, cached: cached, objects: filesystem.NewStorage(osfs.New(dir, osfs.WithBoundOS()), cached)}
	if err := s.objects.Init(); err != nil {
		s.remove()
		return nil, &damage{err}
	}
	return s, nil
}

// remove leaves nothing on disk; what cannot be removed goes with the folder
// when the next process starts.
func (s *store) remove() {
	_ = s.objects.Close()
	_ = os.RemoveAll(s.dir)
}

func (s *store) outgrown(limit int64) bool { return s.bytes > limit || s.fetches >= maxFetches }

func (s *store) has(id plumbing.Hash) bool { return s.objects.HasEncodedObject(id) == nil }

func (s *store) commit(id plumbing.Hash) (*object.Commit, error) {
	c, err := object.GetCommit(s.objects, id)
	if err != nil {
		return nil, &damage{fmt.Errorf("commit %s: %w", id, err)}
	}
	return c, nil
}

func (s *store) tree(id plumbing.Hash) (*object.Tree, error) {
	t, err := object.GetTree(s.objects, id)
	if err != nil {
		return nil, &damage{fmt.Errorf("tree %s: %w", id, err)}
	}
	return t, nil
}

// size is a file's, in bytes.
func (s *store) size(id plumbing.Hash) (int64, error) {
	n, err := s.objects.EncodedObjectSize(id)
	if err != nil {
		return 0, &damage{fmt.Errorf("file %s: %w", id, err)}
	}
	return n, nil
}

func (s *store) file(id plumbing.Hash) (content []byte, err error) {
	b, err := object.GetBlob(s.objects, id)
	if err != nil {
		return nil, &damage{fmt.Errorf("file %s: %w", id, err)}
	}
	r, err := b.Reader()
	if err != nil {
		return nil, &damage{fmt.Errorf("file %s: %w", id, err)}
	}
	defer func() {
		if closed := r.Close(); err == nil && closed != nil {
			err = &damage{closed}
		}
	}()
	if content, err = io.ReadAll(r); err != nil {
		return nil, &damage{fmt.Errorf("file %s: %w", id, err)}
	}
	return content, nil
}

// receive takes the pack of objects in. The error is an *excess where that holds
// more than is taken.
func (s *store) receive(objects []plumbing.Hash, pack io.Reader) error {
	source := &source{r: pack}
	err := s.take(source)
	s.bytes += source.n
	s.fetches++
	switch {
	case source.err != nil:
		return source.err
	case errors.As(err, new(*excess)):
		return err
	case err != nil:
		return &damage{err}
	}
	for _, id := range objects {
		if !s.has(id) {
			return &damage{fmt.Errorf("the server did not send %s", id)}
		}
	}
	return nil
}

// take has a pack on disk before it is measured, and measured before the library
// inflates it.
func (s *store) take(pack io.Reader) error {
	file, err := os.CreateTemp(s.dir, "received-")
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	if _, err := io.Copy(file, pack); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if s.last, err = checkPack(bufio.NewReaderSize(file, readAhead)); err != nil || s.last.objects == 0 {
		return err // the library takes a pack of nothing for a broken one
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return packfile.UpdateObjectStorage(s.objects, file)
}

// keep takes in what was pushed.
func (s *store) keep(pushed *memory.Storage) error {
	for _, o := range pushed.Objects {
		if _, err := s.objects.SetEncodedObject(o); err != nil {
			return &damage{err}
		}
		s.bytes += o.Size()
	}
	return nil
}

// source is a reader that remembers how it ended, so that a broken connection
// can be told from a broken disk.
type source struct {
	r   io.Reader
	n   int64
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
