package chart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// Archive returns the archive that freight pins, for a pipeline of that namespace:
// with the pin's digest, or not at all. One that was got before costs no request.
//
// The error is a sentence, and [source.ErrRefused] where repeating the call does
// not help.
func (s *Source) Archive(ctx context.Context, namespace string, pin freight.Chart, insecure bool) ([]byte, error) {
	if pin.Digest == "" {
		return nil, refused(sentence.Fail(registry.ErrInvalid, nil, "chart %s %s is pinned without a digest: promote freight of a newer look", nameOf(pin.RepoURL, pin.Name), pin.Version))
	}
	if archive, ok := s.archives.get(namespace, pin); ok {
		return archive, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	at, err := s.place(ctx, namespace, pin.RepoURL, insecure)
	if err != nil {
		return nil, err
	}
	var archive []byte
	if isOCI(pin.RepoURL) {
		archive, err = s.layer(ctx, at, pin)
	} else {
		archive, err = s.published(ctx, at, pin)
	}
	if err != nil {
		return nil, refused(err)
	}
	if digest := chart.Digest(archive); digest != pin.Digest {
		return nil, refused(sentence.Fail(registry.ErrInvalid, nil, "the archive of chart %s %s has the digest %s, and the freight pins %s: it was published anew, promote freight that pins what is there now",
			nameOf(pin.RepoURL, pin.Name), pin.Version, digest, pin.Digest))
	}
	s.archives.put(namespace, pin, archive)
	return archive, nil
}

// published gets an archive from a classic repository. Where the archive is not
// where the index had it, the index is read once more.
func (s *Source) published(ctx context.Context, at place, pin freight.Chart) ([]byte, error) {
	end, err := at.take(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if known, ok := s.known(at, pin.Name); ok {
		if v, ok := known.Find(pin.Version); ok {
			archive, err := s.download(ctx, at, pin.Name, v)
			if !lasting(err) && (err != nil || chart.Digest(archive) == pin.Digest) {
				return archive, err
			}
		}
	}
	listed, err := s.list(ctx, at, pin.Name, true)
	if err != nil {
		return nil, err
	}
	v, there := listed.Find(pin.Version)
	if !there {
		return nil, sentence.Fail(registry.ErrGone, nil, "chart %s has no version %s any more: publish it again, or promote other freight", nameOf(at.repoURL, pin.Name), pin.Version)
	}
	return s.download(ctx, at, pin.Name, v)
}

// final is an error that lasts until a person changes something.
type final struct{ error }

// Unwrap returns the error, and that it lasts.
func (f *final) Unwrap() []error { return []error{f.error, source.ErrRefused} }

func refused(err error) error {
	for _, kind := range []error{registry.ErrInvalid, registry.ErrNotFound, registry.ErrGone, registry.ErrUnauthorized, registry.ErrUntrusted, registry.ErrTooLarge} {
		if errors.Is(err, kind) {
			return &final{err}
		}
	}
	if lasting(err) {
		return &final{err}
	}
	return err
}

// archives are the archives on disk. What one namespace got, no other one is given.
type archives struct {
	dir string
	max int64

	mu sync.Mutex
}

func openArchives(dir string, maxBytes int64) (*archives, error) {
	if dir == "" {
		return nil, errors.New("archives of charts need a folder: none is given")
	}
	dir = filepath.Join(dir, "charts")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for archives of charts cannot be made: %w", err)
	}
	return &archives{dir: dir, max: maxBytes}, nil
}

// path is an archive's: of a namespace, a chart and a digest.
func (a *archives) path(namespace string, pin freight.Chart) string {
	of := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", namespace, chart.Identity(pin.RepoURL, pin.Name), pin.Digest))
	return filepath.Join(a.dir, hex.EncodeToString(of[:])+".tgz")
}

// get reads an archive. What does not have its digest any more is removed.
func (a *archives) get(namespace string, pin freight.Chart) ([]byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.path(namespace, pin)
	archive, err := os.ReadFile(at)
	if err != nil {
		return nil, false
	}
	if chart.Digest(archive) != pin.Digest {
		_ = os.Remove(at)
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(at, now, now)
	return archive, true
}

// put keeps an archive, and drops those that were not used for longest. One that
// cannot be kept is got again.
func (a *archives) put(namespace string, pin freight.Chart, archive []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	file, err := os.CreateTemp(a.dir, "new-")
	if err != nil {
		return
	}
	_, err = file.Write(archive)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), a.path(namespace, pin))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	a.makeRoom()
}

func (a *archives) makeRoom() {
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return
	}
	var (
		files []fs.FileInfo
		size  int64
	)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !info.IsDir() {
			files, size = append(files, info), size+info.Size()
		}
	}
	slices.SortFunc(files, func(x, y fs.FileInfo) int {
		if order := x.ModTime().Compare(y.ModTime()); order != 0 {
			return order
		}
		return strings.Compare(x.Name(), y.Name())
	})
	for _, f := range files {
		if size <= a.max {
			return
		}
		if os.Remove(filepath.Join(a.dir, f.Name())) == nil {
			size -= f.Size()
		}
	}
}
