package gitrepo_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// turns notes who asks a host for a turn, and lets only so many through.
type turns struct {
	mu      sync.Mutex
	asked   map[[2]string]int // host, party
	granted int
	through int
}

var errNoTurn = errors.New("no turn")

func (p *turns) Wait(_ context.Context, host, party string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked == nil {
		p.asked = map[[2]string]int{}
	}
	p.asked[[2]string{host, party}]++
	if p.through++; p.through > p.granted {
		return errNoTurn
	}
	return nil
}

func TestEveryRequestTakesATurnOfItsRepository(t *testing.T) {
	h, pace := serve(t, map[string]string{"deploy/a.yaml": "a"}), &turns{granted: 100}
	h.open(t, gitrepo.Options{Pace: pace})
	h.Traffic.Reset()
	h.newest(t, 1)
	h.commit(t, h.change(map[string]string{"deploy/waybill.yaml": "x"}))
	requests := 0
	for n := range maps.Values(h.requests()) {
		requests += n
	}
	if diff := cmp.Diff(map[[2]string]int{{h.Host(), "/shop"}: requests}, pace.asked); diff != "" || requests < 4 {
		t.Errorf("turns of %d requests (-want +got):\n%s", requests, diff)
	}
}

func TestWithoutATurnNothingIsSent(t *testing.T) {
	h := serve(t, map[string]string{"deploy/a.yaml": "a"})
	for granted := range 2 {
		h.open(t, gitrepo.Options{Pace: &turns{granted: granted}})
		h.Traffic.Reset()
		err := h.repositories.Look(t.Context(), h.place(), func(ctx context.Context, l *gitrepo.Look) error {
			_, err := l.Log(ctx, l.Refs.Head, 1, func(gitrepo.Logged) (bool, error) { return false, nil })
			return err
		})
		if sent := slices.Collect(maps.Values(h.requests())); err == nil || len(sent) != granted {
			t.Errorf("with %d turns, %v requests are sent, error %v", granted, sent, err)
		}
	}
}

// However a host is written, it is one: with one pace, and one pause.
func TestAHostIsOneHoweverItIsWritten(t *testing.T) {
	h, pace := serve(t, map[string]string{"deploy/a.yaml": "a"}), &turns{granted: 100}
	h.open(t, gitrepo.Options{Pace: pace})
	h.Traffic.SetFault(func(*http.Request) *fault.Fault {
		return &fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"90"}}}
	})
	_, port, err := net.SplitHostPort(h.Host())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "LocalHost"} {
		place := h.place()
		place.RepoURL = "http://" + net.JoinHostPort(name, port) + "/shop.git"
		err := h.repositories.Look(t.Context(), place, func(context.Context, *gitrepo.Look) error { return nil })
		var busy *gitrepo.Busy
		if !errors.As(err, &busy) || busy.RetryAfter < 80*time.Second {
			t.Errorf("a look at %s: %v, want to be told to wait", name, err)
		}
		h.Traffic.SetFault(nil)
	}
	if diff := cmp.Diff(map[[2]string]int{{net.JoinHostPort("localhost", port), "/shop"}: 1}, pace.asked); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}
