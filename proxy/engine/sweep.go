package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

// sweepEvery is the time between two looks for records that have become too old.
const sweepEvery = time.Hour

// sweeper bounds what is kept: ended promotions for the time of retention, and
// freight for as long as anything names it.
type sweeper struct{ *Engine }

// NeedLeaderElection tells the manager that one replica sweeps.
func (sweeper) NeedLeaderElection() bool { return true }

// Start sweeps until the context ends.
func (w sweeper) Start(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := w.Sweep(ctx); err != nil {
			log.FromContext(ctx).WithName("sweep").Error(err, "old records are kept until the next turn")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep deletes the records that are older than the time of retention and that
// nothing names: not a stage, not a warehouse, not a promotion that is kept.
func (e *Engine) Sweep(ctx context.Context) error {
	pipelines, err := e.Pipelines(ctx)
	if err != nil {
		return err
	}
	deleted, err := e.deleted(ctx)
	for _, p := range slices.Concat(pipelines, deleted) {
		err = errors.Join(err, e.sweep(ctx, p))
	}
	return err
}

// deleted returns the pipelines that somebody has deleted, as they were in force
// last. Their records stay for a pipeline that comes back, but for what is too old.
func (e *Engine) deleted(ctx context.Context) ([]Pipeline, error) {
	names, err := e.store.AcceptedNames(ctx)
	if err != nil {
		return nil, err
	}
	var all []Pipeline
	for _, name := range names {
		if _, there := e.store.Pipeline(ctx, name); !errors.Is(there, store.ErrNotFound) {
			continue
		}
		accepted, readErr := e.store.Accepted(ctx, name)
		if readErr == nil && accepted.Value.Hash != "" {
			var doc pipeline.Document
			if doc, readErr = pipeline.Parse(name, accepted.Value.Document); readErr == nil {
				all = append(all, Pipeline{Document: doc, Name: name, Hash: accepted.Value.Hash})
			}
		}
		err = errors.Join(err, readErr)
	}
	return all, err
}

func (e *Engine) sweep(ctx context.Context, p Pipeline) error {
	oldest := e.Now().Add(-e.Retention)
	named, err := e.namedByRecords(ctx, p)
	if err != nil {
		return err
	}
	promotions, err := e.store.Promotions(ctx, p.Name)
	if err != nil {
		return err
	}
	all := make([]promotion.Promotion, len(promotions))
	for i, r := range promotions {
		all[i] = r.Value
	}
	for _, id := range promotion.Bases(all, func(freight string) bool { return named[freight] }) {
		named[id] = true
	}
	for _, r := range promotions {
		if _, there := p.Stage(r.Value.Stage); !there && !r.Value.Phase.Ended() {
			if err := e.endRemoved(ctx, p.Name, r); err != nil {
				return err
			}
		}
		ended := r.Value.FinishedAt
		if r.Value.Phase.Ended() && ended != nil && ended.Before(oldest) && !named[r.Value.ID] {
			if err := e.store.Delete(ctx, r.Value.ID); err != nil {
				return err
			}
			continue
		}
		named[r.Value.Freight] = true
		for _, h := range r.Value.Carries {
			named[h.Freight] = true
		}
	}
	loads, err := e.store.Freight(ctx, p.Name)
	if err != nil {
		return err
	}
	for _, f := range loads {
		if f.DiscoveredAt.Before(oldest) && !named[f.ID] {
			if err := e.store.Delete(ctx, f.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// endRemoved ends a promotion of a stage that the pipeline has no more: no loop turns
// for it. The document is read again: one that came meanwhile may have the stage.
func (e *Engine) endRemoved(ctx context.Context, name pipeline.Name, r store.Record[promotion.Promotion]) error {
	p, err := e.Pipeline(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return nil // it may come back
	}
	if _, there := p.Stage(r.Value.Stage); there || err != nil {
		return err
	}
	s := Situation{Pipeline: p, Name: pipeline.StageName{Pipeline: name, Stage: r.Value.Stage}}
	if s.Record, err = e.store.Stage(ctx, s.Name); err != nil {
		return err
	}
	return e.end(ctx, &s, r, promotion.Aborted, promotion.ReasonInvalid, fmt.Sprintf("stage %s is not in pipeline %s any more", r.Value.Stage, p.Name.Short()))
}

// namedByRecords returns the IDs of freight and promotions that stages and
// warehouses name.
func (e *Engine) namedByRecords(ctx context.Context, p Pipeline) (map[string]bool, error) {
	named := map[string]bool{}
	for _, w := range p.Warehouses {
		record, err := e.store.Warehouse(ctx, p.Name, w.Name)
		if err != nil {
			return nil, err
		}
		named[record.Value.Candidate] = true
	}
	for _, stage := range p.Stages {
		r, err := e.store.Stage(ctx, pipeline.StageName{Pipeline: p.Name, Stage: stage.Name})
		if err != nil {
			return nil, err
		}
		for _, l := range append(append([]promotion.Load{}, r.Value.Current...), r.Value.History...) {
			named[l.Freight], named[l.Promotion] = true, true
		}
		for _, v := range r.Value.Verified {
			named[v.Freight], named[v.Promotion] = true, true
		}
		for _, d := range r.Value.Declined {
			named[d.Freight], named[d.Promotion] = true, true
		}
		if r.Value.Last != nil {
			named[r.Value.Last.Promotion] = true
		}
	}
	return named, nil
}
