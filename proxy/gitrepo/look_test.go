package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

const (
	listed  = "GET git-upload-pack"
	fetched = "POST git-upload-pack"
)

// measured is what something costs on the wire.
func (h *host) measured(f func()) (requests map[string]int, received int64) {
	h.Traffic.Reset()
	h.wire.reset()
	f()
	h.wire.mu.Lock()
	defer h.wire.mu.Unlock()
	return h.requests(), h.wire.received
}

// monorepo is a repository of many files and commits.
func monorepo(t *testing.T, files, commits int) *host {
	t.Helper()
	content := func(n int) string { return strings.Repeat(fmt.Sprintf("line of file %d\n", n*7919), 50) }
	tree := map[string]string{}
	for i := range files {
		tree[fmt.Sprintf("src/%02d/%04d.txt", i%100, i)] = content(i)
	}
	h := serve(t, tree)
	history := make([]git.Commit, commits-1)
	for i := range history {
		history[i] = git.Commit{Message: fmt.Sprint("Change ", i), Files: map[string]string{fmt.Sprintf("src/%02d/%04d.txt", i%100, i%files): content(files + i)}}
	}
	if err := h.CommitAll(t.Context(), "shop", history); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestALookFetchesOnlyWhatIsNew(t *testing.T) {
	h := monorepo(t, 6000, 3000)

	requests, bytes := h.measured(func() { h.newest(t, 20) })
	if diff := cmp.Diff(map[string]int{listed: 1, fetched: 1}, requests); diff != "" || bytes > 512<<10 {
		t.Errorf("the first look takes %d bytes and (-want +got):\n%s", bytes, diff)
	}
	requests, bytes = h.measured(func() { h.newest(t, 20) })
	if diff := cmp.Diff(map[string]int{listed: 1}, requests); diff != "" || bytes > 1<<10 {
		t.Errorf("a look at what is unchanged takes %d bytes and (-want +got):\n%s", bytes, diff)
	}
	id := h.push(t, "main", map[string]string{"src/00/0000.txt": "new"})
	requests, bytes = h.measured(func() {
		if got := h.newest(t, 20); got[0] != id {
			t.Errorf("the newest is %s, want %s", got[0], id)
		}
	})
	if diff := cmp.Diff(map[string]int{listed: 1, fetched: 1}, requests); diff != "" || bytes > 16<<10 {
		t.Errorf("a look at one commit more takes %d bytes and (-want +got):\n%s", bytes, diff)
	}
	t.Logf("one commit more: %d bytes", bytes)
}

func TestADeepLookGrowsInSteps(t *testing.T) {
	const commits = 700
	h := monorepo(t, 100, commits)
	requests, _ := h.measured(func() {
		if got := len(h.newest(t, 5000)); got != commits {
			t.Errorf("%d commits, want all %d", got, commits)
		}
	})
	if diff := cmp.Diff(map[string]int{listed: 1, fetched: 1}, requests); diff != "" {
		t.Errorf("a look that knows how far it goes (-want +got):\n%s", diff)
	}
	h.open(t, gitrepo.Options{})
	requests, _ = h.measured(func() {
		h.look(t, func(ctx context.Context, l *gitrepo.Look) error {
			_, err := l.Log(ctx, l.Refs.Head, 1, func(gitrepo.Logged) (bool, error) { return true, nil })
			return err
		})
	})
	// 32, 128, 512, and more than there are.
	if diff := cmp.Diff(map[string]int{listed: 1, fetched: 4}, requests); diff != "" {
		t.Errorf("a look that finds out how far it goes (-want +got):\n%s", diff)
	}
}

func TestALogIsBounded(t *testing.T) {
	h := monorepo(t, 10, 80)
	h.open(t, gitrepo.Options{MaxLog: 50})
	h.look(t, func(ctx context.Context, l *gitrepo.Look) error {
		seen := 0
		more, err := l.Log(ctx, l.Refs.Head, 1, func(gitrepo.Logged) (bool, error) {
			seen++
			return true, nil
		})
		if seen != 50 || !more {
			t.Errorf("%d commits, more: %v", seen, more)
		}
		return err
	})
}

func TestChangesAreThoseToTheFirstParent(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1", "docs/a/b/c.md": "1", "run.sh": "1"})
	h.branchOut(t, 1) // a merge, at least, of nothing
	h.push(t, "main", map[string]string{"deploy/app.yaml": "2", "README": "1"})
	side := h.push(t, "side", map[string]string{"docs/a/x": "1"})
	main := h.push(t, "main", map[string]string{"docs/a/b/c.md": "2"})
	merged := h.git(t, "", "merge-tree", "--write-tree", main, side)
	merge := h.git(t, "", "commit-tree", "-p", main, "-p", side, "-m", "Merge", strings.Fields(merged)[0])
	h.git(t, "", "update-ref", "refs/heads/main", merge)
	if _, err := h.Commit(t.Context(), "shop", git.Commit{Remove: []string{"docs"}, Files: map[string]string{"docs": "a file now"}}); err != nil {
		t.Fatal(err)
	}
	blob := h.git(t, "", "rev-parse", "main:run.sh")
	tree := h.git(t, h.git(t, "", "ls-tree", "main")+"\n", "mktree")
	executable := h.git(t, strings.Replace(h.git(t, "", "ls-tree", tree), "100644 blob "+blob, "100755 blob "+blob, 1)+"\n", "mktree")
	h.git(t, "", "update-ref", "refs/heads/main", h.git(t, "", "commit-tree", "-p", "main", "-m", "Mode", executable))

	want, got := map[string]string{}, map[string]string{}
	var all []string
	h.look(t, func(ctx context.Context, l *gitrepo.Look) error {
		_, err := l.Log(ctx, l.Refs.Head, 100, func(c gitrepo.Logged) (bool, error) {
			var paths []string
			_, err := c.Changes(func(path string) bool {
				paths = append(paths, path)
				return false
			})
			got[c.ID] = sorted(paths)
			between := []string{c.ID}
			if h.git(t, "", "log", "-1", "--format=%P", c.ID) != "" {
				between = []string{c.ID + "^1", c.ID}
			}
			want[c.ID] = sorted(strings.Fields(h.git(t, "", append([]string{"diff-tree", "--root", "--no-commit-id", "--no-renames", "--name-only", "-r"}, between...)...)))
			all = append(all, c.ID)
			return true, err
		})
		return err
	})
	if diff := cmp.Diff(want, got); diff != "" || len(all) < 7 {
		t.Errorf("paths of %d commits (-git +got):\n%s", len(all), diff)
	}
	// Apart, as for tags, they are the same.
	h.look(t, func(ctx context.Context, l *gitrepo.Look) error {
		for _, path := range []string{"docs/a/x", "run.sh", "README"} {
			found, err := l.Changes(ctx, all, func(p string) bool { return p == path })
			if err != nil {
				return err
			}
			for _, id := range all {
				if wanted := strings.Contains(" "+want[id]+" ", " "+path+" "); found[id] != wanted {
					t.Errorf("commit %s changes %s: %v, want %v", id, path, found[id], wanted)
				}
			}
		}
		return nil
	})
}

func TestLooksAtOneRepositoryFetchOnce(t *testing.T) {
	h := monorepo(t, 100, 100)
	const looks = 20
	var begun sync.WaitGroup
	begun.Add(looks)
	h.Traffic.SetFault(func(*http.Request) *fault.Fault {
		begun.Wait() // nobody is answered before all look
		return nil
	})
	requests, _ := h.measured(func() {
		var all sync.WaitGroup
		for range looks {
			all.Go(func() {
				begun.Done()
				h.newest(t, 20)
			})
		}
		all.Wait()
	})
	// Who comes while the first one asks must not take its answer, which may be
	// older than the reason to look; they all share the second.
	if requests[listed] > 3 || requests[fetched] != 1 {
		t.Errorf("%d looks at a time: %v", looks, requests)
	}
}

func TestALookDoesNotWaitForAPush(t *testing.T) {
	h := serve(t, shopTree())
	looked := make(chan []string, 1)
	h.BeforeNextPush("shop", func() { looked <- h.newest(t, 1) })
	h.commit(t, h.change(map[string]string{"w.yaml": "1"}))
	if got := <-looked; len(got) != 1 {
		t.Errorf("during a push: %v", got)
	}
}

func TestPlacesShareNothing(t *testing.T) {
	h := serve(t, shopTree())
	var saw []gitrepo.Place
	h.repositories = h.with(t, credentials(func(namespace, _ string) (string, string, error) {
		saw = append(saw, gitrepo.Place{Namespace: namespace})
		if namespace != "waybill" {
			return "", "", nil
		}
		return h.User(), h.Password(), nil
	}))
	if got := h.newest(t, 1); len(got) != 1 {
		t.Errorf("with credentials: %v", got)
	}
	other := h.place()
	other.Namespace = "other"
	err := h.repositories.Look(t.Context(), other, func(context.Context, *gitrepo.Look) error { return nil })
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "asks for credentials") {
		t.Errorf("another namespace: %v", err)
	}
	untrusting := h.place()
	untrusting.InsecureSkipTLSVerify = true
	requests, _ := h.measured(func() {
		if err := h.repositories.Look(t.Context(), untrusting, func(ctx context.Context, l *gitrepo.Look) error {
			_, err := l.Log(ctx, l.Refs.Head, 1, func(gitrepo.Logged) (bool, error) { return false, nil })
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	if requests[fetched] != 1 {
		t.Errorf("what was read without checking the certificate is not kept apart: %v", requests)
	}
	if len(saw) != 3 || saw[1].Namespace != "other" {
		t.Errorf("credentials were asked for %+v", saw)
	}
}

func TestAHistoryThatIsDamagedIsFetchedAnew(t *testing.T) {
	h := serve(t, shopTree())
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir})
	want := h.newest(t, 1)
	packs, err := filepath.Glob(filepath.Join(dir, "git", "*", "objects", "pack", "*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("packs: %v %v", packs, err)
	}
	for _, pack := range packs {
		if err := os.Chmod(pack, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(pack, 20); err != nil {
			t.Fatal(err)
		}
	}
	requests, _ := h.measured(func() {
		if diff := cmp.Diff(want, h.newest(t, 1)); diff != "" {
			t.Errorf("after damage (-want +got):\n%s", diff)
		}
	})
	if requests[fetched] != 1 {
		t.Errorf("after damage: %v", requests)
	}
}

func TestAHistoryBeyondItsBoundIsRefused(t *testing.T) {
	h := monorepo(t, 3000, 60)
	h.open(t, gitrepo.Options{MaxCopy: 8 << 10})
	err := h.repositories.Look(t.Context(), h.place(), func(ctx context.Context, l *gitrepo.Look) error {
		_, err := l.Log(ctx, l.Refs.Head, 1, func(gitrepo.Logged) (bool, error) { return false, nil })
		return err
	})
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("error %v", err)
	}
}

func TestAHistoryThatHasGrownIsBegunAnew(t *testing.T) {
	h := monorepo(t, 1000, 40)
	h.open(t, gitrepo.Options{MaxCopy: 96 << 10})
	for i := range 20 {
		id := h.push(t, "main", map[string]string{"src/00/0000.txt": fmt.Sprint(i)})
		if got := h.newest(t, 30); got[0] != id || len(got) != 30 {
			t.Fatalf("look %d: %d commits from %s, want 30 from %s", i, len(got), got[0], id)
		}
	}
}

func TestHistoriesAreBoundedTogether(t *testing.T) {
	h := serve(t, shopTree())
	dir := t.TempDir()
	h.open(t, gitrepo.Options{Dir: dir, MaxHistory: 2 << 10})
	for i := range 8 {
		url, err := h.Create(t.Context(), fmt.Sprintf("repository-%d", i), shopTree())
		if err != nil {
			t.Fatal(err)
		}
		h.url = url
		h.newest(t, 1)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "git", "repository-*"))
	if err != nil || len(kept) == 0 || len(kept) > 7 {
		t.Errorf("%d histories are kept in 2 KiB: %v", len(kept), err)
	}
	h.Traffic.Reset()
	h.newest(t, 1)
	if n := h.requests()[fetched]; n != 0 {
		t.Errorf("the one that was used last is not there: %d fetches", n)
	}
}

func TestAHostThatHasEnoughIsLeftAlone(t *testing.T) {
	h := serve(t, shopTree())
	for name, tt := range map[string]struct {
		fault fault.Fault
		wait  time.Duration
		asked int // requests of a second look
	}{
		"too many requests, with a time":    {fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"300"}}}, 5 * time.Minute, 0},
		"too many requests, without":        {fault.Fault{Status: http.StatusTooManyRequests}, 0, 1},
		"out of service, with a time":       {fault.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"300"}}}, 5 * time.Minute, 0},
		"too many requests, beyond reason":  {fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"999999999"}}}, 24 * time.Hour, 0},
		"too many requests, with no number": {fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"soon"}}}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h.open(t, gitrepo.Options{})
			h.Traffic.SetFault(func(*http.Request) *fault.Fault { return &tt.fault })
			defer h.Traffic.SetFault(nil)
			for i, want := range []int{1, tt.asked} {
				h.Traffic.Reset()
				err := h.repositories.Look(t.Context(), h.place(), func(context.Context, *gitrepo.Look) error { return nil })
				var busy *gitrepo.Busy
				if !errors.As(err, &busy) || busy.RetryAfter > tt.wait || busy.RetryAfter < tt.wait-time.Minute {
					t.Errorf("look %d: %v (%+v), want a pause of %s", i, err, busy, tt.wait)
				}
				if got := h.Traffic.Count(nil); got != want {
					t.Errorf("look %d: %d requests, want %d", i, got, want)
				}
			}
		})
	}
}
