package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Situation is all that is known of a stage at one moment: what its verdicts,
// its loop and its view rest on.
type Situation struct {
	Pipeline Pipeline
	Stage    pipeline.Stage
	Name     pipeline.StageName
	Record   store.Record[promotion.Stage]
	// Upstream are the records of the stages that its freight comes through.
	Upstream map[string]promotion.Stage
	Bound    argocd.Bound
	// Open are the promotions that have not ended.
	Open []store.Record[promotion.Promotion]
	// Candidates are what the warehouses select now, by origin.
	Candidates map[string]string
}

// Situation reads what is known of a stage.
func (e *Engine) Situation(ctx context.Context, p Pipeline, stage string) (Situation, error) {
	s, name, err := p.StageNamed(stage)
	if err != nil {
		return Situation{}, err
	}
	now := Situation{
		Pipeline: p, Stage: s, Name: name,
		Upstream: map[string]promotion.Stage{}, Candidates: map[string]string{},
	}
	if now.Record, err = e.store.Stage(ctx, name); err != nil {
		return now, err
	}
	for _, up := range p.Upstream(stage) {
		r, err := e.store.Stage(ctx, pipeline.StageName{Pipeline: p.Name, Stage: up})
		if err != nil {
			return now, err
		}
		now.Upstream[up] = r.Value
	}
	if now.Bound, err = e.apps.Bound(ctx, p.Document, s, name); err != nil {
		return now, err
	}
	if now.Open, err = e.store.OpenPromotions(ctx, name); err != nil {
		return now, err
	}
	for _, r := range s.RequestedFreight {
		w, err := e.store.Warehouse(ctx, p.Name, r.Origin.Name)
		if err != nil {
			return now, err
		}
		if w.Value.Candidate != "" {
			now.Candidates[r.Origin.Name] = w.Value.Candidate
		}
	}
	return now, nil
}

// values returns the open promotions without their versions.
func (s Situation) values() []promotion.Promotion {
	all := make([]promotion.Promotion, len(s.Open))
	for i, r := range s.Open {
		all[i] = r.Value
	}
	return all
}

// facts are what a verdict on the stage rests on. judged is the promotion that
// is judged, nil for "could I promote?".
func (s Situation) facts(judged *promotion.Promotion, rollback bool) eligibility.Facts {
	f := eligibility.Facts{
		Stages:       map[string]promotion.Stage{s.Stage.Name: s.Record.Value},
		Applications: len(s.Bound.Applications),
		Strays:       s.Bound.Problems,
		Promotion:    judged,
		Rollback:     rollback,
	}
	for name, record := range s.Upstream {
		f.Stages[name] = record
	}
	if running := s.Record.Value.Running; running != "" && (judged == nil || judged.ID != running) {
		f.Ahead = running
	}
	return f
}

// Verdict judges whether freight may go into the stage.
func (e *Engine) Verdict(s Situation, f freight.Freight, rollback bool) eligibility.Verdict {
	return eligibility.Eligible(f, s.Stage, s.facts(nil, rollback), e.Now())
}

// Judge judges a promotion.
func (e *Engine) Judge(ctx context.Context, s Situation, p promotion.Promotion) (eligibility.Verdict, error) {
	f, err := e.FreightByID(ctx, s.Pipeline.Name, p.Freight)
	if err != nil {
		return eligibility.Verdict{}, err
	}
	return eligibility.Eligible(f, s.Stage, s.facts(&p, false), e.Now()), nil
}

// FreightByID returns freight of a pipeline by its full ID.
func (e *Engine) FreightByID(ctx context.Context, name pipeline.Name, id string) (freight.Freight, error) {
	f, err := e.store.FreightByID(ctx, name, id)
	if errors.Is(err, store.ErrNotFound) {
		return f, notFound("pipeline %s has no freight %s", name.Short(), freight.Short(id))
	}
	return f, err
}

// FindFreight returns the freight that people mean by a name, see freight.Find;
// for a stage, its origins are given.
func (e *Engine) FindFreight(ctx context.Context, name pipeline.Name, named string, origins ...string) (freight.Freight, error) {
	all, err := e.store.Freight(ctx, name)
	if err != nil {
		return freight.Freight{}, err
	}
	f, err := freight.Find(all, named, origins...)
	if err != nil {
		return f, notFound("pipeline %s: %s", name.Short(), err)
	}
	return f, nil
}

// evidence tells where the freight that a promotion carries has passed.
func (s Situation) evidence(carries []promotion.Held) []promotion.Evidence {
	var all []promotion.Evidence
	for _, name := range s.Pipeline.Upstream(s.Stage.Name) {
		for _, h := range carries {
			if v, ok := s.Upstream[name].VerificationOf(h.Freight); ok {
				all = append(all, promotion.Evidence{Stage: name, Freight: h.Freight, Promotion: v.Promotion, VerifiedAt: v.At})
			}
		}
	}
	return all
}

// passedEverywhere returns the stages in which all of the freight had passed.
func passedEverywhere(p promotion.Promotion) []string {
	passed := map[string]int{}
	var names []string
	for _, ev := range p.Evidence {
		passed[ev.Stage]++
		if passed[ev.Stage] == len(p.Carries) && !slices.Contains(names, ev.Stage) {
			names = append(names, ev.Stage)
		}
	}
	return names
}

// carries returns all the freight of the waybills that a promotion writes.
func (s Situation) carries(promoted promotion.Held) []promotion.Held {
	return s.Record.Value.Carry(promoted, s.Origins())
}

// Origins returns the origins that the stage takes freight of.
func (s Situation) Origins() []string {
	origins := make([]string, len(s.Stage.RequestedFreight))
	for i, r := range s.Stage.RequestedFreight {
		origins[i] = r.Origin.Name
	}
	return origins
}
