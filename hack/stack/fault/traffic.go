// Package fault stands between a server of the stack and its clients: it counts
// their requests, and delays, refuses or drops them where a test asks for it.
package fault

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxRequests bounds what Traffic remembers.
const maxRequests = 4096

// Traffic is what passes through one server. Its zero value lets everything
// pass and remembers it. All its methods may be called at any time.
type Traffic struct {
	asking   sync.Mutex // held while a fault is asked, so that tests may count in it
	mu       sync.Mutex
	latency  time.Duration
	fault    func(*http.Request) *Fault
	total    int
	requests []Request
}

// Request is what Traffic remembers of a request.
type Request struct {
	Method string
	Path   string
	Query  string // raw, without the question mark
}

// Fault replaces the answer to a request.
type Fault struct {
	Status int // 503 when zero
	Header http.Header
	Body   string
	Drop   bool // close the connection without any answer
}

// Wrap puts the traffic before next.
func (t *Traffic) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		latency, fault := t.note(r)
		if latency > 0 && !pause(r, latency) {
			return // the client has gone
		}
		if f := t.ask(fault, r); f != nil {
			f.answer(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (t *Traffic) ask(fault func(*http.Request) *Fault, r *http.Request) *Fault {
	if fault == nil {
		return nil
	}
	t.asking.Lock()
	defer t.asking.Unlock()
	return fault(r)
}

func (t *Traffic) note(r *http.Request) (time.Duration, func(*http.Request) *Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total++
	if len(t.requests) == maxRequests {
		t.requests = slices.Delete(t.requests, 0, maxRequests/4)
	}
	t.requests = append(t.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery})
	return t.latency, t.fault
}

func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (f *Fault) answer(w http.ResponseWriter) {
	if f.Drop {
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = connection.Close()
		}
		return
	}
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	status := f.Status
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, f.Body)
}

// SetLatency delays every answer by d.
func (t *Traffic) SetLatency(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latency = d
}

// SetFault has f asked for every request; where it returns nil the request
// passes. f is asked by one request at a time, and does not read the body. A nil
// f clears.
func (t *Traffic) SetFault(f func(*http.Request) *Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = f
}

// Requests lists the latest requests, at least 3072 when there were as many and
// at most 4096, the oldest first.
func (t *Traffic) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// Count tells how many of Requests match. With a nil match it is the number of
// all requests since the start or the last Reset, remembered or not.
func (t *Traffic) Count(match func(Request) bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if match == nil {
		return t.total
	}
	count := 0
	for _, r := range t.requests {
		if match(r) {
			count++
		}
	}
	return count
}

// Reset forgets the requests; latency and fault stay.
func (t *Traffic) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total, t.requests = 0, nil
}
