package promotion_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
)

func asked(id string, at time.Duration, change ...func(*promotion.Promotion)) promotion.Promotion {
	p := pending(id)
	p.Request.At = after(at)
	for _, c := range change {
		c(&p)
	}
	return p
}

func rollback(p *promotion.Promotion)  { p.Request.Rollback = true }
func automatic(p *promotion.Promotion) { p.Request.Automatic, p.Request.By = true, promotion.System }
func of(freight string) func(*promotion.Promotion) {
	return func(p *promotion.Promotion) { p.Freight = freight }
}
func from(origin string) func(*promotion.Promotion) {
	return func(p *promotion.Promotion) { p.Origin = origin }
}
func is(phase promotion.Phase) func(*promotion.Promotion) {
	return func(p *promotion.Promotion) { p.Phase = phase }
}

func ids(all []promotion.Promotion) []string {
	names := []string{}
	for _, p := range all {
		names = append(names, p.ID)
	}
	return names
}

// inAnyOrder calls a test with the promotions in fifty orders.
func inAnyOrder(all []promotion.Promotion, test func([]promotion.Promotion)) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		test(all)
	}
}

func TestTheQueueIsRollbacksFirstAndThenInTheOrderOfTheRequests(t *testing.T) {
	all := []promotion.Promotion{
		asked("b", 0), asked("a", 0), asked("second", time.Second), asked("automatic", 2*time.Second, automatic),
		asked("back-later", 4*time.Second, rollback), asked("back", 3*time.Second, rollback),
		asked("runs", 0, is(promotion.Running)), asked("over", 0, is(promotion.Succeeded)), asked("aborted", 0, is(promotion.Aborted), rollback),
	}
	want := []string{"back", "back-later", "a", "b", "second", "automatic"}
	inAnyOrder(all, func(all []promotion.Promotion) {
		if diff := cmp.Diff(want, ids(promotion.Queue(all))); diff != "" {
			t.Fatalf("Queue (-want +got):\n%s", diff)
		}
	})
	if got := promotion.Queue(nil); len(got) != 0 {
		t.Errorf("the queue of nothing is %v", got)
	}
}

func TestPeopleSeeTheNewestRequestFirst(t *testing.T) {
	all := []promotion.Promotion{
		asked("b", 0), asked("a", 0), asked("newest", time.Hour, is(promotion.Succeeded)), asked("back", time.Minute, rollback),
	}
	inAnyOrder(all, func(all []promotion.Promotion) {
		promotion.Newest(all)
		if diff := cmp.Diff([]string{"newest", "back", "a", "b"}, ids(all)); diff != "" {
			t.Fatalf("Newest (-want +got):\n%s", diff)
		}
	})
}

func TestANewerCandidateOvertakesAutomaticPromotionsThatWait(t *testing.T) {
	all := []promotion.Promotion{
		asked("old", 0, automatic, of("f1")),
		asked("older", -time.Hour, automatic, of("f0")),
		asked("candidates", 0, automatic, of("f2")),
		asked("runs", 0, automatic, of("f1"), is(promotion.Running)),
		asked("over", 0, automatic, of("f1"), is(promotion.Failed)),
		asked("a-persons", 0, of("f1")),
		asked("other-origins", 0, automatic, of("f1"), from("base")),
	}
	inAnyOrder(all, func(all []promotion.Promotion) {
		if diff := cmp.Diff([]string{"older", "old"}, ids(promotion.Overtaken(all, held("f2")))); diff != "" {
			t.Fatalf("Overtaken (-want +got):\n%s", diff)
		}
	})
}

func TestAutoPromotionAsksForTheCandidateUnlessThereIsAReasonNotTo(t *testing.T) {
	stage := func(change func(*promotion.Stage)) promotion.Stage {
		s := promotion.NewStage("waybill/shop", "prod")
		change(&s)
		return s
	}
	empty := stage(func(*promotion.Stage) {})
	ended := func(freight string, phase promotion.Phase, reason string) promotion.Promotion {
		return promotion.Promotion{ID: "p0", Freight: freight, Phase: phase, Reason: reason}
	}
	after := func(all ...promotion.Promotion) promotion.Stage {
		return stage(func(s *promotion.Stage) {
			for _, p := range all {
				s.Finish(p, "its record")
			}
		})
	}
	declined := func(phase promotion.Phase) string {
		return "promotion p0 of the candidate ended as " + string(phase) + ": promote it by hand to try again"
	}
	tests := map[string]struct {
		stage promotion.Stage
		all   []promotion.Promotion
		why   string
	}{
		"an empty stage": {empty, nil, ""},
		"a stage with older freight": {stage(func(s *promotion.Stage) {
			s.Current = []promotion.Load{{Held: held("f1")}, {Held: promotion.Held{Origin: "base", Freight: "f2"}}}
		}), nil, ""},
		"a stage that has the candidate": {stage(func(s *promotion.Stage) { s.Current = []promotion.Load{{Held: held("f2")}} }), nil, "the stage has the candidate"},
		"a hold": {stage(func(s *promotion.Stage) { s.Holds = []promotion.Hold{{Held: held("f1"), By: "alice", At: noon}} }), nil,
			"held by alice since 2026-03-01T12:00:00Z: promote the candidate to let automation go on"},
		"a hold on another origin":           {stage(func(s *promotion.Stage) { s.Holds = []promotion.Hold{{Held: promotion.Held{Origin: "base"}}} }), nil, ""},
		"a promotion of it that waits":       {empty, []promotion.Promotion{asked("p9", 0, of("f2"))}, "promotion p9 of the candidate is under way"},
		"a promotion of it that runs":        {empty, []promotion.Promotion{asked("p9", 0, of("f2"), is(promotion.Running))}, "promotion p9 of the candidate is under way"},
		"a promotion of it that is over":     {empty, []promotion.Promotion{asked("p9", 0, of("f2"), is(promotion.Superseded))}, ""},
		"a promotion of something else":      {empty, []promotion.Promotion{asked("p9", 0, of("f1"), is(promotion.Running))}, ""},
		"its promotion succeeded":            {after(ended("f2", promotion.Succeeded, "")), nil, ""},
		"its promotion failed":               {after(ended("f2", promotion.Failed, "")), nil, declined(promotion.Failed)},
		"its promotion errored":              {after(ended("f2", promotion.Errored, "")), nil, declined(promotion.Errored)},
		"its promotion was rejected":         {after(ended("f2", promotion.Aborted, promotion.ReasonRejected)), nil, declined(promotion.Aborted)},
		"its promotion was withdrawn":        {after(ended("f2", promotion.Aborted, promotion.ReasonWithdrawn)), nil, declined(promotion.Aborted)},
		"its promotion became ineligible":    {after(ended("f2", promotion.Aborted, promotion.ReasonInvalid)), nil, ""},
		"its promotion was superseded":       {after(ended("f2", promotion.Superseded, "")), nil, ""},
		"it failed, and was promoted since":  {after(ended("f2", promotion.Failed, ""), ended("f2", promotion.Succeeded, "")), nil, ""},
		"it failed, and another one went on": {after(ended("f2", promotion.Failed, ""), ended("f1", promotion.Succeeded, "")), nil, declined(promotion.Failed)},
		"a promotion of another failed":      {after(ended("f1", promotion.Failed, "")), nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := promotion.Choice{Promote: test.why == "", Why: test.why}
			if diff := cmp.Diff(want, promotion.Choose(test.stage, held("f2"), test.all)); diff != "" {
				t.Errorf("Choose (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPersonsChoiceAgainstTheCandidateIsHeld(t *testing.T) {
	hold := func(origin, freight, by string, at time.Duration) promotion.Hold {
		return promotion.Hold{Held: promotion.Held{Origin: origin, Freight: freight}, By: by, At: after(at)}
	}
	partial := func(p *promotion.Promotion) { p.Request.Applications = []string{"argocd/late"} }
	before := []promotion.Hold{hold("base", "b1", "bob", 0), hold("shop", "f0", "bob", 0)}
	tests := map[string]struct {
		promotion promotion.Promotion
		candidate string
		want      []promotion.Hold
	}{
		"other freight holds the origin, by the newest choice": {asked("p1", 0, of("f1")), "f2", []promotion.Hold{hold("base", "b1", "bob", 0), hold("shop", "f1", "alice", time.Hour)}},
		"a rollback holds too":                                 {asked("p1", 0, of("f1"), rollback), "f2", []promotion.Hold{hold("base", "b1", "bob", 0), hold("shop", "f1", "alice", time.Hour)}},
		"the candidate lifts the hold":                         {asked("p1", 0, of("f2")), "f2", before[:1]},
		"an automatic one holds nothing":                       {asked("p1", 0, of("f1"), automatic), "f2", before[:1]},
		"without a candidate there is no hold":                 {asked("p1", 0, of("f1")), "", before[:1]},
		"an Application that joins changes none":               {asked("p1", 0, of("f1"), partial), "f2", before},
		"another origin's hold stays":                          {asked("p1", 0, of("b2"), from("base")), "b2", before[1:]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := promotion.NewStage("waybill/shop", "prod")
			s.Holds = append(s.Holds, before...)
			s.Settle(test.promotion, test.candidate, after(time.Hour+time.Millisecond))
			if diff := cmp.Diff(test.want, s.Holds); diff != "" {
				t.Errorf("holds (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHoldKeepsAutomationOffUntilAPersonPromotesTheCandidate(t *testing.T) {
	s := promotion.NewStage("waybill/shop", "prod")
	s.Settle(asked("p1", 0, of("f1"), rollback), "f2", noon)
	if promotion.Choose(s, held("f2"), nil).Promote || promotion.Choose(s, held("f3"), nil).Promote {
		t.Error("a hold does not keep automation off")
	}
	s.Settle(asked("p2", 0, of("f3")), "f3", noon)
	if got := promotion.Choose(s, held("f4"), nil); !got.Promote {
		t.Errorf("the hold is lifted, and automation says %q", got.Why)
	}
}
