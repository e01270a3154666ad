package stack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// redis is Argo CD's cache. A restart loses its content, as in a Redis without
// persistence.
type redis struct {
	port int

	mu     sync.Mutex
	server *miniredis.Miniredis
	end    chan struct{}
}

// Start implements process.Service.
func (r *redis) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return nil
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(local(r.port)); err != nil {
		return fmt.Errorf("starting %s: %w", Redis, err)
	}
	r.server, r.end = server, make(chan struct{})
	go age(server, r.end)
	return nil
}

// age lets time pass for the server, whose own clock stands still: without it no
// entry would expire, and the repo-server would never look at a branch again.
func age(server *miniredis.Miniredis, end <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case now := <-tick.C:
			server.FastForward(now.Sub(last))
			last = now
		case <-end:
			return
		}
	}
}

// Stop implements process.Service.
func (r *redis) Stop(context.Context) error { return r.Kill() }

// Kill implements process.Service.
func (r *redis) Kill() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return nil
	}
	close(r.end)
	r.server.Close()
	r.server, r.end = nil, nil
	return nil
}

// Running implements process.Service.
func (r *redis) Running() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.server != nil
}
