package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/source"
)

// unwell are Registries that all answer with a status and, where that is not OK,
// with a Retry-After.
type unwell struct {
	*Registries
	status     int
	retryAfter string
	hosts      []string // of the requests
}

func newUnwell(status int, retryAfter string) *unwell {
	u := &unwell{Registries: New(Options{}), status: status, retryAfter: retryAfter}
	answer := roundTrip(func(r *http.Request) (*http.Response, error) {
		u.hosts = append(u.hosts, r.URL.Host)
		w := httptest.NewRecorder()
		switch {
		case r.URL.Path == "/v2/":
		case u.status != http.StatusOK:
			w.Header().Set("Retry-After", u.retryAfter)
			w.WriteHeader(u.status)
		default:
			_, _ = w.WriteString(`{"tags":["v1.0.0"]}`)
		}
		res := w.Result()
		res.Request = r
		return res, nil
	})
	u.secure, u.insecure = answer, answer
	return u
}

// tags reads the tags of a repository, as one look does.
func tags(t *testing.T, r *Registries, a Access) ([]string, error) {
	t.Helper()
	a.Holds = Content{Noun: "image", Remedy: "set credentials"}
	repo, err := r.Repository(a)
	if err != nil {
		return nil, err
	}
	end, err := repo.SignIn()
	if err != nil {
		return nil, err
	}
	found, err := repo.Tags(t.Context())
	end(err)
	return found, err
}

func (u *unwell) look(t *testing.T, a Access) time.Duration {
	t.Helper()
	_, err := tags(t, u.Registries, a)
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
				shop := Access{RepoURL: "registry.example.com/shop"}
				if got := u.look(t, shop); got != pause {
					t.Errorf("%d, %s: told to wait %s, want %s", status, form, got, pause)
				}

				// Whoever looks at that host, from wherever, waits.
				u.status, u.hosts = http.StatusOK, nil
				<-time.After(pause - time.Second)
				for _, a := range []Access{shop, {RepoURL: "registry.example.com/cart", Namespace: "other", Insecure: true}, {RepoURL: "Registry.Example.com/shop"}} {
					if got := u.look(t, a); got != time.Second {
						t.Errorf("%d, %s: told to wait %s, want a second", status, form, got)
					}
				}
				if _, err := tags(t, u.Registries, Access{RepoURL: "other.example.com/shop"}); err != nil {
					t.Errorf("%d, %s: another host: %v", status, form, err)
				}
				if diff := cmp.Diff([]string{"other.example.com", "other.example.com"}, u.hosts); diff != "" {
					t.Errorf("%d, %s: hosts asked in the pause (-want +got):\n%s", status, form, diff)
				}
				<-time.After(time.Second)
				if _, err := tags(t, u.Registries, shop); err != nil {
					t.Errorf("%d, %s: after the pause: %v", status, form, err)
				}
			})
		}
	}
}

func TestABusyHostIsNotAskedTwiceInOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUnwell(http.StatusTooManyRequests, "")
		u.look(t, Access{RepoURL: "registry.example.com/shop"})
		if len(u.hosts) != 2 { // a ping and a list
			t.Errorf("%d requests, want 2", len(u.hosts))
		}
	})
}

// Another one than the host may answer where certificates are not checked.
func TestAPauseThatNobodyVouchesForIsNotOneOfAHostThatIsChecked(t *testing.T) {
	u := newUnwell(http.StatusTooManyRequests, "90")
	unchecked := Access{RepoURL: "registry.example.com/shop", Insecure: true}
	u.look(t, unchecked)
	u.status, u.hosts = http.StatusOK, nil
	if _, err := tags(t, u.Registries, Access{RepoURL: "registry.example.com/shop"}); err != nil {
		t.Errorf("with the certificate checked: %v", err)
	}
	u.hosts = nil
	u.look(t, unchecked)
	if len(u.hosts) > 0 {
		t.Errorf("%d requests without a check, in the pause", len(u.hosts))
	}
}

func TestARegistryOfPlainHTTPIsToldSo(t *testing.T) {
	registries := New(Options{})
	registries.secure = roundTrip(func(*http.Request) (*http.Response, error) { return nil, http.ErrSchemeMismatch })
	for _, repo := range []string{"10.0.0.1:5000/shop", "registry.example.com/shop"} {
		_, err := tags(t, registries, Access{RepoURL: repo})
		want := "the registry of " + repo + " speaks plain HTTP, which is not used outside this machine: serve it over HTTPS"
		if !errors.Is(err, ErrUnreachable) || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
