package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

// The limits of a server.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 60 * time.Second
	idleTimeout  = 2 * time.Minute
	stopTimeout  = 10 * time.Second
	// maxWebhookConnections and maxWebhookHeader bound what anybody who reaches the
	// webhooks can take. The API is reached by argocd-server alone.
	maxWebhookConnections = 256
	maxWebhookHeader      = 32 << 10
)

// listener serves the API, or webhooks, in every replica, whoever holds the Lease.
type listener struct {
	what    string // is served, for errors
	address string
	handler http.Handler
	// maxConnections and maxHeader, in bytes, are bounded where they are not 0.
	maxConnections int
	maxHeader      int
	listening      atomic.Bool
}

// NeedLeaderElection tells the manager that every replica answers.
func (*listener) NeedLeaderElection() bool { return false }

// Start serves until the context ends, and lets the calls that are under way
// come to their end. The manager calls it once the informers have seen the state.
func (l *listener) Start(ctx context.Context) error {
	server := &http.Server{
		Handler:           l.handler,
		MaxHeaderBytes:    l.maxHeader,
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
	if err != nil {
		return fmt.Errorf("cannot serve %s at %s: %w", l.what, l.address, err)
	}
	if l.maxConnections > 0 {
		socket = netutil.LimitListener(socket, l.maxConnections)
	}
	l.listening.Store(true)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(socket) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve %s at %s: %w", l.what, l.address, err)
	case <-ctx.Done():
	}
	l.listening.Store(false)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return server.Shutdown(ending)
}

// ready is the readiness check: a replica that does not listen yet, or any more,
// must not be called.
func (l *listener) ready(*http.Request) error {
	if !l.listening.Load() {
		return fmt.Errorf("%s: the listener does not listen yet, or any more", l.what)
	}
	return nil
}
