package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// argocd answers as argocd-server does to a call that it refuses: the same 401
// for every reason, and the reasons elsewhere.
func argocd(loggedIn, invoke, get string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		can := func(answer string) {
			if answer == "" {
				http.Error(w, `{"message": "permission denied"}`, http.StatusForbidden)
				return
			}
			answerJSON(w, `{"value": "`+answer+`"}`)
		}
		switch r.URL.Path {
		case "/api/v1/session/userinfo":
			answerJSON(w, `{"loggedIn": `+loggedIn+`, "username": "alice", "iss": "argocd"}`)
		case "/api/v1/account/can-i/extensions/invoke/waybill":
			can(invoke)
		case "/api/v1/account/can-i/applications/get/shop-prod/shop-prod":
			can(get)
		default:
			http.Error(w, "Unauthorized extension request", http.StatusUnauthorized)
		}
	}
}

func TestEveryReasonBehindArgoCDsOneRefusalIsTold(t *testing.T) {
	const (
		invoke = "p, role:<role>, extensions, invoke, waybill, allow"
		get    = "p, role:<role>, applications, get, shop-prod/shop-prod, allow"
	)
	for name, tc := range map[string]struct {
		handler   http.HandlerFunc
		want, not []string
		elsewhere bool
	}{
		"the session has ended":     {handler: argocd("false", "no", "no"), want: []string{"has ended: log in again: argocd login"}, not: []string{"role:"}},
		"the gate is not allowed":   {handler: argocd("true", "no", "yes"), want: []string{"does not let alice through the gate waybill", invoke}, not: []string{get, "whichever"}},
		"the Application is not":    {handler: argocd("true", "yes", "no"), want: []string{get}, not: []string{invoke}},
		"neither is":                {handler: argocd("true", "no", "no"), want: []string{invoke + " and " + get}},
		"Argo CD does not say":      {handler: argocd("true", "", ""), want: []string{"whichever is missing of", invoke, get}},
		"it is the Application's":   {handler: argocd("true", "yes", "yes"), want: []string{"still exists", "project shop-prod"}, not: []string{"role:"}, elsewhere: true},
		"the extensions are off":    {handler: page(http.StatusOK, "text/html", "<html>"), want: []string{"server.enable.proxy.extension"}},
		"the gate is not there":     {handler: page(http.StatusNotFound, "text/plain", "Extension not found\n"), want: []string{"extension.config.waybill"}},
		"the proxy is not there":    {handler: page(http.StatusBadGateway, "", ""), want: []string{"waybill-proxy cannot be reached"}},
		"something stands in front": {handler: page(http.StatusForbidden, "text/html", strings.Repeat("<p>", 200)), want: []string{"Argo CD answers: 403 Forbidden"}, not: []string{"<p>"}},
		"a header was not liked":    {handler: page(http.StatusBadRequest, "text/plain", "Invalid headers: x"), want: []string{"Invalid headers: x"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, serve(t, tc.handler))
			err := c.Get(t.Context(), reading(), nil, nil, "me")
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			for _, part := range tc.not {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%q must not say %q", err, part)
				}
			}
			if Elsewhere(err) != tc.elsewhere {
				t.Errorf("Elsewhere is %t", Elsewhere(err))
			}
		})
	}
}

func page(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func TestAProblemOfWaybillKeepsItsTypeAndVerdict(t *testing.T) {
	text, err := json.Marshal(v1.Problem{Type: v1.ProblemNotBound, Title: "Not bound", Detail: "Application argocd/x is not bound to shop/prod", Status: 999})
	if err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, serve(t, page(http.StatusForbidden, v1.ContentTypeProblem+"; charset=utf-8", string(text))))
	_, err = c.Post(t.Context(), reading(), v1.Decide{}, nil, "me")
	var problem *ProblemError
	if !errors.As(err, &problem) || problem.Status != http.StatusForbidden || problem.Type != v1.ProblemNotBound || !Elsewhere(err) || Temporary(err) {
		t.Errorf("got %#v", err)
	}
	if err.Error() != "Application argocd/x is not bound to shop/prod" {
		t.Errorf("the sentence is %q", err)
	}
}

func TestOnlyWhatMayPassByItselfIsTemporary(t *testing.T) {
	for status, want := range map[int]bool{400: false, 403: false, 404: false, 409: false, 429: true, 500: true, 503: true} {
		if got := Temporary(&ProblemError{v1.Problem{Status: status}}); got != want {
			t.Errorf("status %d: got %t", status, got)
		}
	}
	if Temporary(&SessionError{}) || Temporary(nil) || !Temporary(&UnreachableError{}) {
		t.Error("a session does not come back, a server may")
	}
}

func FuzzAProblemIsReadOrNotTakenForOne(f *testing.F) {
	f.Add(409, v1.ContentTypeProblem, []byte(`{"type":"urn:waybill:problem:ineligible","title":"t","detail":"d","verdict":{"gates":[{"name":"source","gates":[{}]}]}}`))
	f.Add(500, "text/plain", []byte("oops"))
	f.Add(400, v1.ContentTypeProblem+"; charset=utf-8", []byte(`{"title":1}`))
	f.Add(400, "application/problem+json;;", []byte(`null`))
	f.Fuzz(func(t *testing.T, status int, contentType string, text []byte) {
		problem, ok := ParseProblem(status, contentType, text)
		if ok && (problem.Status != status || (&ProblemError{problem}).Error() == "") {
			t.Fatalf("a problem without a sentence or with another status: %+v", problem)
		}
	})
}
