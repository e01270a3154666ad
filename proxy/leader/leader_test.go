package leader

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// apiServer answers with a Lease that somebody holds.
func apiServer(t *testing.T, holder *atomic.Pointer[string]) *rest.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/apis/coordination.k8s.io/v1/namespaces/waybill/leases/waybill-proxy" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(coordination.Lease{
			TypeMeta: metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
			Spec:     coordination.LeaseSpec{HolderIdentity: holder.Load()},
		})
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

func TestALeaseTellsWhereItsHolderIsAsked(t *testing.T) {
	var holder atomic.Pointer[string]
	l, err := NewLease(apiServer(t, &holder), "waybill", "waybill-proxy", "", "10.0.0.1:8081")
	if err != nil {
		t.Fatal(err)
	}
	if address, ok := l.Holder(); ok {
		t.Errorf("before it was read, %s is asked", address)
	}
	for held, want := range map[string]string{
		"":                              "", // nobody
		"waybill-proxy-1_0":             "", // a version before this one, or one that cannot be asked
		"waybill-proxy-1_0@":            "",
		"waybill-proxy-1_0@10.0.0.2":    "",
		l.Identity():                    "", // itself
		"waybill-proxy-1_0@10.0.0.2:1":  "10.0.0.2:1",
		"waybill-proxy-1_0@[fd00::2]:1": "[fd00::2]:1",
	} {
		holder.Store(&held)
		if _, _, err := l.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if address, ok := l.Holder(); ok != (want != "") || ok && address != want {
			t.Errorf("of %q, %q is asked (%v)", held, address, ok)
		}
	}
	if !strings.HasSuffix(l.Identity(), "@10.0.0.1:8081") {
		t.Errorf("its own identity is %s", l.Identity())
	}
}

func TestAContainerThatIsStartedAgainInItsPodIsTheSameReplica(t *testing.T) {
	const address = "10.0.0.1:8081"
	if a, b := identity("node", "1c9d", address), identity("node", "1c9d", address); a != b {
		t.Errorf("one pod is %s, then %s", a, b)
	}
	for _, pod := range []string{"77f0", ""} { // of one host, as pods of its network are
		if a, b := identity("node", "1c9d", address), identity("node", pod, address); a == b {
			t.Errorf("the pods 1c9d and %q are both %s", pod, a)
		}
	}
	if a, b := identity("node", "", address), identity("node", "", address); a == b {
		t.Errorf("two processes outside of pods are both %s", a)
	}
}

func TestAReplicaIsAskedWhereItListens(t *testing.T) {
	for _, test := range []struct{ listen, podIP, want string }{
		{":8081", "10.0.0.1", "10.0.0.1:8081"},
		{"0.0.0.0:8081", "10.0.0.1", "10.0.0.1:8081"},
		{"[::]:8081", "fd00::1", "[fd00::1]:8081"},
		{"127.0.0.1:8081", "10.0.0.1", "127.0.0.1:8081"},
		{":8081", "", ""},
		{"0", "10.0.0.1", ""}, // no listener
	} {
		if got := Address(test.listen, test.podIP); got != test.want {
			t.Errorf("%s in a pod of %q is asked at %q, want %q", test.listen, test.podIP, got, test.want)
		}
	}
}

// replica listens as one that holds the Lease, and counts the questions.
func replica(t *testing.T, tell http.Handler) (holder func() (string, bool), asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		tell.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return func() (string, bool) { return strings.TrimPrefix(server.URL, "http://"), true }, asked
}

// patient asks, and gives a replica on a busy machine the time to answer.
func patient(holder func() (string, bool)) *Asker[map[string]int] {
	a := newAsker[map[string]int](holder, "/looks", "token")
	a.client.Timeout = time.Minute
	return a
}

func TestTheHolderIsAskedOnceForAllWhoAskAtATime(t *testing.T) {
	want := map[string]int{"shop": 3}
	tell := Handler("token", func() map[string]int { return want })
	// In the bubble an answer counts for as long as they ask.
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		a := patient(func() (string, bool) { return "10.0.0.2:8081", true })
		a.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			asked.Add(1)
			w := httptest.NewRecorder()
			tell.ServeHTTP(w, r)
			return w.Result(), nil
		})
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if got := a.Ask(t.Context()); !maps.Equal(got, want) {
					t.Errorf("it was told %v", got)
				}
			})
		}
		group.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("it was asked %d times", n)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnAnswerCountsForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		a := newAsker[int](func() (string, bool) { asked++; return "", false }, "/looks", "token")
		for range 10 {
			a.Ask(t.Context())
			<-time.After(toldFor / 2) // of the bubble's clock
		}
		if asked != 5 {
			t.Errorf("in %s the holder was looked for %d times", 5*toldFor, asked)
		}
	})
}

func TestWhatIsNoAnswerIsNothing(t *testing.T) {
	for name, tell := range map[string]http.Handler{
		"another token": Handler("other", func() map[string]int { return map[string]int{"shop": 3} }),
		"no JSON":       http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) }),
		"too much":      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxTold+1)) }),
		"another place": http.RedirectHandler("/looks", http.StatusFound),
	} {
		holder, asked := replica(t, tell)
		if got := patient(holder).Ask(t.Context()); len(got) != 0 || asked.Load() != 1 {
			t.Errorf("%s: it was told %v, after %d questions", name, got, asked.Load())
		}
	}
	hangs, _ := replica(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	if got := newAsker[map[string]int](hangs, "/looks", "token").Ask(t.Context()); len(got) != 0 {
		t.Errorf("nothing in time: it was told %v", got)
	}
	gone, goAway := context.WithCancel(t.Context())
	goAway()
	holder, _ := replica(t, Handler("token", func() map[string]int { return map[string]int{"shop": 3} }))
	if got := patient(holder).Ask(gone); got["shop"] != 3 {
		t.Errorf("who goes away takes the answer from the others: %v", got)
	}
}

func TestNobodyIsToldWithoutTheToken(t *testing.T) {
	for _, authorization := range []string{"", "token", "Bearer", "Bearer toke", "Bearer token2", "Basic token"} {
		r := httptest.NewRequest(http.MethodGet, "/looks", http.NoBody)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		Handler("token", func() int { t.Errorf("%q: it was asked for", authorization); return 3 }).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "3") {
			t.Errorf("%q: %d %s", authorization, w.Code, w.Body)
		}
	}
}
