package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
)

// waitingDocument has one stage that promotes by itself, and waits for an
// approval.
var waitingDocument = with(prodDocument, "branch: env/prod", "autoPromotion: true")

func checkHistory(t *testing.T, w *world, stage string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.history(stage)); diff != "" {
		t.Errorf("promotions of %s (-want +got):\n%s\n%s", stage, diff, w.describe())
	}
}

func TestANewerCandidateSupersedesTheAutomaticPromotionThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, waitingDocument, application("prod", "prod", "main"))
	w.release("v1")
	w.pass(time.Second)
	w.release("v2")
	w.pass(time.Second)
	checkHistory(t, w, "prod", "v1 Superseded", "v2 Pending")
	old := w.promotions("prod")[0]
	if !strings.Contains(old.Message, short(w.last("prod").Freight)+" is the candidate now") {
		t.Errorf("it says %q", old.Message)
	}
	if n := len(w.git.branches[ref(shopRepo, "main")]); n != 1 {
		t.Errorf("there are %d commits", n)
	}
}

func TestANewerCandidateWaitsForThePromotionThatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	for _, tag := range []string{"v1", "v2", "v3"} {
		w.release(tag)
		w.pass(10 * time.Second)
	}
	checkHistory(t, w, "dev", "v1 Running", "v2 Superseded", "v3 Pending")
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("v3 is verified", w.verified("dev", "v3"))
	checkHistory(t, w, "dev", "v1 Succeeded", "v2 Superseded", "v3 Succeeded")
}

func TestAPersonsChoiceAgainstTheCandidateHoldsUntilTheCandidateIsPromoted(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(w *world){
		"promoted":    func(w *world) { w.promote("alice", "dev", "v1") },
		"rolled back": func(w *world) { w.rollback("alice", "dev", "v1") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, devDocument, application("dev", "dev", "main"))
			w.release("v1")
			w.until("v1 is verified", w.verified("dev", "v1"))
			w.release("v2")
			w.until("v2 is verified", w.verified("dev", "v2"))
			ask(w)
			w.until("v1 is back", w.verified("dev", "v1"))
			w.release("v3")
			w.pass(time.Hour)
			checkHistory(t, w, "dev", "v1 Succeeded", "v2 Succeeded", "v1 Succeeded")
			if holds := w.stage("dev").Holds; len(holds) != 1 || holds[0].By != "alice" {
				t.Errorf("holds: %+v", holds)
			}
			w.promote("bob", "dev", "v3")
			w.until("v3 is verified", w.verified("dev", "v3"))
			w.release("v4")
			w.until("v4 is verified", w.verified("dev", "v4"))
		})
	}
}

func TestARollbackIsNotUndoneByAnAutomaticPromotionThatWaitedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.argo.asleep = true
	w.release("v2")
	w.pass(time.Second)
	w.release("v3")
	w.pass(time.Second)
	checkHistory(t, w, "dev", "v1 Succeeded", "v2 Running", "v3 Pending")
	back := w.rollback("alice", "dev", "v1")
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("the rollback has ended", w.ended(back.ID))
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Succeeded", "v2 Succeeded", "v3 Aborted", "v1 Succeeded")
	w.promote("alice", "dev", "v3")
	w.until("the candidate is verified", w.verified("dev", "v3"))
}

func TestAutomationAsksAgainForACandidateThatComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, waitingDocument, application("prod", "prod", "main"))
	for _, tag := range []string{"v1", "v2", "v1"} {
		w.release(tag)
		w.pass(time.Second)
	}
	checkHistory(t, w, "prod", "v1 Superseded", "v2 Superseded", "v1 Pending")
	w.pass(time.Hour)
	checkHistory(t, w, "prod", "v1 Superseded", "v2 Superseded", "v1 Pending")
}

func TestAVersionThatIsWithdrawnFromTheRegistryDoesNotWaitOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, waitingDocument, application("prod", "prod", "main"))
	w.release("v1")
	w.pass(time.Second)
	w.approve("bob", w.last("prod").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	w.release("v2")
	w.pass(time.Second)
	w.release("v1")
	w.pass(time.Second)
	checkHistory(t, w, "prod", "v1 Succeeded", "v2 Superseded")
}

func TestAutomationDoesNotTryAgainWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.fails["dev"] = "the Deployment is invalid\nand more"
	w.release("v1")
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Failed")
	if got, want := w.last("dev").Message, "argocd-wait: argocd/dev: the sync failed: the Deployment is invalid"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	delete(w.argo.fails, "dev")
	w.promote("alice", "dev", "v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.release("v2")
	w.until("v2 is verified", w.verified("dev", "v2"))
}

func TestAutomationDoesNotAskAgainForWhatAPersonRefused(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(*world, string) error{
		"rejected": func(w *world, id string) error {
			_, err := w.people.Reject(w.t.Context(), w.pipeline(), id, w.decision("bob"))
			return err
		},
		"withdrawn": func(w *world, id string) error {
			_, err := w.people.Abort(w.t.Context(), w.pipeline(), id, w.decision("bob"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, waitingDocument, application("prod", "prod", "main"))
			w.release("v1")
			w.pass(time.Second)
			if err := refuse(w, w.last("prod").ID); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Hour)
			checkHistory(t, w, "prod", "v1 Aborted")
			if got, want := w.last("prod").Message, name+" by bob: I say so"; got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
			w.release("v2")
			w.pass(time.Second)
			checkHistory(t, w, "prod", "v1 Aborted", "v2 Pending")
		})
	}
}

func TestTwoOriginsThatFailDoNotTakeTurnsForever(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoOrigins, application("dev", "dev", "main"))
	w.argo.fails["dev"] = "no"
	w.images.tags["registry.example.com/base"] = "b1"
	w.refresh("base")
	w.release("v1")
	w.pass(6 * time.Hour)
	if n := len(w.promotions("dev")); n != 2 {
		t.Errorf("there are %d promotions: %v", n, w.history("dev"))
	}
}

func TestSwitchingAutomationOffEndsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, waitingDocument, application("prod", "prod", "main"))
	w.release("v1")
	w.pass(time.Second)
	w.rewrite(with(waitingDocument, "autoPromotion: true", "autoPromotion: false"))
	w.pass(time.Second)
	checkHistory(t, w, "prod", "v1 Aborted")
	if p := w.last("prod"); p.Reason != promotion.ReasonInvalid || p.Message != "stage prod does not promote by itself any more" {
		t.Errorf("it ended as %s: %s", p.Reason, p.Message)
	}
	w.rewrite(waitingDocument)
	w.pass(time.Second)
	checkHistory(t, w, "prod", "v1 Aborted", "v1 Pending")
}

func TestFreightIsPromotedAsSoonAsItHasSoaked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(shopDocument, "sources: {stages: [dev]}", "sources: {stages: [dev], requiredSoakTime: 10m}"), shopApplications()...)
	w.release("v1")
	w.until("dev is verified", w.verified("dev", "v1"))
	verified := w.clock.now
	w.until("staging is asked for", func() bool { return len(w.promotions("staging")) == 1 })
	if soaked := w.clock.now.Sub(verified); soaked < 10*time.Minute-time.Second || soaked > 10*time.Minute+time.Second {
		t.Errorf("it was asked for after %s", soaked)
	}
}
