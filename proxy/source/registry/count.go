package registry

import (
	"context"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var requests = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "waybill_registry_requests_total",
	Help: "Requests to registries, by host.",
}, []string{"host"})

func init() { metrics.Registry.MustRegister(requests) }

type counterKey struct{}

// Counted returns a context whose requests are counted, and their number so far.
func Counted(ctx context.Context) (context.Context, func() int) {
	var n atomic.Int64
	return context.WithValue(ctx, counterKey{}, &n), func() int { return int(n.Load()) }
}

func count(ctx context.Context, host string) {
	requests.WithLabelValues(host).Inc()
	if n, ok := ctx.Value(counterKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}
