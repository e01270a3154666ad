package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
)

// estate is one server over TLS that is every host, each with its own answers.
type estate struct {
	*Registries
	mu   sync.Mutex
	seen []string // each request: host, path, credentials
}

// newEstate makes one whose answers are by host and path.
func newEstate(t *testing.T, answers map[string]http.HandlerFunc) *estate {
	t.Helper()
	e := &estate{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.seen = append(e.seen, strings.TrimSpace(fmt.Sprintln(r.Host+r.URL.Path, r.Header.Get("Authorization")+string(body))))
		e.mu.Unlock()
		if answer := answers[r.Host+r.URL.Path]; answer != nil {
			answer(w, r)
		} else {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	e.Registries = New(Options{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}})
	return e
}

// requests are those that came.
func (e *estate) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen)
}

func to(target string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) }
}

func challenge(challenge string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

const (
	basic = "Basic Y2k6Zmlyc3Q="
	blob  = "/v2/shop/blobs/sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // foo
)

func TestCredentialsNeverFollowARedirectToAnotherHost(t *testing.T) {
	tokens := `Bearer realm="https://tokens.example/token",service="a"`
	identity := authn.AuthConfig{IdentityToken: "hunter2"}
	password := authn.AuthConfig{Username: "ci", Password: "first"}
	needs := func(authorization string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != authorization {
				challenge(`Bearer realm="https://`+r.Host+`/token",service="other"`)(w, r)
				return
			}
			then(w, r)
		}
	}
	for name, test := range map[string]struct {
		with    authn.AuthConfig
		answers map[string]http.HandlerFunc
		want    []string
		fails   bool
	}{
		"a password, to a host below and on": {password, map[string]http.HandlerFunc{
			"a.example/v2/":    challenge(`Basic realm="a"`),
			"a.example" + blob: to("https://cdn.a.example/1", http.StatusTemporaryRedirect),
			"cdn.a.example/1":  to("https://cdn.a.example/2", http.StatusFound),
			"cdn.a.example/2":  to("https://a.example/3", http.StatusFound),
			"a.example/3":      to("https://a.example:8443/4", http.StatusFound),
			"a.example:8443/4": says("foo"),
		}, []string{
			"a.example/v2/", "a.example" + blob + " " + basic, "cdn.a.example/1", "cdn.a.example/2", "a.example/3 " + basic, "a.example:8443/4",
		}, false},
		"a token": {password, map[string]http.HandlerFunc{
			"a.example/v2/":        challenge(tokens),
			"tokens.example/token": says(`{"token":"t1"}`),
			"a.example" + blob:     to("https://cdn.a.example/1", http.StatusTemporaryRedirect),
			"cdn.a.example/1":      to("https://cdn.a.example/2", http.StatusFound),
			"cdn.a.example/2":      says("foo"),
		}, []string{
			"a.example/v2/", "tokens.example/token " + basic, "a.example" + blob + " Bearer t1", "cdn.a.example/1", "cdn.a.example/2",
		}, false},
		"the other host's own token is its own": {password, map[string]http.HandlerFunc{
			"a.example/v2/":        challenge(tokens),
			"tokens.example/token": says(`{"token":"t1"}`),
			"a.example" + blob:     to("https://b.example/1", http.StatusTemporaryRedirect),
			"b.example/1":          needs("Bearer t2", to("https://cdn.b.example/2", http.StatusFound)),
			"b.example/token":      says(`{"token":"t2"}`),
			"cdn.b.example/2":      says("foo"),
		}, []string{
			"a.example/v2/", "tokens.example/token " + basic, "a.example" + blob + " Bearer t1", "b.example/1", "b.example/token", "b.example/1 Bearer t2", "cdn.b.example/2",
		}, false},
		"a password, by the token service": {password, map[string]http.HandlerFunc{
			"a.example/v2/":        challenge(tokens),
			"tokens.example/token": to("https://cdn.tokens.example/1", http.StatusTemporaryRedirect),
			"cdn.tokens.example/1": to("https://cdn.tokens.example/2", http.StatusTemporaryRedirect),
			"cdn.tokens.example/2": says(`{"token":"t1"}`),
			"a.example" + blob:     says("foo"),
		}, []string{
			"a.example/v2/", "tokens.example/token " + basic, "cdn.tokens.example/1", "cdn.tokens.example/2", "a.example" + blob + " Bearer t1",
		}, false},
		"an identity token, in a body": {identity, map[string]http.HandlerFunc{
			"a.example/v2/":        challenge(tokens),
			"tokens.example/token": to("https://evil.example/1", http.StatusTemporaryRedirect),
		}, []string{
			"a.example/v2/", "tokens.example/token client_id=go-containerregistry&grant_type=refresh_token&refresh_token=hunter2&scope=repository%3Ashop%3Apull&service=a",
		}, true},
		"a token service over plain HTTP": {password, map[string]http.HandlerFunc{
			"a.example/v2/": challenge(`Bearer realm="http://tokens.example/token",service="a"`),
		}, []string{"a.example/v2/"}, true},
		"a token service over plain HTTP, by a redirect": {password, map[string]http.HandlerFunc{
			"a.example/v2/":        challenge(tokens),
			"tokens.example/token": to("http://tokens.example/token", http.StatusTemporaryRedirect),
		}, []string{"a.example/v2/", "tokens.example/token " + basic}, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t, test.answers)
			repo, err := e.Repository(Access{RepoURL: "a.example/shop", Insecure: true, Credentials: test.with})
			if err != nil {
				t.Fatal(err)
			}
			end, err := repo.SignIn()
			if err != nil {
				t.Fatal(err)
			}
			_, err = repo.Blob(t.Context(), strings.TrimPrefix(blob, "/v2/shop/blobs/"), 10)
			end(err)
			if (err != nil) != test.fails || err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want one: %t", err, test.fails)
			}
			if diff := cmp.Diff(test.want, e.requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// A client of net/http takes along what a request is signed with, to hosts below
// the first.
func TestWhatAClientTakesAlongStaysBehind(t *testing.T) {
	e := newEstate(t, map[string]http.HandlerFunc{
		"a.example/1":     to("https://cdn.a.example/2", http.StatusFound),
		"cdn.a.example/2": to("https://cdn.a.example/3", http.StatusFound),
		"cdn.a.example/3": to("https://a.example/4", http.StatusFound),
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example/1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("ci", "first")
	res, err := (&http.Client{Transport: e.Host("a.example", "shop", true, maxBody)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if diff := cmp.Diff([]string{"a.example/1 " + basic, "cdn.a.example/2", "cdn.a.example/3", "a.example/4 " + basic}, e.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTheNextPageIsOfTheSameRegistry(t *testing.T) {
	for _, next := range []string{"https://b.example/v2/shop/tags/list?last=v1", "https://cdn.a.example/v2/shop/tags/list?last=v1", "http://a.example/v2/shop/tags/list?last=v1", "https://a.example:8443/v2/shop/tags/list?last=v1", "//b.example/next"} {
		e := newEstate(t, map[string]http.HandlerFunc{
			"a.example/v2/": challenge(`Basic realm="a"`),
			"a.example/v2/shop/tags/list": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "<"+next+`>; rel="next"`)
				says(`{"tags":["v1"]}`)(w, r)
			},
		})
		found, err := tags(t, e.Registries, Access{RepoURL: "a.example/shop", Insecure: true, Credentials: authn.AuthConfig{Username: "ci", Password: "first"}})
		if !errors.Is(err, ErrUnreachable) || slices.ContainsFunc(e.requests(), func(request string) bool { return !strings.HasPrefix(request, "a.example/") }) {
			t.Errorf("a page that leads to %s: tags %v, error %v, requests %v", next, found, err, e.requests())
		}
	}
}

func TestATokenServicesAnswerIsNotToldToPeople(t *testing.T) {
	e := newEstate(t, map[string]http.HandlerFunc{
		"a.example/v2/":        challenge(`Bearer realm="https://tokens.example/token",service="a"`),
		"tokens.example/token": says(`{"refresh_token":"hunter2"}`),
	})
	_, err := tags(t, e.Registries, Access{RepoURL: "a.example/shop", Insecure: true, Credentials: authn.AuthConfig{Username: "ci", Password: "first"}})
	want := "the registry of a.example/shop gives no token to sign in with: check the registry"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestWhatIsToldOfAnErrorHasNoParametersOfURLs(t *testing.T) {
	err := fmt.Errorf("asked: %w", errors.New(`refusing token-server redirect to "https://b.example/x?sig=hunter2": no; https://c.example#hunter2 too`))
	if want, got := `asked: refusing token-server redirect to "https://b.example/x": no; https://c.example too`, Told(err); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}
