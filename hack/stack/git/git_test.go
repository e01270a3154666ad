package git_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/git"
)

func start(t *testing.T) *git.Server {
	t.Helper()
	server, err := git.New(git.Config{Dir: t.TempDir(), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

func create(t *testing.T, server *git.Server, files map[string]string) {
	t.Helper()
	if _, err := server.Create(t.Context(), "shop", files); err != nil {
		t.Fatal(err)
	}
}

// clone is a work tree of Git's own client.
type clone string

func (c clone) git(t *testing.T, args ...string) error {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = string(c)
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com",
	}
	out, err := command.CombinedOutput()
	t.Logf("git %s: %s", strings.Join(args, " "), out)
	return err
}

func (c clone) commit(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(string(c), path), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add", path}, {"commit", "--quiet", "--message=Change " + path}} {
		if err := c.git(t, args...); err != nil {
			t.Fatal(err)
		}
	}
}

func withCredentials(t *testing.T, server *git.Server) string {
	t.Helper()
	u, err := url.Parse(server.URL("shop"))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(server.User(), server.Password())
	return u.String()
}

func cloneShop(t *testing.T, server *git.Server) clone {
	t.Helper()
	c := clone(t.TempDir())
	if err := c.git(t, "clone", "--quiet", withCredentials(t, server), "."); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCreatedRepositoryIsClonedAndPushedToByGitItself(t *testing.T) {
	server := start(t)
	create(t, server, map[string]string{"deploy/app.yaml": "replicas: 1\n", "README.md": "shop\n"})
	c := cloneShop(t, server)
	c.commit(t, "README.md", "changed\n")
	if err := c.git(t, "push", "--quiet", "origin", "main"); err != nil {
		t.Fatal(err)
	}

	got, err := server.File(t.Context(), "shop", git.MainBranch, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	if got != "changed\n" {
		t.Errorf("README.md is %q", got)
	}
	log, err := server.Log(t.Context(), "shop", git.MainBranch)
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ Author, Message string }
	var lines []line
	for _, entry := range log {
		lines = append(lines, line{entry.Author, entry.Message})
	}
	want := []line{{"Ann <ann@example.com>", "Change README.md"}, {"Dev <dev@example.com>", "Begin"}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{log[1].ID}, log[0].Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
}

func TestClientsWithoutThePasswordAreRefused(t *testing.T) {
	server := start(t)
	create(t, server, nil)
	if err := clone(t.TempDir()).git(t, "ls-remote", server.URL("shop")); err == nil {
		t.Error("a client without a password could read")
	}
	if err := clone(t.TempDir()).git(t, "ls-remote", withCredentials(t, server)); err != nil {
		t.Errorf("a client with the password could not read: %v", err)
	}
}

func TestCommitBeforeTheNextPushMakesItLoseTheRaceOnce(t *testing.T) {
	server := start(t)
	create(t, server, map[string]string{"a": "1"})
	c := cloneShop(t, server)
	c.commit(t, "mine", "1")
	server.BeforeNextPush("shop", func() {
		if _, err := server.Commit(t.Context(), "shop", git.Commit{Files: map[string]string{"theirs": "1"}}); err != nil {
			t.Error(err)
		}
	})
	if err := c.git(t, "push", "--quiet", "origin", "main"); err == nil {
		t.Fatal("the push won")
	}
	if err := c.git(t, "pull", "--quiet", "--rebase", "origin", "main"); err != nil {
		t.Fatal(err)
	}
	if err := c.git(t, "push", "--quiet", "origin", "main"); err != nil {
		t.Fatalf("the second push lost too: %v", err)
	}
	files, err := server.Files(t.Context(), "shop", git.MainBranch)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "mine", "theirs"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Git sends a push of more than a mebibyte without saying how long it is.
func TestLargePushIsServed(t *testing.T) {
	server := start(t)
	create(t, server, nil)
	c := cloneShop(t, server)
	random := make([]byte, 3<<20)
	_, _ = rand.Read(random)
	c.commit(t, "large", string(random))
	if err := c.git(t, "push", "--quiet", "origin", "main"); err != nil {
		t.Fatal(err)
	}
}

func TestReachableCommitIsFetchedByItsID(t *testing.T) {
	server := start(t)
	create(t, server, nil)
	first, err := server.Head(t.Context(), "shop", git.MainBranch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Commit(t.Context(), "shop", git.Commit{Files: map[string]string{"a": "1"}}); err != nil {
		t.Fatal(err)
	}
	c := clone(t.TempDir())
	if err := c.git(t, "init", "--quiet"); err != nil {
		t.Fatal(err)
	}
	if err := c.git(t, "fetch", "--quiet", "--depth=1", withCredentials(t, server), first); err != nil {
		t.Error(err)
	}
}

func TestCommitChangesAddsAndRemovesFiles(t *testing.T) {
	server := start(t)
	create(t, server, map[string]string{"keep": "1", "change": "1", "folder/go": "1", `odd "name"`: "1"})
	id, err := server.Commit(t.Context(), "shop", git.Commit{
		Message: "Rework\n\nWaybill-Promotion: 42",
		Author:  "Bob <bob@example.com>",
		Files:   map[string]string{"change": "2", "folder2/new": ""},
		Remove:  []string{"folder", `odd "name"`},
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := server.Files(t.Context(), "shop", id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"change", "folder2/new", "keep"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	content, err := server.File(t.Context(), "shop", id, "change")
	if err != nil {
		t.Fatal(err)
	}
	if content != "2" {
		t.Errorf("the changed file holds %q, want 2", content)
	}
	if _, err := server.File(t.Context(), "shop", id, "folder/go"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a removed file: %v, want %v", err, fs.ErrNotExist)
	}
	log, err := server.Log(t.Context(), "shop", id)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := log[0].Message, "Rework\n\nWaybill-Promotion: 42"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestNewBranchStartsAtMain(t *testing.T) {
	server := start(t)
	create(t, server, map[string]string{"a": "1"})
	main, err := server.Head(t.Context(), "shop", git.MainBranch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Commit(t.Context(), "shop", git.Commit{
		Branch: "env/prod", Files: map[string]string{"b": "1"},
	}); err != nil {
		t.Fatal(err)
	}
	log, err := server.Log(t.Context(), "shop", "env/prod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{main}, log[0].Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if still, err := server.Head(t.Context(), "shop", git.MainBranch); err != nil || still != main {
		t.Errorf("main moved to %s (%v)", still, err)
	}
}

func TestRepositoryIsCreatedFromAFileSystem(t *testing.T) {
	server := start(t)
	if _, err := server.CreateFrom(t.Context(), "team/shop", fstest.MapFS{
		"deploy/app.yaml": {Data: []byte("replicas: 1\n")},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := server.File(t.Context(), "team/shop", git.MainBranch, "deploy/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got != "replicas: 1\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestCreateRefusesBadAndTakenNames(t *testing.T) {
	server := start(t)
	create(t, server, nil)
	for _, name := range []string{"", "../out", "shop", "a b", "/abs"} {
		if _, err := server.Create(t.Context(), name, nil); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
}

func TestGitTrafficIsCountedAndBroken(t *testing.T) {
	server := start(t)
	create(t, server, nil)
	remote := withCredentials(t, server)
	if err := clone(t.TempDir()).git(t, "ls-remote", remote); err != nil {
		t.Fatal(err)
	}
	adverts := server.Traffic.Count(func(r fault.Request) bool { return r.Path == "/shop.git/info/refs" })
	if adverts == 0 {
		t.Error("the advertisement of refs was not counted")
	}
	server.Traffic.SetFault(func(*http.Request) *fault.Fault { return &fault.Fault{Drop: true} })
	if err := clone(t.TempDir()).git(t, "ls-remote", remote); err == nil {
		t.Error("a client got past the fault")
	}
}
