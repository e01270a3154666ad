package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/store"
)

type warehouseKey struct {
	Pipeline  pipeline.Name
	Warehouse string
}

// lookState is what this process knows of a warehouse's looks. It is not
// stored: a look that finds nothing new must cost no write.
type lookState struct {
	document string // hash of the document that the look was made by
	next     time.Time
	failures int
	began    time.Time // when the last look began
	held     time.Time // until when a host asked to be left alone
}

// askedGap is the least time between the beginnings of two looks of which the
// second was asked for: whoever asks, a person or a webhook, and how often, causes
// no more.
const askedGap = 5 * time.Second

// due returns the time to the next look; none is left where a document has changed.
// A host that asked to be left alone is, whoever asks.
func (s lookState) due(now time.Time, document string, asked bool) time.Duration {
	if s.document != document {
		return 0
	}
	wait := s.next.Sub(now)
	if asked {
		wait = min(wait, max(s.began.Add(askedGap).Sub(now), s.held.Sub(now)))
	}
	return wait
}

type looks struct {
	mu     sync.Mutex
	states map[warehouseKey]lookState
}

func (l *looks) get(k warehouseKey) lookState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[k]
}

func (l *looks) put(k warehouseKey, s lookState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states[k] = s
}

func (l *looks) forget(k warehouseKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.states, k)
}

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

	offers, lookErr := e.discover(ctx, key.Pipeline, w)
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	state.document = p.Hash
	if lookErr != nil {
		state.failures++
	} else {
		state.failures = 0
	}
	state.next = e.Now().Add(pause(w, state.failures, lookErr))
	state.held = e.Now().Add(retryAfter(lookErr))
	if err := e.record(ctx, p, w, &record, offers, lookErr); err != nil {
		return again(err)
	}
	e.looks.put(key, state)
	warehouseLooked.WithLabelValues(key.Pipeline.String(), w.Name).SetToCurrentTime()
	warehouseLooks.WithLabelValues(key.Pipeline.String(), w.Name, outcome(lookErr)).Inc()
	// Zero would mean never.
	return reconcile.Result{RequeueAfter: max(time.Second, state.next.Sub(e.Now()))}, nil
}

// begin notes that a look begins. A request that it serves is marked in the record,
// so that one that comes from here on is another look. Should this look not come to
// its end, the next turn makes it again, and so does the next process, which knows
// of no look at all.
func (e *Engine) begin(ctx context.Context, key warehouseKey, state *lookState, r *store.Record[store.Warehouse], asked bool) error {
	state.began = e.Now()
	state.next = state.began
	e.looks.put(key, *state)
	if !asked {
		return nil
	}
	r.Value.Refresh = r.Value.Asked
	return e.store.PutWarehouse(ctx, key.Pipeline, r)
}

func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "found"
}

// lookTimeout bounds one look, so that it is never taken for one that hangs, see
// stuck.
const lookTimeout = 5 * time.Minute

// discover asks every subscription for its best. All of them have to answer:
// freight is never made of a part.
func (e *Engine) discover(ctx context.Context, name pipeline.Name, w pipeline.Warehouse) ([]freight.Offer, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	best := make([]freight.Offer, len(w.Subscriptions))
	for i, s := range w.Subscriptions {
		look, err := e.sources.Discover(ctx, name.Namespace, s)
		if err != nil {
			return nil, fmt.Errorf("subscriptions[%d]: %w", i, err)
		}
		best[i] = look.Offers[0]
	}
	return best, nil
}

// record stores the freight that was found and the outcome of the look.
func (e *Engine) record(ctx context.Context, p Pipeline, w pipeline.Warehouse, r *store.Record[store.Warehouse], offers []freight.Offer, lookErr error) error {
	candidate := ""
	if lookErr == nil {
		artifacts, _ := freight.Assemble(offers)
		f := freight.New(p.Name.String(), w.Name, artifacts, e.Now())
		created, err := e.createFreight(ctx, p.Name, f)
		if err != nil {
			return err
		}
		if created {
			freightCreated.WithLabelValues(p.Name.String(), w.Name).Inc()
			e.event(p.Name, corev1.EventTypeNormal, "FreightCreated", "warehouse %s made freight %s: %s", w.Name, freight.Short(f.ID), f.Summary())
		}
		candidate = f.ID
	}
	before, err := e.putOutcome(ctx, p.Name, r, candidate, lookErr)
	if err != nil {
		return err
	}
	if r.Value.Error != "" && r.Value.Error != before.Error {
		e.event(p.Name, corev1.EventTypeWarning, "DiscoveryFailed", "warehouse %s: %s", w.Name, r.Value.Error)
	}
	return nil
}

// putOutcome writes the outcome of a look, and returns what was recorded before it.
// Somebody may have asked for another look meanwhile, which is no reason to make
// this one again.
func (e *Engine) putOutcome(ctx context.Context, name pipeline.Name, r *store.Record[store.Warehouse], candidate string, lookErr error) (before store.Warehouse, err error) {
	for range attempts {
		before = r.Value
		r.Value.Error = ""
		if lookErr != nil {
			r.Value.Error = lookErr.Error()
		} else {
			r.Value.Candidate = candidate
		}
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

func (e *Engine) createFreight(ctx context.Context, name pipeline.Name, f freight.Freight) (created bool, err error) {
	switch _, err := e.store.FreightByID(ctx, name, f.ID); {
	case err == nil:
		return false, nil
	case !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	return e.store.CreateFreight(ctx, f)
}

// firstRetry is the pause after the first failed look; it doubles from there to
// the warehouse's interval.
const firstRetry = 10 * time.Second

// pause is the time to the next look: the interval, sooner after a failure that
// may pass, and never sooner than a registry asked for.
func pause(w pipeline.Warehouse, failures int, err error) time.Duration {
	interval := time.Duration(w.Interval)
	wait := interval
	if failures > 0 {
		const doublings = 10
		wait = min(interval, firstRetry<<min(failures-1, doublings))
	}
	return max(wait, retryAfter(err))
}

// retryAfter is how long the host of a failed look wants to be left alone.
func retryAfter(err error) time.Duration {
	var busy *source.Busy
	if errors.As(err, &busy) {
		return busy.RetryAfter
	}
	return 0
}
