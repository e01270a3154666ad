package fault_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/fault"
)

func serve(t *testing.T, traffic *fault.Traffic) string {
	t.Helper()
	server := httptest.NewServer(traffic.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "real")
	})))
	t.Cleanup(server.Close)
	return server.URL
}

type answer struct {
	Status int
	Body   string
	Retry  string
}

func get(t *testing.T, url string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, string(body), response.Header.Get("Retry-After")}, nil
}

func TestTrafficPassesAndCountsRequestsByDefault(t *testing.T) {
	var traffic fault.Traffic
	url := serve(t, &traffic)
	for _, path := range []string{"/v2/", "/v2/shop/tags/list?n=10"} {
		got, err := get(t, url+path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer{Status: http.StatusOK, Body: "real"}, got); diff != "" {
			t.Errorf("answer to %s (-want +got):\n%s", path, diff)
		}
	}

	want := []fault.Request{
		{Method: http.MethodGet, Path: "/v2/"},
		{Method: http.MethodGet, Path: "/v2/shop/tags/list", Query: "n=10"},
	}
	if diff := cmp.Diff(want, traffic.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := traffic.Count(func(r fault.Request) bool { return r.Query != "" }); got != 1 {
		t.Errorf("%d requests match, want 1", got)
	}
	traffic.Reset()
	if got := traffic.Count(nil); got != 0 {
		t.Errorf("%d requests after a reset, want 0", got)
	}
}

func TestFaultReplacesTheAnswerOfTheRequestsItNames(t *testing.T) {
	var traffic fault.Traffic
	url := serve(t, &traffic)
	traffic.SetFault(func(r *http.Request) *fault.Fault {
		switch r.URL.Path {
		case "/busy":
			return &fault.Fault{
				Status: http.StatusTooManyRequests,
				Header: http.Header{"Retry-After": {"7"}},
				Body:   "slow down",
			}
		case "/down":
			return &fault.Fault{}
		}
		return nil
	})

	for path, want := range map[string]answer{
		"/busy":  {http.StatusTooManyRequests, "slow down", "7"},
		"/down":  {Status: http.StatusServiceUnavailable},
		"/other": {Status: http.StatusOK, Body: "real"},
	} {
		got, err := get(t, url+path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answer to %s (-want +got):\n%s", path, diff)
		}
	}

	traffic.SetFault(nil)
	if got, err := get(t, url+"/busy"); err != nil || got.Body != "real" {
		t.Errorf("after the fault was cleared: %v, %v", got, err)
	}
}

// The race detector tells where it is asked by two.
func TestAFaultIsAskedByOneRequestAtATime(t *testing.T) {
	var traffic fault.Traffic
	url, asked := serve(t, &traffic), 0
	traffic.SetFault(func(*http.Request) *fault.Fault {
		asked++
		return &fault.Fault{}
	})
	const each, clients = 20, 8
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range each {
				if got, err := get(t, url); err != nil || got.Status != http.StatusServiceUnavailable {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	all.Wait()
	if want := each * clients; asked != want {
		t.Errorf("asked %d times, want %d", asked, want)
	}
}

func TestDropClosesTheConnectionWithoutAnAnswer(t *testing.T) {
	var traffic fault.Traffic
	url := serve(t, &traffic)
	traffic.SetFault(func(*http.Request) *fault.Fault { return &fault.Fault{Drop: true} })
	if got, err := get(t, url); err == nil {
		t.Errorf("got the answer %v, want a broken connection", got)
	}
}

func TestLatencyDelaysTheAnswer(t *testing.T) {
	var traffic fault.Traffic
	url := serve(t, &traffic)
	const latency = 30 * time.Millisecond
	traffic.SetLatency(latency)
	start := time.Now()
	if _, err := get(t, url); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < latency {
		t.Errorf("answered after %v, want at least %v", took, latency)
	}
}

func TestTrafficForgetsTheOldestRequests(t *testing.T) {
	var traffic fault.Traffic
	handler := traffic.Wrap(http.NotFoundHandler())
	const n = 10_000
	for i := range n {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprintf("/%d", i), http.NoBody))
	}
	requests := traffic.Requests()
	if len(requests) > 4096 || len(requests) < 3072 {
		t.Errorf("%d requests are remembered, want 3072 to 4096", len(requests))
	}
	if got, want := requests[len(requests)-1].Path, fmt.Sprintf("/%d", n-1); got != want {
		t.Errorf("the last one is %s, want %s", got, want)
	}
	if got := traffic.Count(nil); got != n {
		t.Errorf("%d requests are counted, want %d", got, n)
	}
}
