package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestAnAbortAfterThePushStopsWaitingAndTheStageHoldsTheNewFreight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.argo.asleep = true
	w.release("v2")
	w.pass(time.Second)
	p := w.last("dev")
	w.abort("alice", p.ID)
	w.until("it ends", w.ended(p.ID))
	p = w.promotion(p.ID)
	if p.Phase != promotion.Aborted || p.Reason != promotion.ReasonAborted || p.Message != "aborted by alice: I say so; what was written stays: to undo it, roll back" {
		t.Errorf("it ended as %s, %s: %s", p.Phase, p.Reason, p.Message)
	}
	if got := w.holds("dev"); got != "v2" {
		t.Errorf("the stage holds %s", got)
	}
	if _, passed := w.stage("dev").VerificationOf(p.Freight); passed {
		t.Error("what was aborted counts as verified")
	}
	for _, r := range p.Applications {
		if !r.Phase.Ended() {
			t.Errorf("%s is %s for ever", r.Name, r.Phase)
		}
	}
}

func TestAnAbortDuringThePushDoesNotLoseSightOfThePush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.git.pushed = func() {
		w.git.pushed = func() {}
		w.abort("alice", w.last("dev").ID)
	}
	w.release("v1")
	w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
	checkHistory(t, w, "dev", "v1 Aborted")
	if got := w.holds("dev"); got != "v1" {
		t.Errorf("the waybill of v1 is in Git, and the stage holds %q", got)
	}
	if n := w.argo.started("dev", w.last("dev").ID); n != 0 {
		t.Errorf("after the abort, %d operations were started", n)
	}
	checkChain(t, w, "dev")
}

func TestAnAbortBeforeThePushLeavesTheStageAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.git.refuses = func(gitrepo.Change) error { return errOutage }
	w.release("v1")
	w.pass(time.Minute)
	w.abort("alice", w.last("dev").ID)
	w.until("it ends", w.ended(w.last("dev").ID))
	if got := w.holds("dev"); got != "" {
		t.Errorf("nothing is in Git, and the stage holds %q", got)
	}
}

// talkative waits for very much.
type talkative struct{}

func (talkative) name() string { return "talk" }

func (talkative) run(context.Context, *Situation, *promotion.Promotion) outcomeOf {
	return waiting("%s", strings.Repeat("for an Application; ", 1<<17))
}

// A ConfigMap holds 1 MiB: what is longer could never be written, not even the end.
func TestARecordHoldsNoMoreOfAStepThanPeopleRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.engine.steps = []step{talkative{}}
	w.release("v1")
	w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
	const most = 1200 // bytes
	if p := w.last("dev"); p.Phase != promotion.Failed || len(p.Message) > most || len(p.Steps[0].Message) > most {
		t.Errorf("it is %s, and says %d bytes and %d", p.Phase, len(p.Message), len(p.Steps[0].Message))
	}
}

func TestAStepThatCannotBeDoneNowIsTriedAgainAfterAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	var tries []time.Time
	w.git.refuses = func(gitrepo.Change) error {
		tries = append(tries, w.clock.now)
		if len(tries) > 10 {
			return nil
		}
		// Each try has another sentence, as one that tells ports and times has.
		return fmt.Errorf("%w, try %d", errOutage, len(tries))
	}
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	for i, at := range tries[1:] {
		if pause := at.Sub(tries[i]); pause < afterError {
			t.Errorf("between try %d and the next there were %s", i+1, pause)
		}
	}
	if took := tries[len(tries)-1].Sub(tries[0]); took > time.Minute {
		t.Errorf("ten tries took %s", took)
	}
	checkHistory(t, w, "dev", "v1 Succeeded")
}

// What is left of the pause is told with each try.
func TestAHostThatWantsToBeLeftAloneIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pause time.Duration
		want  string
		tries int
	}{
		"for less time than a promotion has": {time.Minute, "v1 Succeeded", 2},
		"for more":                           {time.Hour, "v1 Failed", 3},
	} {
		w := newWorld(t, devDocument, application("dev", "dev", "main"))
		until, tries := w.clock.now.Add(tt.pause), 0
		w.git.refuses = func(gitrepo.Change) error {
			tries++
			if left := until.Sub(w.clock.now); left > 0 {
				return fmt.Errorf("the host of the repository has enough of requests: %w", &gitrepo.Busy{RetryAfter: left})
			}
			return nil
		}
		w.release("v1")
		w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
		checkHistory(t, w, "dev", tt.want)
		if tries > tt.tries {
			t.Errorf("%s: it was tried %d times", name, tries)
		}
		if took := w.last("dev").FinishedAt.Sub(*w.last("dev").StartedAt); took > promotionTimeout+poll {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

func TestAnAbortNeedNotWaitForThePauseAfterAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.git.refuses = func(gitrepo.Change) error { return errOutage }
	w.release("v1")
	w.pass(0)
	before := w.clock.now
	w.abort("alice", w.last("dev").ID)
	w.until("it ends", w.ended(w.last("dev").ID))
	if took := w.clock.now.Sub(before); took > 0 {
		t.Errorf("it took %s", took)
	}
}

func TestWhatARepositoryRefusesForGoodEndsThePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.git.refuses = func(gitrepo.Change) error { return fmt.Errorf("main is protected: %w", gitrepo.ErrRefused) }
	w.release("v1")
	w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
	p := w.last("dev")
	if p.Phase != promotion.Errored || p.Message != "write-waybill: main is protected: refused" {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
	if took := p.FinishedAt.Sub(*p.StartedAt); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAPromotionThatTakesTooLongFailsWithWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		breaks func(*world)
		want   string
	}{
		"unhealthy": {func(w *world) { w.argo.degraded["dev"] = true }, "argocd-wait: not done within 5m0s: argocd/dev: it is Synced and Degraded"},
		"not rendered": {func(w *world) { w.argo.trouble["dev"] = "rpc error: exit status 1\nlots of text" },
			"argocd-wait: not done within 5m0s: argocd/dev: rpc error: exit status 1"},
		"no sync": {func(w *world) { w.argo.stuck["dev"] = true }, "argocd-wait: not done within 5m0s: argocd/dev: the sync operation runs"},
		"no Git":  {func(w *world) { w.git.refuses = func(gitrepo.Change) error { return errOutage } }, "write-waybill: not done within 5m0s: the host cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, devDocument, application("dev", "dev", "main"))
			test.breaks(w)
			w.release("v1")
			w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
			p := w.last("dev")
			if p.Phase != promotion.Failed || p.Message != test.want {
				t.Errorf("it is %s: %q, want %q", p.Phase, p.Message, test.want)
			}
			if took := p.FinishedAt.Sub(*p.StartedAt); took < promotionTimeout || took > promotionTimeout+5*time.Second {
				t.Errorf("it took %s", took)
			}
			for _, r := range p.Applications {
				if r.Phase != promotion.Failed {
					t.Errorf("%s is %s", r.Name, r.Phase)
				}
			}
		})
	}
}

func TestAStepThatThisVersionDoesNotKnowEndsThePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.pass(time.Second)
	r, err := w.people.Promotion(t.Context(), w.pipeline(), w.last("dev").ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Value.Steps[2].Name = "canary"
	if err := w.people.store.PutPromotion(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	w.until("it ends", w.ended(r.Value.ID))
	if p := w.promotion(r.Value.ID); p.Phase != promotion.Errored || !strings.Contains(p.Message, `no step "canary"`) {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
}

func TestARecordTellsWhoDidWhatAndWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, shopApplications()...)
	w.release("v1")
	w.until("staging is verified", w.verified("staging", "v1"))
	asked := w.promote("alice", "prod", "v1")
	w.approve("bob", asked.ID)
	w.until("prod is verified", w.verified("prod", "v1"))
	p := w.promotion(asked.ID)
	var evidence []string
	for _, e := range p.Evidence {
		evidence = append(evidence, e.Stage+" "+e.Promotion)
	}
	if diff := cmp.Diff([]string{"dev " + w.last("dev").ID, "staging " + w.last("staging").ID}, evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bob"}, p.ApprovedBy()); diff != "" {
		t.Errorf("approved by (-want +got):\n%s", diff)
	}
	for _, s := range p.Steps {
		if s.Phase != promotion.Succeeded || s.StartedAt == nil || s.FinishedAt == nil {
			t.Errorf("step %s is %+v", s.Name, s)
		}
	}
	commits := w.git.commitsOf(shopRepo, "env/prod", p.ID)
	if len(commits) != 1 {
		t.Fatalf("there are %d commits", len(commits))
	}
	for _, want := range []string{"Promote shop:v1 in shop/prod\n", "Asked for by alice.", "Approved by bob.", "Verified in dev, staging.", "Reason: because"} {
		if !strings.Contains(commits[0].message, want) {
			t.Errorf("the commit says %q, not %q", commits[0].message, want)
		}
	}
	if diff := cmp.Diff([]gitrepo.Trailer{{Key: trailerRecord, Value: "none"}}, commits[0].trailers); diff != "" {
		t.Errorf("trailers (-want +got):\n%s", diff)
	}
	w.rollback("alice", "dev", "v1")
	w.pass(time.Minute)
	if !slices.ContainsFunc(w.git.branches[ref(shopRepo, "main")], func(c commit) bool {
		return strings.HasPrefix(c.message, "Roll back to shop:v1 in shop/dev\n") &&
			cmp.Equal(c.trailers, []gitrepo.Trailer{{Key: trailerRecord, Value: w.last("dev").Previous}})
	}) {
		t.Error("no commit tells of the rollback")
	}
}

func TestEndsAreEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.argo.fails["dev"] = "no"
	w.release("v2")
	w.until("v2 ends", func() bool { return len(w.promotions("dev")) == 2 && w.last("dev").Phase.Ended() })
	for _, want := range []string{"Normal PromotionSucceeded: ", "Warning PromotionFailed: "} {
		n := 0
		for _, e := range w.events.all {
			if strings.HasPrefix(e, want) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("there are %d events %q among %q", n, want, w.events.all)
		}
	}
}
