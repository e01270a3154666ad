package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/session"
)

const testToken = "token-of-alice"

func clientOf(t *testing.T, server *httptest.Server, change ...func(*session.Session)) *Client {
	t.Helper()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := session.Session{URL: at, Token: testToken, Renew: "log in again: argocd login"}
	for _, f := range change {
		f(&s)
	}
	return New(s, "test")
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

var shopProd = Application{
	Namespace: "argocd", Name: "shop-prod", Project: "shop-prod",
	Stage: pipeline.StageName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Stage: "prod"},
}

func reading() Door { return Door{Application: shopProd, Gate: pipeline.GateRead} }

func answerJSON(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	io.WriteString(w, text)
}

func TestACallCarriesTheCookieTheApplicationAndItsProject(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("an extension call must not carry a bearer token: Argo CD does not read it")
		}
		answerJSON(w, fmt.Sprintf(`{"path": %q, "query": %q, "cookie": %q, "application": %q, "project": %q, "front": %q}`,
			r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Cookie"), r.Header.Get(headerApplication), r.Header.Get(headerProject), r.Header.Get("X-Front")))
	})
	c := clientOf(t, server, func(s *session.Session) {
		s.URL = s.URL.JoinPath("argo")
		s.Header = http.Header{"Cookie": {"front=1"}, "X-Front": {"yes"}, headerProject: {"other"}}
	})
	var got map[string]string
	err := c.Get(t.Context(), reading(), &got, url.Values{"freight": {"v1 & 2"}}, "pipelines", Pipeline(pipeline.Name{Namespace: "team-a", Name: "shop"}), "stages", "a b")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"path":        "/argo/extensions/waybill/api/v1/pipelines/team-a:shop/stages/a%20b",
		"query":       "freight=v1+%26+2",
		"cookie":      "front=1; argocd.token=" + testToken,
		"application": "argocd:shop-prod",
		"project":     "shop-prod",
		"front":       "yes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestANameThatWouldLeadAPathElsewhereIsRefusedBeforeTheCall(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	c := clientOf(t, server)
	for _, name := range []string{"", ".", "..", "../application", "a/b", `a\b`} {
		var segment *SegmentError
		if err := c.Get(t.Context(), reading(), nil, nil, "pipelines", name); !errors.As(err, &segment) {
			t.Errorf("name %q: got error %v", name, err)
		}
		if err := c.Get(t.Context(), Door{Application: shopProd, Gate: name}, nil, nil, "me"); !errors.As(err, &segment) {
			t.Errorf("gate %q: got error %v", name, err)
		}
	}
}

func TestTheTokenNeverLeavesItsServer(t *testing.T) {
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the other server was asked: %s %s with cookie %q", r.Method, r.URL, r.Header.Get("Cookie"))
	})
	var to string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
	c := clientOf(t, server)
	for name, target := range map[string]string{
		"another host":   elsewhere.URL + "/login",
		"another scheme": strings.Replace(server.URL, "http://", "https://", 1) + "/",
	} {
		t.Run(name, func(t *testing.T) {
			to = target
			for _, call := range []error{
				c.Get(t.Context(), reading(), nil, nil, "me"),
				second(c.Post(t.Context(), reading(), v1.Decide{}, nil, "me")),
				second(c.Applications(t.Context())),
			} {
				var redirected *RedirectError
				if !errors.As(call, &redirected) || strings.Contains(call.Error(), testToken) {
					t.Errorf("got error %v", call)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestARedirectWithinTheServerIsFollowedForReadsAlone(t *testing.T) {
	changes := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/circle"):
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case !strings.HasSuffix(r.URL.Path, "/moved"):
			http.Redirect(w, r, r.URL.Path+"/moved", http.StatusTemporaryRedirect)
		case r.Method == http.MethodPost:
			changes++
		default:
			answerJSON(w, fmt.Sprintf(`{"username": %q}`, r.Header.Get("Cookie")))
		}
	})
	c := clientOf(t, server)
	var me v1.Me
	if err := c.Get(t.Context(), reading(), &me, nil, "me"); err != nil || me.Username != "argocd.token="+testToken {
		t.Errorf("got %q, %v", me.Username, err)
	}
	if err := c.Get(t.Context(), reading(), &me, nil, "circle"); err == nil || !strings.Contains(err.Error(), "in a circle") {
		t.Errorf("a circle: got error %v", err)
	}
	if _, err := c.Post(t.Context(), reading(), v1.Decide{}, nil, "me"); err == nil || changes != 0 {
		t.Errorf("a change was sent on: error %v, %d changes", err, changes)
	}
}

func TestAnAnswerIsReadUpToABound(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("fail") != "" {
			w.WriteHeader(http.StatusConflict)
		}
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 20 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	c := clientOf(t, server)
	var answer v1.Me
	err := c.Get(t.Context(), reading(), &answer, nil, "me")
	if err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("an answer: got error %v", err)
	}
	err = c.Get(t.Context(), reading(), &answer, url.Values{"fail": {"1"}}, "me")
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a problem: got error %v", err)
	}
}

func TestAPollIsToldWhenNothingChanged(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		if r.Header.Get("If-None-Match") == `"one"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		answerJSON(w, `{"username": "alice"}`)
	})
	c := clientOf(t, server)
	var first, again v1.Me
	tag, changed, err := c.GetIfChanged(t.Context(), reading(), "", &first, nil, "me")
	if tag != `"one"` || !changed || err != nil || first.Username != "alice" {
		t.Errorf("first: got %q, %t, %v, %+v", tag, changed, err, first)
	}
	tag, changed, err = c.GetIfChanged(t.Context(), reading(), tag, &again, nil, "me")
	if tag != `"one"` || changed || err != nil || again != (v1.Me{}) {
		t.Errorf("again: got %q, %t, %v, %+v", tag, changed, err, again)
	}
}

func TestTheCertificateOptionsAreHonoured(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerJSON(w, fmt.Sprintf(`{"username": "alice", "gate": %q}`, r.Proto))
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, tc := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"a certificate that nobody knows":     {config: &tls.Config{}, want: "name the certificates to trust with --server-crt"},
		"a certificate that is trusted":       {config: &tls.Config{RootCAs: roots}},
		"a certificate that is not looked at": {config: &tls.Config{InsecureSkipVerify: true}},
	} {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, server, func(s *session.Session) { s.TLS = tc.config })
			var me v1.Me
			err := c.Get(t.Context(), reading(), &me, nil, "me")
			if tc.want == "" && (err != nil || me.Gate != "HTTP/1.1") || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %+v, %v", me, err)
			}
		})
	}
	plain := clientOf(t, serve(t, func(http.ResponseWriter, *http.Request) {}), func(s *session.Session) { s.URL.Scheme = "https" })
	if err := plain.Get(t.Context(), reading(), nil, nil, "me"); err == nil || !strings.Contains(err.Error(), "say --plaintext") {
		t.Errorf("TLS to a plain server: got error %v", err)
	}
}

func TestAServerThatIsNotThereIsATemporaryErrorWithItsRemedy(t *testing.T) {
	server := serve(t, nil)
	c := clientOf(t, server)
	server.Close()
	err := c.Get(t.Context(), reading(), nil, nil, "me")
	if !Temporary(err) || strings.Contains(err.Error(), "/extensions/") || !strings.Contains(err.Error(), "correct its address (--server, or argocd login)") {
		t.Errorf("got error %v", err)
	}
}

func TestTheApplicationsThatNameAStageAreFound(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+testToken {
			t.Errorf("Authorization is %q", got)
		}
		if got := r.URL.Query().Get("fields"); got != "items.metadata.name,items.metadata.namespace,items.metadata.annotations,items.spec" {
			t.Errorf("fields is %q", got)
		}
		answerJSON(w, `{"metadata": {}, "items": [
			{"metadata": {"name": "shop-prod", "namespace": "argocd", "annotations": {"waybill.dev/stage": "shop/prod"}}, "spec": {"project": "shop-prod"}},
			{"metadata": {"name": "other", "namespace": "argocd"}, "spec": {"project": "default"}},
			{"metadata": {"name": "wrong", "namespace": "argocd", "annotations": {"waybill.dev/stage": "Shop Prod"}}, "spec": {}},
			{"metadata": {"name": "api", "namespace": "apps", "annotations": {"waybill.dev/stage": "team-a/api/dev"}}, "spec": {}}
		]}`)
	})
	got, err := clientOf(t, server).Applications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Application{
		{Namespace: "apps", Name: "api", Project: "default", Stage: pipeline.StageName{Pipeline: pipeline.Name{Namespace: "team-a", Name: "api"}, Stage: "dev"}},
		shopProd,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("applications (-want +got):\n%s", diff)
	}
}

func TestAnAuthorizationOfTheUsersIsLeftToWhatStandsInFront(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Basic Zm9v" {
			t.Errorf("Authorization is %q", got)
		}
		if got := r.Header.Get("Cookie"); got != "argocd.token="+testToken {
			t.Errorf("Cookie is %q", got)
		}
		answerJSON(w, `{"items": null}`)
	})
	c := clientOf(t, server, func(s *session.Session) { s.Header = http.Header{"Authorization": {"Basic Zm9v"}} })
	if got, err := c.Applications(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestADocumentIsWrittenAsItCame(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, `{"username":"alice","newer":{"field":1}}`)
	})
	var me Document[v1.Me]
	if err := clientOf(t, server).Get(t.Context(), reading(), &me, nil, "me"); err != nil {
		t.Fatal(err)
	}
	text, err := me.MarshalJSON()
	if string(text) != `{"username":"alice","newer":{"field":1}}` || err != nil || me.Value.Username != "alice" {
		t.Errorf("got %s, %v, %+v", text, err, me.Value)
	}
}
