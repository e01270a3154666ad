package pace_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waybill-cd/waybill/proxy/source/pace"
)

// scan has a party send n requests, some at a time, and tells when it is through.
func scan(t *testing.T, p *pace.Pace, party string, n, atOnce int) *sync.WaitGroup {
	t.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	all.Go(func() {
		for range n {
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				if err := p.Wait(t.Context(), "registry.example.com", party); err != nil {
					t.Error(err)
				}
			})
		}
	})
	return &all
}

func TestAHostGetsSoManyRequestsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		scan(t, pace.New(0), "shop", 1000, 16).Wait()
		// The first five go at once.
		if took, want := time.Since(start), 995*time.Second/pace.DefaultPerSecond; took < want || took > want+time.Second {
			t.Errorf("1000 requests took %s, want %s", took, want)
		}
	})
}

func TestALongScanHoldsUpNobodyForMoreThanASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(0)
		scanned := scan(t, p, "shop", 10_000, 64)
		<-time.After(time.Minute)
		var worst time.Duration
		for range 20 {
			start := time.Now()
			if err := p.Wait(t.Context(), "registry.example.com", "cart"); err != nil {
				t.Fatal(err)
			}
			worst = max(worst, time.Since(start))
		}
		if worst > time.Second {
			t.Errorf("a request of another repository waited %s, want at most a second", worst)
		}
		// A whole look, of a ping, a list and 20 winners one after the other, is
		// served every other request.
		start := time.Now()
		for range 22 {
			_ = p.Wait(t.Context(), "registry.example.com", "cart")
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("a look of 22 requests took %s, want at most a second", took)
		}
		scanned.Wait()
	})
}

func TestPartiesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(1)
		_ = p.Wait(t.Context(), "h", "first") // takes what the pause before is worth
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, party := range []string{"a", "a", "a", "b", "b", "c"} {
			all.Go(func() {
				_ = p.Wait(t.Context(), "h", party)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, party)
			})
			synctest.Wait() // they come in this order
		}
		all.Wait()
		if got, want := fmt.Sprint(order), "[a b c a b a]"; got != want {
			t.Errorf("served %s, want %s", got, want)
		}
	})
}

func TestHostsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(1)
		start := time.Now()
		for n := range 2000 {
			if err := p.Wait(t.Context(), fmt.Sprintf("host-%d", n), "shop"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the first request to each host waited, %s in all", took)
		}
	})
}

func TestARequestThatIsTakenBackCostsNobodyItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(1)
		_ = p.Wait(t.Context(), "h", "first")
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if err := p.Wait(ctx, "h", "impatient"); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want %v", err, context.Canceled)
				}
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
		start := time.Now()
		if err := p.Wait(t.Context(), "h", "patient"); err != nil || time.Since(start) > time.Second {
			t.Errorf("waited %s, error %v, want at most a second", time.Since(start), err)
		}
		if err := p.Wait(ctx, "h", "impatient"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v of a context that has ended, want %v", err, context.Canceled)
		}
	})
}
