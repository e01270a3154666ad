package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// copies are the folders that Repositories keep on disk.
func copies(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "git", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDamagedCopyIsFetchedAnew(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"cut off": func(path string) error { return os.Truncate(path, 20) },
		"removed": os.Remove,
		"overwritten": func(path string) error {
			if err := os.Chmod(path, 0o600); err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Repeat("junk", 1000)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, map[string]string{"deploy/app.yaml": "1", "README.md": "shop"})
			dir := t.TempDir()
			h.open(t, gitrepo.Options{Dir: dir})
			h.commit(t, h.change(map[string]string{"w.yaml": "1"}))
			h.push(t, "main", map[string]string{"other": "1"})
			err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() || !strings.Contains(path, "objects") {
					return err
				}
				return damage(path)
			})
			if err != nil {
				t.Fatal(err)
			}
			h.commit(t, h.change(map[string]string{"deploy/w.yaml": "2"}))
			if got := h.read(t, h.head(t, "main"), "deploy/app.yaml"); got != "1" {
				t.Errorf("the file holds %q, want 1", got)
			}
			h.wantFiles(t, "main", map[string]string{
				"deploy/app.yaml": "1", "README.md": "shop", "w.yaml": "1", "other": "1", "deploy/w.yaml": "2",
			})
		})
	}
}

func TestCopiesAreBoundedInNumber(t *testing.T) {
	h := serve(t, nil)
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir, MaxRepositories: 2})
	for i := range 4 {
		url, err := h.Create(t.Context(), fmt.Sprintf("shop%d", i), map[string]string{"a": "1"})
		if err != nil {
			t.Fatal(err)
		}
		c := h.change(map[string]string{"w.yaml": "1"})
		c.RepoURL = url
		h.commit(t, c)
	}
	if n := len(copies(t, dir)); n != 2 {
		t.Errorf("%d copies, want 2", n)
	}
}

func TestCopiesAreBoundedInSize(t *testing.T) {
	h := serve(t, map[string]string{"large": strings.Repeat("0123456789", 100)})
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir, MaxCopy: 10})
	for i := range 2 {
		h.commit(t, h.change(map[string]string{"w.yaml": fmt.Sprint(i)}))
		if found := copies(t, dir); len(found) != 0 {
			t.Errorf("the copies %v were kept", found)
		}
	}
}

func TestManyFetchesStartTheCopyAnew(t *testing.T) {
	h := serve(t, nil)
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir})
	seen := map[string]bool{}
	const reads = 40 // of two fetches each: of the folders, and of the file
	for i := range reads {
		id := h.push(t, "main", map[string]string{"a": fmt.Sprint(i)})
		if got := h.read(t, id, "a"); got != fmt.Sprint(i) {
			t.Fatalf("commit %d holds %q", i, got)
		}
		for _, c := range copies(t, dir) {
			seen[c] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("there were %d copies in turn, want 2", len(seen))
	}
}

func TestWhatAFormerProcessLeftIsRemoved(t *testing.T) {
	h := serve(t, nil)
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir})
	h.commit(t, h.change(map[string]string{"w.yaml": "1"}))
	if len(copies(t, dir)) != 1 {
		t.Fatal("there is no copy")
	}
	h.open(t, gitrepo.Options{Dir: dir})
	if found := copies(t, dir); len(found) != 0 {
		t.Errorf("the copies %v are still there", found)
	}
}

func TestLargeAnswersAreNotTaken(t *testing.T) {
	h := serve(t, map[string]string{"large": strings.Repeat("0123456789", 1<<16)})
	h.open(t, gitrepo.Options{MaxFetch: 1 << 10})
	_, err := h.repositories.File(t.Context(), h.url, h.head(t, "main"), "large")
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "sends more than the proxy takes") {
		t.Errorf("error %v, want a refusal", err)
	}
}

func TestCredentialsStayOnTheirHost(t *testing.T) {
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	for name, target := range map[string]string{
		"another host": other.URL,
		"plain HTTP":   "http://git.example.com",
	} {
		host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target+r.URL.RequestURI(), http.StatusMovedPermanently)
		}))
		t.Cleanup(host.Close)
		r, err := gitrepo.New(account{"git", "hunter2"}, gitrepo.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Commit(t.Context(), gitrepo.Change{
			RepoURL: host.URL + "/shop.git", Branch: "main", Message: "m", At: at,
		})
		if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "redirects to another host") {
			t.Errorf("a redirect to %s: %v, want a refusal", name, err)
		}
	}
	if len(got) != 0 {
		t.Errorf("the other host got %v", got)
	}
}

func TestRenamedRepositoryIsFollowedOnItsHost(t *testing.T) {
	h := serve(t, nil)
	renamed := strings.TrimSuffix(h.url, "shop.git") + "old.git"
	base := h.wire.base
	h.wire.base = roundTrip(func(req *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(req.URL.Path, "/old.git/") {
			return base.RoundTrip(req)
		}
		to := "/shop.git" + strings.TrimPrefix(req.URL.RequestURI(), "/old.git")
		w := httptest.NewRecorder()
		http.Redirect(w, req, to, http.StatusMovedPermanently)
		res := w.Result()
		res.Request = req
		return res, nil
	})
	c := h.change(map[string]string{"w.yaml": "1"})
	c.RepoURL = renamed
	h.commit(t, c)
	h.wantFiles(t, "main", map[string]string{"w.yaml": "1"})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestCallEndsWithItsContext(t *testing.T) {
	h := serve(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	base := h.wire.base
	h.wire.base = roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			cancel()
		}
		return base.RoundTrip(req)
	})
	_, err := h.repositories.Commit(ctx, h.change(map[string]string{"w.yaml": "1"}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestRedirectsEnd(t *testing.T) {
	requests := 0
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
	}))
	t.Cleanup(host.Close)
	r, err := gitrepo.New(account{"git", "hunter2"}, gitrepo.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Look(t.Context(), gitrepo.Place{RepoURL: host.URL + "/shop"}, func(context.Context, *gitrepo.Look) error { return nil })
	if err == nil || requests != 10 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%d requests, error %v, want 10 and an error", requests, err)
	}
}
