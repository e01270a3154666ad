package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/promotion"
)

func TestAPromotionThatWaitsForAnApprovalDoesNotHoldUpThoseBehindIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	first := w.promote("alice", "prod", "v1")
	w.release("v2")
	w.pass(time.Second)
	second := w.promote("alice", "prod", "v2")
	w.approve("bob", second.ID)
	w.until("v2 is verified", w.verified("prod", "v2"))
	if p := w.promotion(first.ID); p.Phase != promotion.Pending {
		t.Errorf("the first is %s: %s", p.Phase, p.Message)
	}
	w.approve("bob", first.ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
}

func TestRollbacksGoFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	for _, tag := range []string{"v1", "v2"} {
		w.release(tag)
		w.until(tag+" is verified", w.verified("dev", tag))
	}
	w.argo.asleep = true
	running := w.promote("alice", "dev", "v2")
	w.pass(time.Second)
	second := w.promote("alice", "dev", "v2")
	w.pass(time.Second)
	rollback := w.rollback("alice", "dev", "v1")
	w.pass(time.Second)
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("all have ended", func() bool {
		return w.ended(running.ID)() && w.ended(rollback.ID)() && w.ended(second.ID)()
	})
	if a, b, c := w.promotion(running.ID).Serial, w.promotion(rollback.ID).Serial, w.promotion(second.ID).Serial; a >= b || b >= c {
		t.Errorf("their serials are %d, %d for the rollback and %d", a, b, c)
	}
}

func TestOneOnlyRunsInAStage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.pass(time.Second)
	second := w.promote("alice", "dev", "v1")
	w.pass(time.Minute)
	if p := w.promotion(second.ID); p.Phase != promotion.Pending {
		t.Errorf("the second is %s", p.Phase)
	}
}

func TestAChangedDocumentEndsWhatMayNotBeAskedForAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	w.rewrite(with(prodDocument, "origin: shop", "origin: base", "stages:", baseWarehouse+"stages:"))
	w.until("it ends", w.ended(p.ID))
	p = w.promotion(p.ID)
	const want = "stage prod does not request freight of warehouse shop: name it in the stage's requestedFreight"
	if p.Phase != promotion.Aborted || p.Reason != promotion.ReasonInvalid || p.Message != want {
		t.Errorf("it ended as %s, %s: %q, want %q", p.Phase, p.Reason, p.Message, want)
	}
}

func TestAPromotionIsJudgedByTheDocumentThatItStartsUnder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	w.approve("bob", p.ID)
	// The proxy dies when it has given the stage to the promotion; while it is
	// down, the document comes to want a second approval.
	w.breaks = func(what string) fault {
		if strings.HasSuffix(what, "stage.prod") {
			return killedAfter
		}
		return none
	}
	w.killed = func() {
		w.breaks = func(string) fault { return none }
		w.rewrite(with(prodDocument, "required: 1", "required: 2"))
		if _, err := w.people.accept(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(time.Minute)
	if got := w.promotion(p.ID); got.Phase != promotion.Pending || w.stage("prod").Running != "" {
		t.Fatalf("with one approval of two it is %s", got.Phase)
	}
	w.approve("carol", p.ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	if got, want := w.promotion(p.ID).Document, w.pipeline().Hash; got != want {
		t.Errorf("it was judged by document %s, want %s", got, want)
	}
}

func TestWhatIsWithdrawnBeforeItsFirstStepHasNeverRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	w.approve("bob", p.ID)
	w.breaks = func(what string) fault {
		if strings.HasSuffix(what, "stage.prod") {
			w.abort("alice", p.ID)
			w.breaks = func(string) fault { return none }
		}
		return none
	}
	w.until("it ends", w.ended(p.ID))
	p = w.promotion(p.ID)
	if p.Reason != promotion.ReasonWithdrawn || p.StartedAt != nil {
		t.Errorf("it ended as %s, started at %v: %s", p.Reason, p.StartedAt, p.Message)
	}
	if len(w.git.branches[ref(shopRepo, "env/prod")]) > 0 {
		t.Error("its waybill was written")
	}
	checkChain(t, w, "prod")
}

func TestAStageWhosePromotionSomebodyDeletedIsFreeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.pass(time.Second)
	w.remove(w.stage("dev").Running)
	w.argo.asleep = false
	w.release("v2")
	w.until("v2 is verified", w.verified("dev", "v2"))
}

func TestAStagesRecordThatSomebodyDeletedComesBackFromItsPromotions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	for _, tag := range []string{"v1", "v2"} {
		w.release(tag)
		w.until(tag+" is verified", w.verified("dev", tag))
	}
	w.argo.asleep = true
	w.release("v3")
	w.pass(time.Second)
	before := w.stage("dev")
	w.remove("waybill.shop.stage.dev")
	w.pass(time.Second)
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("v3 is verified", w.verified("dev", "v3"))
	checkHistory(t, w, "dev", "v1 Succeeded", "v2 Succeeded", "v3 Succeeded")
	checkChain(t, w, "dev")
	if after := w.stage("dev"); after.Serial != before.Serial || len(after.Verified) != 3 {
		t.Errorf("its serial was %d and is %d, it verified %d", before.Serial, after.Serial, len(after.Verified))
	}
}
