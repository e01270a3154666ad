package engine

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

var (
	promotionsEnded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_promotions_ended_total",
		Help: "Promotions that ended, by final phase.",
	}, []string{"pipeline", "stage", "phase"})

	freightCreated = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_freight_created_total",
		Help: "Pieces of freight of a warehouse that were made, by it or by hand.",
	}, []string{"pipeline", "warehouse"})

	warehouseLooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_warehouse_looks_total",
		Help: "Looks of a warehouse at its repositories, by result (found, incomplete, failed).",
	}, []string{"pipeline", "warehouse", "result"})

	warehouseLooked = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "waybill_warehouse_last_look_timestamp_seconds",
		Help: "When a warehouse last looked at its repositories.",
	}, []string{"pipeline", "warehouse"})

	warehouseNext = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "waybill_warehouse_next_look_timestamp_seconds",
		Help: "When a warehouse looks next, unless it is asked to before.",
	}, []string{"pipeline", "warehouse"})

	warehouseRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_warehouse_requests_total",
		Help: "Requests to registries and repositories that the looks of a warehouse made.",
	}, []string{"pipeline", "warehouse"})

	warehouseSkipped = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "waybill_warehouse_skipped_versions",
		Help: "Versions that the last look of a warehouse passed over because they cannot be used, as far as they are told.",
	}, []string{"pipeline", "warehouse"})
)

// ofWarehouses are the metrics with a series for each warehouse.
var ofWarehouses = []interface{ DeletePartialMatch(prometheus.Labels) int }{
	freightCreated, warehouseLooks, warehouseLooked, warehouseNext, warehouseRequests, warehouseSkipped,
}

func init() {
	metrics.Registry.MustRegister(promotionsEnded, freightCreated, warehouseLooks, warehouseLooked, warehouseNext, warehouseRequests, warehouseSkipped)
}

// measure tells a look to the metrics.
func measure(k warehouseKey, look Look, result string) {
	name := k.Pipeline.String()
	warehouseLooks.WithLabelValues(name, k.Warehouse, result).Inc()
	warehouseRequests.WithLabelValues(name, k.Warehouse).Add(float64(look.Requests))
	warehouseLooked.WithLabelValues(name, k.Warehouse).Set(float64(look.At.Unix()))
	warehouseNext.WithLabelValues(name, k.Warehouse).Set(float64(look.Next.Unix()))
	warehouseSkipped.WithLabelValues(name, k.Warehouse).Set(float64(len(look.Skipped)))
}

// forgetWarehouse drops the series of a warehouse that is no more.
func forgetWarehouse(k warehouseKey) {
	labels := prometheus.Labels{"pipeline": k.Pipeline.String(), "warehouse": k.Warehouse}
	for _, vec := range ofWarehouses {
		vec.DeletePartialMatch(labels)
	}
}

// forgetPipeline drops the series of a pipeline that is no more.
func forgetPipeline(name pipeline.Name) {
	labels := prometheus.Labels{"pipeline": name.String()}
	promotionsEnded.DeletePartialMatch(labels)
	for _, vec := range ofWarehouses {
		vec.DeletePartialMatch(labels)
	}
}
