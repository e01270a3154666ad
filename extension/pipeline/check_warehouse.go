package pipeline

import (
	"fmt"
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
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
	_, err := expression.CompileCriteria(criteria.Expression)
	checkExpression(at+".expression", err, found)
}
