package gitrepo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func (h *host) read(t *testing.T, revision, path string) string {
	t.Helper()
	b, err := h.repositories.File(t.Context(), h.url, revision, path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFileIsReadAtAnyCommit(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1", "deploy/other.yaml": strings.Repeat("x", 1000)})
	first := h.head(t, "main")
	second := h.push(t, "main", map[string]string{"deploy/app.yaml": "2"})
	third := h.push(t, "main", map[string]string{"deploy/app.yaml": "3"})
	for revision, want := range map[string]string{second: "2", first: "1", third: "3"} {
		if got := h.read(t, revision, "deploy/app.yaml"); got != want {
			t.Errorf("at %s it is %q, want %q", revision, got, want)
		}
	}
}

func TestFileThatWasWrittenHereCostsNoRequest(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	written := h.commit(t, h.change(map[string]string{"deploy/w.yaml": "w"}))
	h.Traffic.Reset()
	if got := h.read(t, written.Commit, "deploy/w.yaml"); got != "w" {
		t.Errorf("the file holds %q, want w", got)
	}
	if n := h.Traffic.Count(nil); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	next := h.push(t, "main", map[string]string{"deploy/app.yaml": "2"})
	if got := h.read(t, next, "deploy/w.yaml"); got != "w" {
		t.Errorf("the file holds %q, want w", got)
	}
	if diff := cmp.Diff(map[string]int{"GET git-upload-pack": 1, "POST git-upload-pack": 1}, h.requests()); diff != "" {
		t.Errorf("requests at another's commit (-want +got):\n%s", diff)
	}
	h.Traffic.Reset()
	if got := h.read(t, next, "deploy/app.yaml"); got != "2" {
		t.Errorf("the file holds %q, want 2", got)
	}
	if diff := cmp.Diff(map[string]int{"GET git-upload-pack": 1, "POST git-upload-pack": 1}, h.requests()); diff != "" {
		t.Errorf("requests for another's file (-want +got):\n%s", diff)
	}
}

func TestFileThatIsNotThereIsTold(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	base := h.head(t, "main")
	h.git(t, "commit refs/heads/main\ncommitter Dev <dev@example.com> 1 +0000\ndata 4\nMore\nfrom "+base+"\n"+
		"M 120000 inline link\ndata 15\ndeploy/app.yaml\n\ndone\n", "fast-import", "--quiet", "--done")
	head := h.head(t, "main")
	h.open(t, gitrepo.Options{MaxFile: 1 << 10})
	large := h.push(t, "main", map[string]string{"large": strings.Repeat("x", 1<<10+1)})
	for name, test := range map[string]struct {
		revision, path string
		want           error
		told           string
	}{
		"no such file":        {head, "deploy/w.yaml", gitrepo.ErrNoFile, "has no file deploy/w.yaml at commit " + head},
		"no such folder":      {head, "other/w.yaml", gitrepo.ErrNoFile, "has no file other/w.yaml"},
		"a folder":            {head, "deploy", gitrepo.ErrNoFile, "has a folder, not a file"},
		"a symbolic link":     {head, "link", gitrepo.ErrNoFile, "has a symbolic link, not a file"},
		"through a file":      {head, "deploy/app.yaml/x", gitrepo.ErrNoFile, "leads through a file"},
		"through a link":      {head, "link/x", gitrepo.ErrNoFile, "leads through a symbolic link"},
		"no such commit":      {strings.Repeat("1", 40), "deploy/app.yaml", gitrepo.ErrNoRevision, "has no commit 1111"},
		"a branch's name":     {"main", "deploy/app.yaml", gitrepo.ErrNoRevision, "is not the full ID"},
		"out of the tree":     {head, "../x", gitrepo.ErrRefused, "is not the path of a file"},
		"more than is wanted": {large, "large", gitrepo.ErrRefused, "is larger than 1 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.repositories.File(t.Context(), h.url, test.revision, test.path)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.told) {
				t.Errorf("error %v, want %v that tells %q", err, test.want, test.told)
			}
		})
	}
}

func TestCommitThatNoBranchReachesIsNoRevision(t *testing.T) {
	h := serve(t, map[string]string{"a": "1"})
	gone := h.push(t, "feature", map[string]string{"a": "2"})
	h.git(t, "", "branch", "-D", "feature")
	if _, err := h.repositories.File(t.Context(), h.url, gone, "a"); !errors.Is(err, gitrepo.ErrNoRevision) {
		t.Errorf("error %v, want %v", err, gitrepo.ErrNoRevision)
	}
}

func TestHostThatCannotLeaveFilesOutIsReadToo(t *testing.T) {
	h := serve(t, map[string]string{"a": "1", "b/c": "1"})
	h.git(t, "", "config", "uploadpack.allowFilter", "false")
	written := h.commit(t, h.change(map[string]string{"b/w.yaml": "1"}))
	h.Traffic.Reset()
	if got := h.read(t, written.Commit, "b/c"); got != "1" {
		t.Errorf("the file holds %q, want 1", got)
	}
	if n := h.Traffic.Count(nil); n != 0 {
		t.Errorf("%d requests, want none: all was fetched for the commit", n)
	}
}
