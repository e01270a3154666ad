package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Builder builds sets into a cache.
type Builder struct {
	// Root is the folder of this repository.
	Root string
	// Cache is the folder of the cache.
	Cache string
	// Log gets the progress of what is built, for people; nil for nowhere.
	Log io.Writer
}

// NewBuilder makes a builder for the repository around the working directory
// and the user's cache.
func NewBuilder(log io.Writer) (*Builder, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = io.Discard
	}
	return &Builder{Root: root, Cache: cache, Log: log}, nil
}

// modulePath is this repository's module.
const modulePath = "github.com/waybill-cd/waybill"

// RepositoryRoot finds this repository's folder, from the working directory up.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module "+modulePath+"\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no folder from here up holds the go.mod of %s: run this inside its repository", modulePath)
		}
		dir = parent
	}
}

// Build returns the folder with the set's programs and assets. What the cache
// lacks is built first; when several processes want the same, one builds it.
func (b *Builder) Build(ctx context.Context, set Set) (string, error) {
	for _, program := range []string{"go", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("the program %s was not found: install it and make sure that PATH names its folder", program)
		}
	}
	key, err := b.key(ctx, set)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.Cache, set.Name+"-"+key)
	if complete(dir, set) {
		return dir, touch(dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache for %s: %w", set.Name, err)
	}
	unlock, err := b.lock(ctx, set)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := clean(dir); err != nil {
		return "", err
	}
	for i, tool := range set.Tools {
		if err := b.tool(ctx, set, tool, dir, fmt.Sprintf("%d of %d", i+1, len(set.Tools))); err != nil {
			return "", err
		}
	}
	for _, asset := range set.Assets {
		if err := b.asset(ctx, set, asset, dir); err != nil {
			return "", err
		}
	}
	return dir, errors.Join(touch(dir), b.prune(set, dir))
}

// unfinished begins the names of folders in which something is made.
const unfinished = "unfinished-"

// clean removes what a build that was killed has left. The caller holds the lock.
func clean(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	if err != nil {
		return fmt.Errorf("cleaning the cache: %w", err)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("cleaning the cache: %w", err)
		}
	}
	return nil
}

func complete(dir string, set Set) bool {
	for _, tool := range set.Tools {
		if !exists(filepath.Join(dir, tool.Name)) {
			return false
		}
	}
	for _, asset := range set.Assets {
		if !exists(filepath.Join(dir, asset.Name)) {
			return false
		}
	}
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tool builds one program under another name and moves it into place whole.
func (b *Builder) tool(ctx context.Context, set Set, tool Tool, dir, position string) error {
	path := filepath.Join(dir, tool.Name)
	if exists(path) {
		return nil
	}
	temp, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return fmt.Errorf("building %s: %w", tool.Name, err)
	}
	defer os.RemoveAll(temp)

	done := b.progress(fmt.Sprintf("%s (%s of %s)", tool.Name, position, set.Name))
	_, err = b.golang(ctx, set, "build", "-trimpath", "-ldflags", set.linkerFlags(),
		"-o", filepath.Join(temp, tool.Name), tool.Package)
	done(err)
	if err != nil {
		return fmt.Errorf("building %s: %w", tool.Name, err)
	}
	if err := os.Rename(filepath.Join(temp, tool.Name), path); err != nil {
		return fmt.Errorf("keeping %s: %w", tool.Name, err)
	}
	return nil
}

func (s Set) linkerFlags() string {
	return strings.TrimSpace("-s -w " + s.LDFlags)
}

// progress says what is built, and again from time to time so that a person or
// a log sees that it is alive, until the function it returns is called.
func (b *Builder) progress(what string) func(error) {
	const interval = 10 * time.Second
	start := time.Now()
	elapsed := func() time.Duration { return time.Since(start).Round(time.Second) }
	stop, stopped := make(chan struct{}), make(chan struct{})
	fmt.Fprintf(b.Log, "building %s\n", what)
	go func() {
		defer close(stopped)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(b.Log, "building %s: %v\n", what, elapsed())
			case <-stop:
				return
			}
		}
	}()
	return func(err error) {
		close(stop)
		<-stopped
		if err == nil {
			fmt.Fprintf(b.Log, "built %s in %v\n", what, elapsed())
		}
	}
}

// golang runs the go command in the set's module and returns its standard
// output. The error carries the end of its standard error.
func (b *Builder) golang(ctx context.Context, set Set, args ...string) (string, error) {
	const maxStderr = 4 << 10
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = filepath.Join(b.Root, "hack", "components", set.Name)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	command.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		text := strings.TrimSpace(stderr.String())
		return "", fmt.Errorf("go %s: %w:\n%s", args[0], err, text[max(0, len(text)-maxStderr):])
	}
	return strings.TrimSpace(stdout.String()), nil
}
