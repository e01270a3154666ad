package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	webhookCalls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_webhook_calls_total",
		Help: "Calls of webhooks, by receiver (empty where there is none of that name) and outcome (asked: warehouses look; nothing: none is concerned; refused, too_large, unread, malformed, busy, failed).",
	}, []string{"receiver", "outcome"})

	receiverReady = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "waybill_webhook_receiver_ready",
		Help: "1 for a Secret that makes a webhook receiver, 0 for one that is labelled so and does not.",
	}, []string{"receiver"})
)

func init() { metrics.Registry.MustRegister(webhookCalls, receiverReady) }

// outcome is what becomes of a call.
type outcome string

const (
	asked     outcome = "asked"
	nothing   outcome = "nothing"
	refused   outcome = "refused"
	tooLarge  outcome = "too_large"
	unread    outcome = "unread" // too slow, or the caller went away
	malformed outcome = "malformed"
	busy      outcome = "busy"
	failed    outcome = "failed"
)
