package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

// WarehouseName names a warehouse of a pipeline.
type WarehouseName struct {
	Pipeline  pipeline.Name
	Warehouse string
}

// Concerned returns the warehouses of a namespace's pipelines whose subscriptions
// a push may concern.
func (e *Engine) Concerned(ctx context.Context, namespace string, pushes []selection.Push) ([]WarehouseName, error) {
	if len(pushes) == 0 {
		return nil, nil
	}
	pipelines, err := e.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	var names []WarehouseName
	for _, p := range pipelines {
		for _, w := range p.Warehouses {
			if p.Name.Namespace == namespace && concerned(w, pushes) {
				names = append(names, WarehouseName{p.Name, w.Name})
			}
		}
	}
	return names, nil
}

func concerned(w pipeline.Warehouse, pushes []selection.Push) bool {
	return slices.ContainsFunc(w.Subscriptions, func(s pipeline.Subscription) bool {
		return slices.ContainsFunc(pushes, func(p selection.Push) bool { return p.Concerns(s) })
	})
}

// RefreshNamed is [Engine.Refresh] of a warehouse by its name. One that is not in
// force any more is nobody's concern.
func (e *Engine) RefreshNamed(ctx context.Context, name WarehouseName) error {
	p, err := e.Pipeline(ctx, name.Pipeline)
	if err == nil {
		err = e.Refresh(ctx, p, name.Warehouse)
	}
	return ignoreNotFound(err)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
