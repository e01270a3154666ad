package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

// withheld tells why a warehouse makes no freight of artifacts by itself; empty
// where it does. What cannot be judged does not meet the criteria.
func withheld(w pipeline.Warehouse, artifacts freight.Artifacts, details []freight.Detail) string {
	if w.FreightCreationCriteria == nil {
		return ""
	}
	text := w.FreightCreationCriteria.Expression
	condition, err := expression.CompileCriteria(text)
	if err != nil {
		return fmt.Sprintf("freightCreationCriteria cannot be used: %s", err)
	}
	switch holds, err := condition.Holds(expression.Of(artifacts, details)); {
	case err != nil:
		return fmt.Sprintf("no freight is made of %s, because freightCreationCriteria cannot be judged: %s: correct the expression", artifacts.Summary(), err)
	case !holds:
		return fmt.Sprintf("no freight is made of %s, because it does not meet freightCreationCriteria (%s): push what does, or assemble freight by hand", artifacts.Summary(), text)
	}
	return ""
}

// create stores freight under an alias that no other of its pipeline has. The
// same content is the same freight: then what is stored is returned.
func (e *Engine) create(ctx context.Context, name pipeline.Name, f freight.Freight) (stored freight.Freight, created bool, err error) {
	switch stored, err = e.store.FreightByID(ctx, name, f.ID); {
	case err == nil:
		return stored, false, nil
	case !errors.Is(err, store.ErrNotFound):
		return f, false, err
	}
	all, err := e.store.Freight(ctx, name)
	if err != nil {
		return f, false, err
	}
	taken := make(map[string]bool, len(all))
	for _, other := range all {
		taken[other.Alias] = true
	}
	f.Alias = freight.Alias(f.ID, func(alias string) bool { return taken[alias] })
	if created, err = e.store.CreateFreight(ctx, f); created {
		freightCreated.WithLabelValues(name.String(), f.Origin).Inc()
	}
	return f, created, err
}
