package pipeline

import (
	"fmt"
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/freight"
)

// minInterval keeps a typing error from turning into a load test of a registry.
const minInterval = 10 * time.Second

// maxSubscriptions bounds what one piece of freight, and so a waybill, holds.
const maxSubscriptions = 50

func (d *Document) checkWarehouses(found *problems) {
	names := map[string]bool{}
	for i, w := range d.Warehouses {
		path := fmt.Sprintf("warehouses[%d]", i)
		checkName(path+".name", w.Name, names, found)
		if time.Duration(w.Interval) < minInterval {
			found.add(path+".interval", "%s is too short: at least %s", time.Duration(w.Interval), minInterval)
		}
		checkCreation(path, w, found)
		if len(w.Subscriptions) == 0 {
			found.add(path+".subscriptions", "is empty: subscribe to at least one repository")
		}
		if len(w.Subscriptions) > maxSubscriptions {
			found.add(path+".subscriptions", "holds %d, and %d are allowed: split the warehouse", len(w.Subscriptions), maxSubscriptions)
		}
		checkSubscriptions(path+".subscriptions", w.Subscriptions, found)
	}
}

// checkCreation checks when a warehouse makes freight.
func checkCreation(path string, w Warehouse, found *problems) {
	policy, criteria := w.FreightCreationPolicy, w.FreightCreationCriteria
	if policy != CreationAutomatic && policy != CreationManual {
		found.add(path+".freightCreationPolicy", "%q is not known: allowed are %s and %s", policy, CreationAutomatic, CreationManual)
	}
	if criteria == nil {
		return
	}
	at := path + ".freightCreationCriteria"
	if policy == CreationManual {
		found.add(at, "means nothing with freightCreationPolicy: %s, where a person decides: leave one of them out", CreationManual)
	}
	checkExpression(at+".expression", expression.CheckCriteria(criteria.Expression, w.artifacts()), found)
}

// artifacts are what freight of the warehouse holds, without the versions.
func (w Warehouse) artifacts() freight.Artifacts {
	offers := make([]freight.Offer, len(w.Subscriptions))
	for i, s := range w.Subscriptions {
		switch of := s.Offered(); of.Kind {
		case freight.KindImage:
			offers[i].Image = &freight.Image{RepoURL: of.RepoURL, Subscription: of.Subscription}
		case freight.KindCommit:
			offers[i].Commit = &freight.Commit{RepoURL: of.RepoURL, Subscription: of.Subscription}
		case freight.KindChart:
			offers[i].Chart = &freight.Chart{RepoURL: of.RepoURL, Name: of.Name, Subscription: of.Subscription}
		}
	}
	all, _ := freight.Assemble(offers)
	return all
}
