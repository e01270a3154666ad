package git_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
	gitsource "github.com/waybill-cd/waybill/proxy/source/git"
)

// world is a Git host with one repository, shop, and a source that looks at it.
type world struct {
	*git.Server
	dir    string
	url    string
	wire   *wire
	source *gitsource.Source
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var err error
	if w.Server, err = git.New(git.Config{Dir: w.dir, Log: t.Output()}); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Kill() })
	if w.url, err = w.Create(t.Context(), "shop", map[string]string{"app.yaml": "1"}); err != nil {
		t.Fatal(err)
	}
	w.restart(t)
	return w
}

// restart gives the world a source that knows nothing.
func (w *world) restart(t *testing.T) {
	t.Helper()
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatal("the default transport is another one")
	}
	base = base.Clone()
	t.Cleanup(base.CloseIdleConnections)
	w.wire = &wire{base: base}
	repositories, err := gitrepo.New(account{w.User(), w.Password()}, gitrepo.Options{Dir: t.TempDir(), Transport: w.wire})
	if err != nil {
		t.Fatal(err)
	}
	w.source = gitsource.New(repositories)
	w.Traffic.Reset()
}

// account is that of Waybill's own namespace, for every repository.
type account struct{ user, password string }

func (a account) Git(context.Context, string) (string, string, error) { return a.user, a.password, nil }

func (a account) GitOf(_ context.Context, namespace, _ string) (string, string, error) {
	if namespace != "waybill" {
		return "", "", nil
	}
	return a.user, a.password, nil
}

// wire cuts answers short.
type wire struct {
	base http.RoundTripper

	mu       sync.Mutex
	answers  int
	received []int           // bytes of each answer
	cut      func(n int) int // bytes that are left of the nth answer; negative for all
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
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.answers
	w.answers++
	w.received = append(w.received, len(body))
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	if w.cut != nil {
		if left := w.cut(n); left >= 0 {
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:min(left, len(body))])), broken{}))
		}
	}
	return res, nil
}

// sizes are the bytes of each answer so far.
func (w *wire) sizes() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.received)
}

// cutShort has answers cut, see wire.cut.
func (w *wire) cutShort(cut func(n int) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// git runs Git's own client in the host's repository.
func (w *world) git(t *testing.T, args ...string) string {
	t.Helper()
	return w.gitAt(t, 1_700_000_000, args...)
}

func (w *world) gitAt(t *testing.T, seconds int, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = filepath.Join(w.dir, "shop.git")
	date := fmt.Sprintf("%d +0000", seconds)
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Eve", "GIT_COMMITTER_EMAIL=eve@example.com",
	}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits to main, and returns the commit's ID.
func (w *world) push(t *testing.T, message string, files ...string) string {
	t.Helper()
	c := git.Commit{Message: message, Files: map[string]string{}}
	for _, f := range files {
		c.Files[f] = message
	}
	id, err := w.Commit(t.Context(), "shop", c)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// of makes a subscription to the shop.
func (w *world) of(s pipeline.GitSubscription) pipeline.Subscription {
	if s.RepoURL == "" {
		s.RepoURL = w.url
	}
	if s.CommitSelectionStrategy == "" {
		s.CommitSelectionStrategy = pipeline.StrategyNewestFromBranch
	}
	if s.DiscoveryLimit == 0 {
		s.DiscoveryLimit = pipeline.DefaultDiscoveryLimit
	}
	return pipeline.Subscription{Git: &s}
}

func (w *world) discover(t *testing.T, s pipeline.GitSubscription) (source.Look, error) {
	t.Helper()
	return w.source.Discover(t.Context(), "waybill", w.of(s))
}

func (w *world) look(t *testing.T, s pipeline.GitSubscription) source.Look {
	t.Helper()
	found, err := w.discover(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// requests are the references that were asked for, and the fetches.
func (w *world) requests() (listed, fetched int) {
	for _, r := range w.Traffic.Requests() {
		if r.Method == http.MethodPost {
			fetched++
		} else {
			listed++
		}
	}
	return listed, fetched
}

// costs runs f, and wants it to take so many fetches besides one list.
func (w *world) costs(t *testing.T, what string, fetches int, f func()) {
	t.Helper()
	w.Traffic.Reset()
	f()
	if listed, fetched := w.requests(); listed != 1 || fetched != fetches {
		t.Errorf("%s takes %d lists and %d fetches, want 1 and %d", what, listed, fetched, fetches)
	}
}

// subjects names offers by their commits' messages, tags where they have some.
func subjects(l source.Look) []string {
	all := []string{}
	for _, o := range l.Offers {
		name := o.Detail.Subject
		if o.Commit.Tag != "" {
			name = o.Commit.Tag
		}
		all = append(all, name)
	}
	return all
}

// script runs git fast-import.
func (w *world) script(t *testing.T, script string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "fast-import", "--quiet", "--force")
	command.Dir = filepath.Join(w.dir, "shop.git")
	command.Stdin = strings.NewReader(script)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v: %s", err, out)
	}
	w.git(t, "pack-refs", "--all")
}

// initBare makes a repository without any commit.
func (w *world) initBare(t *testing.T, name string) {
	t.Helper()
	w.git(t, "init", "--quiet", "--bare", filepath.Join(w.dir, name+".git"))
}
