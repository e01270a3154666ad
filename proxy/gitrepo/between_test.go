package gitrepo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func subjects(b gitrepo.Between) []string {
	var all []string
	for _, c := range b.Commits {
		all = append(all, c.Subject)
	}
	return all
}

func TestCommitsBetweenTwoAreListed(t *testing.T) {
	h := serve(t, shopTree())
	ids := []string{h.head(t, "main")}
	for i := range 4 {
		id, err := h.Commit(t.Context(), "shop", git.Commit{
			Branch: "main", Files: map[string]string{"n": fmt.Sprint(i)}, Message: fmt.Sprintf("Change %d\n\nWith a body.", i),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	between := func(from, to string) gitrepo.Between {
		t.Helper()
		b, err := h.repositories.Between(t.Context(), h.url, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	got := between(ids[1], ids[4])
	if len(got.Commits) != 3 || got.More || got.Backwards || got.Commits[0].Author == "" || got.Commits[0].At.IsZero() {
		t.Errorf("got %+v", got)
	}
	names := subjects(got)
	for _, want := range []string{"Change 1", "Change 2", "Change 3"} {
		if !strings.Contains(strings.Join(names, "\n"), want) {
			t.Errorf("%q is missing in %q", want, names)
		}
	}
	back := between(ids[4], ids[1])
	if diff := cmp.Diff(names, subjects(back)); diff != "" || !back.Backwards {
		t.Errorf("backwards: %v\n%s", back.Backwards, diff)
	}
	if same := between(ids[2], ids[2]); len(same.Commits) != 0 {
		t.Errorf("between a commit and itself: %+v", same)
	}
	if _, err := h.repositories.Between(t.Context(), h.url, ids[0], strings.Repeat("1", 40)); !errors.Is(err, gitrepo.ErrNoRevision) {
		t.Errorf("a commit that is not there: %v", err)
	}
}

func TestALongListOfCommitsIsCut(t *testing.T) {
	h := serve(t, shopTree())
	first := h.head(t, "main")
	tree := h.git(t, "", "rev-parse", "main^{tree}")
	tip := first
	for i := range 150 {
		tip = h.git(t, "", "commit-tree", "-p", tip, "-m", fmt.Sprint(i), tree)
	}
	h.git(t, "", "update-ref", "refs/heads/main", tip)
	h.wire.reset()
	got, err := h.repositories.Between(t.Context(), h.url, first, tip)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Commits) != 100 || !got.More {
		t.Errorf("%d commits, more: %v", len(got.Commits), got.More)
	}
}
