package engine

import (
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
	if wait := state.Next.Sub(now); wait > 0 && state.document == p.Hash && !asked {
		return reconcile.Result{RequeueAfter: wait}, nil
	}

	found := e.discover(ctx, key.Pipeline, w)
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	if err := e.record(ctx, p, w, &record, found); err != nil {
		return again(err)
	}
	state.failures++
	if found.result() != resultFailed {
		state.failures = 0
	}
	state.document, state.At = p.Hash, e.Now()
	state.Next = state.At.Add(pause(w, state.failures, found))
	state.note(found)
	e.looks.put(key, state)
	measure(key, state.Look, found.result())
	// Zero would mean never.
	return reconcile.Result{RequeueAfter: max(time.Second, state.Next.Sub(e.Now()))}, nil
}

// unfinished is what the record says of a first look that carries on. How far it
// has got is told by [Look], so that it costs no writes.
const unfinished = "the first look is not complete yet: it carries on by itself"

// record stores the freight that was found and the outcome of the look. Where
// nothing was found, or none may be made of it, the candidate stays.
func (e *Engine) record(ctx context.Context, p Pipeline, w pipeline.Warehouse, r *store.Record[store.Warehouse], found discovery) error {
	before := r.Value
	r.Value.Refresh, r.Value.Error, r.Value.Reason = r.Value.Asked, "", ""
	switch result := found.result(); {
	case result == resultFailed:
		r.Value.Error = found.failure()
	case result == resultIncomplete:
		r.Value.Reason = unfinished
	case w.FreightCreationPolicy != pipeline.CreationManual:
		if err := e.makeFreight(ctx, p, w, r, found.best()); err != nil {
			return err
		}
	}
	if err := e.store.PutWarehouse(ctx, p.Name, r); err != nil {
		return err
	}
	if r.Value.Error != "" && r.Value.Error != before.Error {
		e.event(p.Name, corev1.EventTypeWarning, "DiscoveryFailed", "warehouse %s: %s", w.Name, r.Value.Error)
	}
	if r.Value.Reason != "" && r.Value.Reason != before.Reason && r.Value.Reason != unfinished {
		e.event(p.Name, corev1.EventTypeNormal, "FreightWithheld", "warehouse %s: %s", w.Name, r.Value.Reason)
	}
	return nil
}

// makeFreight makes freight of what was found the candidate, or tells why not.
func (e *Engine) makeFreight(ctx context.Context, p Pipeline, w pipeline.Warehouse, r *store.Record[store.Warehouse], best []freight.Offer) error {
	artifacts, details := freight.Assemble(best)
	if err := artifacts.Check(); err != nil {
		r.Value.Error = "no freight can be made of what was found: " + err.Error()
		return nil //nolint:nilerr // the warehouse tells it
	}
	if r.Value.Reason = withheld(w, artifacts, details); r.Value.Reason != "" {
		return nil
	}
	f := freight.New(p.Name.String(), w.Name, artifacts, e.Now())
	f.Details = details
	f, created, err := e.create(ctx, p.Name, f)
	if err != nil {
		return err
	}
	if created {
		e.event(p.Name, corev1.EventTypeNormal, "FreightCreated", "warehouse %s made freight %s (%s): %s", w.Name, f.Alias, freight.Short(f.ID), f.Summary())
	}
	r.Value.Candidate = f.ID
	return nil
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
