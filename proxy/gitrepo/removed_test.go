package gitrepo_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestWhatIsRemovedIsNotInTheTree(t *testing.T) {
	files := map[string]string{"Chart.yaml": "1", "charts/db-1.tgz": "1", "charts/old/Chart.yaml": "1", "charts/old/t/a.yaml": "1", "only/one": "1", "keep/one": "1"}
	for name, own := range map[string]bool{"a shared branch": false, "a stage branch": true} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, files)
			c := h.change(map[string]string{"Chart.yaml": "2", "charts/db-2.tgz": "2"})
			if own {
				c = h.ownChange(map[string]string{"Chart.yaml": "2", "charts/db-2.tgz": "2"})
			}
			// A folder that nothing is left in goes too, and what is not there is no error.
			c.Removed = []string{"charts/db-1.tgz", "charts/old", "only/one", "never/was"}
			first := h.commit(t, c)
			h.wantFiles(t, c.Branch, map[string]string{"Chart.yaml": "2", "charts/db-2.tgz": "2", "keep/one": "1"})
			h.open(t, gitrepo.Options{})
			if again := h.commit(t, c); again.Changed || again.Commit != first.Commit {
				t.Errorf("a repeated call wrote %+v, want %s as it is", again, first.Commit)
			}
			c.Files, c.Removed = nil, []string{"charts"}
			c.Promotion = "p2"
			if own {
				c.Base = first.Base
			}
			h.commit(t, c)
			if own {
				h.wantFiles(t, c.Branch, map[string]string{"Chart.yaml": "1", "only/one": "1", "keep/one": "1"})
			} else {
				h.wantFiles(t, c.Branch, map[string]string{"Chart.yaml": "2", "keep/one": "1"})
			}
			if out := h.git(t, "", "fsck", "--strict"); out != "" {
				t.Errorf("git fsck says %s", out)
			}
		})
	}
}

func TestWhatIsWrittenIsNotRemovedByTheSameChange(t *testing.T) {
	h := serve(t, nil)
	for _, removed := range []string{"a", "a/b", "a/b/c", "../x", ".git/config", ""} {
		c := h.change(map[string]string{"a/b": "1"})
		c.Removed = []string{removed}
		if _, err := h.repositories.Commit(t.Context(), c); !errors.Is(err, gitrepo.ErrRefused) {
			t.Errorf("removing %q: error %v", removed, err)
		}
	}
}

func TestAChangeStartsWhereItsOwnCommitDid(t *testing.T) {
	h := serve(t, map[string]string{"a": "1"})
	base := h.head(t, "main")
	c := h.ownChange(map[string]string{"w": "1"})
	start := func(c gitrepo.Change) string {
		t.Helper()
		at, err := h.repositories.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if got := start(c); got != base {
		t.Errorf("before the commit it starts at %s, want %s", got, base)
	}
	h.commit(t, c)
	later := h.push(t, "main", map[string]string{"a": "2"})
	h.open(t, gitrepo.Options{})
	if got := start(c); got != base {
		t.Errorf("after the commit it starts at %s, want %s", got, base)
	}
	c.Promotion = "p2"
	if got := start(c); got != later {
		t.Errorf("another promotion starts at %s, want %s", got, later)
	}
	c.Base = base
	if got := start(c); got != base {
		t.Errorf("one with a base starts at %s, want %s", got, base)
	}
}

func TestFilesOfAFolderAreReadByPatterns(t *testing.T) {
	h := serve(t, map[string]string{
		"deploy/charts/a-1.tgz": "a", "deploy/charts/b/Chart.yaml": "b", "deploy/charts/b/values.yaml": "no",
		"deploy/charts/b/charts/c/Chart.yaml": "no", "deploy/charts/d/e/Chart.yaml": "no", "charts/a-1.tgz": "no", "README.md": "no",
	})
	glob := func(folder string, patterns ...string) map[string]string {
		t.Helper()
		found, err := h.repositories.Glob(t.Context(), h.url, h.head(t, "main"), folder, patterns...)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for name, content := range found {
			files[name] = string(content)
		}
		return files
	}
	if diff := cmp.Diff(map[string]string{"a-1.tgz": "a", "b/Chart.yaml": "b"}, glob("deploy/charts", "*.tgz", "*/Chart.yaml")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, folder := range []string{"nothing", "README.md"} {
		if found := glob(folder, "*"); len(found) != 0 {
			t.Errorf("%s holds %v", folder, found)
		}
	}
	if diff := cmp.Diff(map[string]string{"README.md": "no"}, glob(".", "*.md")); diff != "" {
		t.Errorf("files of the root (-want +got):\n%s", diff)
	}
	if _, err := h.repositories.Glob(t.Context(), h.url, h.head(t, "main"), "../x", "*"); !errors.Is(err, gitrepo.ErrRefused) {
		t.Errorf("a path outside: %v", err)
	}
}
