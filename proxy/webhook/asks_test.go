package webhook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	"github.com/waybill-cd/waybill/proxy/engine"
)

// asking runs asks in a bubble of its own, and tells when each was made.
func asking(t *testing.T, fails func(n int) error, do func(add func(...engine.WarehouseName))) map[string][]time.Duration {
	t.Helper()
	made := map[string][]time.Duration{}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		turn := make(chan struct{}, 1)
		a := newAsks(func(_ context.Context, name engine.WarehouseName) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			made[name.Warehouse] = append(made[name.Warehouse], time.Since(start))
			return fails(len(made[name.Warehouse]))
		}, logr.Discard())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.serve(ctx)
		}()
		do(func(names ...engine.WarehouseName) { a.add(names) })
		synctest.Wait()
		stop()
		<-ended
	})
	return made
}

func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestABurstIsOneRequestAtOnceAndOneAfterIt(t *testing.T) {
	t.Parallel()
	other := engine.WarehouseName{Pipeline: shop.Pipeline, Warehouse: "other"}
	made := asking(t, func(int) error { return nil }, func(add func(...engine.WarehouseName)) {
		for range 1000 {
			add(shop, other)
		}
		wait(10 * time.Millisecond)
		for range 1000 {
			add(shop)
		}
		wait(time.Minute)
	})
	if got := made["shop"]; len(got) > 2 || got[0] != 0 || got[len(got)-1] > askGap {
		t.Errorf("shop was asked at %v", got)
	}
	if got := made["other"]; len(got) > 2 {
		t.Errorf("the other was asked at %v", got)
	}
}

func TestAChattySenderCausesARequestEachSecond(t *testing.T) {
	t.Parallel()
	made := asking(t, func(int) error { return nil }, func(add func(...engine.WarehouseName)) {
		for range 1000 {
			add(shop)
			wait(10 * time.Millisecond)
		}
	})
	if n := len(made["shop"]); n > 11 {
		t.Errorf("in ten seconds it was asked %d times", n)
	}
}

func TestARequestThatFailsIsMadeAgainAFewTimes(t *testing.T) {
	t.Parallel()
	for want, fails := range map[int]func(int) error{
		3: func(n int) error {
			if n < 3 {
				return errors.New("an outage")
			}
			return nil
		},
		maxAsks: func(int) error { return errors.New("an outage") },
	} {
		made := asking(t, fails, func(add func(...engine.WarehouseName)) {
			add(shop)
			wait(time.Hour)
		})
		if n := len(made["shop"]); n != want {
			t.Errorf("it was made %d times, not %d", n, want)
		}
	}
}
