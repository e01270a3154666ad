package gitrepo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestWhatIsThereIsReplacedOnlyWhereTheChangeAdmitsIt(t *testing.T) {
	h := serve(t, map[string]string{"a.yaml": "serial: 7\n", "same.yaml": "same\n"})
	before := h.head(t, "main")
	var asked []string
	errLater := errors.New("there is a later one")
	c := h.change(map[string]string{"a.yaml": "serial: 6\n", "same.yaml": "same\n", "new.yaml": "new\n"})
	c.Admits = func(path string, present []byte) error {
		asked = append(asked, path+" "+string(present))
		return errLater
	}
	if _, err := h.repositories.Commit(t.Context(), c); !errors.Is(err, errLater) {
		t.Errorf("error %v, want that of the change", err)
	}
	if diff := cmp.Diff([]string{"a.yaml serial: 7\n"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if now := h.head(t, "main"); now != before || h.Traffic.Count(pushes) != 0 {
		t.Error("it was pushed all the same")
	}

	c.Admits = func(string, []byte) error { return nil }
	h.commit(t, c)
	h.wantFiles(t, "main", map[string]string{"a.yaml": "serial: 6\n", "same.yaml": "same\n", "new.yaml": "new\n"})
}

func TestALostRaceIsAskedAboutAgain(t *testing.T) {
	h := serve(t, map[string]string{"a.yaml": "serial: 1\n"})
	h.BeforeNextPush("shop", func() { h.push(t, "main", map[string]string{"a.yaml": "serial: 9\n"}) })
	c := h.change(map[string]string{"a.yaml": "serial: 2\n"})
	errLater := errors.New("there is a later one")
	c.Admits = func(_ string, present []byte) error {
		if strings.Contains(string(present), "9") {
			return errLater
		}
		return nil
	}
	if _, err := h.repositories.Commit(t.Context(), c); !errors.Is(err, errLater) {
		t.Errorf("error %v, want that of the change", err)
	}
	h.wantFiles(t, "main", map[string]string{"a.yaml": "serial: 9\n"})
}

func TestWhatThisProcessWroteIsKnownWithoutAFetch(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n"})
	c := h.change(map[string]string{"a.yaml": "serial: 1\n"})
	c.Admits = func(string, []byte) error { return nil }
	h.commit(t, c)
	fetches := h.requests()["POST git-upload-pack"]
	if fetches == 0 {
		t.Fatal("fetches are not counted")
	}
	next := h.change(map[string]string{"a.yaml": "serial: 2\n"})
	next.Admits, next.Promotion = c.Admits, "p2"
	h.commit(t, next)
	if now := h.requests()["POST git-upload-pack"]; now != fetches {
		t.Errorf("%d fetches, want none", now-fetches)
	}
}

func TestAStageBranchBelongsToOneStage(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n"})
	c := h.ownChange(map[string]string{"a.yaml": "1"})
	c.Owner = "shop/prod"
	h.commit(t, c)
	head := h.head(t, c.Branch)

	other := h.ownChange(map[string]string{"b.yaml": "1"})
	other.Owner, other.Promotion = "blog/prod", "p2"
	_, err := h.repositories.Commit(t.Context(), other)
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "belongs to stage shop/prod") {
		t.Errorf("error %v, want a refusal that names the owner", err)
	}
	if now := h.head(t, c.Branch); now != head {
		t.Errorf("%s moved from %s to %s", c.Branch, head, now)
	}

	if !strings.Contains(err.Error(), "push a commit of your own") {
		t.Errorf("error %v does not tell the way out of a stage that is gone", err)
	}

	c.Files, c.Promotion = map[string][]byte{"a.yaml": []byte("2")}, "p3"
	if got := h.commit(t, c); !got.Changed {
		t.Error("its own stage cannot write there any more")
	}
}

func TestACommitOfAPersonsFreesAStageBranch(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "shop\n"})
	c := h.ownChange(map[string]string{"a.yaml": "1"})
	c.Owner = "shop/prod"
	h.commit(t, c)
	h.push(t, c.Branch, map[string]string{"NOTES": "prod is called production now"})
	renamed := h.ownChange(map[string]string{"a.yaml": "2"})
	renamed.Owner, renamed.Promotion = "shop/production", "p2"
	if got := h.commit(t, renamed); !got.Changed {
		t.Error("the renamed stage cannot write to its branch")
	}
}

func TestOnlyWhatIsJudgedIsAskedAbout(t *testing.T) {
	h := serve(t, map[string]string{"a.yaml": "serial: 7\n", "charts/db.tgz": "old"})
	c := h.change(map[string]string{"a.yaml": "serial: 8\n", "charts/db.tgz": "new"})
	var asked []string
	c.Judged, c.Admits = []string{"a.yaml"}, func(path string, _ []byte) error {
		asked = append(asked, path)
		return nil
	}
	h.commit(t, c)
	if diff := cmp.Diff([]string{"a.yaml"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
