package gitrepo_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// host is a Git host with one repository, shop, and what reads and writes it.
type host struct {
	*git.Server
	dir          string
	url          string
	repositories *gitrepo.Repositories
	wire         *wire
}

func serve(t *testing.T, files map[string]string) *host {
	t.Helper()
	h := &host{dir: t.TempDir()}
	var err error
	if h.Server, err = git.New(git.Config{Dir: h.dir, Log: t.Output()}); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Kill() })
	if h.url, err = h.Create(t.Context(), "shop", files); err != nil {
		t.Fatal(err)
	}
	h.open(t, gitrepo.Options{})
	h.Traffic.Reset()
	return h
}

// open gives the host new Repositories, as a restarted process has them.
func (h *host) open(t *testing.T, o gitrepo.Options) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatal("the default transport is another one")
	}
	base = base.Clone()
	t.Cleanup(base.CloseIdleConnections)
	h.wire = &wire{base: base}
	if o.Transport == nil {
		o.Transport = h.wire
	}
	var err error
	if h.repositories, err = gitrepo.New(account{h.User(), h.Password()}, o); err != nil {
		t.Fatal(err)
	}
}

// account are the same credentials for every repository.
type account struct{ user, password string }

func (a account) Git(context.Context, string) (string, string, error) { return a.user, a.password, nil }

func (a account) GitOf(context.Context, string, string) (string, string, error) {
	return a.user, a.password, nil
}

// wire counts the bytes that are exchanged with the host.
type wire struct {
	base http.RoundTripper

	mu             sync.Mutex
	sent, received int64
	lose           func(*http.Request) error // after the host has answered
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent += req.ContentLength
	w.received += int64(len(body))
	if w.lose != nil {
		if err := w.lose(req); err != nil {
			return nil, err
		}
	}
	return res, nil
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.received = 0, 0
}

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// change is one of the shared branch.
func (h *host) change(files map[string]string) gitrepo.Change {
	c := gitrepo.Change{
		RepoURL: h.url, Branch: git.MainBranch, Message: "Promote 7d3f0c1 to dev",
		Promotion: "p1", At: at, Files: map[string][]byte{},
	}
	for path, content := range files {
		c.Files[path] = []byte(content)
	}
	return c
}

// ownChange is one of the stage branch env/prod.
func (h *host) ownChange(files map[string]string) gitrepo.Change {
	c := h.change(files)
	c.Own, c.Branch = true, "env/prod"
	return c
}

func (h *host) commit(t *testing.T, c gitrepo.Change) gitrepo.Written {
	t.Helper()
	w, err := h.repositories.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// push is what somebody else does to the repository.
func (h *host) push(t *testing.T, branch string, files map[string]string) string {
	t.Helper()
	id, err := h.Commit(t.Context(), "shop", git.Commit{Branch: branch, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (h *host) log(t *testing.T, branch string) []git.Entry {
	t.Helper()
	log, err := h.Log(t.Context(), "shop", branch)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func (h *host) head(t *testing.T, ref string) string {
	t.Helper()
	id, err := h.Head(t.Context(), "shop", ref)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// wantFiles compares all files of a branch.
func (h *host) wantFiles(t *testing.T, ref string, want map[string]string) {
	t.Helper()
	paths, err := h.Files(t.Context(), "shop", ref)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, path := range paths {
		if got[path], err = h.File(t.Context(), "shop", ref, path); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of %s (-want +got):\n%s", ref, diff)
	}
}

// requests counts by method and service: "POST git-receive-pack".
func (h *host) requests() map[string]int {
	counted := map[string]int{}
	for _, r := range h.Traffic.Requests() {
		service := filepath.Base(r.Path)
		if service == "refs" {
			service = strings.TrimPrefix(r.Query, "service=")
		}
		counted[r.Method+" "+service]++
	}
	return counted
}

func pushes(r fault.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/git-receive-pack")
}

// git runs Git's own client in the host's repository.
func (h *host) git(t *testing.T, input string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = filepath.Join(h.dir, "shop.git")
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Eve", "GIT_AUTHOR_EMAIL=eve@example.com", "GIT_COMMITTER_NAME=Eve", "GIT_COMMITTER_EMAIL=eve@example.com",
	}
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

// credentials are those of a namespace, for every repository.
type credentials func(namespace, repoURL string) (user, password string, err error)

func (c credentials) Git(_ context.Context, repoURL string) (string, string, error) {
	return c("waybill", repoURL)
}

func (c credentials) GitOf(_ context.Context, namespace, repoURL string) (string, string, error) {
	return c(namespace, repoURL)
}

// with makes Repositories of these credentials.
func (h *host) with(t *testing.T, c gitrepo.Credentials) *gitrepo.Repositories {
	t.Helper()
	r, err := gitrepo.New(c, gitrepo.Options{Dir: t.TempDir(), Transport: h.wire, Untrusting: h.wire})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sorted makes one text of texts.
func sorted(texts []string) string {
	slices.Sort(texts)
	return strings.Join(texts, " ")
}
