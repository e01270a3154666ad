package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/webhook"
	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

// webhooks adds the listener of webhooks to a manager, with an informer of the
// Secrets that make receivers, and returns the readiness check of both.
func webhooks(ctx context.Context, mgr ctrl.Manager, s settings, e *engine.Engine) (healthz.Checker, error) {
	if s.webhookListen == "" {
		return healthz.Ping, nil
	}
	isReceiver, err := labels.NewRequirement(receiver.Label, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	// The manager's own informer of Secrets selects others, and an informer has one
	// selector.
	secrets, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(), DefaultTransform: slim,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {Namespaces: map[string]cache.Config{
				s.namespace: {LabelSelector: labels.NewSelector().Add(*isReceiver)},
			}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot watch the Secrets of webhook receivers: %w", err)
	}
	informer, err := secrets.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("cannot watch the Secrets of webhook receivers: %w", err)
	}
	log := mgr.GetLogger().WithName("webhook")
	receivers := webhook.NewReceivers(log)
	told, err := informer.AddEventHandler(receivers)
	if err != nil {
		return nil, fmt.Errorf("cannot watch the Secrets of webhook receivers: %w", err)
	}
	server := webhook.New(s.namespace, receivers, e, log)
	socket := &listener{
		what: "webhooks", address: s.webhookListen, handler: server,
		maxConnections: maxWebhookConnections, maxHeader: maxWebhookHeader,
	}
	for _, part := range []everyReplica{{secrets}, {server}, {socket}} {
		if err := mgr.Add(part); err != nil {
			return nil, err
		}
	}
	return func(r *http.Request) error {
		if !told.HasSynced() {
			return errors.New("the informer has not seen the webhook receivers yet")
		}
		return socket.ready(r)
	}, nil
}

// everyReplica is a part that runs whoever holds the Lease.
type everyReplica struct {
	part interface{ Start(context.Context) error }
}

// Start runs the part.
func (r everyReplica) Start(ctx context.Context) error { return r.part.Start(ctx) }

// NeedLeaderElection tells the manager not to wait for the Lease.
func (everyReplica) NeedLeaderElection() bool { return false }
