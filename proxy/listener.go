package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The limits of the API's server: its callers are argocd-server's connections.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 60 * time.Second
	idleTimeout  = 2 * time.Minute
	stopTimeout  = 10 * time.Second
)

// listener serves the API in every replica, whoever holds the Lease.
type listener struct {
	address   string
	handler   http.Handler
	listening atomic.Bool
}

// NeedLeaderElection tells the manager that every replica answers.
func (*listener) NeedLeaderElection() bool { return false }

// Start serves until the context ends, and lets the calls that are under way
// come to their end. The manager calls it once the informers have seen the state.
func (l *listener) Start(ctx context.Context) error {
	server := &http.Server{
		Handler:           l.handler,
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
	if err != nil {
		return fmt.Errorf("cannot serve the API at %s: %w", l.address, err)
	}
	l.listening.Store(true)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(socket) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve the API at %s: %w", l.address, err)
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
		return errors.New("the API does not listen yet, or any more")
	}
	return nil
}
