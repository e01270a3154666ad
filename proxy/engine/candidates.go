package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// Candidates are what the subscriptions of a warehouse offer, for a person to
// assemble freight of.
type Candidates struct {
	// At is when they were looked for.
	At            time.Time
	Subscriptions []SubscriptionOffers
	document      string
}

// SubscriptionOffers are what one subscription offers.
type SubscriptionOffers struct {
	freight.Offered
	Skipped []string
	// Error tells why there are no offers.
	Error string
}

const (
	// candidatesKept is how long an answer counts: as long as a person needs to
	// choose from it and to ask for freight of that.
	candidatesKept = 15 * time.Second
	// parallelCandidates bounds the looks for people, beside those of the loops.
	parallelCandidates = 4
)

// offering has the looks for people: one at a time for each warehouse.
type offering struct {
	looking singleflight.Group
	slots   chan struct{}
	mu      sync.Mutex
	kept    map[warehouseKey]Candidates
}

func newOffering() *offering {
	return &offering{slots: make(chan struct{}, parallelCandidates), kept: map[warehouseKey]Candidates{}}
}

func (o *offering) get(k warehouseKey, document string, now time.Time) (Candidates, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, ok := o.kept[k]
	return c, ok && c.document == document && now.Sub(c.At) < candidatesKept
}

// put keeps an answer, and forgets those that count no longer.
func (o *offering) put(k warehouseKey, c Candidates) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for other, old := range o.kept {
		if c.At.Sub(old.At) >= candidatesKept {
			delete(o.kept, other)
		}
	}
	o.kept[k] = c
}

// Candidates looks for what the subscriptions of a warehouse offer now. It is a
// look of this replica's own, which changes nothing; several who ask at a time
// share one.
func (e *Engine) Candidates(ctx context.Context, p Pipeline, warehouse string) (Candidates, error) {
	w, err := p.WarehouseNamed(warehouse)
	if err != nil {
		return Candidates{}, err
	}
	key := warehouseKey{p.Name, warehouse}
	if c, ok := e.offering.get(key, p.Hash, e.Now()); ok {
		return c, nil
	}
	// Who asks may go; the look goes on for the others, and for the next.
	looking := context.WithoutCancel(ctx)
	answer := e.offering.looking.DoChan(key.String()+" "+p.Hash, func() (any, error) {
		e.offering.slots <- struct{}{}
		defer func() { <-e.offering.slots }()
		// A look may have ended since the answer was not there.
		if c, ok := e.offering.get(key, p.Hash, e.Now()); ok {
			return c, nil
		}
		c := e.candidates(looking, p, w)
		e.offering.put(key, c)
		return c, nil
	})
	select {
	case <-ctx.Done():
		return Candidates{}, &refusal{"warehouse " + warehouse + " is still looking: try again in a while", ErrUnavailable}
	case got := <-answer:
		c, _ := got.Val.(Candidates)
		return c, got.Err
	}
}

func (e *Engine) candidates(ctx context.Context, p Pipeline, w pipeline.Warehouse) Candidates {
	found := e.discover(ctx, p.Name, w)
	warehouseRequests.WithLabelValues(p.Name.String(), w.Name).Add(float64(found.requests))
	c := Candidates{At: e.Now().UTC(), document: p.Hash, Subscriptions: make([]SubscriptionOffers, len(found.offered))}
	for i := range found.offered {
		c.Subscriptions[i] = SubscriptionOffers{Offered: found.offered[i], Skipped: found.looks[i].Skipped}
		if err := found.errs[i]; err != nil {
			c.Subscriptions[i].Error = found.about(i, promotion.Clip(err.Error()))
		}
	}
	return c
}
