package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestAPromotionIsAskedForByTheCaller(t *testing.T) {
	w := newWorld(t)
	got := w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0", Reason: "  release  "})
	if got.Request.By != "alice" || got.Request.Reason != "release" || got.Request.Automatic || got.Request.Rollback || !got.Request.At.Equal(noon) {
		t.Errorf("request %+v", got.Request)
	}
	if got.Phase != promotion.Pending || got.Pipeline != "waybill/shop" || got.Stage != "dev" || got.Origin != "shop" || got.Freight != w.new.ID || got.Summary != "shop:v1.2.0" {
		t.Errorf("promotion %+v", got)
	}
	if diff := cmp.Diff([]string{"create " + got.ID}, w.writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	stored, err := w.store.Promotion(t.Context(), shop, got.ID)
	w.must(err)
	if diff := cmp.Diff(got.Promotion, stored.Value); diff != "" {
		t.Errorf("stored (-answered +stored):\n%s", diff)
	}
}

func TestTheSameKeyByTheSamePersonIsOnePromotion(t *testing.T) {
	w := newWorld(t)
	keyed := promoteTo("dev", "shop-dev")
	keyed.body = v1.Promote{Freight: "v1.2.0", Key: "build 7"}
	first := ask[v1.Promotion](w, http.StatusCreated, keyed)
	w.writes = nil
	again := ask[v1.Promotion](w, http.StatusOK, keyed)
	if diff := cmp.Diff(first, again); diff != "" || len(w.writes) > 0 {
		t.Errorf("wrote %q, again (-first +again):\n%s", w.writes, diff)
	}
	other := keyed
	other.user = "admin"
	if got := ask[v1.Promotion](w, http.StatusCreated, other); got.ID == first.ID {
		t.Error("another person's key is the same promotion")
	}
	keyed.body = v1.Promote{Freight: "v1.1.0", Key: "build 7"}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "the key was used for freight "+w.new.ID[:7]+" before: choose another", keyed)
	// Without a key, each request is one of its own.
	if one, two := w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.0.0"}), w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.0.0"}); one.ID == two.ID {
		t.Error("two requests without a key are one promotion")
	}
}

func TestFreightThatIsNotEligibleIsRefusedWithItsVerdict(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old)
	p := w.refused(http.StatusConflict, v1.ProblemIneligible, "is not verified in dev: promote it to dev first", promoteTo("prod", "shop-prod"))
	if p.Verdict == nil || p.Verdict.Allowed || p.Verdict.Freight != w.new.ID || p.Verdict.Stage != "prod" || len(p.Verdict.Gates) == 0 {
		t.Errorf("verdict %+v", p.Verdict)
	}
	if all := ask[v1.PromotionPage](w, http.StatusOK, call{path: "/pipelines/shop/promotions"}).Items; len(all) > 0 {
		t.Errorf("it is recorded all the same: %+v", all)
	}
}

func TestARequestForAPromotionThatCannotBeUnderstood(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		body   any
		status int
		kind   string
		tells  string
	}{
		"no body":          {nil, 400, v1.ProblemInvalid, "freight is missing: name an ID"},
		"no freight":       {v1.Promote{}, 400, v1.ProblemInvalid, "freight is missing"},
		"unknown freight":  {v1.Promote{Freight: "v9"}, 404, v1.ProblemNotFound, `there is no freight "v9"`},
		"too short an ID":  {v1.Promote{Freight: w.new.ID[:3]}, 404, v1.ProblemNotFound, "there is no freight"},
		"too long a key":   {v1.Promote{Freight: "v1.2.0", Key: strings.Repeat("k", 129)}, 400, v1.ProblemInvalid, "the key is longer than 128 bytes"},
		"an unknown field": {`{"freight": "v1.2.0", "force": true}`, 400, v1.ProblemInvalid, `the body cannot be read: unknown field "force"`},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			c := promoteTo("dev", "shop-dev")
			c.body = test.body
			w.refused(test.status, test.kind, test.tells, c)
		})
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestApprovalsAreCountedPerPersonAndNotThePromoters(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	w.refused(http.StatusForbidden, v1.ProblemPromoter, "alice asked for this promotion, and stage prod wants approvals by somebody else (approval.notBy: promoter)", w.decide("approve", p.ID, "alice"))

	one := ask[v1.Promotion](w, http.StatusOK, w.decide("approve", p.ID, "bob"))
	if diff := cmp.Diff([]promotion.Decision{{By: "bob", At: noon, Comment: "because"}}, one.Approvals); diff != "" || !strings.HasPrefix(one.Waiting, "approval 1 of 2") {
		t.Errorf("waiting %q, approvals (-want +got):\n%s", one.Waiting, diff)
	}
	w.writes = nil
	w.refused(http.StatusConflict, v1.ProblemConflict, "bob approved this promotion at 2026-03-14T12:00:00Z, and each person counts once", w.decide("approve", p.ID, "bob"))
	if len(w.writes) > 0 {
		t.Errorf("a refused approval wrote %q", w.writes)
	}
	without := w.decide("approve", p.ID, "carol")
	without.body = nil
	two := ask[v1.Promotion](w, http.StatusOK, without)
	if two.Waiting != "" || two.Verdict == nil || !two.Verdict.Ready || !cmp.Equal(two.ApprovedBy(), []string{"bob", "carol"}) {
		t.Errorf("approved %+v", two)
	}
}

func TestAPromotionThatNeedsNoApprovalTakesNone(t *testing.T) {
	w := newWorld(t)
	p := w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0"})
	c := w.decide("approve", p.ID, "bob")
	c.app = "shop-dev"
	w.refused(http.StatusConflict, v1.ProblemConflict, "needs no approval", c)
}

func TestARejectionEndsAPromotionThatWaits(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	got := ask[v1.Promotion](w, http.StatusOK, w.decide("reject", p.ID, "bob"))
	if got.Rejection == nil || got.Rejection.By != "bob" || got.Rejection.Comment != "because" || got.Verdict != nil {
		t.Errorf("got %+v", got)
	}
	for _, action := range []string{"approve", "reject", "abort"} {
		w.refused(http.StatusConflict, v1.ProblemConflict, "has ended, as Aborted", w.decide(action, p.ID, "carol"))
	}
}

func TestAnAbortEndsAPromotionThatWaitsOrRuns(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	for name, runs := range map[string]bool{"waits": false, "runs": true} {
		p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
		if runs {
			w.run(p.ID)
			w.refused(http.StatusConflict, v1.ProblemConflict, "runs already", w.decide("approve", p.ID, "bob"))
			w.refused(http.StatusConflict, v1.ProblemConflict, "runs already", w.decide("reject", p.ID, "bob"))
		}
		got := ask[v1.Promotion](w, http.StatusOK, w.decide("abort", p.ID, "carol"))
		if got.Abort == nil || got.Abort.By != "carol" || got.Phase.Ended() {
			t.Errorf("%s: %+v", name, got)
		}
		w.refused(http.StatusConflict, v1.ProblemConflict, "has ended, as Aborted", w.decide("abort", p.ID, "carol"))
	}
}

func TestAPromotionThatEndedTakesNoDecision(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	r, err := w.store.Promotion(t.Context(), shop, p.ID)
	w.must(err)
	r.Value.End(promotion.Succeeded, "", "", "", noon)
	w.must(w.store.PutPromotion(t.Context(), &r))
	w.writes = nil
	for _, action := range []string{"approve", "reject", "abort"} {
		w.refused(http.StatusConflict, v1.ProblemConflict, "has ended, as Succeeded", w.decide(action, p.ID, "bob"))
	}
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline shop has no promotion "none"`, w.decide("approve", "none", "bob"))
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestARollbackGoesToWhatTheStageVerifiedBefore(t *testing.T) {
	w := newWorld(t)
	w.passed("prod", w.old, w.mid)
	rollback := func(body any) call {
		return call{method: post, gate: "waybill-promote", app: "shop-prod", path: "/pipelines/shop/stages/prod/rollback", body: body}
	}
	got := ask[v1.Promotion](w, http.StatusCreated, rollback(v1.Rollback{Reason: "broken", Key: "k"}))
	if got.Freight != w.old.ID || !got.Request.Rollback || got.Request.By != "alice" || got.Request.Reason != "broken" || got.Verdict == nil || !got.Verdict.Ready {
		t.Errorf("got %+v", got)
	}
	if again := ask[v1.Promotion](w, http.StatusOK, rollback(v1.Rollback{Reason: "broken", Key: "k"})); again.ID != got.ID {
		t.Errorf("again %+v", again)
	}
	if named := ask[v1.Promotion](w, http.StatusCreated, rollback(v1.Rollback{Freight: "v1.0.0", Reason: "broken"})); named.Freight != w.old.ID {
		t.Errorf("named %+v", named)
	}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "a rollback needs a reason", rollback(v1.Rollback{Reason: "  "}))
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "a rollback needs a reason", rollback(nil))
	w.refused(http.StatusConflict, v1.ProblemIneligible, "was never verified in prod, so it cannot be rolled back to", rollback(v1.Rollback{Freight: "v1.2.0", Reason: "x"}))
	w.refused(http.StatusNotFound, v1.ProblemNotFound, "has verified no other freight before to roll back to", rollback(v1.Rollback{Origin: "other", Reason: "x"}))
}

func TestARefreshAsksTheWarehouseToLook(t *testing.T) {
	w := newWorld(t)
	refresh := call{method: post, gate: "waybill-promote", path: "/pipelines/shop/warehouses/shop/refresh"}
	if response := w.do(refresh); response.Code != http.StatusAccepted || response.Body.Len() != 0 {
		t.Fatalf("status %d, %s", response.Code, response.Body)
	}
	r, err := w.store.Warehouse(t.Context(), shop, "shop")
	w.must(err)
	if r.Value.Asked == "" || r.Value.Asked == r.Value.Refresh || r.Value.Candidate != w.new.ID {
		t.Errorf("warehouse %+v", r.Value)
	}
	if diff := cmp.Diff([]string{"update waybill.shop.warehouse.shop"}, w.writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	refresh.path = "/pipelines/shop/warehouses/other/refresh"
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline shop has no warehouse "other": it has shop`, refresh)
}

func TestALostRaceIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, p.ID, nil)
	lost := 0
	w.before = func(verb, name string) error {
		if verb == "update" && name == p.ID && lost < 3 {
			lost++
			return conflict
		}
		return nil
	}
	if got := ask[v1.Promotion](w, http.StatusOK, w.decide("approve", p.ID, "bob")); len(got.Approvals) != 1 || lost != 3 {
		t.Errorf("approvals %+v after %d races", got.Approvals, lost)
	}
	w.before = func(verb, _ string) error {
		if verb == "update" {
			return conflict
		}
		return nil
	}
	w.refused(http.StatusServiceUnavailable, v1.ProblemUnavailable, "the record changes too fast: try again", w.decide("approve", p.ID, "carol"))
	w.refused(http.StatusServiceUnavailable, v1.ProblemUnavailable, "try again", call{method: post, gate: "waybill-promote", path: "/pipelines/shop/warehouses/shop/refresh"})
}

func TestMorePromotionsThanAStageTakesAreAConflict(t *testing.T) {
	w := newWorld(t)
	const enough = 1000
	for range enough {
		if w.do(promoteTo("dev", "shop-dev")).Code != http.StatusCreated {
			break
		}
	}
	w.refused(http.StatusConflict, v1.ProblemConflict, "no more are taken: approve, reject or abort some", promoteTo("dev", "shop-dev"))
}
