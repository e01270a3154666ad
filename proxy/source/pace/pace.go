// Package pace keeps the number of requests to a host down, and fair: whoever
// waits for a host is served in turn, so that a long scan of one repository does
// not hold up a short look at another.
package pace

import (
	"cmp"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// DefaultPerSecond is how many requests a host gets in a second.
const DefaultPerSecond = 50

const (
	// burstTime is how much of an idle time is made up for: a short look after a
	// pause begins at once.
	burstTime = 100 * time.Millisecond
	// maxHosts bounds what is remembered of hosts that nobody asks.
	maxHosts = 1000
)

// Pace paces requests, for each host by itself. It may be used by several
// goroutines at a time.
type Pace struct {
	perSecond float64

	mu    sync.Mutex
	hosts map[string]*host
}

// New makes a pace of so many requests a second for each host; 0 stands for
// [DefaultPerSecond].
func New(perSecond float64) *Pace {
	return &Pace{perSecond: cmp.Or(perSecond, DefaultPerSecond), hosts: map[string]*host{}}
}

// host is what waits for one host. Its fields are guarded by Pace.mu.
type host struct {
	limit *rate.Limiter
	// turns are those who wait, in the order in which they are served next: each
	// has at least one request in its line.
	turns []*line
	lines map[string]*line
	// served tells that a goroutine lets them through.
	served bool
}

// line is the requests of one party, the first to come first.
type line struct {
	party    string
	requests []chan struct{}
}

// Wait returns when a request of a party (a repository) may go to a host, or the
// context's error where that ends before. The parties that wait for a host take
// turns, whatever the number of requests each has waiting; how many those are is
// bounded by the party.
func (p *Pace) Wait(ctx context.Context, name, party string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	h := p.host(name)
	if len(h.turns) == 0 && h.limit.Allow() {
		p.mu.Unlock()
		return nil
	}
	request := make(chan struct{})
	h.join(party, request)
	if !h.served {
		h.served = true
		go p.serve(h)
	}
	p.mu.Unlock()

	select {
	case <-request:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		h.leave(party, request)
		return ctx.Err()
	}
}

// host returns the state of a host, and forgets hosts that nobody asked lately
// when there are many.
func (p *Pace) host(name string) *host {
	if h, ok := p.hosts[name]; ok {
		return h
	}
	if len(p.hosts) >= maxHosts {
		for other, h := range p.hosts {
			if len(h.turns) == 0 && !h.served && h.limit.Tokens() >= float64(h.limit.Burst()) {
				delete(p.hosts, other)
			}
		}
	}
	burst := max(1, int(p.perSecond*burstTime.Seconds()))
	h := &host{limit: rate.NewLimiter(rate.Limit(p.perSecond), burst), lines: map[string]*line{}}
	p.hosts[name] = h
	return h
}

// serve lets the requests of a host through until none waits. Who is next is
// decided when a request may go, not before: those who came meanwhile count.
func (p *Pace) serve(h *host) {
	for {
		p.mu.Lock()
		if len(h.turns) == 0 {
			h.served = false
			p.mu.Unlock()
			return
		}
		reservation := h.limit.Reserve()
		if reservation.Delay() == 0 {
			close(h.next())
			p.mu.Unlock()
			continue
		}
		// Given back, and asked for anew after the pause: a request that is taken
		// back meanwhile costs nobody anything.
		pause := reservation.Delay()
		reservation.Cancel()
		p.mu.Unlock()
		<-time.After(pause)
	}
}

func (h *host) join(party string, request chan struct{}) {
	l, waits := h.lines[party]
	if !waits {
		l = &line{party: party}
		h.lines[party] = l
		h.turns = append(h.turns, l)
	}
	l.requests = append(l.requests, request)
}

// next takes the request that is served now.
func (h *host) next() chan struct{} {
	l := h.turns[0]
	request := l.requests[0]
	l.requests = l.requests[1:]
	h.turns = h.turns[1:]
	if len(l.requests) == 0 {
		delete(h.lines, l.party)
	} else {
		h.turns = append(h.turns, l)
	}
	return request
}

// leave takes a request back that was not served.
func (h *host) leave(party string, request chan struct{}) {
	l, waits := h.lines[party]
	if !waits {
		return
	}
	for i, r := range l.requests {
		if r == request {
			l.requests = append(l.requests[:i], l.requests[i+1:]...)
			break
		}
	}
	if len(l.requests) > 0 {
		return
	}
	delete(h.lines, party)
	for i, turn := range h.turns {
		if turn == l {
			h.turns = append(h.turns[:i], h.turns[i+1:]...)
			return
		}
	}
}
