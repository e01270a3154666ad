package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Commit is a change of one branch.
type Commit struct {
	// Branch is main when empty; a new one starts at the head of main.
	Branch string
	// Message is "Change" when empty.
	Message string
	// Author is "Name <mail>", a developer of the stack's own when empty.
	Author string
	// Files maps paths to their new contents.
	Files map[string]string
	// Remove lists paths of files and folders that go.
	Remove []string
}

// errMoved says that the branch has moved while a commit was made.
var errMoved = errors.New("the branch has moved")

// Commit adds a commit to a branch, straight in the repository, and returns its
// ID. When somebody pushes at the same time it is made again on the new head.
func (s *Server) Commit(ctx context.Context, repository string, c Commit) (string, error) {
	if c.Branch == "" {
		c.Branch = MainBranch
	}
	const tries = 5
	for range tries {
		id, err := s.tryCommit(ctx, repository, c)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("committing to %s of the repository %s: %w", c.Branch, repository, err)
		}
		return id, nil
	}
	return "", fmt.Errorf("committing to %s of the repository %s: %w, %d times", c.Branch, repository, errMoved, tries)
}

// CommitAll adds commits to main, one after the other, in one go: a history, of
// which there may be thousands. Each changes what the one before it left.
func (s *Server) CommitAll(ctx context.Context, repository string, commits []Commit) error {
	parent, err := s.parent(ctx, repository, MainBranch)
	if err != nil {
		return err
	}
	var script bytes.Buffer
	for _, c := range commits {
		c.Branch = MainBranch
		script.WriteString(c.fastImport(parent))
		parent = "" // fast-import goes on where it is
	}
	script.WriteString("done\n")
	if _, err := s.git(ctx, s.path(repository), script.Bytes(), "fast-import", "--quiet", "--done"); err != nil {
		return fmt.Errorf("committing %d times to the repository %s: %w", len(commits), repository, err)
	}
	return nil
}

func (s *Server) tryCommit(ctx context.Context, repository string, c Commit) (string, error) {
	parent, err := s.parent(ctx, repository, c.Branch)
	if err != nil {
		return "", err
	}
	script := c.fastImport(parent) + "get-mark :1\ndone\n"
	out, err := s.git(ctx, s.path(repository), []byte(script), "fast-import", "--quiet", "--done")
	if err != nil && strings.Contains(err.Error(), "new tip") {
		return "", errMoved
	}
	return strings.TrimSpace(out), err
}

// parent is the commit that a new one stands on, empty in an empty repository.
func (s *Server) parent(ctx context.Context, repository, branch string) (string, error) {
	out, err := s.git(ctx, s.path(repository), nil, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
	if err != nil {
		return "", err
	}
	heads := map[string]string{}
	for line := range strings.Lines(out) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		heads[name] = id
	}
	if id, ok := heads[branch]; ok {
		return id, nil
	}
	return heads[MainBranch], nil
}

// fastImport writes the commit in the language of git fast-import.
func (c Commit) fastImport(parent string) string {
	message, author := c.Message, c.Author
	if message == "" {
		message = "Change"
	}
	if author == "" {
		author = "Dev <dev@example.com>"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit refs/heads/%s\nmark :1\ncommitter %s %d +0000\n", c.Branch, author, time.Now().Unix())
	data(&b, message)
	if parent != "" {
		fmt.Fprintf(&b, "from %s\n", parent)
	}
	for _, path := range c.Remove {
		fmt.Fprintf(&b, "D %s\n", quote(path))
	}
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		fmt.Fprintf(&b, "M 100644 inline %s\n", quote(path))
		data(&b, c.Files[path])
	}
	b.WriteString("\n")
	return b.String()
}

func data(b *bytes.Buffer, text string) {
	fmt.Fprintf(b, "data %d\n%s\n", len(text), text)
}

func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
