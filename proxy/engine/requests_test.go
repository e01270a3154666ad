package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/promotion"
)

func TestTheSameKeyByTheSamePersonIsOnePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	ask := Ask{By: "alice", Freight: "v1", Key: "k"}
	first := w.ask("prod", ask)
	again, created, err := w.people.Promote(t.Context(), w.pipeline(), "prod", ask)
	if err != nil || created || again.ID != first.ID {
		t.Errorf("repeated, it is %s, created %v, %v", again.ID, created, err)
	}
	if other := w.ask("prod", Ask{By: "bob", Freight: "v1", Key: "k"}); other.ID == first.ID {
		t.Error("another person's is the same promotion")
	}
	if other := w.ask("prod", Ask{By: "alice", Freight: "v1", Key: "l"}); other.ID == first.ID {
		t.Error("another key's is the same promotion")
	}
	if a, b := w.promote("alice", "prod", "v1"), w.promote("alice", "prod", "v1"); a.ID == b.ID {
		t.Error("without a key, two requests are one promotion")
	}
}

func TestAKeyIsNotUsedForTwoThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	for _, tag := range []string{"v1", "v2"} {
		w.release(tag)
		w.until(tag+" is verified", w.verified("dev", tag))
	}
	w.ask("dev", Ask{By: "alice", Freight: "v1", Key: "k", Reason: "r"})
	for name, ask := range map[string]Ask{
		"other freight": {By: "alice", Freight: "v2", Key: "k"},
		"a rollback":    {By: "alice", Freight: "v1", Key: "k", Rollback: true, Reason: "r"},
	} {
		if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "dev", ask); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "choose another") {
			t.Errorf("%s with the same key: %v", name, err)
		}
	}
}

func TestARepeatedRequestIsAnsweredWhateverHasBecomeTrueSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	for _, tag := range []string{"v1", "v2"} {
		w.release(tag)
		w.until(tag+" is verified", w.verified("dev", tag))
	}
	ask := Ask{By: "alice", Rollback: true, Reason: "it is broken", Key: "k"}
	first := w.ask("dev", ask)
	w.until("v1 is back", w.verified("dev", "v1"))
	again, created, err := w.people.Promote(t.Context(), w.pipeline(), "dev", ask)
	if err != nil || created || again.ID != first.ID {
		t.Errorf("repeated, it is %q, created %v: %v", again.ID, created, err)
	}
}

func TestARefusedRequestStoresNothingAndTellsTheVerdict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, shopApplications()...)
	w.argo.stuck["staging"] = true
	w.release("v1")
	w.pass(time.Minute)
	_, _, err := w.people.Promote(t.Context(), w.pipeline(), "prod", Ask{By: "alice", Freight: "v1"})
	var refused *Refused
	if !errors.As(err, &refused) || refused.Verdict.Allowed || !strings.Contains(err.Error(), "is not verified in staging") {
		t.Errorf("it says %v", err)
	}
	checkHistory(t, w, "prod")
	for name, ask := range map[string]Ask{
		"a key that is too long":        {By: "alice", Freight: "v1", Key: strings.Repeat("k", maxKey+1)},
		"a rollback without a reason":   {By: "alice", Freight: "v1", Rollback: true},
		"a reason that is spaces alone": {By: "alice", Freight: "v1", Rollback: true, Reason: " \n"},
	} {
		if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "dev", ask); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, ask := range map[string]Ask{
		"freight that there is not":              {By: "alice", Freight: "v9"},
		"a rollback of a stage without a before": {By: "alice", Rollback: true, Reason: "r"},
	} {
		if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "prod", ask); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "qa", Ask{By: "alice", Freight: "v1"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stage that there is not: %v", err)
	}
}

func TestARollbackGoesToWhatTheStageVerifiedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.argo.fails["dev"] = "no"
	w.release("v2")
	w.until("v2 fails", func() bool { return len(w.promotions("dev")) == 2 && w.last("dev").Phase.Ended() })
	delete(w.argo.fails, "dev")
	w.release("v3")
	w.until("v3 is verified", w.verified("dev", "v3"))
	w.ask("dev", Ask{By: "alice", Rollback: true, Reason: "it is broken"})
	w.until("v1, which passed, is back", w.verified("dev", "v1"))
}

func TestADecisionIsMadeAgainWhenTheRecordChangesUnderIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	races := 0
	link := newLink(w, w.seen, func(string) fault {
		races++
		if races < attempts {
			return overtaken
		}
		return none
	})
	if _, err := w.replica(link).Approve(t.Context(), w.pipeline(), p.ID, w.decision("bob")); err != nil {
		t.Fatal(err)
	}
	if got := w.promotion(p.ID).Approvals; len(got) != 1 || got[0].By != "bob" {
		t.Errorf("approvals: %+v", got)
	}
}

// Half of all requests reach the replica that does not run the loops, and does not
// see at once what those write.
func TestADecisionIsTakenByAReplicaWhoseInformersTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.argo.stuck["prod"] = true
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	trails := w.replica(newLink(w, newInformer(t, w.seen.all()), func(string) fault { return none }))
	w.approve("bob", p.ID)
	w.until("it runs", func() bool { return w.promotion(p.ID).Phase == promotion.Running })
	if _, err := trails.Abort(t.Context(), w.pipeline(), p.ID, w.decision("alice")); err != nil {
		t.Fatal(err)
	}
	w.until("it ends", w.ended(p.ID))
	checkHistory(t, w, "prod", "v1 Aborted")
}

func TestPromotionsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	for range maxOpen {
		if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "prod", Ask{By: "alice", Freight: "v1"}); err != nil {
			t.Fatal(err)
		}
	}
	one := Ask{By: "alice", Freight: "v1", Key: "k"}
	if _, _, err := w.people.Promote(t.Context(), w.pipeline(), "prod", one); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	w.abort("alice", w.last("prod").ID)
	w.pass(0)
	w.ask("prod", one)
	again, created, err := w.people.Promote(t.Context(), w.pipeline(), "prod", one)
	if err != nil || created || again.Phase != promotion.Pending {
		t.Errorf("the last one, asked for again: %+v, created %v, %v", again, created, err)
	}
}

func TestAnApprovalThatDoesNotCountIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	if _, err := w.people.Approve(t.Context(), w.pipeline(), p.ID, w.decision("alice")); !errors.Is(err, promotion.ErrPromoter) {
		t.Errorf("the promoter's own: %v", err)
	}
	if _, err := w.people.Approve(t.Context(), w.pipeline(), "shop-prod-0", w.decision("bob")); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	w.pass(time.Minute)
	if got := w.promotion(p.ID).Phase; got != promotion.Pending {
		t.Errorf("it is %s", got)
	}
}
