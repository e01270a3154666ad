package engine

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// event records a Kubernetes Event on the pipeline's ConfigMap, where `kubectl
// describe` shows it.
func (e *Engine) event(name pipeline.Name, kind, reason, format string, args ...any) {
	ref := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: name.Namespace, Name: name.Name}
	if written, err := e.store.Pipeline(context.Background(), name); err == nil {
		ref.UID = written.UID // without it, kubectl describe finds no Event
	}
	e.events.Eventf(ref, kind, reason, format, args...)
}

// ended records the end of a promotion as an Event and in the metrics.
func (e *Engine) ended(name pipeline.StageName, p promotion.Promotion) {
	promotionsEnded.WithLabelValues(name.Pipeline.String(), name.Stage, string(p.Phase)).Inc()
	kind := corev1.EventTypeNormal
	if p.Phase == promotion.Failed || p.Phase == promotion.Errored {
		kind = corev1.EventTypeWarning
	}
	message := p.Message
	if message == "" {
		message = "live and verified"
	}
	e.event(name.Pipeline, kind, "Promotion"+string(p.Phase), "promotion %s to %s: %s", p.ID, p.Stage, message)
}
