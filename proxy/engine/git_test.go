package engine

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// gitHost stands in for Git hosts, with what [gitrepo.Repositories] promises.
type gitHost struct {
	branches map[string][]commit // by URL and branch, the newest last
	// refuses is asked before each push.
	refuses func(gitrepo.Change) error
	// reads fails each reading of a file.
	reads error
	// pushed is called after each commit, whoever made it.
	pushed  func()
	fetched int
	listed  int // how often branches were asked for
}

type commit struct {
	id, promotion, base, owner, message string
	trailers                            []gitrepo.Trailer
	files                               map[string][]byte
}

func newGitHost() *gitHost {
	return &gitHost{
		branches: map[string][]commit{},
		refuses:  func(gitrepo.Change) error { return nil },
		pushed:   func() {},
	}
}

func ref(repoURL, branch string) string { return repoURL + " " + branch }

func (g *gitHost) tip(repoURL, branch string) (commit, bool) {
	all := g.branches[ref(repoURL, branch)]
	if len(all) == 0 {
		return commit{}, false
	}
	return all[len(all)-1], true
}

// push adds a commit of somebody else's to a branch.
func (g *gitHost) push(repoURL, branch string, files map[string][]byte) commit {
	tip, _ := g.tip(repoURL, branch)
	all := map[string][]byte{}
	maps.Copy(all, tip.files)
	maps.Copy(all, files)
	return g.add(repoURL, branch, commit{files: all, message: "Somebody else"})
}

func (g *gitHost) add(repoURL, branch string, c commit) commit {
	at := ref(repoURL, branch)
	sum := sha1.Sum(fmt.Append(nil, at, len(g.branches[at])))
	c.id = hex.EncodeToString(sum[:])
	g.branches[at] = append(g.branches[at], c)
	g.pushed()
	return c
}

func (g *gitHost) find(repoURL, id string) (commit, bool) {
	for at, commits := range g.branches {
		for _, c := range commits {
			if c.id == id && at[:len(repoURL)] == repoURL {
				return c, true
			}
		}
	}
	return commit{}, false
}

func (l *link) Commit(_ context.Context, c gitrepo.Change) (gitrepo.Written, error) {
	if l.killed {
		return gitrepo.Written{}, errKilled
	}
	if err := l.git.refuses(c); err != nil {
		return gitrepo.Written{}, err
	}
	done, next, err := l.git.prepare(c)
	if err != nil || !done.Changed {
		return done, err
	}
	somebody := func() error {
		l.git.push(c.RepoURL, c.Branch, map[string][]byte{"NOTES": []byte("mine")})
		done, next, err = l.git.prepare(c)
		return err
	}
	err = l.write("push "+c.Branch, somebody, func() error {
		done.Commit = l.git.add(c.RepoURL, c.Branch, next).id
		return nil
	})
	if err != nil {
		return gitrepo.Written{}, err
	}
	return done, nil
}

func (g *gitHost) prepare(c gitrepo.Change) (gitrepo.Written, commit, error) {
	tip, exists := g.tip(c.RepoURL, c.Branch)
	holds := func(files map[string][]byte) bool {
		for path := range files {
			if removes(c, path) {
				return false
			}
		}
		for path, content := range c.Files {
			if !bytes.Equal(files[path], content) {
				return false
			}
		}
		return true
	}
	next := commit{promotion: c.Promotion, owner: c.Owner, message: c.Message, trailers: c.Trailers, files: map[string][]byte{}}
	if c.Own && tip.owner != "" && tip.owner != c.Owner {
		return gitrepo.Written{}, next, fmt.Errorf("branch %s belongs to stage %s: %w", c.Branch, tip.owner, gitrepo.ErrRefused)
	}
	for _, path := range c.Judged {
		content := c.Files[path]
		if present, found := tip.files[path]; found && !bytes.Equal(present, content) {
			if err := c.Admits(path, present); err != nil {
				return gitrepo.Written{}, next, err
			}
		}
	}
	switch {
	case !exists && !c.Own:
		return gitrepo.Written{}, next, fmt.Errorf("there is no branch %q: %w", c.Branch, gitrepo.ErrRefused)
	case c.Own:
		if exists && tip.promotion == c.Promotion && (c.Base == "" || c.Base == tip.base) && holds(tip.files) {
			return gitrepo.Written{Commit: tip.id, Base: tip.base}, next, nil
		}
		base, found := g.tip(c.RepoURL, "main")
		if c.Base != "" {
			base, found = g.find(c.RepoURL, c.Base)
		}
		if !found {
			return gitrepo.Written{}, next, fmt.Errorf("there is no commit %q: %w", c.Base, gitrepo.ErrRefused)
		}
		next.base = base.id
		maps.Copy(next.files, base.files)
	case holds(tip.files):
		return gitrepo.Written{Commit: tip.id}, next, nil
	case c.Tip != "" && c.Tip != tip.id:
		return gitrepo.Written{}, next, fmt.Errorf("branch %s: %w", c.Branch, gitrepo.ErrMoved)
	default:
		maps.Copy(next.files, tip.files)
	}
	maps.DeleteFunc(next.files, func(path string, _ []byte) bool { return removes(c, path) })
	maps.Copy(next.files, c.Files)
	return gitrepo.Written{Base: next.base, Changed: true}, next, nil
}

func removes(c gitrepo.Change, path string) bool {
	return slices.ContainsFunc(c.Removed, func(removed string) bool { return path == removed || strings.HasPrefix(path, removed+"/") })
}

func (l *link) File(_ context.Context, repoURL, revision, path string) ([]byte, error) {
	if l.killed {
		return nil, errKilled
	}
	l.git.fetched++
	if l.git.reads != nil {
		return nil, l.git.reads
	}
	c, found := l.git.find(repoURL, revision)
	if !found {
		return nil, gitrepo.ErrNoRevision
	}
	file, found := c.files[path]
	if !found {
		return nil, gitrepo.ErrNoFile
	}
	return file, nil
}

func (l *link) Branches(_ context.Context, repoURL string) (gitrepo.Branches, error) {
	if l.killed {
		return gitrepo.Branches{}, errKilled
	}
	if l.git.reads != nil {
		return gitrepo.Branches{}, l.git.reads
	}
	l.git.listed++
	b := gitrepo.Branches{Repository: repoURL, Tips: map[string]string{}}
	for at, commits := range l.git.branches {
		if branch, of := strings.CutPrefix(at, repoURL+" "); of && len(commits) > 0 {
			b.Tips[branch] = commits[len(commits)-1].id
		}
	}
	b.Head = b.Tips["main"]
	return b, nil
}

// Start and Glob are for charts that are vendored.
func (l *link) Start(ctx context.Context, c gitrepo.Change) (string, error) {
	all, err := l.Branches(ctx, c.RepoURL)
	if err != nil {
		return "", err
	}
	if tip, exists := l.git.tip(c.RepoURL, c.Branch); exists && c.Own && c.Base == "" && tip.promotion == c.Promotion {
		return tip.base, nil
	}
	return all.Start(c)
}

func (l *link) Glob(_ context.Context, repoURL, revision, folder string, patterns ...string) (map[string][]byte, error) {
	if l.killed {
		return nil, errKilled
	}
	c, found := l.git.find(repoURL, revision)
	if !found {
		return nil, gitrepo.ErrNoRevision
	}
	files := map[string][]byte{}
	for name, content := range c.files {
		below, inside := strings.CutPrefix(name, folder+"/")
		if inside && slices.ContainsFunc(patterns, func(p string) bool { matched, _ := path.Match(p, below); return matched }) {
			files[below] = content
		}
	}
	return files, nil
}

func (l *link) Between(context.Context, string, string, string) (gitrepo.Between, error) {
	return gitrepo.Between{}, nil
}

// commitsOf returns the commits of a promotion on a branch.
func (g *gitHost) commitsOf(repoURL, branch, promotion string) []commit {
	return slices.DeleteFunc(slices.Clone(g.branches[ref(repoURL, branch)]), func(c commit) bool { return c.promotion != promotion })
}

// waybill returns the waybill of an Application at the tip of a branch.
func (g *gitHost) waybill(t *testing.T, branch, app string) waybill.Waybill {
	t.Helper()
	tip, _ := g.tip(shopRepo, branch)
	bill, err := waybill.Parse(tip.files["deploy/"+app+"/waybill-"+app+".yaml"])
	if err != nil {
		t.Fatalf("the waybill of %s on %s: %s", app, branch, err)
	}
	if err := bill.Check(app); err != nil {
		t.Fatalf("the waybill of %s on %s: %s", app, branch, err)
	}
	return bill
}
