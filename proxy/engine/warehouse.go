package engine

import (
	"cmp"
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

// look has a warehouse look at its repositories if it is time, if somebody
// asked, or if its document has changed.
func (e *Engine) look(ctx context.Context, key warehouseKey) (reconcile.Result, error) {
	p, err := e.Pipeline(ctx, key.Pipeline)
	if errors.Is(err, ErrNotFound) {
		e.looks.forget(key)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	w, ok := p.Warehouse(key.Warehouse)
	if !ok {
		e.looks.forget(key)
		return reconcile.Result{}, nil
	}
	record, err := e.store.Warehouse(ctx, key.Pipeline, key.Warehouse)
	if err != nil {
		return reconcile.Result{}, err
	}
	state, now := e.looks.get(key), e.Now()
	asked := record.Value.Asked != record.Value.Refresh
	if wait := state.due(now, p.Hash, asked); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	if err := e.begin(ctx, key, &state, &record, asked); err != nil {
		return again(err)
	}

	found := e.discover(ctx, key.Pipeline, w)
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	recorded := e.record(ctx, p, w, &record, found)
	state.failures++
	if found.result() != resultFailed && recorded == nil {
		state.failures = 0
	}
	// What could not be recorded was looked for all the same: the next look, which
	// tries to record again, comes no sooner than after one that failed.
	state.document, state.At = p.Hash, e.Now()
	state.Next = state.At.Add(pause(w, state.failures, found))
	state.held = state.At.Add(found.retryAfter())
	state.note(found)
	e.looks.put(key, state)
	measure(key, state.Look, found.result())
	if recorded != nil {
		return again(recorded)
	}
	// Zero would mean never.
	return reconcile.Result{RequeueAfter: max(time.Second, state.Next.Sub(e.Now()))}, nil
}

// begin notes that a look begins. A request that it serves is marked in the record,
// so that one that comes from here on is another look. Should this look not come to
// its end, the next turn makes it again, and so does the next process, which knows
// of no look at all.
func (e *Engine) begin(ctx context.Context, key warehouseKey, state *lookState, r *store.Record[store.Warehouse], asked bool) error {
	state.began = e.Now()
	state.Next = state.began
	e.looks.put(key, *state)
	if !asked {
		return nil
	}
	r.Value.Refresh = r.Value.Asked
	return e.store.PutWarehouse(ctx, key.Pipeline, r)
}

// unfinished is what the record says of a first look that carries on. How far it
// has got is told by [Look], so that it costs no writes.
const unfinished = "the first look is not complete yet: it carries on by itself"

// outcome is what a look leaves in the record.
type outcome struct {
	candidate string // empty where the one before stays
	err       string
	reason    string
}

// record stores the freight that was found and the outcome of the look. Where
// nothing was found, or none may be made of it, the candidate stays.
func (e *Engine) record(ctx context.Context, p Pipeline, w pipeline.Warehouse, r *store.Record[store.Warehouse], found discovery) error {
	var o outcome
	switch result := found.result(); {
	case result == resultFailed:
		o.err = found.failure()
	case result == resultIncomplete:
		o.reason = unfinished
	case w.FreightCreationPolicy != pipeline.CreationManual:
		var err error
		if o, err = e.makeFreight(ctx, p, w, found.best()); err != nil {
			return err
		}
	}
	before, err := e.putOutcome(ctx, p.Name, r, o)
	if err != nil {
		return err
	}
	if o.err != "" && o.err != before.Error {
		e.event(p.Name, corev1.EventTypeWarning, "DiscoveryFailed", "warehouse %s: %s", w.Name, o.err)
	}
	if o.reason != "" && o.reason != before.Reason && o.reason != unfinished {
		e.event(p.Name, corev1.EventTypeNormal, "FreightWithheld", "warehouse %s: %s", w.Name, o.reason)
	}
	return nil
}

// putOutcome writes the outcome of a look, and returns what was recorded before it.
// Somebody may have asked for another look meanwhile, which is no reason to make
// this one again.
func (e *Engine) putOutcome(ctx context.Context, name pipeline.Name, r *store.Record[store.Warehouse], o outcome) (before store.Warehouse, err error) {
	for range attempts {
		before = r.Value
		r.Value.Error, r.Value.Reason = o.err, o.reason
		r.Value.Candidate = cmp.Or(o.candidate, before.Candidate)
		if err = e.store.PutWarehouse(ctx, name, r); !errors.Is(err, store.ErrConflict) {
			return before, err
		}
		fresh, readErr := e.store.WarehouseNow(ctx, name, before.Name)
		if readErr != nil {
			return before, readErr
		}
		*r = fresh
	}
	return before, err
}

// makeFreight makes freight of what was found the candidate, or tells why not.
func (e *Engine) makeFreight(ctx context.Context, p Pipeline, w pipeline.Warehouse, best []freight.Offer) (outcome, error) {
	artifacts, details := freight.Assemble(best)
	if err := artifacts.Check(); err != nil {
		return outcome{err: "no freight can be made of what was found: " + err.Error()}, nil //nolint:nilerr // the warehouse tells it
	}
	if reason := withheld(w, artifacts, details); reason != "" {
		return outcome{reason: reason}, nil
	}
	f := freight.New(p.Name.String(), w.Name, artifacts, e.Now())
	f.Details = details
	f, created, err := e.create(ctx, p.Name, f)
	if err != nil {
		return outcome{}, err
	}
	if created {
		e.event(p.Name, corev1.EventTypeNormal, "FreightCreated", "warehouse %s made freight %s (%s): %s", w.Name, f.Alias, freight.Short(f.ID), f.Summary())
	}
	return outcome{candidate: f.ID}, nil
}

const (
	// firstRetry is the pause after the first failed look; it doubles from there to
	// the warehouse's interval.
	firstRetry = 10 * time.Second
	// carryOn is the pause of a first look that takes more than one.
	carryOn = time.Second
)

// pause is the time to the next look: the interval, sooner after a failure that
// may pass or a look that is to carry on, and never sooner than a host asked for.
func pause(w pipeline.Warehouse, failures int, found discovery) time.Duration {
	wait := time.Duration(w.Interval)
	switch {
	case failures > 0:
		const doublings = 10
		wait = min(wait, firstRetry<<min(failures-1, doublings))
	case found.result() == resultIncomplete:
		wait = carryOn
	}
	return max(wait, found.retryAfter())
}
