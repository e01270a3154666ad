package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// pin stores freight that pins a commit of the shop's own repository.
func (w *world) pin(commit string) freight.Freight {
	w.t.Helper()
	f := freight.New(shop.String(), "shop", freight.Artifacts{
		Images:  []freight.Image{imageOf(shopImage, "pinned")},
		Commits: []freight.Commit{{RepoURL: shopRepo, ID: commit}},
	}, w.clock.now)
	if _, err := w.people.store.CreateFreight(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestAStageKeepsTheFreightOfItsOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoOrigins, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.images.tags["registry.example.com/base"] = "b1"
	w.refresh("base")
	w.until("both are verified", w.verified("dev", "b1 v1"))
	bill := w.git.waybill(t, "main", "dev")
	var told []string
	for _, f := range bill.Freight {
		told = append(told, f.Origin+" "+f.Summary())
	}
	if diff := cmp.Diff([]string{"base base:b1", "shop shop:v1"}, told); diff != "" {
		t.Errorf("the waybill's freight (-want +got):\n%s", diff)
	}
	w.release("v2")
	w.until("v2 is there too", w.verified("dev", "b1 v2"))
	if bill = w.git.waybill(t, "main", "dev"); bill.Serial != 3 {
		t.Errorf("the third waybill has serial %d", bill.Serial)
	}
}

func TestACommitOfTheApplicationsOwnRepositoryIsRenderedFromAStageBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	first, _ := w.git.tip(shopRepo, "main")
	w.git.push(shopRepo, "main", map[string][]byte{"README": []byte("Later")})
	f := w.pin(first.id)
	w.approve("bob", w.promote("alice", "prod", f.ID).ID)
	w.until("it is verified", w.verified("prod", "pinned"))
	tip, _ := w.git.tip(shopRepo, "env/prod")
	if tip.base != first.id || string(tip.files["README"]) != "The shop" {
		t.Errorf("the branch has the tree of %s", tip.base)
	}
	if got := w.last("prod").Applications[0].Base; got != first.id {
		t.Errorf("the record says that the tree is that of %s", got)
	}
}

func TestACommitOfTheApplicationsOwnRepositoryNeedsAStageBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(prodDocument, "branch: env/prod", ""), application("prod", "prod", "main"))
	first, _ := w.git.tip(shopRepo, "main")
	f := w.pin(first.id)
	p := w.promote("alice", "prod", f.ID)
	w.approve("bob", p.ID)
	w.until("it ends", w.ended(p.ID))
	p = w.promotion(p.ID)
	if p.Phase != promotion.Errored || !strings.Contains(p.Message, "give stage prod a branch of its own (branch: env/prod)") {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
	if n := len(w.git.branches[ref(shopRepo, "main")]); n != 1 {
		t.Error("it was written all the same")
	}
}

func TestAnApplicationThatTracksTheDefaultBranchIsToldToNameIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "HEAD"))
	w.release("v1")
	w.pass(time.Minute)
	p := w.last("dev")
	if p.Phase != promotion.Errored || !strings.Contains(p.Message, "set its targetRevision") {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
}

func TestFreightThatSomebodyDeletedEndsWhatWaitsForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	w.pass(0)
	w.remove(p.Freight)
	w.until("it ends", w.ended(p.ID))
	p = w.promotion(p.ID)
	if p.Reason != promotion.ReasonInvalid || p.Message != "pipeline shop has no freight "+short(p.Freight) {
		t.Errorf("it ended as %s: %s", p.Reason, p.Message)
	}
}
