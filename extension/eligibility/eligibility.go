// Package eligibility decides whether freight may go into a stage, and tells
// why not. There is one rule, [Eligible]; the engine, the API, auto-promotion
// and the command line all show and obey its verdict.
package eligibility

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// The names of the gates. They are stable: scripts match them.
const (
	GateOrigin       = "origin"       // the stage requests freight of this warehouse
	GateSource       = "source"       // the freight comes from where the stage takes it
	GateDirect       = "direct"       // straight from the warehouse
	GateUpstream     = "upstream"     // passed in one upstream stage
	GateVerified     = "verified"     // verified there
	GateSoak         = "soak"         // long enough there
	GateRollback     = "rollback"     // verified in this very stage before
	GateHold         = "hold"         // nobody holds other freight against automation
	GateApproval     = "approval"     // enough people approved
	GateTurn         = "turn"         // no other promotion runs or is ahead
	GateApplications = "applications" // the stage has Applications
)

// Gate is one condition of a verdict.
type Gate struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	// Waits marks a gate for which a promotion may wait: it can be asked for
	// although the gate does not pass yet.
	Waits bool `json:"waits,omitempty"`
	// Fact is the sentence on which the gate rests.
	Fact string `json:"fact"`
	// Remedy tells who or what can make it pass. Empty where it passes.
	Remedy string `json:"remedy,omitempty"`
	// Until is when it passes by itself.
	Until *time.Time `json:"until,omitempty"`
	// Any tells that one of Gates is enough; otherwise all must pass.
	Any   bool   `json:"any,omitempty"`
	Gates []Gate `json:"gates,omitempty"`
}

// Verdict is the tree of gates between freight and a stage.
type Verdict struct {
	Freight string `json:"freight"`
	Stage   string `json:"stage"`
	// Allowed tells whether the promotion may be asked for: every gate passes
	// that a promotion could not wait for.
	Allowed bool `json:"allowed"`
	// Ready tells whether it could start now: every gate passes.
	Ready bool   `json:"ready"`
	Gates []Gate `json:"gates"`
}

// Facts are what a verdict rests on.
type Facts struct {
	// Stages are the records of the pipeline's stages by name. A stage without
	// a record holds nothing and has verified nothing.
	Stages map[string]promotion.Stage
	// Applications is the number of Applications bound to the stage.
	Applications int
	// Strays tell of Applications that name the stage and are not bound to it: why
	// not, and what to do, one sentence each.
	Strays []string
	// Promotion is the one that is judged; nil for "could I promote?".
	Promotion *promotion.Promotion
	// Rollback judges a return to freight that the stage once verified.
	Rollback bool
	// Ahead is the ID of a promotion that runs, or goes first; empty for none.
	Ahead string
}

// Eligible judges whether freight may go into a stage.
func Eligible(f freight.Freight, stage pipeline.Stage, facts Facts, now time.Time) Verdict {
	if facts.Promotion != nil {
		facts.Rollback = facts.Promotion.Request.Rollback
	}
	v := Verdict{Freight: f.ID, Stage: stage.Name}
	request, requested := stage.Requests(f.Origin)
	v.Gates = append(v.Gates, origin(f, stage, requested))
	switch {
	case !requested:
	case joins(f, stage, facts):
		v.Gates = append(v.Gates, Gate{Name: GateSource, Pass: true, Fact: fmt.Sprintf("freight %s is in %s already, and goes to the Applications that joined", freight.Short(f.ID), stage.Name)})
	case facts.Rollback:
		v.Gates = append(v.Gates, rollback(f, stage, facts.Stages[stage.Name]))
	default:
		v.Gates = append(v.Gates, source(f, stage, request.Sources, facts, now))
	}
	if g, held := hold(f, stage, facts); held {
		v.Gates = append(v.Gates, g)
	}
	if g, needed := approval(stage, facts); needed {
		v.Gates = append(v.Gates, g)
	}
	v.Gates = append(v.Gates, applications(stage, facts), turn(stage, facts))
	v.Allowed, v.Ready = true, true
	for _, g := range v.Gates {
		v.Ready = v.Ready && g.Pass
		v.Allowed = v.Allowed && (g.Pass || g.Waits)
	}
	return v
}

// Refusal returns the sentence of the first gate that forbids to ask for the
// promotion, with its remedy; empty where it is allowed.
func (v Verdict) Refusal() string {
	return first(v.Gates, func(g Gate) bool { return !g.Pass && !g.Waits })
}

// Waiting returns the sentence of the first gate that keeps the promotion from
// starting; empty where it is ready.
func (v Verdict) Waiting() string { return first(v.Gates, func(g Gate) bool { return !g.Pass }) }

func first(gates []Gate, match func(Gate) bool) string {
	for _, g := range gates {
		if match(g) {
			return g.sentence()
		}
	}
	return ""
}

func (g Gate) sentence() string {
	if g.Remedy == "" {
		return g.Fact
	}
	return g.Fact + ": " + g.Remedy
}

func origin(f freight.Freight, stage pipeline.Stage, requested bool) Gate {
	if requested {
		return Gate{Name: GateOrigin, Pass: true, Fact: fmt.Sprintf("stage %s requests freight of warehouse %s", stage.Name, f.Origin)}
	}
	return Gate{
		Name:   GateOrigin,
		Fact:   fmt.Sprintf("stage %s does not request freight of warehouse %s", stage.Name, f.Origin),
		Remedy: "name it in the stage's requestedFreight",
	}
}

// joins tells whether the promotion only hands what the stage holds on to
// Applications that joined it later.
func joins(f freight.Freight, stage pipeline.Stage, facts Facts) bool {
	return facts.Promotion != nil && len(facts.Promotion.Request.Applications) > 0 && facts.Stages[stage.Name].Contains(f.ID)
}

func rollback(f freight.Freight, stage pipeline.Stage, record promotion.Stage) Gate {
	if v, ok := record.VerificationOf(f.ID); ok {
		return Gate{Name: GateRollback, Pass: true, Fact: fmt.Sprintf("freight %s was verified in %s at %s", freight.Short(f.ID), stage.Name, v.At.Format(time.RFC3339))}
	}
	return Gate{
		Name:   GateRollback,
		Fact:   fmt.Sprintf("freight %s was never verified in %s, so it cannot be rolled back to", freight.Short(f.ID), stage.Name),
		Remedy: "promote it instead",
	}
}

// source judges where freight comes from: straight from the warehouse, or
// through upstream stages, of which one or all must have verified it long
// enough ago.
func source(f freight.Freight, stage pipeline.Stage, s pipeline.Sources, facts Facts, now time.Time) Gate {
	g := Gate{Name: GateSource, Any: true}
	if s.Direct {
		g.Gates = append(g.Gates, Gate{Name: GateDirect, Pass: true, Fact: "freight comes straight from warehouse " + f.Origin})
	}
	ups := make([]Gate, len(s.Stages))
	for i, name := range s.Stages {
		ups[i] = upstream(f, name, facts.Stages[name], time.Duration(s.RequiredSoakTime), now)
	}
	if s.AvailabilityStrategy == pipeline.All && len(ups) > 1 {
		all := Gate{Name: GateUpstream, Gates: ups}
		all.settle()
		ups = []Gate{all}
	}
	g.Gates = append(g.Gates, ups...)
	g.settle()
	if g.Pass {
		g.Fact = fmt.Sprintf("freight %s comes from where %s takes it", freight.Short(f.ID), stage.Name)
	}
	return g
}

func upstream(f freight.Freight, name string, record promotion.Stage, soak time.Duration, now time.Time) Gate {
	verification, passed := record.VerificationOf(f.ID)
	if !passed {
		return Gate{
			Name:   GateVerified,
			Fact:   fmt.Sprintf("freight %s is not verified in %s", freight.Short(f.ID), name),
			Remedy: verify(f, name, record),
		}
	}
	verified := Gate{Name: GateVerified, Pass: true, Fact: fmt.Sprintf("freight %s was verified in %s at %s", freight.Short(f.ID), name, verification.At.Format(time.RFC3339))}
	if soak <= 0 {
		return verified
	}
	g := Gate{Name: GateUpstream, Gates: []Gate{verified, soaked(f, name, record, soak, now)}}
	g.settle()
	return g
}

// verify tells what gets freight verified in a stage.
func verify(f freight.Freight, name string, record promotion.Stage) string {
	last := record.Last
	switch {
	case !record.Contains(f.ID):
		return "promote it to " + name + " first"
	case record.Running == "" && last != nil && last.Freight == f.ID && last.Phase != promotion.Succeeded:
		return fmt.Sprintf("promote it to %s again, its promotion there ended as %s", name, last.Phase)
	default:
		return "wait until its promotion there has succeeded"
	}
}

func soaked(f freight.Freight, name string, record promotion.Stage, soak time.Duration, now time.Time) Gate {
	so := record.Soaked(f.ID, now)
	g := Gate{
		Name: GateSoak,
		Pass: so >= soak,
		Fact: fmt.Sprintf("freight %s has soaked %s of %s in %s", freight.Short(f.ID), min(so, soak).Truncate(time.Second), soak, name),
	}
	if g.Pass {
		return g
	}
	g.Remedy = "promote it to " + name + " again and let it soak"
	if until, soaks := record.SoakedAt(f.ID, soak); soaks {
		g.Until, g.Remedy = &until, "wait until "+until.Format(time.RFC3339)
	}
	return g
}

// settle derives a gate of gates from them: whether it passes, the sentences
// of those that decide, and when it passes by itself.
func (g *Gate) settle() {
	var passed, failed, remedies []string
	for _, c := range g.Gates {
		if c.Pass {
			passed = append(passed, c.Fact)
			continue
		}
		failed, remedies = append(failed, c.Fact), append(remedies, c.Remedy)
	}
	if g.Any {
		g.Pass = len(passed) > 0
		passed = passed[:min(len(passed), 1)]
	} else {
		g.Pass = len(failed) == 0
	}
	if g.Pass {
		g.Fact = strings.Join(passed, "; ")
		return
	}
	word := " and "
	if g.Any {
		word = ", or "
	}
	g.Fact, g.Remedy, g.Until = strings.Join(failed, "; "), strings.Join(remedies, word), g.until()
}

// until returns when gates pass by themselves: where one is enough with the
// first of them, else with the last, and not at all if one of them never does.
func (g *Gate) until() *time.Time {
	var until *time.Time
	for _, c := range g.Gates {
		switch {
		case c.Pass:
		case c.Until == nil && !g.Any:
			return nil
		case c.Until != nil && (until == nil || g.Any == c.Until.Before(*until)):
			until = c.Until
		}
	}
	return until
}

// hold keeps an automatic promotion that was asked for earlier from undoing what
// a person has chosen since.
func hold(f freight.Freight, stage pipeline.Stage, facts Facts) (Gate, bool) {
	p := facts.Promotion
	if p == nil || !p.Request.Automatic || len(p.Request.Applications) > 0 {
		return Gate{}, false
	}
	for _, h := range facts.Stages[stage.Name].Holds {
		if h.Origin == f.Origin {
			return Gate{
				Name:   GateHold,
				Fact:   fmt.Sprintf("%s holds freight %s in %s since %s", h.By, freight.Short(h.Freight), stage.Name, h.At.Format(time.RFC3339)),
				Remedy: "promote the candidate by hand to let automation go on",
			}, true
		}
	}
	return Gate{}, false
}

func approval(stage pipeline.Stage, facts Facts) (Gate, bool) {
	probe := promotion.Promotion{Request: promotion.Request{Rollback: facts.Rollback}}
	if facts.Promotion != nil {
		probe = *facts.Promotion
	}
	required := probe.Required(stage.Approval)
	if required == 0 {
		return Gate{}, false
	}
	outdated := probe.Approvals
	probe.Approvals = probe.Counting(stage.Approval)
	have := len(probe.Approvals)
	g := Gate{Name: GateApproval, Pass: have >= required, Waits: true, Fact: fmt.Sprintf("approval %d of %d", have, required)}
	if g.Pass {
		g.Fact += " by " + strings.Join(probe.ApprovedBy(), ", ")
		return g, true
	}
	for _, a := range outdated {
		if a.Outdated != "" {
			g.Fact += fmt.Sprintf(", that of %s counts no longer (%s)", a.By, a.Outdated)
		}
	}
	g.Remedy = "somebody who may approve in " + stage.Name
	if stage.Approval.NotBy == pipeline.NotByPromoter {
		if probe.Request.By != "" {
			g.Remedy += ", other than " + probe.Request.By + ","
		} else {
			g.Remedy += ", other than the promoter,"
		}
	}
	g.Remedy += " approves it"
	return g, true
}

func applications(stage pipeline.Stage, facts Facts) Gate {
	g := Gate{Name: GateApplications, Pass: facts.Applications > 0 || stage.ControlFlow, Waits: true}
	switch {
	case facts.Applications == 1:
		g.Fact = fmt.Sprintf("one Application is bound to %s", stage.Name)
	case facts.Applications > 1:
		g.Fact = fmt.Sprintf("%d Applications are bound to %s", facts.Applications, stage.Name)
	case stage.ControlFlow:
		g.Fact = fmt.Sprintf("stage %s has no Applications by intent (controlFlow)", stage.Name)
	default:
		g.Fact, g.Remedy = Unbound(stage.Name, facts.Strays)
	}
	return g
}

// maxStrays bounds the Applications of which one sentence tells.
const maxStrays = 3

// Unbound tells that no Application is bound to a stage, and what binds one: those
// that name the stage already are told of first, see [Facts].
func Unbound(stage string, strays []string) (fact, remedy string) {
	fact = "no Application is bound to " + stage
	switch n := len(strays); {
	case n == 0:
		return fact, "annotate one with waybill.dev/stage, or set controlFlow: true on the stage"
	case n == 1:
		return fact + ", though one names it", strays[0]
	case n <= maxStrays:
		return fmt.Sprintf("%s, though %d name it", fact, n), strings.Join(strays, "; ")
	default:
		return fmt.Sprintf("%s, though %d name it", fact, n), fmt.Sprintf("%s; and %d more", strings.Join(strays[:maxStrays], "; "), n-maxStrays)
	}
}

func turn(stage pipeline.Stage, facts Facts) Gate {
	if facts.Ahead == "" {
		return Gate{Name: GateTurn, Pass: true, Fact: fmt.Sprintf("no other promotion runs in %s or goes first", stage.Name)}
	}
	return Gate{
		Name: GateTurn, Waits: true,
		Fact:   fmt.Sprintf("promotion %s runs in %s or goes first", facts.Ahead, stage.Name),
		Remedy: "wait until it has ended, or abort it",
	}
}
