package eligibility_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

// goods is the freight that is judged, of the warehouse shop.
var goods = freight.Freight{ID: "7d3f0c1eaa", Origin: "shop"}

// record is the record of a stage.
type record func(*promotion.Stage)

func stages(records map[string][]record) map[string]promotion.Stage {
	all := map[string]promotion.Stage{}
	for name, changes := range records {
		s := promotion.NewStage("waybill/shop", name)
		for _, change := range changes {
			change(&s)
		}
		all[name] = s
	}
	return all
}

var load = promotion.Promotion{ID: "p1", Freight: goods.ID, Origin: "shop", Carries: []promotion.Held{{Origin: "shop", Freight: goods.ID}}}

func enters(at time.Duration) record { return func(s *promotion.Stage) { s.Enter(load, after(at)) } }
func passes(at time.Duration) record { return func(s *promotion.Stage) { s.Verify(load, after(at)) } }
func leaves(at time.Duration) record {
	return func(s *promotion.Stage) { s.Enter(promotion.Promotion{ID: "p2"}, after(at)) }
}
func ends(freight string, phase promotion.Phase) record {
	return func(s *promotion.Stage) { s.Last = &promotion.Last{Promotion: "p1", Freight: freight, Phase: phase} }
}
func runs(id string) record { return func(s *promotion.Stage) { s.Running = id } }

func prod(s pipeline.Sources) pipeline.Stage {
	return pipeline.Stage{Name: "prod", RequestedFreight: []pipeline.RequestedFreight{{Origin: pipeline.Origin{Kind: "Warehouse", Name: "shop"}, Sources: s}}}
}

func pass(name, fact string, gates ...eligibility.Gate) eligibility.Gate {
	return eligibility.Gate{Name: name, Pass: true, Fact: fact, Gates: gates}
}

func fail(name, fact, remedy string, until *time.Time, gates ...eligibility.Gate) eligibility.Gate {
	return eligibility.Gate{Name: name, Fact: fact, Remedy: remedy, Until: until, Gates: gates}
}

func anyOf(g eligibility.Gate) eligibility.Gate {
	g.Any = true
	return g
}

func sourceOf(t *testing.T, v eligibility.Verdict) eligibility.Gate {
	t.Helper()
	i := slices.IndexFunc(v.Gates, func(g eligibility.Gate) bool { return g.Name == eligibility.GateSource })
	if i < 0 {
		t.Fatalf("there is no source among the gates: %+v", v.Gates)
	}
	return v.Gates[i]
}

func TestFreightOfAWarehouseThatTheStageDoesNotRequestIsRefused(t *testing.T) {
	other := freight.Freight{ID: "c0ffee5", Origin: "spares"}
	v := eligibility.Eligible(other, prod(pipeline.Sources{Direct: true}), eligibility.Facts{Applications: 1}, noon)
	want := eligibility.Verdict{Freight: "c0ffee5", Stage: "prod", Gates: []eligibility.Gate{
		fail(eligibility.GateOrigin, "stage prod does not request freight of warehouse spares", "name it in the stage's requestedFreight", nil),
		{Name: eligibility.GateApplications, Pass: true, Waits: true, Fact: "one Application is bound to prod"},
		pass(eligibility.GateTurn, "no other promotion runs in prod or goes first"),
	}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("Eligible (-want +got):\n%s", diff)
	}
	if got, want := v.Refusal(), "stage prod does not request freight of warehouse spares: name it in the stage's requestedFreight"; got != want || v.Waiting() != want {
		t.Errorf("Refusal = %q, Waiting = %q, want %q", got, v.Waiting(), want)
	}
}

// What a promotion can wait for does not keep anybody from asking for it.
func TestAPromotionWaitsForPeopleForItsTurnAndForApplications(t *testing.T) {
	two := &pipeline.Approval{Required: 2, NotBy: pipeline.NotByPromoter}
	asked := func(change func(*promotion.Promotion)) *promotion.Promotion {
		p := promotion.Promotion{ID: "p9", Request: promotion.Request{By: "alice"}, Phase: promotion.Pending}
		change(&p)
		return &p
	}
	by := func(names ...string) func(*promotion.Promotion) {
		return func(p *promotion.Promotion) {
			for _, name := range names {
				p.Approvals = append(p.Approvals, promotion.Decision{By: name, At: noon})
			}
		}
	}
	tests := map[string]struct {
		approval    *pipeline.Approval
		controlFlow bool
		facts       eligibility.Facts
		waiting     string
		approved    string // the fact of the gate of approvals, where there is one
	}{
		"for nothing":      {nil, false, eligibility.Facts{Applications: 1}, "", ""},
		"for Applications": {nil, false, eligibility.Facts{}, "no Application is bound to prod: annotate one with waybill.dev/stage, or set controlFlow: true on the stage", ""},
		"for an Application that names the stage": {nil, false, eligibility.Facts{Strays: []string{"a is in another project: move it"}},
			"no Application is bound to prod, though one names it: a is in another project: move it", ""},
		"for several that do": {nil, false, eligibility.Facts{Strays: []string{"a: move it", "b: move it"}},
			"no Application is bound to prod, though 2 name it: a: move it; b: move it", ""},
		"for many that do": {nil, false, eligibility.Facts{Strays: []string{"a", "b", "c", "d", "e"}},
			"no Application is bound to prod, though 5 name it: a; b; c; and 2 more", ""},
		"for nothing where others have joined":               {nil, false, eligibility.Facts{Applications: 1, Strays: []string{"a: move it"}}, "", ""},
		"for no Applications where there are none by intent": {nil, true, eligibility.Facts{}, "", ""},
		"for its turn": {nil, false, eligibility.Facts{Applications: 2, Ahead: "p8"}, "promotion p8 runs in prod or goes first: wait until it has ended, or abort it", ""},
		"for approvals, before it is asked for": {two, false, eligibility.Facts{Applications: 1},
			"approval 0 of 2: somebody who may approve in prod, other than the promoter, approves it", "approval 0 of 2"},
		"for approvals, by others than the promoter": {two, false, eligibility.Facts{Applications: 1, Promotion: asked(by("bob"))},
			"approval 1 of 2: somebody who may approve in prod, other than alice, approves it", "approval 1 of 2"},
		"for approvals, by anybody": {&pipeline.Approval{Required: 1}, false, eligibility.Facts{Applications: 1, Promotion: asked(by())},
			"approval 0 of 1: somebody who may approve in prod approves it", "approval 0 of 1"},
		"for no more approvals than it has": {two, false, eligibility.Facts{Applications: 1, Promotion: asked(by("bob", "carol"))}, "", "approval 2 of 2 by bob, carol"},
		"for others, now that the rule excludes the promoter": {two, false, eligibility.Facts{Applications: 1, Promotion: asked(by("alice", "bob"))},
			"approval 1 of 2: somebody who may approve in prod, other than alice, approves it", "approval 1 of 2"},
		"for approvals first": {two, false, eligibility.Facts{Ahead: "p8"}, "approval 0 of 2: somebody who may approve in prod, other than the promoter, approves it", "approval 0 of 2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stage := prod(pipeline.Sources{Direct: true})
			stage.Approval, stage.ControlFlow = test.approval, test.controlFlow
			v := eligibility.Eligible(goods, stage, test.facts, noon)
			if !v.Allowed || v.Refusal() != "" {
				t.Errorf("it may not be asked for: %q", v.Refusal())
			}
			if v.Waiting() != test.waiting || v.Ready != (test.waiting == "") {
				t.Errorf("Waiting = %q, ready: %t, want %q", v.Waiting(), v.Ready, test.waiting)
			}
			approved := ""
			for _, g := range v.Gates {
				if g.Name == eligibility.GateApproval {
					approved = g.Fact
				}
			}
			if approved != test.approved {
				t.Errorf("the approvals are %q, want %q", approved, test.approved)
			}
		})
	}
}

func TestApplicationsAreCountedInWords(t *testing.T) {
	flow := prod(pipeline.Sources{Direct: true})
	flow.ControlFlow = true
	for want, test := range map[string]struct {
		stage        pipeline.Stage
		applications int
	}{
		"no Application is bound to prod":                        {prod(pipeline.Sources{Direct: true}), 0},
		"one Application is bound to prod":                       {prod(pipeline.Sources{Direct: true}), 1},
		"3 Applications are bound to prod":                       {prod(pipeline.Sources{Direct: true}), 3},
		"stage prod has no Applications by intent (controlFlow)": {flow, 0},
	} {
		v := eligibility.Eligible(goods, test.stage, eligibility.Facts{Applications: test.applications}, noon)
		if !slices.ContainsFunc(v.Gates, func(g eligibility.Gate) bool { return g.Name == eligibility.GateApplications && g.Fact == want }) {
			t.Errorf("no gate says %q: %+v", want, v.Gates)
		}
	}
}

// The way back is short: freight that passed here before needs neither its
// source nor, unless the rule says so, anybody's approval.
func TestARollbackRestsOnTheStagesOwnVerification(t *testing.T) {
	upstream := pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: pipeline.Duration(time.Hour)}
	passed := stages(map[string][]record{"prod": {enters(0), passes(0), leaves(time.Minute)}})
	asked := &promotion.Promotion{ID: "p9", Request: promotion.Request{By: "alice", Rollback: true}}
	stage := prod(upstream)
	stage.Approval = &pipeline.Approval{Required: 1}

	for name, facts := range map[string]eligibility.Facts{
		"before it is asked for": {Applications: 1, Stages: passed, Rollback: true},
		"once it is asked for":   {Applications: 1, Stages: passed, Promotion: asked},
	} {
		want := []eligibility.Gate{
			pass(eligibility.GateOrigin, "stage prod requests freight of warehouse shop"),
			pass(eligibility.GateRollback, "freight 7d3f0c1 was verified in prod at 2026-03-01T12:00:00Z"),
			{Name: eligibility.GateApplications, Pass: true, Waits: true, Fact: "one Application is bound to prod"},
			pass(eligibility.GateTurn, "no other promotion runs in prod or goes first"),
		}
		v := eligibility.Eligible(goods, stage, facts, noon)
		if diff := cmp.Diff(want, v.Gates); diff != "" || !v.Ready {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	never := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 1, Stages: stages(map[string][]record{"dev": {enters(0), passes(0)}}), Rollback: true}, noon)
	if want := "freight 7d3f0c1 was never verified in prod, so it cannot be rolled back to: promote it instead"; never.Allowed || never.Refusal() != want {
		t.Errorf("to freight that never passed: %t, %q, want %q", never.Allowed, never.Refusal(), want)
	}

	forward := &promotion.Promotion{ID: "p9", Request: promotion.Request{By: "alice"}}
	if v := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 1, Stages: passed, Promotion: forward, Rollback: true}, noon); v.Allowed {
		t.Error("a promotion that is no rollback is judged as one")
	}

	stage.Approval.Rollback = true
	if got, want := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 1, Stages: passed, Rollback: true}, noon).Waiting(),
		"approval 0 of 1: somebody who may approve in prod approves it"; got != want {
		t.Errorf("where the rule asks for approvals of rollbacks it waits for %q, want %q", got, want)
	}
}

// An Application that joins gets what the stage holds, though it may be long
// forgotten upstream; nothing else may take that way.
func TestAnApplicationThatJoinsGetsWhatTheStageHolds(t *testing.T) {
	stage := prod(pipeline.Sources{Stages: []string{"dev"}})
	stage.Approval = &pipeline.Approval{Required: 1}
	joins := &promotion.Promotion{ID: "p9", Request: promotion.Request{By: promotion.System, Applications: []string{"argocd/late"}}}

	v := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 2, Promotion: joins, Stages: stages(map[string][]record{"prod": {enters(0)}})}, noon)
	want := pass(eligibility.GateSource, "freight 7d3f0c1 is in prod already, and goes to the Applications that joined")
	if diff := cmp.Diff(want, sourceOf(t, v)); diff != "" || !v.Ready {
		t.Errorf("the source (-want +got):\n%s", diff)
	}
	for name, records := range map[string]map[string][]record{
		"freight that is not in the stage": nil,
		"freight that has left it":         {"prod": {enters(0), leaves(time.Minute)}},
	} {
		if v := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 2, Promotion: joins, Stages: stages(records)}, noon); v.Allowed {
			t.Errorf("%s goes in without its source", name)
		}
	}
	whole := &promotion.Promotion{ID: "p9", Request: promotion.Request{By: "alice"}}
	if v := eligibility.Eligible(goods, stage, eligibility.Facts{Applications: 2, Promotion: whole, Stages: stages(map[string][]record{"prod": {enters(0)}})}, noon); v.Allowed {
		t.Error("a promotion to all Applications goes in without its source")
	}
}

// An automatic promotion may wait from before a person chose other freight: it
// would undo the choice as soon as that is live.
func TestAHoldEndsTheAutomaticPromotionsThatWait(t *testing.T) {
	stage := prod(pipeline.Sources{Direct: true})
	held := func(origin string) map[string]promotion.Stage {
		return stages(map[string][]record{"prod": {func(s *promotion.Stage) {
			s.Holds = []promotion.Hold{{Held: promotion.Held{Origin: origin, Freight: "c0ffee5aa"}, By: "alice", At: noon}}
		}}})
	}
	const refusal = "alice holds freight c0ffee5 in prod since 2026-03-01T12:00:00Z: promote the candidate by hand to let automation go on"
	for name, test := range map[string]struct {
		request *promotion.Request
		origin  string
		want    string
	}{
		"an automatic one":                   {&promotion.Request{By: promotion.System, Automatic: true}, "shop", refusal},
		"an automatic one of another origin": {&promotion.Request{By: promotion.System, Automatic: true}, "base", ""},
		"for an Application that joins":      {&promotion.Request{By: promotion.System, Automatic: true, Applications: []string{"argocd/late"}}, "shop", ""},
		"a person's":                         {&promotion.Request{By: "bob"}, "shop", ""},
		"none yet":                           {nil, "shop", ""},
	} {
		facts := eligibility.Facts{Applications: 1, Stages: held(test.origin)}
		if test.request != nil {
			facts.Promotion = &promotion.Promotion{ID: "p9", Request: *test.request}
		}
		v := eligibility.Eligible(goods, stage, facts, noon)
		if v.Refusal() != test.want || v.Allowed != (test.want == "") {
			t.Errorf("%s: allowed: %t, Refusal = %q, want %q", name, v.Allowed, v.Refusal(), test.want)
		}
	}
}

func TestJudgingChangesNoFact(t *testing.T) {
	facts := eligibility.Facts{
		Stages:       stages(map[string][]record{"dev": {enters(0), passes(0)}}),
		Applications: 1,
		Promotion: &promotion.Promotion{ID: "p9", Request: promotion.Request{By: "alice"},
			Approvals: []promotion.Decision{{By: "alice"}, {By: "bob"}}},
	}
	stage := prod(pipeline.Sources{Stages: []string{"dev", "qa"}, AvailabilityStrategy: pipeline.All})
	stage.Approval = &pipeline.Approval{Required: 1, NotBy: pipeline.NotByPromoter}
	names := slices.Sorted(maps.Keys(facts.Stages))
	first := eligibility.Eligible(goods, stage, facts, noon)
	if diff := cmp.Diff(first, eligibility.Eligible(goods, stage, facts, noon)); diff != "" {
		t.Errorf("judged twice (-first +second):\n%s", diff)
	}
	if len(facts.Promotion.Approvals) != 2 || facts.Promotion.Approvals[0].By != "alice" {
		t.Errorf("the approvals are %+v now", facts.Promotion.Approvals)
	}
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(facts.Stages))); diff != "" {
		t.Errorf("the stages (-before +after):\n%s", diff)
	}
}
