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

type lookKey struct{}

var looks atomic.Uint64

// AsLook returns the context of a look, which takes its own turns at a host.
func AsLook(ctx context.Context) context.Context {
	return context.WithValue(ctx, lookKey{}, strconv.FormatUint(looks.Add(1), 10))
}

func count(ctx context.Context, host string) {
	Requests.WithLabelValues(host).Inc()
	source.Count(ctx)
}

// party is who takes turns at a host.
func party(ctx context.Context, otherwise string) string {
	if look, ok := ctx.Value(lookKey{}).(string); ok {
		return look
	}
	return otherwise
}
