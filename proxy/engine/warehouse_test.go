package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/store"
)

func (w *world) warehouse(name string) store.Warehouse {
	w.t.Helper()
	record, err := w.people.Warehouse(w.t.Context(), shop, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return record
}

// looksIn counts the looks of a time.
func (w *world) looksIn(d time.Duration) int {
	before := w.images.looks
	w.pass(d)
	return w.images.looks - before
}

func TestALookThatFindsNothingNewWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(0)
	w.writes = nil
	if n := w.looksIn(time.Hour); n != 12 {
		t.Errorf("in an hour it looked %d times", n)
	}
	if len(w.writes) != 0 {
		t.Errorf("it wrote %v", w.writes)
	}
}

func TestAFailedLookKeepsTheCandidateAndIsRecordedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	candidate := w.warehouse("shop").Candidate
	w.images.fails[shopImage] = errors.New("the registry is down")
	w.pass(5 * time.Minute)
	w.writes = nil
	events := w.eventsOf("DiscoveryFailed")
	w.pass(24 * time.Hour)
	if got := w.warehouse("shop"); got.Candidate != candidate || got.Error != "subscriptions[0] (registry.example.com/shop): the registry is down" {
		t.Errorf("the record is %+v", got)
	}
	if len(w.writes) != 0 || w.eventsOf("DiscoveryFailed") != events {
		t.Errorf("it wrote %v and told %d more events", w.writes, w.eventsOf("DiscoveryFailed")-events)
	}
	delete(w.images.fails, shopImage)
	w.pass(5 * time.Minute)
	if got := w.warehouse("shop"); got.Error != "" {
		t.Errorf("the error stays: %s", got.Error)
	}
}

func TestALookThatCannotBeRecordedIsMadeAgainNoSoonerThanOneThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(0)
	w.images.tags["registry.example.com/shop"] = "v2"
	w.breaks = func(what string) fault {
		if what == "update waybill.shop.warehouse.shop" {
			return unavailable
		}
		return none
	}
	// After the interval, and then after 10 s, 20 s, 40 s and 80 s.
	if n := w.looksIn(5*time.Minute + 150*time.Second); n != 5 {
		t.Errorf("it looked %d times", n)
	}
	w.breaks = func(string) fault { return none }
	w.pass(5 * time.Minute)
	if got := w.tag(w.warehouse("shop").Candidate); got != "v2" {
		t.Errorf("its candidate is %s", got)
	}
}

func TestAFailingRegistryIsLookedAtEverLessOften(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.images.fails[shopImage] = errors.New("the registry is down")
	w.restart()
	var at []time.Time
	w.images.looked = func() { at = append(at, w.clock.now) }
	w.pass(15 * time.Minute)
	var pauses []time.Duration
	for i := range at[1:] {
		pauses = append(pauses, at[i+1].Sub(at[i]))
	}
	want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 5 * time.Minute}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestARegistryThatAsksForAPauseIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(0)
	w.images.fails[shopImage] = &source.Busy{RetryAfter: 30 * time.Minute, Err: errors.New("the registry has enough")}
	w.pass(5 * time.Minute)
	if n := w.looksIn(29 * time.Minute); n != 0 {
		t.Errorf("it looked %d times", n)
	}
	if n := w.looksIn(2 * time.Minute); n != 1 {
		t.Errorf("after the pause it looked %d times", n)
	}
}

func TestARefreshIsOneLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Second)
	w.refresh("shop")
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("it looked %d times", n)
	}
	// Three requests before it comes to look are one look, too.
	for range 3 {
		if err := w.people.Refresh(t.Context(), w.pipeline(), "shop"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("it looked %d times", n)
	}
	if got := w.warehouse("shop"); got.Refresh != got.Asked {
		t.Errorf("the record does not tell that it looked: %+v", got)
	}
	if err := w.people.Refresh(t.Context(), w.pipeline(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a warehouse that there is not: %v", err)
	}
}

func TestAChangedDocumentIsALook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Second)
	w.rewrite(with(devDocument, "interval: 5m", "interval: 1m"))
	if n := w.looksIn(time.Second); n != 1 {
		t.Errorf("it looked %d times", n)
	}
	if n := w.looksIn(10 * time.Minute); n != 10 {
		t.Errorf("in ten minutes it looked %d times", n)
	}
}

func TestFreightIsMadeOfAllSubscriptionsOrNotAtAll(t *testing.T) {
	t.Parallel()
	document := with(devDocument, "  - image: {repoURL: registry.example.com/shop}", "  - image: {repoURL: registry.example.com/shop}\n  - image: {repoURL: registry.example.com/sidecar}")
	w := newWorld(t, document)
	w.release("v1")
	w.pass(0)
	if got := w.warehouse("shop"); got.Candidate != "" || !strings.HasPrefix(got.Error, "subscriptions[1]: ") {
		t.Errorf("the record is %+v", got)
	}
	w.images.tags["registry.example.com/sidecar"] = "s1"
	w.refresh("shop")
	w.pass(0)
	f, err := w.people.FreightByID(t.Context(), shop, w.warehouse("shop").Candidate)
	if err != nil || f.Summary() != "shop:v1, sidecar:s1" {
		t.Errorf("the candidate is %s, %v", f.Summary(), err)
	}
}

func TestTheSameFindingIsTheSameFreight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	for _, tag := range []string{"v1", "v2", "v1"} {
		w.release(tag)
		w.pass(0)
	}
	all, err := w.people.Freight(t.Context(), shop)
	if err != nil || len(all) != 2 {
		t.Fatalf("there are %d pieces of freight, %v", len(all), err)
	}
	if n := w.eventsOf("FreightCreated"); n != 2 {
		t.Errorf("%d events tell of it", n)
	}
	if got := w.tag(w.warehouse("shop").Candidate); got != "v1" {
		t.Errorf("the candidate is %s", got)
	}
}
