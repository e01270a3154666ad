package webhook

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"

	"github.com/waybill-cd/waybill/proxy/engine"
)

const (
	// askers is how many warehouses are asked to look at a time.
	askers = 4
	// askGap is the least time between two requests to one warehouse: so many calls
	// are as many reads of its record, and no more.
	askGap = time.Second
	// askTimeout bounds one request, and maxAsks how often one that fails is made.
	askTimeout = 10 * time.Second
	maxAsks    = 5
)

// asks asks warehouses to look, after their webhooks were answered. It holds each
// warehouse once, however many calls concern it.
type asks struct {
	refresh func(context.Context, engine.WarehouseName) error
	log     logr.Logger
	queue   workqueue.TypedRateLimitingInterface[engine.WarehouseName]
}

func newAsks(refresh func(context.Context, engine.WarehouseName) error, log logr.Logger) *asks {
	return &asks{refresh: refresh, log: log, queue: workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[engine.WarehouseName](askGap, time.Minute),
	)}
}

func (a *asks) add(names []engine.WarehouseName) {
	for _, name := range names {
		a.queue.Add(name)
	}
}

// serve asks until the context ends.
func (a *asks) serve(ctx context.Context) {
	context.AfterFunc(ctx, a.queue.ShutDown)
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			for a.next(ctx) {
				continue
			}
		})
	}
	all.Wait()
}

func (a *asks) next(ctx context.Context) bool {
	name, ended := a.queue.Get()
	if ended {
		return false
	}
	// Until it is done, the warehouse is not handed out again.
	defer time.AfterFunc(askGap, func() { a.queue.Done(name) })
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := a.refresh(ctx, name)
	switch {
	case err == nil:
		a.queue.Forget(name)
	case a.queue.NumRequeues(name) < maxAsks-1:
		a.queue.AddRateLimited(name)
	default:
		a.queue.Forget(name)
		a.log.Error(err, "a warehouse could not be asked to look, and does at its next interval", "pipeline", name.Pipeline.Short(), "warehouse", name.Warehouse)
	}
	return true
}
