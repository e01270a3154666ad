package store

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// Promotions returns all promotions of a pipeline, in no order.
func (s *Store) Promotions(ctx context.Context, name pipeline.Name) ([]Record[promotion.Promotion], error) {
	return listRecords[promotion.Promotion](ctx, s, byPipeline(KindPromotion, label(name.String())), keyPromotion)
}

// OpenPromotions returns the promotions of a stage that have not ended.
func (s *Store) OpenPromotions(ctx context.Context, name pipeline.StageName) ([]Record[promotion.Promotion], error) {
	all, err := listRecords[promotion.Promotion](ctx, s, "open/"+stageIndex(name), keyPromotion)
	if err != nil {
		return nil, err
	}
	// Our own writes may have ended one that the index still shows.
	open := all[:0]
	for _, r := range all {
		if !r.Value.Phase.Ended() {
			open = append(open, r)
		}
	}
	return open, nil
}

// EndedAfter returns the promotion of a stage whose record follows the one with
// that hash, if there is one: the next link of the chain.
func (s *Store) EndedAfter(ctx context.Context, name pipeline.StageName, head string) (Record[promotion.Promotion], bool, error) {
	all, err := listRecords[promotion.Promotion](ctx, s, "after/"+stageIndex(name)+"/"+previousLabel(head), keyPromotion)
	if err != nil {
		return Record[promotion.Promotion]{}, false, err
	}
	for _, r := range all {
		if r.Value.Previous == head {
			return r, true, nil
		}
	}
	return Record[promotion.Promotion]{}, false, nil
}

// Promotion returns a promotion of a pipeline, or ErrNotFound.
func (s *Store) Promotion(ctx context.Context, name pipeline.Name, id string) (Record[promotion.Promotion], error) {
	cm, err := s.get(ctx, id)
	if err != nil {
		return Record[promotion.Promotion]{}, err
	}
	if !isOf(cm, KindPromotion, name) {
		return Record[promotion.Promotion]{}, ErrNotFound
	}
	return read[promotion.Promotion](ctx, s, cm, keyPromotion)
}

// PromotionNow is [Store.Promotion] past the informer.
func (s *Store) PromotionNow(ctx context.Context, name pipeline.Name, id string) (Record[promotion.Promotion], error) {
	cm, err := s.getLive(ctx, id)
	if apierrors.IsNotFound(err) || err == nil && !isOf(cm, KindPromotion, name) {
		return Record[promotion.Promotion]{}, ErrNotFound
	}
	if err != nil {
		return Record[promotion.Promotion]{}, err
	}
	return read[promotion.Promotion](ctx, s, cm, keyPromotion)
}

// CreatePromotion stores a new promotion. Where one of that ID exists, it is
// returned instead, and created is false.
func (s *Store) CreatePromotion(ctx context.Context, p promotion.Promotion) (r Record[promotion.Promotion], created bool, err error) {
	name, err := pipeline.ParseName(p.Pipeline)
	if err != nil {
		return r, false, err
	}
	if r, err = s.Promotion(ctx, name, p.ID); !errors.Is(err, ErrNotFound) {
		return r, false, err
	}
	r.Value = p
	err = s.PutPromotion(ctx, &r)
	if !errors.Is(err, ErrConflict) {
		return r, err == nil, err
	}
	// The informer may not show yet what another replica has just created.
	cm, err := s.getLive(ctx, p.ID)
	if err != nil {
		return r, false, err
	}
	if !isOf(cm, KindPromotion, name) {
		return r, false, fmt.Errorf("ConfigMap %s/%s is in the way of a promotion's record: delete it", cm.Namespace, cm.Name)
	}
	r, err = read[promotion.Promotion](ctx, s, cm, keyPromotion)
	return r, false, err
}

// PutPromotion stores a promotion; one that has ended becomes immutable.
func (s *Store) PutPromotion(ctx context.Context, r *Record[promotion.Promotion]) error {
	p := r.Value
	l := labels(KindPromotion, p.Pipeline, p.Stage)
	l[LabelPhase] = string(p.Phase)
	if p.Phase.Ended() {
		l[LabelPrevious] = previousLabel(p.Previous)
	}
	return save(ctx, s, r, document{
		name: p.ID, pipeline: p.Pipeline, key: keyPromotion, labels: l, immutable: p.Phase.Ended(),
	})
}

func stageIndex(name pipeline.StageName) string {
	return label(name.Pipeline.String()) + "/" + name.Stage
}
