package promotion_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
)

// enter puts freight into a stage and, if it is verified, after a while.
func enter(s *promotion.Stage, id string, at time.Duration, carries ...promotion.Held) promotion.Promotion {
	p := pending(id)
	p.Carries = carries
	s.Enter(p, after(at))
	return p
}

func TestAStageHasWhatItsNewestWaybillsSay(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "prod")
	shop1, shop2, base1 := held("f1"), held("f2"), promotion.Held{Origin: "base", Freight: "b1"}

	enter(&s, "p1", 0, shop1)
	enter(&s, "p2", time.Hour+time.Millisecond, shop1, base1)
	enter(&s, "p3", 2*time.Hour, shop2, base1)
	left := after(2 * time.Hour)
	want := promotion.NewStage("waybill/shop", "prod")
	want.Current = []promotion.Load{
		{Held: base1, Promotion: "p2", Since: after(time.Hour)},
		{Held: shop2, Promotion: "p3", Since: after(2 * time.Hour)},
	}
	want.History = []promotion.Load{{Held: shop1, Promotion: "p1", Since: noon, Until: &left}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("the stage (-want +got):\n%s", diff)
	}
	for origin, freight := range map[string]string{"shop": "f2", "base": "b1"} {
		if l, ok := s.Holding(origin); !ok || l.Freight != freight {
			t.Errorf("of %s it holds %q, %t, want %q", origin, l.Freight, ok, freight)
		}
	}
	if l, ok := s.Holding("spares"); ok {
		t.Errorf("of an origin that it never had it holds %+v", l)
	}
	if !s.Contains("b1") || s.Contains("f1") || s.Contains("") {
		t.Error("it contains what left it, or not what is in it")
	}

	enter(&s, "p4", 3*time.Hour, shop2)
	if diff := cmp.Diff([]promotion.Load{{Held: shop2, Promotion: "p3", Since: after(2 * time.Hour)}}, s.Current); diff != "" {
		t.Errorf("an origin that is no longer carried leaves (-want +got):\n%s", diff)
	}
}

func TestAPromotionCarriesWhatTheStageHoldsOfOtherOrigins(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "prod")
	enter(&s, "p1", 0, held("f1"), promotion.Held{Origin: "base", Freight: "b1"}, promotion.Held{Origin: "gone", Freight: "g1"})
	got := s.Carry(held("f2"), []string{"shop", "base", "new"})
	want := []promotion.Held{{Origin: "base", Freight: "b1"}, {Origin: "shop", Freight: "f2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Carry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]promotion.Held{held("f2")}, promotion.NewStage("waybill/shop", "prod").Carry(held("f2"), nil)); diff != "" {
		t.Errorf("into an empty stage (-want +got):\n%s", diff)
	}
}

func TestTheSoakClockStartsWithTheVerification(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	p := enter(&s, "p1", 0, held("f1"))
	if got := s.Soaked("f1", after(time.Hour)); got != 0 {
		t.Errorf("unverified freight has soaked %s", got)
	}
	if at, soaks := s.SoakedAt("f1", time.Minute); soaks {
		t.Errorf("unverified freight will have soaked at %s", at)
	}
	s.Verify(p, after(30*time.Minute))
	if got, want := s.Soaked("f1", after(time.Hour)), 30*time.Minute; got != want {
		t.Errorf("it has soaked %s, want %s since it was verified", got, want)
	}
	if at, soaks := s.SoakedAt("f1", 2*time.Hour); !soaks || !at.Equal(after(150*time.Minute)) {
		t.Errorf("it will have soaked at %s, %t, want 14:30", at, soaks)
	}
	if got := s.Soaked("f2", after(time.Hour)); got != 0 {
		t.Errorf("freight that never was here has soaked %s", got)
	}
}

func TestTheLongestCompletedStayCounts(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	s.Verify(enter(&s, "p1", 0, held("f1")), after(10*time.Minute))
	s.Verify(enter(&s, "p2", time.Hour, held("f2")), after(time.Hour)) // f1 soaked 50 minutes
	if got, want := s.Soaked("f1", after(5*time.Hour)), 50*time.Minute; got != want {
		t.Errorf("after it left, it has soaked %s, want %s", got, want)
	}
	if at, soaks := s.SoakedAt("f1", time.Hour); soaks {
		t.Errorf("freight that is not in the stage will have soaked at %s", at)
	}

	enter(&s, "p3", 2*time.Hour, held("f1")) // comes back, and is verified already
	if got, want := s.Soaked("f1", after(2*time.Hour+20*time.Minute)), 50*time.Minute; got != want {
		t.Errorf("in a shorter stay it has soaked %s, want the longer one's %s", got, want)
	}
	if at, soaks := s.SoakedAt("f1", time.Hour); !soaks || !at.Equal(after(3*time.Hour)) {
		t.Errorf("it will have soaked at %s, %t, want an hour after it came back", at, soaks)
	}
	if got, want := s.Soaked("f1", after(4*time.Hour)), 2*time.Hour; got != want {
		t.Errorf("in a longer stay it has soaked %s, want %s", got, want)
	}
	enter(&s, "p4", 2*time.Hour+30*time.Minute, held("f2")) // the second stay was shorter
	if got, want := s.Soaked("f1", after(9*time.Hour)), 50*time.Minute; got != want {
		t.Errorf("two stays count as %s, want the longest %s, not their sum", got, want)
	}
}

func TestFreightThatLeavesUnverifiedHasNotSoaked(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	enter(&s, "p1", 0, held("f1"))
	enter(&s, "p2", time.Hour, held("f2"))
	p := enter(&s, "p3", 2*time.Hour, held("f1"))
	s.Verify(p, after(3*time.Hour))
	if got, want := s.Soaked("f1", after(3*time.Hour)), time.Duration(0); got != want {
		t.Errorf("the stay before its verification counts: %s", got)
	}
}

func TestAPromotionOfTheSameFreightDoesNotStopTheClock(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	s.Verify(enter(&s, "p1", 0, held("f1")), noon)
	s.Verify(enter(&s, "p2", time.Hour, held("f1")), after(time.Hour))
	if got, want := s.Soaked("f1", after(2*time.Hour)), 2*time.Hour; got != want {
		t.Errorf("it has soaked %s, want %s", got, want)
	}
	if v, _ := s.VerificationOf("f1"); v.Promotion != "p1" || !v.At.Equal(noon) {
		t.Errorf("the verification is %+v, want the first", v)
	}
	if len(s.History) != 0 {
		t.Errorf("it left without leaving: %+v", s.History)
	}
}

func TestTheClockIsRightAtItsBoundary(t *testing.T) {
	for _, required := range []time.Duration{time.Nanosecond, 1500 * time.Millisecond, time.Minute, 24 * time.Hour} {
		s := promotion.NewStage("waybill/shop", "dev")
		s.Verify(enter(&s, "p1", 0, held("f1")), after(500*time.Millisecond)) // recorded as noon
		at, soaks := s.SoakedAt("f1", required)
		if !soaks || s.Soaked("f1", at) < required || s.Soaked("f1", at.Add(-time.Nanosecond)) >= required {
			t.Errorf("%s are said to have soaked at %s, %t", required, at, soaks)
		}
	}
}

func TestAllThatAPromotionCarriesIsVerifiedWithIt(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	p := enter(&s, "p1", 0, held("f1"), promotion.Held{Origin: "base", Freight: "b1"})
	s.Verify(p, after(time.Minute+time.Millisecond))
	for _, id := range []string{"f1", "b1"} {
		want := promotion.Verification{Freight: id, Promotion: "p1", At: after(time.Minute)}
		if got, ok := s.VerificationOf(id); !ok || got != want {
			t.Errorf("VerificationOf(%s) = %+v, %t, want %+v", id, got, ok, want)
		}
	}
	if v, ok := s.VerificationOf("f2"); ok {
		t.Errorf("VerificationOf(f2) = %+v", v)
	}
}

func TestAStageRemembersALittleAndNeverForgetsWhatItHolds(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	base := promotion.Held{Origin: "base", Freight: "b1"}
	for i := range 300 {
		at := time.Duration(i) * time.Hour
		s.Verify(enter(&s, fmt.Sprint("p", i), at, base, held(fmt.Sprint("f", i))), after(at))
		if len(s.History) > 10 || len(s.Verified) > 100 {
			t.Fatalf("after %d promotions there are %d past loads and %d verifications", i+1, len(s.History), len(s.Verified))
		}
		if _, ok := s.VerificationOf("b1"); !ok {
			t.Fatalf("after %d promotions what the stage holds is forgotten", i+1)
		}
	}
	if s.History[0].Freight != "f298" || s.History[9].Freight != "f289" {
		t.Errorf("the history goes from %s back to %s, want the last ten", s.History[0].Freight, s.History[9].Freight)
	}
	if _, ok := s.VerificationOf("f201"); !ok { // 99 and the base
		t.Error("one of the newest hundred is forgotten")
	}
	if _, ok := s.VerificationOf("f200"); ok {
		t.Error("one beyond the newest hundred is remembered")
	}
}

func TestAStageOfManyOriginsRemembersThemAll(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	var all []promotion.Held
	for i := range 150 {
		all = append(all, promotion.Held{Origin: fmt.Sprintf("w%03d", i), Freight: fmt.Sprint("f", i)})
	}
	s.Verify(enter(&s, "p1", 0, all...), noon)
	for _, h := range all {
		if _, ok := s.VerificationOf(h.Freight); !ok {
			t.Fatalf("%s is in the stage, and forgotten", h.Freight)
		}
	}
}

func TestOnePromotionHasTheStageFromBeginToFinish(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "dev")
	p := pending("p1")
	s.Begin(p.ID)
	if s.Running != "p1" || s.Serial != 1 {
		t.Errorf("it runs %q as number %d", s.Running, s.Serial)
	}

	waiting := pending("p2") // withdrawn, while p1 runs
	waiting.End(promotion.Aborted, promotion.ReasonWithdrawn, "", s.Head, noon)
	s.Finish(waiting, "record of p2")
	if s.Running != "p1" || s.Last != nil {
		t.Errorf("one that never ran took the stage: %q runs, the last is %+v", s.Running, s.Last)
	}
	if s.Head != promotion.Hash("record of p2") {
		t.Errorf("the head is %q: every ended record is in the chain", s.Head)
	}

	p.Phase = promotion.Failed
	s.Finish(p, "record of p1")
	if diff := cmp.Diff(&promotion.Last{Promotion: "p1", Freight: "f1", Phase: promotion.Failed}, s.Last); diff != "" {
		t.Errorf("the last (-want +got):\n%s", diff)
	}
	if s.Running != "" || s.Serial != 1 || s.Head != promotion.Hash("record of p1") {
		t.Errorf("after the end: %+v", s)
	}
	s.Begin("p3")
	if s.Serial != 2 {
		t.Errorf("the second start is number %d", s.Serial)
	}
}

func TestARollbackGoesToTheNewestFreightThatPassedHere(t *testing.T) {
	base := promotion.Held{Origin: "base", Freight: "b1"}
	verified := func(s *promotion.Stage, id string, at time.Duration, carries ...promotion.Held) {
		s.Verify(enter(s, id, at, carries...), after(at))
	}
	s := promotion.NewStage("waybill/shop", "prod")
	check := func(when, origin, want string) {
		t.Helper()
		if got, ok := s.Previous(origin); got != want || ok != (want != "") {
			t.Errorf("%s: Previous(%s) = %q, %t, want %q", when, origin, got, ok, want)
		}
	}
	check("empty", "shop", "")
	verified(&s, "p1", 1*time.Hour, base, held("f1"))
	check("with nothing before", "shop", "")
	verified(&s, "p2", 2*time.Hour, base, held("f2"))
	check("after one", "shop", "f1")
	enter(&s, "p3", 3*time.Hour, base, held("f3"))
	check("after one that did not pass yet", "shop", "f2")
	verified(&s, "p4", 4*time.Hour, base, held("f4"))
	check("over one that never passed", "shop", "f2")
	verified(&s, "p5", 5*time.Hour, base, held("f2"))
	check("back at it", "shop", "f4")
	check("of what never changed", "base", "")
	check("of another origin", "spares", "")
}

func TestAClonedStageIsChangedAlone(t *testing.T) {
	build := func() promotion.Stage {
		s := promotion.NewStage("waybill/shop", "prod")
		s.Verify(enter(&s, "p1", 0, held("f1")), noon)
		enter(&s, "p2", time.Hour, held("f2"))
		s.Settle(pending("p2"), "f9", noon)
		s.Applications = []string{"argocd/shop"}
		return s
	}
	s := build()
	c := s.Clone()
	if diff := cmp.Diff(s, c); diff != "" {
		t.Errorf("the clone (-stage +clone):\n%s", diff)
	}
	c.Current[0].Promotion, c.History[0].Promotion, c.Applications[0] = "", "", ""
	c.Begin("p3")
	enter(&c, "p3", 2*time.Hour, held("f1"))
	enter(&c, "p4", 9*time.Hour, held("f3")) // which lengthens the soak of f1
	c.Settle(pending("p5"), "f1", noon)
	c.Finish(pending("p3"), "record")
	if diff := cmp.Diff(build(), s); diff != "" {
		t.Errorf("the stage changed with its clone (-want +got):\n%s", diff)
	}
}
