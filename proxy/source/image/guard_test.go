package image

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
)

func TestPlainHTTPStaysOnTheMachine(t *testing.T) {
	var sent []string
	g := &guard{holds: newHolds(), base: roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.String())
		return httptest.NewRecorder().Result(), nil
	})}
	for raw, allowed := range map[string]bool{
		"https://registry.example.com/v2/": true,
		"http://127.0.0.1:5000/v2/":        true,
		"http://[::1]:5000/v2/":            true,
		"http://localhost:5000/v2/":        true,
		"http://registry.localhost/v2/":    true,
		// These go-containerregistry itself would ask.
		"http://10.0.0.1:5000/v2/":         false,
		"http://192.168.1.1/v2/":           false,
		"http://registry.example.com/v2/":  false,
		"http://localhost.example.com/v2/": false,
	} {
		sent = nil
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := g.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != allowed || (len(sent) == 1) != allowed {
			t.Errorf("%s: sent %v, error %v", raw, sent, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARegistryOfPlainHTTPIsToldSo(t *testing.T) {
	registries := New(Options{})
	registries.secure.base = roundTrip(func(*http.Request) (*http.Response, error) { return nil, http.ErrSchemeMismatch })
	for _, repo := range []string{"10.0.0.1:5000/shop", "registry.example.com/shop"} {
		_, err := registries.discover(t.Context(), pipeline.ImageSubscription{RepoURL: repo})
		want := "the registry of " + repo + " speaks plain HTTP, which is not used outside this machine: serve it over HTTPS"
		if !errors.Is(err, ErrUnreachable) || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// unwell is a Source before a registry that answers with a status and, where
// that is not OK, with a Retry-After.
type unwell struct {
	*Source
	status     int
	retryAfter string
	hosts      []string // of the requests
}

func newUnwell(status int, retryAfter string) *unwell {
	u := &unwell{Source: New(Options{}), status: status, retryAfter: retryAfter}
	answer := roundTrip(func(r *http.Request) (*http.Response, error) {
		u.hosts = append(u.hosts, r.URL.Host)
		w := httptest.NewRecorder()
		switch {
		case r.URL.Path == "/v2/":
		case u.status != http.StatusOK:
			w.Header().Set("Retry-After", u.retryAfter)
			w.WriteHeader(u.status)
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("ab", 32))
		default:
			_, _ = w.WriteString(`{"tags":["v1.0.0"]}`)
		}
		res := w.Result()
		res.Request = r
		return res, nil
	})
	u.secure.base, u.insecure.base = answer, answer
	return u
}

func (u *unwell) look(t *testing.T, sub pipeline.ImageSubscription) time.Duration {
	t.Helper()
	_, err := u.discover(t.Context(), sub)
	var busy *source.Busy
	if !errors.As(err, &busy) {
		t.Fatalf("error %v, want a busy registry", err)
	}
	if want := "has enough of requests: the next look waits"; !strings.Contains(err.Error(), want) {
		t.Errorf("it tells %q, want %q in it", err, want)
	}
	return busy.RetryAfter
}

func TestAHostThatAsksForAPauseGetsIt(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		for _, form := range []string{"seconds", "date"} {
			synctest.Test(t, func(t *testing.T) {
				const pause = 90 * time.Second
				retryAfter := "90"
				if form == "date" {
					retryAfter = time.Now().Add(pause).UTC().Format(http.TimeFormat)
				}
				u := newUnwell(status, retryAfter)
				sub := pipeline.ImageSubscription{RepoURL: "registry.example.com/shop"}
				if got := u.look(t, sub); got != pause {
					t.Errorf("%d, %s: told to wait %s, want %s", status, form, got, pause)
				}

				// Whoever looks at that host, by whatever subscription, waits.
				u.status, u.hosts = http.StatusOK, nil
				elapse(pause - time.Second)
				cart := pipeline.ImageSubscription{RepoURL: "registry.example.com/cart", InsecureSkipTLSVerify: true}
				for _, s := range []pipeline.ImageSubscription{sub, cart} {
					if got := u.look(t, s); got != time.Second {
						t.Errorf("%d, %s: told to wait %s, want a second", status, form, got)
					}
				}
				if _, err := u.discover(t.Context(), pipeline.ImageSubscription{RepoURL: "other.example.com/shop"}); err != nil {
					t.Errorf("%d, %s: another host: %v", status, form, err)
				}
				other := "other.example.com"
				if diff := cmp.Diff([]string{other, other, other}, u.hosts); diff != "" {
					t.Errorf("%d, %s: hosts asked in the pause (-want +got):\n%s", status, form, diff)
				}
				elapse(time.Second)
				if _, err := u.discover(t.Context(), sub); err != nil {
					t.Errorf("%d, %s: after the pause: %v", status, form, err)
				}
			})
		}
	}
}

func TestABusyHostIsNotAskedTwiceInOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUnwell(http.StatusTooManyRequests, "")
		u.look(t, pipeline.ImageSubscription{RepoURL: "registry.example.com/shop"})
		if len(u.hosts) != 2 { // a ping and a list
			t.Errorf("%d requests, want 2", len(u.hosts))
		}
	})
}

func TestWhatIsNoRetryAfterAsksForNothing(t *testing.T) {
	for retryAfter, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-1": 0, "0": 0, "99999999999999999999": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
		"1000000000": 24 * time.Hour, // more than is granted
	} {
		synctest.Test(t, func(t *testing.T) {
			elapse(10 * 365 * 24 * time.Hour) // the bubble's clock starts in 2000
			u := newUnwell(http.StatusTooManyRequests, retryAfter)
			if got := u.look(t, pipeline.ImageSubscription{RepoURL: "registry.example.com/shop"}); got != want {
				t.Errorf("Retry-After %q: told to wait %s, want %s", retryAfter, got, want)
			}
		})
	}
}

// elapse lets a bubble's virtual time pass, which takes none of the real one.
func elapse(d time.Duration) { <-time.After(d) }
