package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/source"
)

// discovery is what a look at all subscriptions of a warehouse gave: for each
// either offers or an error.
type discovery struct {
	offered  []freight.Offered
	looks    []source.Look
	errs     []error
	requests int64
}

const (
	// lookTimeout bounds one look, so that it is never taken for one that hangs,
	// see stuck. A first look at very much ends before, and carries on in its next
	// turn (source.Incomplete).
	lookTimeout = 5 * time.Minute
	// parallelSubscriptions of one warehouse are looked at together.
	parallelSubscriptions = 4
)

// discover looks at every subscription of a warehouse.
func (e *Engine) discover(ctx context.Context, name pipeline.Name, w pipeline.Warehouse) discovery {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	ctx, requests := source.Counted(ctx)
	n := len(w.Subscriptions)
	found := discovery{offered: make([]freight.Offered, n), looks: make([]source.Look, n), errs: make([]error, n)}
	var group errgroup.Group
	group.SetLimit(parallelSubscriptions)
	for i, s := range w.Subscriptions {
		found.offered[i] = s.Offered()
		group.Go(func() error {
			found.looks[i], found.errs[i] = e.discoverOne(ctx, name.Namespace, s)
			return nil
		})
	}
	_ = group.Wait() // the errors are in found
	for i := range found.looks {
		found.offered[i].Offers = found.looks[i].Offers
	}
	found.requests = requests()
	return found
}

// discoverOne looks at one subscription. A fault in that must not end the process,
// which all else depends on.
func (e *Engine) discoverOne(ctx context.Context, namespace string, s pipeline.Subscription) (look source.Look, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			log.FromContext(ctx).Error(fmt.Errorf("panic: %v", fault), "a look failed", "subscription", s.Offered().String(), "stack", string(debug.Stack()))
			look, err = source.Look{}, errors.New("it cannot be looked at, because of a fault in Waybill: report what the proxy's log says of it")
		}
	}()
	look, err = e.sources.Discover(ctx, namespace, s)
	if err == nil && len(look.Offers) == 0 {
		err = errors.New("nothing in it qualifies: push a version, or widen the subscription")
	}
	return look, err
}

// best are the first offers of all subscriptions. There are none where one of them
// could not be looked at: freight is never made of a part.
func (d discovery) best() []freight.Offer {
	best := make([]freight.Offer, len(d.looks))
	for i, look := range d.looks {
		best[i] = look.Offers[0]
	}
	return best
}

// The results of a look, as metrics tell them.
const (
	resultFound      = "found"
	resultIncomplete = "incomplete"
	resultFailed     = "failed"
)

// result tells how the look went: it failed where any subscription did, and is
// incomplete where the others only have to carry on.
func (d discovery) result() string {
	result := resultFound
	for _, err := range d.errs {
		switch {
		case errors.As(err, new(*source.Incomplete)):
			result = resultIncomplete
		case err != nil:
			return resultFailed
		}
	}
	return result
}

// retryAfter is how long hosts want to be left alone, 0 where none says.
func (d discovery) retryAfter() time.Duration {
	var longest time.Duration
	for _, err := range d.errs {
		var busy *source.Busy
		if errors.As(err, &busy) {
			longest = max(longest, busy.RetryAfter)
		}
	}
	return longest
}

// maxTold bounds the subscriptions of which one sentence tells.
const maxTold = 3

// failure tells for people why subscriptions could not be looked at.
func (d discovery) failure() string {
	return d.tell(func(err error) bool { return err != nil })
}

// progress tells for people how far the look has got where it carries on; empty
// where it does not.
func (d discovery) progress() string {
	return d.tell(func(err error) bool { return errors.As(err, new(*source.Incomplete)) })
}

func (d discovery) tell(about func(error) bool) string {
	var told []string
	more := 0
	for i, err := range d.errs {
		switch {
		case !about(err):
		case len(told) == maxTold:
			more++
		default:
			told = append(told, d.about(i, promotion.Clip(err.Error())))
		}
	}
	if more > 0 {
		told = append(told, fmt.Sprintf("and so for %d more subscriptions", more))
	}
	return strings.Join(told, "; ")
}

// about makes a sentence name its subscription: where it stands in the document
// and, unless the sentence does, the repository.
func (d discovery) about(i int, sentence string) string {
	o := d.offered[i]
	names := make([]string, 0, 2)
	if o.Subscription != "" {
		names = append(names, o.Subscription)
	}
	if !strings.Contains(sentence, o.RepoURL) {
		names = append(names, o.RepoURL)
	}
	if len(names) == 0 {
		return fmt.Sprintf("subscriptions[%d]: %s", i, sentence)
	}
	return fmt.Sprintf("subscriptions[%d] (%s): %s", i, strings.Join(names, ", "), sentence)
}
