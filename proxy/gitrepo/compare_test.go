package gitrepo

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

// forest is trees by their IDs.
type forest map[plumbing.Hash][]object.TreeEntry

func (f forest) read(id plumbing.Hash) ([]object.TreeEntry, error) {
	if id.IsZero() {
		return nil, nil
	}
	entries, ok := f[id]
	if !ok {
		return nil, errors.New("no such tree")
	}
	return entries, nil
}

// plant makes the tree of files, by their paths. A file that is in the way of a
// folder is left out.
func (f forest) plant(files map[string]string) plumbing.Hash {
	if len(files) == 0 {
		return plumbing.ZeroHash
	}
	below := map[string]map[string]string{}
	var entries []object.TreeEntry
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if name, rest, deeper := strings.Cut(path, "/"); deeper {
			if below[name] == nil {
				below[name] = map[string]string{}
			}
			below[name][rest] = files[path]
		}
	}
	for path, content := range files {
		if !strings.Contains(path, "/") && below[path] == nil {
			entries = append(entries, object.TreeEntry{Name: path, Mode: filemode.Regular, Hash: sha1.Sum([]byte(content))})
		}
	}
	for name, files := range below {
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: f.plant(files)})
	}
	slices.SortFunc(entries, func(a, b object.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	id := plumbing.Hash(sha1.Sum([]byte(fmt.Sprint(entries))))
	f[id] = entries
	return id
}

// files lists what a tree holds.
func (f forest) files(t *testing.T, id plumbing.Hash, path string, to map[string]string) {
	entries, err := f.read(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Mode == filemode.Dir {
			f.files(t, e.Hash, path+e.Name+"/", to)
		} else {
			to[path+e.Name] = e.Hash.String()
		}
	}
}

// The texts are lists of paths; the content of a file is the path and how often
// it is named.
func FuzzAComparisonFindsWhatDiffers(f *testing.F) {
	f.Add("a b/c b/d/e", "a b/c b/d/f")
	f.Add("a", "a/b")
	f.Add("a/b a/c", "a")
	f.Add("", "x/y/z")
	f.Add("a a b", "a b b")
	f.Fuzz(func(t *testing.T, before, after string) {
		all := forest{}
		plant := func(text string) (plumbing.Hash, map[string]string) {
			files := map[string]string{}
			for _, path := range strings.Fields(text) {
				if path = strings.Trim(path, "/"); path != "" && !strings.Contains(path, "//") {
					files[path] += path
				}
			}
			id, listed := all.plant(files), map[string]string{}
			all.files(t, id, "", listed)
			return id, listed
		}
		old, was := plant(before)
		now, is := plant(after)
		want := map[string]int{}
		for path := range was {
			if is[path] != was[path] {
				want[path] = 1
			}
		}
		for path := range is {
			if is[path] != was[path] {
				want[path] = 1
			}
		}
		got := map[string]int{}
		c := &comparison{most: 100_000, read: all.read, takes: func(path string) bool {
			got[path]++
			return false
		}}
		if found, err := c.folder("", old, now); found || err != nil {
			t.Fatal(found, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("from %q to %q (-want +got):\n%s", before, after, diff)
		}
	})
}

func TestAComparisonEnds(t *testing.T) {
	// Ten folders of ten folders, and so on: more files than there are atoms.
	bomb := func(leaf string) (forest, plumbing.Hash) {
		all := forest{}
		id := all.plant(map[string]string{"file": leaf})
		for range 100 {
			entries := make([]object.TreeEntry, 10)
			for i := range entries {
				entries[i] = object.TreeEntry{Name: fmt.Sprint(i), Mode: filemode.Dir, Hash: id}
			}
			id = sha1.Sum([]byte(id.String()))
			all[id] = entries
		}
		return all, id
	}
	all, id := bomb("1")
	never := &comparison{most: 100_000, read: all.read, takes: func(string) bool { return false }}
	if _, err := never.folder("", plumbing.ZeroHash, id); !errors.Is(err, ErrRefused) {
		t.Errorf("a comparison without end: %v", err)
	}
	seen := 0
	first := &comparison{most: 100_000, read: all.read, takes: func(string) bool { seen++; return true }}
	if found, err := first.folder("", plumbing.ZeroHash, id); !found || err != nil || seen != 1 {
		t.Errorf("what is wanted comes first: %v after %d, %v", found, seen, err)
	}
}
