package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
)

// guarded is a registry that wants a token, which its own token service gives for
// a user and password.
type guarded struct {
	*httptest.Server
	mu       sync.Mutex
	password string
	token    string
	requests []string
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{password: "first", token: "t1"}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *guarded) host() string { return strings.TrimPrefix(g.URL, "http://") }

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, r.Method+" "+r.URL.Path)
	if r.URL.Path == "/token" {
		if user, password, _ := r.BasicAuth(); user != "ci" || password != g.password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": g.token})
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+g.token {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="registry"`, g.URL))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = w.Write([]byte(`{"tags":["v1.0.0"]}`))
}

func (g *guarded) take() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := g.requests
	g.requests = nil
	return taken
}

func (g *guarded) access(password string) Access {
	return Access{Namespace: "waybill", RepoURL: g.host() + "/shop", Secret: "pull", Credentials: authn.AuthConfig{Username: "ci", Password: password}}
}

var signedIn = []string{"GET /v2/", "GET /token", "GET /v2/shop/tags/list"}

func TestARepositoryIsSignedInAtOnce(t *testing.T) {
	g, registries := newGuarded(t), New(Options{})
	for look, want := range [][]string{signedIn, {"GET /v2/shop/tags/list"}, {"GET /v2/shop/tags/list"}} {
		if _, err := tags(t, registries, g.access("first")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, g.take()); diff != "" {
			t.Errorf("requests of look %d (-want +got):\n%s", look+1, diff)
		}
	}
}

func TestOtherCredentialsSignInAnew(t *testing.T) {
	g, registries := newGuarded(t), New(Options{})
	if _, err := tags(t, registries, g.access("first")); err != nil {
		t.Fatal(err)
	}
	g.take()
	g.mu.Lock()
	g.password = "second"
	g.mu.Unlock()
	if _, err := tags(t, registries, g.access("second")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(signedIn, g.take()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestASignInIsNeverUsedForOthers(t *testing.T) {
	g, registries := newGuarded(t), New(Options{})
	if _, err := tags(t, registries, g.access("first")); err != nil {
		t.Fatal(err)
	}
	for who, other := range map[string]func(*Access){
		"another namespace": func(a *Access) { a.Namespace, a.Secret, a.Credentials = "other", "", authn.AuthConfig{} },
		"no Secret":         func(a *Access) { a.Secret, a.Credentials = "", authn.AuthConfig{} },
		"a wrong password":  func(a *Access) { a.Credentials.Password = "wrong" },
	} {
		a := g.access("first")
		other(&a)
		if found, err := tags(t, registries, a); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s reads %v, error %v, want %v", who, found, err, ErrUnauthorized)
		}
	}
}

func TestARefusalTellsWhichCredentialsOrHowToGiveThem(t *testing.T) {
	g, registries := newGuarded(t), New(Options{})
	repo := g.host() + "/shop"
	_, err := tags(t, registries, g.access("wrong"))
	want := "the registry does not let " + repo + " be read with the credentials of Secret waybill/pull, or hides that it does not exist: check repoURL, and the Secret"
	if err == nil || err.Error() != want {
		t.Errorf("with a wrong password: %v, want %s", err, want)
	}
	_, err = tags(t, registries, Access{RepoURL: repo})
	want = "the registry asks for credentials for " + repo + ", or hides that it does not exist: check repoURL, or set credentials"
	if err == nil || err.Error() != want {
		t.Errorf("without credentials: %v, want %s", err, want)
	}
}

// keychain signs in everywhere, if it is asked.
type keychain struct {
	asked []string
	err   error
}

func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	k.asked = append(k.asked, r.RegistryStr())
	if k.err != nil {
		return nil, k.err
	}
	return authn.FromConfig(authn.AuthConfig{Username: "ci", Password: "first"}), nil
}

func TestTheKeychainIsForTheRegistriesThatAreListed(t *testing.T) {
	g, cloud := newGuarded(t), &keychain{}
	anonymous := Access{RepoURL: g.host() + "/shop"}
	if _, err := tags(t, New(Options{Keychain: cloud, KeychainHosts: []string{"cloud.example.com"}}), anonymous); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a registry that is not listed: error %v, want %v", err, ErrUnauthorized)
	}
	if cloud.asked != nil {
		t.Errorf("the keychain was asked for %v", cloud.asked)
	}
	listed := New(Options{Keychain: cloud, KeychainHosts: []string{g.host()}})
	if _, err := tags(t, listed, anonymous); err != nil {
		t.Errorf("a registry that is listed: %v", err)
	}
	if diff := cmp.Diff([]string{g.host()}, cloud.asked); diff != "" {
		t.Errorf("the keychain was asked for (-want +got):\n%s", diff)
	}
	cloud.err = errors.New("the cloud gives no token: bind a role")
	_, err := tags(t, New(Options{Keychain: cloud, KeychainHosts: []string{g.host()}}), anonymous)
	if want := anonymous.RepoURL + " cannot be signed in to: the cloud gives no token: bind a role"; !errors.Is(err, ErrUnauthorized) || err.Error() != want {
		t.Errorf("a cloud that gives no token: error %v, want %s", err, want)
	}
	// Credentials of one's own go first.
	if _, err := tags(t, listed, g.access("wrong")); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("with a wrong password: error %v, want %v", err, ErrUnauthorized)
	}
}
