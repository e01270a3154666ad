package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// call is a request as Argo CD hands it on.
type call struct {
	method, path string // below the API's prefix
	gate         string // waybill unless given
	user         string // alice unless given
	app          string // shop-dev unless given
	project      string // that of app unless given
	body         any    // a string is sent as it is
	header       map[string]string
}

var projects = map[string]string{"shop-prod": "shop-prod", "stray": "shop-prod"}

func (c call) request(t *testing.T) *http.Request {
	t.Helper()
	or := func(value, other string) string {
		if value == "" {
			return other
		}
		return value
	}
	var body io.Reader
	switch b := c.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		body = strings.NewReader(string(data))
	}
	r := httptest.NewRequest(or(c.method, http.MethodGet), v1.Prefix+c.path, body)
	app := or(c.app, "shop-dev")
	r.Header.Set("Waybill-Gate-Secret", secrets[or(c.gate, "waybill")])
	r.Header.Set("Argocd-Namespace", control)
	r.Header.Set("Argocd-Username", or(c.user, "alice"))
	r.Header.Set("Argocd-Application-Name", control+":"+app)
	r.Header.Set("Argocd-Project-Name", or(c.project, or(projects[app], "shop")))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return r
}

// do makes a call, and checks the answer against the OpenAPI document.
func (w *world) do(c call) *httptest.ResponseRecorder {
	w.t.Helper()
	r := c.request(w.t)
	data, err := readBody(r)
	w.must(err)
	response := httptest.NewRecorder()
	w.handler.ServeHTTP(response, r)
	r.Body = io.NopCloser(strings.NewReader(data))
	conforms(w.t, r, response)
	return response
}

func readBody(r *http.Request) (string, error) {
	data, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(data)))
	return string(data), err
}

// ask makes a call that is answered with a document.
func ask[T any](w *world, status int, c call) T {
	w.t.Helper()
	response := w.do(c)
	if response.Code != status {
		w.t.Fatalf("%s %s: status %d, want %d: %s", c.method, c.path, response.Code, status, response.Body)
	}
	var value T
	dec := json.NewDecoder(response.Body)
	dec.DisallowUnknownFields()
	w.must(dec.Decode(&value))
	return value
}

// refused makes a call that is answered with a problem of a type, whose sentence
// tells something.
func (w *world) refused(status int, kind, tells string, c call) v1.Problem {
	w.t.Helper()
	response := w.do(c)
	var p v1.Problem
	if err := json.Unmarshal(response.Body.Bytes(), &p); err != nil {
		w.t.Fatalf("%s %s: status %d: no problem: %v: %s", c.method, c.path, response.Code, err, response.Body)
	}
	if contentType := response.Header().Get("Content-Type"); contentType != "application/problem+json" {
		w.t.Errorf("%s %s: content type %q", c.method, c.path, contentType)
	}
	if response.Code != status || p.Status != status || p.Type != kind || !strings.Contains(p.Detail, tells) || p.Title == "" {
		w.t.Errorf("%s %s: status %d, problem %+v, want %d, %s, %q", c.method, c.path, response.Code, p, status, kind, tells)
	}
	return p
}

// asked asks for a promotion.
func (w *world) asked(stage, app string, body v1.Promote) v1.Promotion {
	w.t.Helper()
	return ask[v1.Promotion](w, http.StatusCreated, call{
		method: http.MethodPost, gate: "waybill-promote", app: app, path: "/pipelines/shop/stages/" + stage + "/promotions", body: body,
	})
}

func (w *world) decide(action, id, user string) call {
	gate := "waybill-approve"
	if action == v1.ActionAbort {
		gate = "waybill-promote"
	}
	return call{
		method: http.MethodPost, gate: gate, user: user, app: "shop-prod",
		path: "/pipelines/shop/promotions/" + id + "/" + action, body: v1.Decide{Comment: "because"},
	}
}
