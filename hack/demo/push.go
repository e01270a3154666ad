package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/waybill-cd/waybill/hack/stack/registry"
)

// state is what a running demo tells the second command.
type state struct {
	Image string `json:"image"`
}

func stateFile(folder string) string { return filepath.Join(folder, "demo.json") }

func (s state) write(folder string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(stateFile(folder), data, 0o600)
}

func readState(folder string) (s state, err error) {
	data, err := os.ReadFile(stateFile(folder))
	if err != nil {
		return s, err
	}
	err = json.Unmarshal(data, &s)
	return s, err
}

// running tells whether a demo runs in the folder: its registry answers.
func running(folder string) bool {
	s, err := readState(folder)
	if err != nil {
		return false
	}
	host, _, _ := strings.Cut(s.Image, "/")
	conn, err := net.DialTimeout("tcp", host, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// push pushes an image to the running demo's registry, as CI would.
func push(ctx context.Context, folder, tag string, out io.Writer) error {
	s, err := readState(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("no demo runs: start it with `make demo` in another terminal, and wait until it says what to try")
	}
	if err != nil {
		return fmt.Errorf("cannot read what the demo left: %w", err)
	}
	if tag == "" {
		if tag, err = nextVersion(ctx, s.Image); err != nil {
			return err
		}
	}
	digest, err := registry.Push(ctx, s.Image+":"+tag, registry.Image{Labels: map[string]string{"org.opencontainers.image.version": tag}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "pushed %s:%s@%s\nThe warehouse looks every 10 seconds; `.demo/alice refresh shop` makes it look now.\n", s.Image, tag, digest)
	return err
}

func nextVersion(ctx context.Context, image string) (string, error) {
	repository, err := name.NewRepository(image)
	if err != nil {
		return "", err
	}
	tags, err := remote.List(repository, remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("cannot ask the demo's registry for the last version: %w", err)
	}
	newest := semver.New(0, 0, 0, "", "")
	for _, tag := range tags {
		if v, err := semver.NewVersion(tag); err == nil && v.GreaterThan(newest) {
			newest = v
		}
	}
	next := newest.IncMinor()
	return "v" + next.String(), nil
}
