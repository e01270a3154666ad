package engine

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	promotionsEnded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_promotions_ended_total",
		Help: "Promotions that ended, by final phase.",
	}, []string{"pipeline", "stage", "phase"})

	freightCreated = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_freight_created_total",
		Help: "Pieces of freight that a warehouse made.",
	}, []string{"pipeline", "warehouse"})

	warehouseLooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_warehouse_looks_total",
		Help: "Looks of a warehouse at its repositories, by result (found, failed).",
	}, []string{"pipeline", "warehouse", "result"})

	warehouseLooked = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "waybill_warehouse_last_look_timestamp_seconds",
		Help: "When a warehouse last looked at its repositories.",
	}, []string{"pipeline", "warehouse"})
)

func init() {
	metrics.Registry.MustRegister(promotionsEnded, freightCreated, warehouseLooks, warehouseLooked)
}
