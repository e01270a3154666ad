package engine

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/source"
)

// asks has a person, or a webhook, ask for a look at once.
func (w *world) asks(warehouse string) {
	w.t.Helper()
	if err := w.people.RefreshNamed(w.t.Context(), WarehouseName{shop, warehouse}); err != nil {
		w.t.Fatal(err)
	}
}

// askedWrites counts the writes of the replica that takes requests.
func (w *world) askedWrites(do func()) int {
	w.t.Helper()
	n := 0
	before := w.people
	w.people = w.replica(newLink(w, w.seen, func(string) fault { n++; return none }))
	do()
	w.people = before
	return n
}

func TestABurstIsOneWriteAndOneLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	w.writes = nil
	writes := w.askedWrites(func() {
		for range 100 {
			w.asks("shop")
		}
	})
	if writes != 1 {
		t.Errorf("a hundred requests are %d writes", writes)
	}
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("they are %d looks", n)
	}
	if len(w.writes) != 1 {
		t.Errorf("for a look that finds nothing new it wrote %v", w.writes)
	}
}

func TestABurstAtAllReplicasIsOneLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	writes := 0
	for range 3 {
		// Each sees what was before any asked.
		replica := w.replica(newLink(w, newInformer(t, w.seen.all()), func(string) fault { writes++; return none }))
		if err := replica.RefreshNamed(t.Context(), WarehouseName{shop, "shop"}); err != nil {
			t.Fatal(err)
		}
	}
	if writes != 1 {
		t.Errorf("three replicas wrote %d times", writes)
	}
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("they are %d looks", n)
	}
}

func TestAReplicaThatSeesAnOldStateLosesNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	w.asks("shop")
	waits := newInformer(t, w.seen.all()) // it never sees that the look has begun
	w.pass(0)
	replica := w.replica(newLink(w, waits, func(string) fault { return none }))
	if err := replica.RefreshNamed(t.Context(), WarehouseName{shop, "shop"}); err != nil {
		t.Fatal(err)
	}
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("after the look that it thinks waits there are %d more", n)
	}
}

func TestAPushDuringALookIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	w.images.tags[shopImage] = "v2"
	w.images.looked = func() {
		// The look has read v2 when v3 is pushed.
		w.images.looked = func() {}
		w.images.tags[shopImage] = "v3"
		w.asks("shop")
	}
	w.asks("shop")
	if n := w.looksIn(0); n != 1 {
		t.Errorf("at once it looked %d times", n)
	}
	found := w.tag(w.warehouse("shop").Candidate)
	if n := w.looksIn(askedGap - 1); n != 0 {
		t.Errorf("within the gap it looked %d times more", n)
	}
	if n := w.looksIn(time.Minute); n != 1 {
		t.Errorf("then it looked %d times", n)
	}
	if now := w.tag(w.warehouse("shop").Candidate); found == "" || now != "v3" {
		t.Errorf("the candidates were %s and %s", found, now)
	}
}

func TestAChattySenderCausesALookEachGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	before := w.images.looks
	for end := w.clock.now.Add(59 * time.Second); w.clock.now.Before(end); {
		w.asks("shop")
		w.pass(100 * time.Millisecond)
	}
	if n := w.images.looks - before; n != 12 {
		t.Errorf("in a minute it looked %d times", n)
	}
}

func TestAHostThatAskedForAPauseIsLeftAloneWhoeverAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Minute)
	w.images.fails[shopImage] = &source.Busy{RetryAfter: 3 * time.Minute, Err: errors.New("the registry has enough")}
	w.refresh("shop")
	w.pass(time.Second)
	delete(w.images.fails, shopImage)
	for range 10 {
		w.asks("shop")
		if n := w.looksIn(10 * time.Second); n != 0 {
			t.Fatalf("it looked %d times", n)
		}
	}
	// The interval is longer than the pause: the request still waits, and is served.
	if n := w.looksIn(2 * time.Minute); n != 1 {
		t.Errorf("after the pause it looked %d times", n)
	}
	if got := w.warehouse("shop"); got.Refresh != got.Asked || got.Error != "" {
		t.Errorf("the record is %+v", got)
	}
}

func TestARequestIsServedWhateverBreaks(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		for nth := 1; nth <= 3; nth++ { // the look's beginning, the freight, its outcome
			w := newWorld(t, devDocument)
			w.release("v1")
			w.pass(time.Minute)
			w.images.tags[shopImage] = "v2"
			writes := 0
			w.breaks = func(string) fault {
				if writes++; writes == nth {
					return f
				}
				return none
			}
			w.asks("shop")
			w.pass(time.Minute)
			if got := w.warehouse("shop"); w.tag(got.Candidate) != "v2" || got.Refresh != got.Asked || writes < 3 {
				t.Errorf("%s, at write %d of %d: the candidate is %s", f, nth, writes, w.tag(got.Candidate))
			}
		}
	}
}

func TestAPushIsTheConcernOfWhoeverSubscribes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoOrigins)
	for repoURL, want := range map[string][]WarehouseName{
		shopImage:                   {{shop, "shop"}},
		"registry.example.com/base": {{shop, "base"}},
		"registry.example.com/x":    nil,
	} {
		push := []selection.Push{{RepoURLs: []string{"registry.example.com/y"}}, {RepoURLs: []string{repoURL}}}
		got, err := w.people.Concerned(t.Context(), namespace, push)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", repoURL, got, err)
		}
		if got, err := w.people.Concerned(t.Context(), "elsewhere", push); err != nil || got != nil {
			t.Errorf("%s, in another namespace: %v, %v", repoURL, got, err)
		}
	}
}

func TestAWarehouseThatIsGoneIsNobodysConcern(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.asks("none")
	if err := w.people.Refresh(t.Context(), w.pipeline(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("to a person it says %v", err)
	}
}
