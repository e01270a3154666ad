package gitrepo_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// exported is all that an export wrote: a file's content, "-> " and a link's
// target, "/" for an empty folder.
func (h *host) exported(t *testing.T, revision string, paths ...string) (map[string]string, error) {
	t.Helper()
	above := t.TempDir()
	dir := filepath.Join(above, "in")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	exportErr := h.repositories.Export(t.Context(), h.url, revision, paths, dir)
	found := map[string]string{}
	err := filepath.WalkDir(above, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == above || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "..") {
			t.Errorf("%s was written outside of the folder", name)
		}
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		case entry.IsDir():
			below, err := os.ReadDir(path)
			if len(below) == 0 {
				found[name] = "/"
			}
			return err
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, exportErr
}

// tree commits a tree in the words of git mktree, which checks nothing but the
// form: "100644 file <content>\t<name>".
func (h *host) tree(t *testing.T, lines ...string) string {
	t.Helper()
	return h.git(t, "", "commit-tree", "-m", "hostile", h.subtree(t, lines...))
}

func (h *host) subtree(t *testing.T, lines ...string) string {
	t.Helper()
	var input strings.Builder
	for _, line := range lines {
		head, name, _ := strings.Cut(line, "\t")
		mode, rest, _ := strings.Cut(head, " ")
		kind, content, _ := strings.Cut(rest, " ")
		if kind == "file" {
			kind, content = "blob", h.git(t, content, "hash-object", "-w", "--stdin")
		}
		fmt.Fprintf(&input, "%s %s %s\t%s\x00", mode, kind, content, name)
	}
	return h.git(t, input.String(), "mktree", "-z", "--missing")
}

// publish makes a commit the tip of a branch, so that it is served.
func (h *host) publish(t *testing.T, commit string) string {
	t.Helper()
	h.git(t, "", "update-ref", "refs/heads/hostile", commit)
	return commit
}

func shopTree() map[string]string {
	return map[string]string{
		"apps/shop/kustomization.yaml": "k", "apps/shop/deep/er/x.yaml": "x", "apps/books/b.yaml": "b",
		"base/d.yaml": "d", "README.md": "r",
	}
}

func TestExportWritesWhatPathsName(t *testing.T) {
	h := serve(t, shopTree())
	at := h.head(t, "main")
	for name, tt := range map[string]struct {
		paths []string
		want  map[string]string
	}{
		"the whole tree":     {[]string{"."}, shopTree()},
		"the empty path":     {[]string{"apps/shop", ""}, shopTree()},
		"folders":            {[]string{"base", "apps/shop"}, map[string]string{"apps/shop/kustomization.yaml": "k", "apps/shop/deep/er/x.yaml": "x", "base/d.yaml": "d"}},
		"one below another":  {[]string{"apps/shop/deep", "apps/shop"}, map[string]string{"apps/shop/kustomization.yaml": "k", "apps/shop/deep/er/x.yaml": "x"}},
		"a file":             {[]string{"apps/books/b.yaml"}, map[string]string{"apps/books/b.yaml": "b"}},
		"what is not there":  {[]string{"base", "nothing", "README.md/x"}, map[string]string{"base/d.yaml": "d"}},
		"nothing to be read": {nil, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := h.exported(t, at, tt.paths...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExportKeepsLinksThatStayInside(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "r"})
	deep := h.subtree(t, "120000 file ../base/./d.yaml\td.yaml", "120000 file ..\tup", "100755 file #!\trun")
	base := h.subtree(t, "100644 file d\td.yaml")
	at := h.publish(t, h.tree(t, "040000 tree "+base+"\tbase", "040000 tree "+deep+"\tdeep",
		"160000 commit "+strings.Repeat("a", 40)+"\tsubmodule", "100644 file version https://git-lfs.github.com/spec/v1\tbig.bin"))
	got, err := h.exported(t, at, "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"base/d.yaml": "d", "deep/d.yaml": "-> ../base/./d.yaml", "deep/up": "-> ..", "deep/run": "#!",
		"submodule": "/", "big.bin": "version https://git-lfs.github.com/spec/v1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExportRefusesWhatWouldLeaveTheFolder(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "r"})
	link := func(target string) []string { return []string{"120000 file " + target + "\tlink"} }
	empty := h.subtree(t, "100644 file x\tx")
	for name, lines := range map[string][]string{
		"an absolute link":              link("/etc/passwd"),
		"a link up":                     link("../secrets"),
		"a link down and up":            link("a/../../secrets"),
		"a link through another":        {"120000 file .\td", "120000 file d/..\tlink"},
		"a link with a backslash":       link(`..\secrets`),
		"a link to nothing":             link(""),
		"a link that is long":           link(strings.Repeat("a/", 4000)),
		"the name ..":                   {"040000 tree " + empty + "\t.."},
		"the name .git":                 {"040000 tree " + empty + "\t.git"},
		"the name .GIT":                 {"040000 tree " + empty + "\t.GIT"},
		"a name with a line break":      {"100644 file x\ta\nb"},
		"a name with a backslash":       {"100644 file x\ta\\..\\b"},
		"a name that is no UTF-8":       {"100644 file x\t\xff"},
		"a link and a folder, one name": {"120000 file ..\tdup", "040000 tree " + empty + "\tdup"},
	} {
		t.Run(name, func(t *testing.T) {
			at := h.publish(t, h.tree(t, lines...))
			got, err := h.exported(t, at, "")
			if !errors.Is(err, gitrepo.ErrRefused) {
				t.Errorf("error %v, want it refused; written: %v", err, got)
			}
			for name, content := range got {
				if strings.HasPrefix(content, "-> ") && content != "-> ." {
					t.Errorf("%s was written as %q", name, content)
				}
			}
		})
	}
}

func TestExportIsBounded(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "r"})
	// Each folder holds ten times the one below: ten thousand million files of
	// twelve objects.
	tree := h.subtree(t, "100644 file x\tx")
	for range 10 {
		var lines []string
		for i := range 10 {
			lines = append(lines, fmt.Sprintf("040000 tree %s\t%d", tree, i))
		}
		tree = h.subtree(t, lines...)
	}
	at := h.publish(t, h.git(t, "", "commit-tree", "-m", "bomb", tree))
	_, err := h.exported(t, at, "")
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "manifest-generate-paths") {
		t.Errorf("many files: %v", err)
	}
	zeros := strings.Repeat("\x00", 33<<20)
	var lines []string
	blob := h.git(t, zeros, "hash-object", "-w", "--stdin")
	for i := range 4 {
		lines = append(lines, fmt.Sprintf("100644 blob %s\t%d", blob, i))
	}
	at = h.publish(t, h.tree(t, lines...))
	if _, err = h.exported(t, at, ""); !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "128 MiB") {
		t.Errorf("large files: %v", err)
	}
}

func TestALargeFileIsNeverTaken(t *testing.T) {
	h := serve(t, map[string]string{"README.md": "r"})
	apps := h.subtree(t, "100644 file x\tx.yaml")
	at := h.publish(t, h.tree(t, "040000 tree "+apps+"\tapps", "100644 file "+strings.Repeat("\x00", 64<<20+1)+"\tlarge.bin"))
	got, err := h.exported(t, at, "apps")
	if diff := cmp.Diff(map[string]string{"apps/x.yaml": "x"}, got); err != nil || diff != "" {
		t.Errorf("beside a large file: %v (-want +got):\n%s", err, diff)
	}
	if _, err := h.exported(t, at, ""); !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "large.bin at commit "+at) {
		t.Errorf("a large file: %v", err)
	}
	if _, err := h.repositories.File(t.Context(), h.url, at, "large.bin"); !errors.Is(err, gitrepo.ErrRefused) {
		t.Errorf("a large file alone: %v", err)
	}

	h.git(t, "", "config", "uploadpack.allowFilter", "false")
	h.open(t, gitrepo.Options{})
	if _, err := h.exported(t, at, "apps"); !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "uploadpack.allowFilter") {
		t.Errorf("from a server that sends all: %v", err)
	}
}

func TestPathsOfAnExportStayInside(t *testing.T) {
	h := serve(t, shopTree())
	at := h.head(t, "main")
	for _, path := range []string{"..", "../x", "/etc", "a/../b", ".git", "a//b", "a\x00b"} {
		if _, err := h.exported(t, at, path); !errors.Is(err, gitrepo.ErrRefused) {
			t.Errorf("%q: %v", path, err)
		}
		if _, err := h.repositories.Tree(t.Context(), h.url, at, []string{path}); !errors.Is(err, gitrepo.ErrRefused) {
			t.Errorf("the tree of %q: %v", path, err)
		}
	}
	if _, err := h.exported(t, strings.Repeat("0", 39)+"1", ""); !errors.Is(err, gitrepo.ErrNoRevision) {
		t.Errorf("a commit that is not there: %v", err)
	}
}

func TestATreeIsNamedByWhatItHolds(t *testing.T) {
	h := serve(t, shopTree())
	name := func(revision string, paths ...string) string {
		t.Helper()
		id, err := h.repositories.Tree(t.Context(), h.url, revision, paths)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := h.head(t, "main")
	second := h.push(t, "main", map[string]string{"base/d.yaml": "2"})
	if name(first, "apps") != name(second, "apps") {
		t.Error("a change elsewhere changes the name")
	}
	if name(first, "apps", "base") == name(second, "apps", "base") || name(first, "") == name(second, "") {
		t.Error("a change does not change the name")
	}
	if name(first, "apps/shop") == name(first, "apps/books") || name(first, "apps", "base") != name(first, "base", "apps", "apps/shop") {
		t.Error("the name is not that of the paths")
	}
}

func TestWhatWasExportedBeforeCostsNoRequest(t *testing.T) {
	h := serve(t, shopTree())
	at := h.head(t, "main")
	if _, err := h.exported(t, at, "apps"); err != nil {
		t.Fatal(err)
	}
	h.Traffic.Reset()
	for _, paths := range [][]string{{"apps"}, {"base"}} {
		if _, err := h.exported(t, at, paths...); err != nil {
			t.Fatal(err)
		}
		if _, err := h.repositories.Tree(t.Context(), h.url, at, paths); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.Traffic.Count(nil); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	if tip, err := h.repositories.Tip(t.Context(), h.url, "main"); err != nil || tip != at {
		t.Errorf("the tip is %s, %v", tip, err)
	}
	if diff := cmp.Diff(map[string]int{"GET git-upload-pack": 1}, h.requests()); diff != "" {
		t.Errorf("requests for the tip (-want +got):\n%s", diff)
	}
}

func TestTheTipOfABranchIsTold(t *testing.T) {
	h := serve(t, shopTree())
	stage := h.push(t, "env/prod", map[string]string{"a": "1"})
	main := h.head(t, "main")
	all, err := h.repositories.Branches(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	for branch, want := range map[string]string{"main": main, "": main, "env/prod": stage} {
		if got, err := all.Tip(branch); got != want || err != nil {
			t.Errorf("%q stands at %s, %v, want %s", branch, got, err, want)
		}
	}
	if _, err := all.Tip("gone"); !errors.Is(err, gitrepo.ErrNoRevision) || !errors.Is(err, gitrepo.ErrRefused) {
		t.Errorf("a branch that is not there: %v", err)
	}
	own, other := h.ownChange(nil), h.ownChange(nil)
	other.Base = stage
	for want, c := range map[string]gitrepo.Change{main: own, stage: other} {
		if got, err := all.Start(c); got != want || err != nil {
			t.Errorf("a stage branch starts from %s, %v, want %s", got, err, want)
		}
	}
}

func TestAChangeIsMadeOnTheTipThatItNames(t *testing.T) {
	h := serve(t, shopTree())
	c := h.change(map[string]string{"w.yaml": "1"})
	c.Tip = h.head(t, "main")
	moved := h.push(t, "main", map[string]string{"other": "1"})
	if _, err := h.repositories.Commit(t.Context(), c); !errors.Is(err, gitrepo.ErrMoved) {
		t.Fatalf("on a branch that has moved: %v", err)
	}
	if got := h.head(t, "main"); got != moved {
		t.Fatalf("the branch stands at %s", got)
	}
	h.BeforeNextPush("shop", func() { h.push(t, "main", map[string]string{"other": "2"}) })
	c.Tip = moved
	if _, err := h.repositories.Commit(t.Context(), c); !errors.Is(err, gitrepo.ErrMoved) {
		t.Fatalf("on a branch that moves during the push: %v", err)
	}
	c.Tip = h.head(t, "main")
	done := h.commit(t, c)
	h.push(t, "main", map[string]string{"other": "3"})
	if again := h.commit(t, c); again.Changed || again.Commit == done.Commit {
		t.Errorf("what is there already is made again: %+v", again)
	}
}
