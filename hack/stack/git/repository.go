package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MainBranch is the branch that a repository is made with.
const MainBranch = "main"

const (
	maxEntries = 1000 // commits that Log returns at most
	maxFiles   = 10_000
	maxStderr  = 4 << 10
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*$`)

// Create makes a repository whose branch main has one commit with these files
// (path to content), and returns its URL.
func (s *Server) Create(ctx context.Context, repository string, files map[string]string) (string, error) {
	if !repositoryName.MatchString(repository) {
		return "", fmt.Errorf("%q is no name for a repository: use letters, digits, dashes and slashes", repository)
	}
	path := s.path(repository)
	if _, err := os.Stat(path); err == nil {
		return "", fmt.Errorf("there is a repository %s already", repository)
	}
	if _, err := s.git(ctx, s.dir, nil, "init", "--quiet", "--bare", "--initial-branch="+MainBranch, path); err != nil {
		return "", fmt.Errorf("making the repository %s: %w", repository, err)
	}
	// What Git hosts allow too; the last two keep background work away.
	for _, setting := range [][2]string{
		{"http.receivepack", "true"},
		{"uploadpack.allowReachableSHA1InWant", "true"},
		{"uploadpack.allowFilter", "true"},
		{"receive.autogc", "false"},
		{"gc.auto", "0"},
	} {
		if _, err := s.git(ctx, path, nil, "config", setting[0], setting[1]); err != nil {
			return "", fmt.Errorf("configuring the repository %s: %w", repository, err)
		}
	}
	if _, err := s.Commit(ctx, repository, Commit{Message: "Begin", Files: files}); err != nil {
		return "", err
	}
	return s.URL(repository), nil
}

// CreateFrom is Create with the files of a file system.
func (s *Server) CreateFrom(ctx context.Context, repository string, files fs.FS) (string, error) {
	contents := map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if len(contents) == maxFiles {
			return fmt.Errorf("there are more than %d files", maxFiles)
		}
		b, err := fs.ReadFile(files, path)
		contents[path] = string(b)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the files of the repository %s: %w", repository, err)
	}
	return s.Create(ctx, repository, contents)
}

// Head returns the ID of the commit that a branch, a tag or a commit's name
// stands for.
func (s *Server) Head(ctx context.Context, repository, ref string) (string, error) {
	out, err := s.git(ctx, s.path(repository), nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("the repository %s has no commit %q: %w", repository, ref, err)
	}
	return strings.TrimSpace(out), nil
}

// Entry is one commit of a Log.
type Entry struct {
	ID      string
	Parents []string
	Author  string // Name <mail>
	Time    time.Time
	Message string // whole, with its trailers
}

// Log lists the commits that ref reaches, the newest first, at most 1000.
func (s *Server) Log(ctx context.Context, repository, ref string) ([]Entry, error) {
	const format = "%H%x00%P%x00%an <%ae>%x00%ct%x00%B%x00"
	out, err := s.git(ctx, s.path(repository), nil,
		"log", "-z", "--format=tformat:"+format, "--max-count="+strconv.Itoa(maxEntries), "--end-of-options", ref)
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s in the repository %s: %w", ref, repository, err)
	}
	const fields = 6 // five of the format, and -z ends each commit with an empty one
	parts := strings.Split(out, "\x00")
	var entries []Entry
	for ; len(parts) >= fields; parts = parts[fields:] {
		seconds, err := strconv.ParseInt(parts[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading the log of %s in the repository %s: %w", ref, repository, err)
		}
		entries = append(entries, Entry{
			ID:      parts[0],
			Parents: strings.Fields(parts[1]),
			Author:  parts[2],
			Time:    time.Unix(seconds, 0).UTC(),
			Message: strings.TrimSpace(parts[4]),
		})
	}
	return entries, nil
}

// File returns a file's content at ref. A missing one is fs.ErrNotExist.
func (s *Server) File(ctx context.Context, repository, ref, path string) (string, error) {
	id, err := s.Head(ctx, repository, ref)
	if err != nil {
		return "", err
	}
	if out, err := s.git(ctx, s.path(repository), nil, "ls-tree", "-z", id, "--", path); err != nil {
		return "", fmt.Errorf("reading %s at %s of the repository %s: %w", path, ref, repository, err)
	} else if out == "" {
		return "", fmt.Errorf("%s at %s of the repository %s: %w", path, ref, repository, fs.ErrNotExist)
	}
	out, err := s.git(ctx, s.path(repository), nil, "cat-file", "blob", id+":"+path)
	if err != nil {
		return "", fmt.Errorf("reading %s at %s of the repository %s: %w", path, ref, repository, err)
	}
	return out, nil
}

// Files lists the paths of all files at ref, sorted.
func (s *Server) Files(ctx context.Context, repository, ref string) ([]string, error) {
	out, err := s.git(ctx, s.path(repository), nil, "ls-tree", "-r", "-z", "--name-only", "--end-of-options", ref)
	if err != nil {
		return nil, fmt.Errorf("listing the files at %s of the repository %s: %w", ref, repository, err)
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == 0 }), nil
}

func (s *Server) path(repository string) string {
	return filepath.Join(s.dir, filepath.FromSlash(repository)+".git")
}

// git runs a command in dir. The error carries what it wrote on standard error.
func (s *Server) git(ctx context.Context, dir string, input []byte, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.binary, args...)
	command.Dir = dir
	command.Env = s.environment()
	command.Stdin = bytes.NewReader(input)
	out, err := command.Output()
	if err == nil {
		return string(out), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		text := strings.TrimSpace(string(exit.Stderr))
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, text[max(0, len(text)-maxStderr):])
	}
	return "", fmt.Errorf("git %s: %w", args[0], err)
}
