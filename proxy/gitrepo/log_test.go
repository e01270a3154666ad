package gitrepo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// place is the host's repository, for a pipeline of Waybill's own namespace.
func (h *host) place() gitrepo.Place { return gitrepo.Place{RepoURL: h.url, Namespace: "waybill"} }

// look calls f with what the repository holds now.
func (h *host) look(t *testing.T, f func(context.Context, *gitrepo.Look) error) {
	t.Helper()
	if err := h.repositories.Look(t.Context(), h.place(), f); err != nil {
		t.Fatal(err)
	}
}

// newest lists the newest commits of the default branch.
func (h *host) newest(t *testing.T, limit int) []string {
	t.Helper()
	ids, _ := h.newestIn(t, limit)
	return ids
}

// newestIn tells too how often the history was looked at: once, unless it was
// damaged.
func (h *host) newestIn(t *testing.T, limit int) (ids []string, times int) {
	t.Helper()
	h.look(t, func(ctx context.Context, l *gitrepo.Look) error {
		ids = nil
		times++
		_, err := l.Log(ctx, l.Refs.Head, limit, func(c gitrepo.Logged) (bool, error) {
			ids = append(ids, c.ID)
			return len(ids) < limit, nil
		})
		return err
	})
	return ids, times
}

// branchOut makes a history that merges at random, with dates of which many are
// equal and some go backwards.
func (h *host) branchOut(t *testing.T, commits int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	tips := []string{h.head(t, "main")}
	var script strings.Builder
	for i := range commits {
		fmt.Fprintf(&script, "commit refs/heads/main\nmark :%d\ncommitter Dev <dev@example.com> %d +0000\ndata 1\n%c\n",
			i+1, 1_700_000_000+i*20/(1+random.IntN(20)), 'a'+i%26)
		parents := []string{tips[random.IntN(len(tips))]}
		if len(tips) > 1 && random.IntN(2) == 0 {
			if other := tips[random.IntN(len(tips))]; other != parents[0] {
				parents = append(parents, other)
			}
		}
		if i == commits-1 { // which has everything
			parents = tips[max(0, len(tips)-12):]
		}
		for n, p := range parents {
			fmt.Fprintf(&script, "%s %s\n", map[bool]string{true: "from", false: "merge"}[n == 0], p)
		}
		script.WriteString("\n")
		tips = append(tips, fmt.Sprintf(":%d", i+1))
		tips = tips[max(0, len(tips)-12):]
	}
	h.git(t, script.String(), "fast-import", "--quiet", "--force")
}

func TestALogIsInTheOrderOfGitsOwn(t *testing.T) {
	h := serve(t, shopTree())
	h.branchOut(t, 700)
	want := strings.Fields(h.git(t, "", "log", "--format=%H", "main"))
	for _, limit := range []int{1, 20, 33, 200, len(want)} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			h.open(t, gitrepo.Options{})
			if diff := cmp.Diff(want[:limit], h.newest(t, limit)); diff != "" {
				t.Errorf("log (-git +got):\n%s", diff)
			}
		})
	}
	t.Run("from history that is there in part", func(t *testing.T) {
		h.open(t, gitrepo.Options{})
		for _, limit := range []int{1, 400, 50, len(want)} {
			if diff := cmp.Diff(want[:limit], h.newest(t, limit)); diff != "" {
				t.Errorf("log (-git +got):\n%s", diff)
			}
		}
	})
}

// A history grows, is merged with what began long before, and goes back; looks in
// between go as far as they like. What they see is always what git log shows.
func TestALogStaysGitsOwnWhileTheHistoryMoves(t *testing.T) {
	h := serve(t, shopTree())
	random := rand.New(rand.NewPCG(3, 4))
	tips, mark := []string{h.head(t, "main")}, 0
	date := 1_700_000_000
	for round := range 15 {
		var script strings.Builder
		for range 1 + random.IntN(60) {
			mark++
			date += random.IntN(40) - 10
			parent := tips[len(tips)-1]
			if random.IntN(4) == 0 {
				parent = tips[random.IntN(len(tips))]
			}
			fmt.Fprintf(&script, "commit refs/heads/work\nmark :%d\ncommitter Dev <dev@example.com> %d +0000\ndata 1\nx\nfrom %s\n", mark, date, parent)
			if other := tips[random.IntN(len(tips))]; random.IntN(4) == 0 && other != parent {
				fmt.Fprintf(&script, "merge %s\n", other)
			}
			fmt.Fprintf(&script, "M 100644 inline f/%d\ndata 2\n%02d\n\n", random.IntN(200), mark%100)
			tips = append(tips, fmt.Sprintf(":%d", mark))
		}
		for i, tip := range tips { // the last ones, by their names
			if strings.HasPrefix(tip, ":") {
				fmt.Fprintf(&script, "get-mark %s\n", tip)
				tips[i] = ""
			}
		}
		ids := strings.Fields(h.git(t, script.String(), "fast-import", "--quiet", "--force"))
		for i, tip := range tips {
			if tip == "" {
				tips[i], ids = ids[0], ids[1:]
			}
		}
		tip := tips[len(tips)-1]
		if random.IntN(6) == 0 { // back to something else
			tip = tips[random.IntN(len(tips))]
		}
		h.git(t, "", "update-ref", "refs/heads/main", tip)
		want := strings.Fields(h.git(t, "", "log", "--format=%H", "main"))
		limit := min(len(want), 1+random.IntN(1+random.IntN(300)))
		got, times := h.newestIn(t, limit)
		if times != 1 {
			t.Errorf("round %d: the history was damaged", round)
		}
		if diff := cmp.Diff(want[:limit], got); diff != "" {
			t.Fatalf("round %d, %d of %d commits (-git +got):\n%s", round, limit, len(want), diff)
		}
	}
}
