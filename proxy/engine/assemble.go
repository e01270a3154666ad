package engine

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Assembly is a person's request for freight of their own choice.
type Assembly struct {
	By, Reason string
	// Choices are one version of each subscription, among those that it offers.
	Choices []freight.Choice
}

// Assemble makes freight by hand. The same content is the same freight: then that
// is returned, and created is false.
//
// Where people alone make a warehouse's freight, what was assembled last is its
// candidate, so that stages that promote by themselves take it. Elsewhere the
// candidate stays what the warehouse selects, and a person promotes this.
func (e *Engine) Assemble(ctx context.Context, p Pipeline, warehouse string, ask Assembly) (f freight.Freight, created bool, err error) {
	reason := promotion.Clip(ask.Reason)
	if reason == "" {
		return f, false, invalid("freight that is assembled by hand needs a reason")
	}
	c, err := e.Candidates(ctx, p, warehouse)
	if err != nil {
		return f, false, err
	}
	offers, err := c.choose(ask.Choices)
	if err != nil {
		return f, false, err
	}
	artifacts, details := freight.Assemble(offers)
	if err := artifacts.Check(); err != nil {
		return f, false, invalid("this cannot be freight: %s", err)
	}
	f = freight.New(p.Name.String(), warehouse, artifacts, e.Now())
	f.Details, f.CreatedBy, f.Reason = details, ask.By, reason
	if f, created, err = e.create(ctx, p.Name, f); err != nil {
		return f, false, err
	}
	if w, _ := p.Warehouse(warehouse); w.FreightCreationPolicy == pipeline.CreationManual {
		err := e.changeWarehouse(ctx, p, warehouse, func(r *store.Warehouse) { r.Candidate = f.ID })
		if err != nil {
			return f, created, err
		}
	}
	if created {
		e.event(p.Name, corev1.EventTypeNormal, "FreightCreated", "%s assembled freight %s (%s) of warehouse %s: %s: %s", ask.By, f.Alias, freight.Short(f.ID), warehouse, f.Summary(), reason)
	}
	return f, created, nil
}

// choose takes what is chosen of the candidates. All subscriptions must have
// offers, or the answer may be another once they have.
func (c Candidates) choose(choices []freight.Choice) ([]freight.Offer, error) {
	offered := make([]freight.Offered, len(c.Subscriptions))
	for i, s := range c.Subscriptions {
		if s.Error != "" {
			return nil, &refusal{"freight cannot be assembled now: " + s.Error, ErrUnavailable}
		}
		offered[i] = s.Offered
	}
	offers, err := freight.Choose(offered, choices)
	if err != nil {
		return nil, invalid("%s", err)
	}
	return offers, nil
}

// changeWarehouse changes the record of a warehouse for a person, whoever else
// writes it meanwhile.
func (e *Engine) changeWarehouse(ctx context.Context, p Pipeline, warehouse string, change func(*store.Warehouse)) error {
	read := e.store.Warehouse
	var err error
	for range attempts {
		var r store.Record[store.Warehouse]
		if r, err = read(ctx, p.Name, warehouse); err != nil {
			return err
		}
		change(&r.Value)
		if err = e.store.PutWarehouse(ctx, p.Name, &r); !errors.Is(err, store.ErrConflict) {
			return err
		}
		read = e.store.WarehouseNow // the informer trails what has just been written
	}
	return err
}
