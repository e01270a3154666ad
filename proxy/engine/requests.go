package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Refused is the error of a promotion that may not be asked for, with the
// verdict that tells why.
type Refused struct{ Verdict eligibility.Verdict }

func (r *Refused) Error() string { return r.Verdict.Refusal() }

// ErrInvalid tells that a request cannot be understood.
var ErrInvalid = errors.New("the request is not valid")

// Ask is a person's request for a promotion.
type Ask struct {
	By string
	// Freight is named as people name it, see freight.Find. A rollback without
	// it goes to what the stage verified before, of Origin.
	Freight  string
	Origin   string
	Reason   string
	Key      string
	Rollback bool
}

// ErrTooMany tells that so many promotions have not ended that no other is taken.
var ErrTooMany = errors.New("too many promotions have not ended")

const (
	maxKey = 128
	// maxOpen bounds the promotions of a stage that people asked for and that have
	// not ended, rollbacks apart from the others: nothing else would, where they
	// wait for approvals.
	maxOpen = 100
)

// Promote stores a person's request for a promotion or a rollback. The same key
// by the same person gives the promotion that was asked for first.
func (e *Engine) Promote(ctx context.Context, p Pipeline, stage string, ask Ask) (r promotion.Promotion, created bool, err error) {
	if len(ask.Key) > maxKey {
		return r, false, invalid("the key is longer than %d bytes", maxKey)
	}
	if ask.Rollback && promotion.Clip(ask.Reason) == "" {
		return r, false, invalid("a rollback needs a reason")
	}
	if ask.Key == "" {
		ask.Key = rand.Text()
	}
	r = promotion.New(p.Name.String(), stage, promotion.Held{}, promotion.Request{
		By: ask.By, At: e.Now(), Reason: promotion.Clip(ask.Reason), Rollback: ask.Rollback,
	}, ask.Key)
	// A repeated request is answered whatever has become true since.
	if existing, err := e.store.Promotion(ctx, p.Name, r.ID); err == nil {
		return existing.Value, false, e.sameRequest(ctx, p, existing.Value, ask)
	}
	s, err := e.Situation(ctx, p, stage)
	if err != nil {
		return r, false, err
	}
	f, err := e.freightAsked(ctx, s, ask)
	if err != nil {
		return r, false, err
	}
	if verdict := e.Verdict(s, f, ask.Rollback); !verdict.Allowed {
		return r, false, &Refused{verdict}
	}
	if s.asked(ask.Rollback) >= maxOpen {
		return r, false, &refusal{fmt.Sprintf("%d promotions to stage %s have not ended, and no more are taken: approve, reject or abort some, and ask again", maxOpen, s.Name), ErrTooMany}
	}
	r.Origin, r.Freight, r.Document = f.Origin, f.ID, p.Hash
	stored, created, err := e.store.CreatePromotion(ctx, r)
	if err != nil {
		return r, false, err
	}
	if !created {
		return stored.Value, false, e.sameRequest(ctx, p, stored.Value, ask)
	}
	e.event(p.Name, corev1.EventTypeNormal, "PromotionAsked", "%s asked for promotion %s of freight %s to %s", ask.By, r.ID, short(f.ID), stage)
	return stored.Value, true, nil
}

// asked counts the promotions, or the rollbacks, that people asked for and that
// have not ended.
func (s Situation) asked(rollback bool) int {
	n := 0
	for _, r := range s.Open {
		if !r.Value.Request.Automatic && r.Value.Request.Rollback == rollback {
			n++
		}
	}
	return n
}

// sameRequest tells that a key was used for something else before.
func (e *Engine) sameRequest(ctx context.Context, p Pipeline, before promotion.Promotion, ask Ask) error {
	if before.Request.Rollback != ask.Rollback {
		return invalid("the key was used for another kind of request before: choose another")
	}
	if ask.Freight == "" {
		return nil
	}
	f, err := e.FindFreight(ctx, p.Name, ask.Freight, before.Origin)
	if err == nil && f.ID != before.Freight {
		return invalid("the key was used for freight %s before: choose another", short(before.Freight))
	}
	return err
}

func (e *Engine) freightAsked(ctx context.Context, s Situation, ask Ask) (freight.Freight, error) {
	if ask.Freight != "" || !ask.Rollback {
		return e.FindFreight(ctx, s.Pipeline.Name, ask.Freight, s.Origins()...)
	}
	for _, origin := range s.Origins() {
		if ask.Origin != "" && ask.Origin != origin {
			continue
		}
		if id, ok := s.Record.Value.Previous(origin); ok {
			return e.FreightByID(ctx, s.Pipeline.Name, id)
		}
	}
	return freight.Freight{}, notFound("stage %s has verified no other freight before to roll back to", s.Name)
}

// attempts bounds how often a decision is made again when the record changes
// under it.
const attempts = 5

// Approve records a person's approval. One that names a preview is taken only
// where that is what would be rendered now.
func (e *Engine) Approve(ctx context.Context, p Pipeline, id string, d promotion.Decision) (promotion.Promotion, error) {
	if d.Preview != "" {
		if err := e.checkPreview(ctx, p, id, d.Preview); err != nil {
			return promotion.Promotion{}, err
		}
	}
	return e.decide(ctx, p, id, "PromotionApproved", d, func(r *promotion.Promotion) error {
		stage, _, err := p.StageNamed(r.Stage)
		if err != nil {
			return err
		}
		return r.Approve(stage.Approval, d)
	})
}

// Reject records that a person refuses a promotion.
func (e *Engine) Reject(ctx context.Context, p Pipeline, id string, d promotion.Decision) (promotion.Promotion, error) {
	return e.decide(ctx, p, id, "PromotionRejected", d, func(r *promotion.Promotion) error { return r.Reject(d) })
}

// Abort records that a person wants a promotion to end.
func (e *Engine) Abort(ctx context.Context, p Pipeline, id string, d promotion.Decision) (promotion.Promotion, error) {
	return e.decide(ctx, p, id, "PromotionAbortAsked", d, func(r *promotion.Promotion) error { return r.AskAbort(d) })
}

func (e *Engine) decide(ctx context.Context, p Pipeline, id, event string, d promotion.Decision, change func(*promotion.Promotion) error) (promotion.Promotion, error) {
	read := e.store.Promotion
	var err error
	for range attempts {
		var r store.Record[promotion.Promotion]
		if r, err = read(ctx, p.Name, id); err != nil {
			return r.Value, noPromotion(p, id, err)
		}
		if err = change(&r.Value); err != nil {
			return r.Value, err
		}
		if err = e.store.PutPromotion(ctx, &r); err == nil {
			e.event(p.Name, corev1.EventTypeNormal, event, "%s, promotion %s to %s", d.By, id, r.Value.Stage)
			return r.Value, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			break
		}
		read = e.store.PromotionNow // the informer trails what has just been written
	}
	return promotion.Promotion{}, err
}

// Promotion returns a promotion of a pipeline.
func (e *Engine) Promotion(ctx context.Context, p Pipeline, id string) (store.Record[promotion.Promotion], error) {
	r, err := e.store.Promotion(ctx, p.Name, id)
	return r, noPromotion(p, id, err)
}

// noPromotion makes a sentence of the error of a promotion that there is not.
func noPromotion(p Pipeline, id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("pipeline %s has no promotion %q", p.Name.Short(), id)
	}
	return err
}

// Refresh asks a warehouse to look now. What waits already is not asked for again:
// the look serves everybody who asked before it began. One that has begun may have
// read the repository before the caller's push, and is followed by another.
func (e *Engine) Refresh(ctx context.Context, p Pipeline, warehouse string) error {
	if _, err := p.WarehouseNamed(warehouse); err != nil {
		return err
	}
	read, live := e.store.Warehouse, false
	var err error
	for range attempts {
		var r store.Record[store.Warehouse]
		if r, err = read(ctx, p.Name, warehouse); err != nil {
			return err
		}
		waits := r.Value.Asked != r.Value.Refresh
		if waits && live {
			return nil
		}
		if !waits {
			r.Value.Asked = rand.Text()
			if err = e.store.PutWarehouse(ctx, p.Name, &r); !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
		// The informer trails: the look that it shows as waiting may have begun, and
		// the one that it shows as begun may have been asked for again.
		read, live = e.store.WarehouseNow, true
	}
	return err
}

// Freight returns the freight of a pipeline, newest first.
func (e *Engine) Freight(ctx context.Context, name pipeline.Name) ([]freight.Freight, error) {
	return e.store.Freight(ctx, name)
}

// Promotions returns the promotions of a pipeline, newest first.
func (e *Engine) Promotions(ctx context.Context, name pipeline.Name) ([]promotion.Promotion, error) {
	records, err := e.store.Promotions(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make([]promotion.Promotion, len(records))
	for i, r := range records {
		all[i] = r.Value
	}
	promotion.Newest(all)
	return all, nil
}

// Warehouse returns the record of a warehouse.
func (e *Engine) Warehouse(ctx context.Context, name pipeline.Name, warehouse string) (store.Warehouse, error) {
	r, err := e.store.Warehouse(ctx, name, warehouse)
	return r.Value, err
}

// StageRecord returns the record of a stage.
func (e *Engine) StageRecord(ctx context.Context, name pipeline.StageName) (promotion.Stage, error) {
	r, err := e.store.Stage(ctx, name)
	return r.Value, err
}
