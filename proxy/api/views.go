package api

import (
	"context"
	"errors"
	"slices"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/engine"
)

func actions(p engine.Pipeline) []v1.Action {
	names := []string{v1.ActionPromote, v1.ActionApprove, v1.ActionReject, v1.ActionAbort, v1.ActionRollback, v1.ActionRefresh, v1.ActionAssemble}
	all := make([]v1.Action, len(names))
	for i, name := range names {
		all[i] = v1.Action{Name: name, Gate: gateOf(p, name)}
	}
	return all
}

func summaryOf(p engine.Pipeline) v1.PipelineSummary {
	summary := v1.PipelineSummary{Name: p.Name.Short(), Project: p.Project, Problems: p.Problems}
	for _, w := range p.Warehouses {
		summary.Warehouses = append(summary.Warehouses, w.Name)
	}
	for _, s := range p.Stages {
		summary.Stages = append(summary.Stages, s.Name)
	}
	return summary
}

func (s *Server) pipelineView(ctx context.Context, p engine.Pipeline) (v1.Pipeline, error) {
	view := v1.Pipeline{PipelineSummary: summaryOf(p), Document: p.Hash, Gates: actions(p), Edges: edges(p)}
	// In a whole pipeline the lists of the summary are the lists themselves.
	view.PipelineSummary.Warehouses, view.PipelineSummary.Stages = nil, nil
	for _, w := range p.Warehouses {
		one, err := s.warehouseView(ctx, p, w)
		if err != nil {
			return view, err
		}
		view.Warehouses = append(view.Warehouses, one)
	}
	for _, stage := range p.Stages {
		one, err := s.stageView(ctx, p, stage.Name)
		if err != nil {
			return view, err
		}
		view.Stages = append(view.Stages, one)
	}
	newest, err := s.recentFreight(ctx, p.Name)
	if err != nil {
		return view, err
	}
	view.Freight, err = s.freightViews(ctx, p, newest)
	return view, err
}

func edges(p engine.Pipeline) []v1.Edge {
	var all []v1.Edge
	for _, stage := range p.Stages {
		for _, r := range stage.RequestedFreight {
			if r.Sources.Direct {
				all = append(all, v1.Edge{From: r.Origin.Name, Kind: pipeline.KindWarehouse, To: stage.Name, Origin: r.Origin.Name})
			}
			for _, up := range r.Sources.Stages {
				all = append(all, v1.Edge{From: up, Kind: promotion.StageKind, To: stage.Name, Origin: r.Origin.Name})
			}
		}
	}
	return all
}

func (s *Server) stageView(ctx context.Context, p engine.Pipeline, name string) (v1.Stage, error) {
	now, err := s.engine.Situation(ctx, p, name)
	if err != nil {
		return v1.Stage{}, err
	}
	record := now.Record.Value
	view := v1.Stage{
		Name: name, Pipeline: p.Name.Short(), Project: p.ProjectOf(now.Stage),
		RequestedFreight: now.Stage.RequestedFreight, AutoPromotion: now.Stage.Automatic(),
		Approval: now.Stage.Approval, Branch: now.Stage.Branch, ControlFlow: now.Stage.ControlFlow,
		Steps: s.engine.Steps(), Serial: record.Serial, Holds: record.Holds, Last: record.Last,
		Problems: now.Bound.Problems, Automation: automation(now),
		Applications: []v1.BoundApplication{},
	}
	if view.Current, err = s.loads(ctx, p, record, record.Current); err != nil {
		return view, err
	}
	if view.History, err = s.loads(ctx, p, record, record.History); err != nil {
		return view, err
	}
	for _, a := range now.Bound.Applications {
		has := slices.Contains(record.Applications, a.Key())
		view.Applications = append(view.Applications, v1.BoundApplication{
			Namespace: a.Namespace, Name: a.Name, Sync: a.Sync(), Health: a.Health(), Waybill: has, Trouble: a.Trouble(),
		})
	}
	return view, s.openPromotions(ctx, now, &view)
}

func (s *Server) openPromotions(ctx context.Context, now engine.Situation, view *v1.Stage) error {
	open := make([]promotion.Promotion, 0, len(now.Open))
	for _, r := range now.Open {
		if r.Value.ID == now.Record.Value.Running {
			running := r.Value
			view.Running = &running
			continue
		}
		open = append(open, r.Value)
	}
	for _, p := range promotion.Queue(open) {
		verdict, err := s.engine.Judge(ctx, now, p)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		view.Pending = append(view.Pending, v1.Pending{Promotion: p, Waiting: verdict.Waiting()})
	}
	return nil
}

func automation(now engine.Situation) []v1.Automation {
	if !now.Stage.Automatic() {
		return nil
	}
	open := make([]promotion.Promotion, len(now.Open))
	for i, r := range now.Open {
		open[i] = r.Value
	}
	var all []v1.Automation
	for _, r := range now.Stage.RequestedFreight {
		one := v1.Automation{Origin: r.Origin.Name, Candidate: now.Candidates[r.Origin.Name]}
		if one.Candidate == "" {
			one.Why = "warehouse " + r.Origin.Name + " has found no freight yet"
		} else {
			one.Why = promotion.Choose(now.Record.Value, promotion.Held{Origin: one.Origin, Freight: one.Candidate}, open).Why
		}
		all = append(all, one)
	}
	return all
}

func (s *Server) loads(ctx context.Context, p engine.Pipeline, record promotion.Stage, loads []promotion.Load) ([]v1.Load, error) {
	views := make([]v1.Load, len(loads))
	for i, l := range loads {
		alias, summary, err := s.called(ctx, p, l.Freight)
		if err != nil {
			return nil, err
		}
		views[i] = v1.Load{Load: l, Alias: alias, Summary: summary}
		if v, ok := record.VerificationOf(l.Freight); ok {
			views[i].VerifiedAt = &v.At
		}
	}
	return views, nil
}

// called returns what people call freight, and its artifacts in a few words;
// freight that somebody deleted has neither.
func (s *Server) called(ctx context.Context, p engine.Pipeline, id string) (alias, summary string, err error) {
	f, err := s.engine.FreightByID(ctx, p.Name, id)
	if errors.Is(err, engine.ErrNotFound) {
		return "", "", nil
	}
	return f.Alias, f.Summary(), err
}

func (s *Server) freightViews(ctx context.Context, p engine.Pipeline, all []freight.Freight) ([]v1.Freight, error) {
	records := make([]promotion.Stage, len(p.Stages))
	for i, stage := range p.Stages {
		record, err := s.engine.StageRecord(ctx, pipeline.StageName{Pipeline: p.Name, Stage: stage.Name})
		if err != nil {
			return nil, err
		}
		records[i] = record
	}
	views := make([]v1.Freight, len(all))
	for i, f := range all {
		views[i] = v1.Freight{Freight: f, Summary: f.Summary()}
		for j, stage := range p.Stages {
			if records[j].Contains(f.ID) {
				views[i].Stages = append(views[i].Stages, stage.Name)
			}
			if _, ok := records[j].VerificationOf(f.ID); ok {
				views[i].VerifiedIn = append(views[i].VerifiedIn, stage.Name)
			}
		}
	}
	return views, nil
}

func (s *Server) promotionView(ctx context.Context, p engine.Pipeline, one promotion.Promotion) (v1.Promotion, error) {
	view := v1.Promotion{Promotion: one}
	var err error
	if view.Alias, view.Summary, err = s.called(ctx, p, one.Freight); err != nil || one.Phase != promotion.Pending || one.Outcome() != promotion.Pending {
		return view, err
	}
	now, err := s.engine.Situation(ctx, p, one.Stage)
	if errors.Is(err, engine.ErrNotFound) {
		return view, nil // the stage has left the pipeline since
	}
	if err != nil {
		return view, err
	}
	verdict, err := s.engine.Judge(ctx, now, one)
	if errors.Is(err, engine.ErrNotFound) {
		return view, nil
	}
	view.Verdict, view.Waiting = &verdict, verdict.Waiting()
	return view, err
}
