package registry

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-cd/waybill/proxy/source"
)

// Requests counts the requests, for the metrics of the process.
var Requests = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "waybill_registry_requests_total",
	Help: "Requests to registries, by host.",
}, []string{"host"})

// look is what belongs to one look: it takes its own turns at a host.
type look struct {
	id       string
	requests atomic.Int64
	above    *look // that it is a part of; nil for none
}

type lookKey struct{}

var lookIDs atomic.Uint64

// Counted returns the context of a look, which takes turns with others, and the
// number of its requests so far. They count for a look that it is a part of, too.
func Counted(ctx context.Context) (context.Context, func() int) {
	above, _ := ctx.Value(lookKey{}).(*look)
	l := &look{id: strconv.FormatUint(lookIDs.Add(1), 10), above: above}
	return context.WithValue(ctx, lookKey{}, l), func() int { return int(l.requests.Load()) }
}

func count(ctx context.Context, host string) {
	Requests.WithLabelValues(host).Inc()
	source.Count(ctx)
	for l, _ := ctx.Value(lookKey{}).(*look); l != nil; l = l.above {
		l.requests.Add(1)
	}
}

// party is who takes turns at a host.
func party(ctx context.Context, otherwise string) string {
	if l, ok := ctx.Value(lookKey{}).(*look); ok {
		return l.id
	}
	return otherwise
}
