package gitrepo_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestChangeIsOneCommitOnTheTip(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n", "deploy/app.yaml": "replicas: 1\n"})
	tip := h.head(t, "main")
	c := h.change(map[string]string{"deploy/waybill-shop-dev.yaml": "serial: 1\n"})
	c.Message = "Promote 7d3f0c1 to dev\n\nReason: it is time\n\nWaybill-Promotion: forged"
	c.Trailers = []gitrepo.Trailer{{Key: "Waybill-Record", Value: "sha256:ab\ncd"}}
	got := h.commit(t, c)

	log := h.log(t, "main")
	if diff := cmp.Diff(gitrepo.Written{Commit: log[0].ID, Changed: true}, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	want := git.Entry{
		ID: log[0].ID, Parents: []string{tip}, Author: "Waybill <noreply@waybill.dev>", Time: at,
		Message: "Promote 7d3f0c1 to dev\n\nReason: it is time\n\nWaybill-Promotion: forged\n\n" +
			"Waybill-Promotion: p1\nWaybill-Record: sha256:ab cd",
	}
	if diff := cmp.Diff(want, log[0]); diff != "" {
		t.Errorf("commit (-want +got):\n%s", diff)
	}
	h.wantFiles(t, "main", map[string]string{
		"README.md": "shop\n", "deploy/app.yaml": "replicas: 1\n", "deploy/waybill-shop-dev.yaml": "serial: 1\n",
	})
	if trailers := h.git(t, log[0].Message, "interpret-trailers", "--parse"); trailers != "Waybill-Promotion: p1\nWaybill-Record: sha256:ab cd" {
		t.Errorf("Git itself reads the trailers %q", trailers)
	}
}

func TestRepeatedChangeCommitsOnce(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n"})
	c := h.change(map[string]string{"a/b/w.yaml": "1", "w.yaml": "1"})
	first := h.commit(t, c)
	again := h.commit(t, c)
	if diff := cmp.Diff(gitrepo.Written{Commit: first.Commit}, again); diff != "" {
		t.Errorf("second call (-want +got):\n%s", diff)
	}

	// A proxy killed between push and record starts without a copy.
	h.open(t, gitrepo.Options{})
	theirs := h.push(t, "main", map[string]string{"README.md": "changed\n"})
	again = h.commit(t, c)
	if diff := cmp.Diff(gitrepo.Written{Commit: theirs}, again); diff != "" {
		t.Errorf("call after a restart and another's push (-want +got):\n%s", diff)
	}
	if n := len(h.log(t, "main")); n != 3 {
		t.Errorf("%d commits, want 3", n)
	}
}

func TestAnswerLostAfterThePushIsNoSecondCommit(t *testing.T) {
	h := serve(t, nil)
	broken := errors.New("connection reset by peer")
	h.wire.lose = func(req *http.Request) error {
		if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
			return broken
		}
		return nil
	}
	c := h.change(map[string]string{"w.yaml": "1"})
	_, err := h.repositories.Commit(t.Context(), c)
	if err == nil || errors.Is(err, gitrepo.ErrRefused) {
		t.Fatalf("the lost answer is %v, want an error of the moment", err)
	}
	h.wire.lose = nil
	if got := h.commit(t, c); got.Changed || got.Commit != h.head(t, "main") {
		t.Errorf("the repeated call wrote %+v", got)
	}
	if n := len(h.log(t, "main")); n != 2 {
		t.Errorf("%d commits, want 2", n)
	}
}

func TestLostRaceIsMadeAgainOnTheNewTip(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n"})
	var theirs string
	h.BeforeNextPush("shop", func() {
		theirs = h.push(t, "main", map[string]string{"README.md": "theirs\n", "deploy/other.yaml": "1"})
	})
	got := h.commit(t, h.change(map[string]string{"deploy/w.yaml": "1"}))
	log := h.log(t, "main")
	if got.Commit != log[0].ID || !got.Changed {
		t.Errorf("written %+v, the tip is %s", got, log[0].ID)
	}
	if diff := cmp.Diff([]string{theirs}, log[0].Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	h.wantFiles(t, "main", map[string]string{"README.md": "theirs\n", "deploy/other.yaml": "1", "deploy/w.yaml": "1"})
	if n := h.Traffic.Count(pushes); n != 2 {
		t.Errorf("%d pushes, want 2", n)
	}
}

func TestRaceThatIsLostForeverEnds(t *testing.T) {
	h := serve(t, nil)
	h.open(t, gitrepo.Options{Attempts: 3})
	n := 0
	var again func()
	again = func() {
		n++
		h.push(t, "main", map[string]string{"other": fmt.Sprint(n)})
		h.BeforeNextPush("shop", again)
	}
	h.BeforeNextPush("shop", again)
	_, err := h.repositories.Commit(t.Context(), h.change(map[string]string{"w.yaml": "1"}))
	if err == nil || errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "lost against others 3 times") {
		t.Errorf("error %v, want one of the moment that tells of 3 tries", err)
	}
	if n := h.Traffic.Count(pushes); n != 3 {
		t.Errorf("%d pushes, want 3", n)
	}
	for _, entry := range h.log(t, "main") {
		if strings.Contains(entry.Message, "Waybill-Promotion") {
			t.Errorf("commit %s was pushed", entry.ID)
		}
	}
}

func TestConcurrentWritersAllLand(t *testing.T) {
	h := serve(t, nil)
	others, err := gitrepo.New(account{h.User(), h.Password()}, gitrepo.Options{Dir: t.TempDir(), Attempts: 100})
	if err != nil {
		t.Fatal(err)
	}
	h.open(t, gitrepo.Options{Attempts: 100})
	const writers = 6
	want := map[string]string{}
	var wg sync.WaitGroup
	for i := range writers {
		c := h.change(map[string]string{fmt.Sprintf("w%d.yaml", i): fmt.Sprint(i)})
		want[fmt.Sprintf("w%d.yaml", i)] = fmt.Sprint(i)
		r := h.repositories
		if i%2 == 1 {
			r = others
		}
		wg.Go(func() {
			if _, err := r.Commit(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h.wantFiles(t, "main", want)
	if n := len(h.log(t, "main")); n != writers+1 {
		t.Errorf("%d commits, want %d", n, writers+1)
	}
}

func TestModesAndWhatIsNoFileAreKept(t *testing.T) {
	h := serve(t, nil)
	base := h.head(t, "main")
	h.git(t, "commit refs/heads/main\ncommitter Dev <dev@example.com> 1 +0000\ndata 4\nMore\nfrom "+base+"\n"+
		"M 100755 inline deploy/run.sh\ndata 4\nrun\n\n"+
		"M 120000 inline deploy/link\ndata 6\nrun.sh\n"+
		"M 160000 "+base+" deploy/module\n"+
		"M 100755 inline deploy/w.yaml\ndata 1\n0\n"+
		"M 100644 inline deploy-more\ndata 1\n0\n"+
		"M 100644 inline deploy.yaml\ndata 1\n0\n\ndone\n", "fast-import", "--quiet", "--done")
	before := h.git(t, "", "ls-tree", "-r", "main")
	h.commit(t, h.change(map[string]string{"deploy/w.yaml": "1", "deploy/new/w.yaml": "1"}))
	after := h.git(t, "", "ls-tree", "-r", "main")

	one := h.git(t, "", "rev-parse", "main:deploy/w.yaml")
	zero := h.git(t, "", "rev-parse", "main~:deploy/w.yaml")
	want := strings.Replace(before, "100755 blob "+zero+"\tdeploy/w.yaml", "100755 blob "+one+"\tdeploy/w.yaml", 1)
	want = strings.Replace(want, "100755 blob "+h.git(t, "", "rev-parse", "main:deploy/run.sh"),
		"100644 blob "+one+"\tdeploy/new/w.yaml\n100755 blob "+h.git(t, "", "rev-parse", "main:deploy/run.sh"), 1)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(after, "\n")); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	h.git(t, "", "fsck", "--strict", "--no-dangling")

	for path, what := range map[string]string{
		"deploy/link":            "a symbolic link",
		"deploy/link/w.yaml":     "a symbolic link",
		"deploy/module/w.yaml":   "a submodule",
		"deploy/run.sh/x/w.yaml": "a file",
		"deploy/new":             "a folder",
	} {
		_, err := h.repositories.Commit(t.Context(), h.change(map[string]string{path: "1"}))
		if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), what) {
			t.Errorf("writing %s: %v, want a refusal that tells of %s", path, err, what)
		}
	}
}

// random is text that does not compress much.
func random(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

func TestCommitToALargeRepositoryCostsLittle(t *testing.T) {
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("apps/%02d/%d.yaml", i%50, i)] = random(4 << 10)
	}
	h := serve(t, files)
	h.commit(t, h.change(map[string]string{"apps/07/w.yaml": "1"}))
	if diff := cmp.Diff(map[string]int{
		"GET git-receive-pack": 1, "GET git-upload-pack": 1, "POST git-upload-pack": 1, "POST git-receive-pack": 1,
	}, h.requests()); diff != "" {
		t.Errorf("requests of the first commit (-want +got):\n%s", diff)
	}

	h.Traffic.Reset()
	h.wire.reset()
	h.commit(t, h.change(map[string]string{"apps/07/w.yaml": "2"}))
	if diff := cmp.Diff(map[string]int{"GET git-receive-pack": 1, "POST git-receive-pack": 1}, h.requests()); diff != "" {
		t.Errorf("requests of the next commit (-want +got):\n%s", diff)
	}
	const few, some = 4 << 10, 64 << 10 // bytes; the whole is more than 2 MiB
	if h.wire.sent > few || h.wire.received > few {
		t.Errorf("the next commit sent %d and received %d bytes, want less than %d", h.wire.sent, h.wire.received, few)
	}

	h.push(t, "main", map[string]string{"apps/08/8.yaml": "changed"})
	h.wire.reset()
	h.commit(t, h.change(map[string]string{"apps/07/w.yaml": "3"}))
	if h.wire.sent > few || h.wire.received > some {
		t.Errorf("a commit after another's push sent %d and received %d bytes, want less than %d and %d", h.wire.sent, h.wire.received, few, some)
	}

	h.Traffic.Reset()
	h.commit(t, h.change(map[string]string{"apps/07/w.yaml": "3"}))
	if diff := cmp.Diff(map[string]int{"GET git-receive-pack": 1}, h.requests()); diff != "" {
		t.Errorf("requests where nothing changes (-want +got):\n%s", diff)
	}
}
