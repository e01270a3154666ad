package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	rootsFile      = "etc/ssl/certs/ca-certificates.crt" // where Go and OpenSSL look first
	binariesFolder = "usr/local/bin"
	sharedFolder   = "usr/local/share/waybill"
)

// entry is a file or, with a trailing slash in its name, a folder of a layer. It
// belongs to root: nothing in an image is writable by its user but /tmp.
type entry struct {
	name    string
	mode    int64
	content io.Reader // nil for a folder
	size    int64
}

// userland is the layer below the binary: what a static Go program expects of a
// system, and no more.
func (p product) userland(path string, at time.Time) (v1.Layer, error) {
	roots := certificates()
	passwd := fmt.Appendf(nil, "%s:x:%d:%d::/tmp:/sbin/nologin\n", p.Account, p.User, p.User)
	group := fmt.Appendf(nil, "%s:x:%d:\n", p.Account, p.User)
	return layer(path, at, []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, content: bytes.NewReader(group), size: int64(len(group))},
		{name: "etc/passwd", mode: 0o644, content: bytes.NewReader(passwd), size: int64(len(passwd))},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: rootsFile, mode: 0o644, content: bytes.NewReader(roots), size: int64(len(roots))},
		{name: "tmp/", mode: 0o1777},
	})
}

// binaries is the layer that holds the programs, which lie in the folder built,
// and the files that they share.
func (p product) binaries(path string, at time.Time, built string) (v1.Layer, error) {
	entries := []entry{
		{name: "usr/", mode: 0o755},
		{name: "usr/local/", mode: 0o755},
		{name: binariesFolder + "/", mode: 0o755},
	}
	for _, program := range p.programs() {
		e, closer, err := open(binariesFolder+"/"+program.Name, 0o755, filepath.Join(built, program.Name))
		if err != nil {
			return nil, fmt.Errorf("reading the binary of %s: %w", program.Name, err)
		}
		defer closer.Close()
		entries = append(entries, e)
	}
	if len(p.Shared) > 0 {
		entries = append(entries, entry{name: "usr/local/share/", mode: 0o755}, entry{name: sharedFolder + "/", mode: 0o755})
	}
	for _, file := range p.Shared {
		e, closer, err := open(sharedFolder+"/"+filepath.Base(file), 0o644, filepath.FromSlash(file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not built: run make images, which builds it first", file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		defer closer.Close()
		entries = append(entries, e)
	}
	return layer(path, at, entries)
}

// open makes an entry of a file, which is read when the layer is written.
func open(name string, mode int64, path string) (entry, io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return entry{}, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return entry{}, nil, errors.Join(err, f.Close())
	}
	return entry{name: name, mode: mode, content: f, size: info.Size()}, f, nil
}

// layer packs the entries, all of them dated at, by way of a tar file at path,
// which must outlive the layer.
func layer(path string, at time.Time, entries []entry) (v1.Layer, error) {
	if err := writeTar(path, at, entries); err != nil {
		return nil, fmt.Errorf("writing a layer: %w", err)
	}
	l, err := tarball.LayerFromFile(path,
		tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.DefaultCompression),
		tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	return l, nil
}

func writeTar(path string, at time.Time, entries []entry) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: e.size, ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if e.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if e.content == nil {
			continue
		}
		if _, err := io.Copy(w, e.content); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return w.Close()
}

// certificates are Mozilla's root certificates in PEM, at the version that go.mod
// names. One that Mozilla trusts only for what it issued before some day is left
// out: a file cannot say so, and it would be trusted for everything.
func certificates() []byte {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			roots.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return roots.Bytes()
}
