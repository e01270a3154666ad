package identity_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/identity"
)

const (
	readSecret    = "secret of the gate waybill"
	promoteSecret = "secret of the gate waybill-promote"
)

func gates(t testing.TB) *identity.Gates {
	t.Helper()
	g, err := identity.NewGates(map[string]string{"waybill": readSecret, "waybill-promote": promoteSecret})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// call is what Argo CD hands on, with changes.
func call(change ...func(http.Header)) http.Header {
	h := http.Header{}
	h.Set("Waybill-Gate-Secret", promoteSecret)
	h.Set("Argocd-Namespace", "argocd")
	h.Set("Argocd-Username", "alice")
	h.Set("Argocd-Application-Name", "argocd:shop-prod")
	h.Set("Argocd-Project-Name", "shop")
	for _, c := range change {
		c(h)
	}
	return h
}

func set(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
func add(name, value string) func(http.Header) { return func(h http.Header) { h.Add(name, value) } }
func del(name string) func(http.Header)        { return func(h http.Header) { h.Del(name) } }

var alice = identity.Caller{Username: "alice", Gate: "waybill-promote", Namespace: "argocd", Name: "shop-prod", Project: "shop"}

func TestTheCallerIsWhomArgoCDNames(t *testing.T) {
	changed := func(do func(*identity.Caller)) identity.Caller {
		c := alice
		do(&c)
		return c
	}
	for name, test := range map[string]struct {
		header http.Header
		want   identity.Caller
	}{
		"as Argo CD sends it": {call(), alice},
		"through another gate": {
			call(set("Waybill-Gate-Secret", readSecret)), changed(func(c *identity.Caller) { c.Gate = "waybill" }),
		},
		"with an e-mail address":  {call(set("Argocd-Username", "alice@example.com")), changed(func(c *identity.Caller) { c.Username = "alice@example.com" })},
		"with a project's token":  {call(set("Argocd-Username", "proj:shop:ci")), changed(func(c *identity.Caller) { c.Username = "proj:shop:ci" })},
		"in another namespace":    {call(set("Argocd-Application-Name", "team-a:shop")), changed(func(c *identity.Caller) { c.Namespace, c.Name = "team-a", "shop" })},
		"headers in lower case":   {lower(call()), alice},
		"with forged groups":      {call(set("Argocd-User-Groups", "role:admin,admins")), alice},
		"with a forged user's ID": {call(set("Argocd-User-Id", "admin")), alice},
		"with the gate's name":    {call(set("Waybill-Gate", "waybill-break-glass")), alice},
		"with a target cluster":   {call(set("Argocd-Target-Cluster-Url", "https://evil.example.com")), alice},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gates(t).Identify(test.header)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
		})
	}
}

// lower spells the names as HTTP/2 does, and reads them as a server does.
func lower(h http.Header) http.Header {
	read := http.Header{}
	for name, values := range h {
		for _, v := range values {
			read.Add(strings.ToLower(name), v)
		}
	}
	return read
}

func TestACallThatMayNotBeArgoCDsIsRefused(t *testing.T) {
	for name, header := range map[string]http.Header{
		"no headers":                      {},
		"no secret":                       call(del("Waybill-Gate-Secret")),
		"an empty secret":                 call(set("Waybill-Gate-Secret", "")),
		"a wrong secret":                  call(set("Waybill-Gate-Secret", promoteSecret+"x")),
		"the beginning of a secret":       call(set("Waybill-Gate-Secret", promoteSecret[:20])),
		"a secret in other case":          call(set("Waybill-Gate-Secret", strings.ToUpper(promoteSecret))),
		"a reference instead of a secret": call(set("Waybill-Gate-Secret", "$waybill-gates:waybill-promote")),
		"the gate's name as secret":       call(set("Waybill-Gate-Secret", "waybill-promote")),
		"the same secret twice":           call(add("Waybill-Gate-Secret", promoteSecret)),
		"two gates' secrets":              call(add("Waybill-Gate-Secret", readSecret)),
		"no username":                     call(del("Argocd-Username")),
		"an empty username":               call(set("Argocd-Username", "")),
		"a blank username":                call(set("Argocd-Username", " \t ")),
		"two usernames":                   call(add("Argocd-Username", "admin")),
		"the same username twice":         call(add("Argocd-Username", "alice")),
		"Waybill's own username":          call(set("Argocd-Username", "waybill:system")),
		"a username that is no text":      call(set("Argocd-Username", "alice\xff")),
		"a username of two lines":         call(set("Argocd-Username", "alice\nbob")),
		"an endless username":             call(set("Argocd-Username", strings.Repeat("a", 513))),
		"no Application":                  call(del("Argocd-Application-Name")),
		"an empty Application":            call(set("Argocd-Application-Name", "")),
		"an Application without colon":    call(set("Argocd-Application-Name", "shop-prod")),
		"an Application without name":     call(set("Argocd-Application-Name", "argocd:")),
		"an Application in no namespace":  call(set("Argocd-Application-Name", ":shop-prod")),
		"two Applications":                call(add("Argocd-Application-Name", "argocd:shop-dev")),
		"no project":                      call(del("Argocd-Project-Name")),
		"an empty project":                call(set("Argocd-Project-Name", "")),
		"two projects":                    call(add("Argocd-Project-Name", "default")),
		"two values of a header unused":   call(add("Argocd-User-Groups", "a"), add("Argocd-User-Groups", "b")),
		"a header of Argo CD without one": call(func(h http.Header) { h["Argocd-User-Id"] = nil }),
		"two values, spelled anew":        call(func(h http.Header) { h["argocd-user-id"] = []string{"a", "b"} }),
	} {
		t.Run(name, func(t *testing.T) {
			caller, err := gates(t).Identify(header)
			if !errors.Is(err, identity.ErrUnauthenticated) {
				t.Errorf("caller %+v, error %v", caller, err)
			}
			if caller != (identity.Caller{}) {
				t.Errorf("told %+v of a call that it refuses", caller)
			}
			if err != nil && (strings.Contains(err.Error(), promoteSecret) || strings.Contains(err.Error(), readSecret)) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

// A client can have Argo CD's reverse proxy delete headers, by naming them in
// Connection.
func TestAHeaderThatAClientDeletedOnTheWayIsMissed(t *testing.T) {
	g := gates(t)
	outcome := make(chan error, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := g.Identify(r.Header)
		outcome <- err
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	argocd := httptest.NewServer(&httputil.ReverseProxy{
		Director: func(r *http.Request) { //nolint:staticcheck // as Argo CD has it (server/extension/extension.go)
			r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
			for name, values := range call() {
				r.Header[name] = values
			}
		},
	})
	defer argocd.Close()
	for connection, refused := range map[string]bool{
		"":                        false,
		"Waybill-Gate-Secret":     true,
		"argocd-username":         true,
		"Argocd-Application-Name": true,
		"Argocd-Project-Name":     true,
		"close, Argocd-Username, Waybill-Gate-Secret": true,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, argocd.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Connection", connection)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := <-outcome; errors.Is(err, identity.ErrUnauthenticated) != refused {
			t.Errorf("Connection: %q: %v", connection, err)
		}
	}
}

func FuzzOnlyWholeCallsAreIdentified(f *testing.F) {
	f.Add(promoteSecret, "alice", "argocd:shop", "shop", "Argocd-User-Groups", "a")
	f.Add(readSecret, "", ":", "", "argocd-username", "admin")
	f.Add("$", "role:admin", "a:b:c", " ", "Connection", "Argocd-Username")
	f.Fuzz(func(t *testing.T, secret, username, application, project, extra, value string) {
		h := call(set("Waybill-Gate-Secret", secret), set("Argocd-Username", username),
			set("Argocd-Application-Name", application), set("Argocd-Project-Name", project), add(extra, value))
		caller, err := gates(t).Identify(h)
		if err != nil {
			if !errors.Is(err, identity.ErrUnauthenticated) || caller != (identity.Caller{}) {
				t.Fatalf("refused with %+v, %v", caller, err)
			}
			return
		}
		want := map[string]string{readSecret: "waybill", promoteSecret: "waybill-promote"}
		if gate, ok := want[h.Get("Waybill-Gate-Secret")]; !ok || caller.Gate != gate {
			t.Errorf("the secret %q opens gate %q", secret, caller.Gate)
		}
		if strings.TrimSpace(caller.Username) == "" || caller.Username != h.Get("Argocd-Username") {
			t.Errorf("username %q of %q", caller.Username, username)
		}
		if caller.Namespace == "" || caller.Name == "" || caller.Namespace+":"+caller.Name != h.Get("Argocd-Application-Name") {
			t.Errorf("Application %s/%s of %q", caller.Namespace, caller.Name, application)
		}
		if caller.Project == "" || caller.Project != h.Get("Argocd-Project-Name") {
			t.Errorf("project %q of %q", caller.Project, project)
		}
		for name, values := range h {
			if strings.HasPrefix(http.CanonicalHeaderKey(name), "Argocd-") && len(values) != 1 {
				t.Errorf("%q has %d values", name, len(values))
			}
		}
		if caller.Username == "waybill:system" {
			t.Error("Waybill's own username comes from outside")
		}
	})
}
