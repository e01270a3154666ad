package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestABodyIsOneStrictJSONDocument(t *testing.T) {
	w := newWorld(t)
	for body, tells := range map[string]string{
		`{`:                          "the body cannot be read: unexpected EOF",
		`freight=v1.2.0`:             "the body cannot be read: invalid character",
		`{"freight": "v1.2.0",}`:     "the body cannot be read: invalid character",
		`{"freight": "v1.2.0"} {}`:   "the body holds more than one JSON document",
		`{"freight": "v1.2.0"} x`:    "the body holds more than one JSON document",
		`{"freight": 7}`:             "the body's freight is a JSON number, want a string",
		`{"freight": {"id": "x"}}`:   "the body's freight is a JSON object, want a string",
		`["v1.2.0"]`:                 "the body is a JSON array, want an object",
		`"v1.2.0"`:                   "the body is a JSON string, want an object",
		`null`:                       "freight is missing",
		`{"freight": "v1", "x": 1}`:  `the body cannot be read: unknown field "x"`,
		`{"freight": "v1", "by": 1}`: `the body cannot be read: unknown field "by"`,
	} {
		t.Run(body, func(t *testing.T) {
			w.t = t
			c := promoteTo("dev", "shop-dev")
			c.body = body
			w.refused(http.StatusBadRequest, v1.ProblemInvalid, tells, c)
		})
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestABodyIsTakenAsJSONAlone(t *testing.T) {
	w := newWorld(t)
	typed := func(contentType string) call {
		c := promoteTo("dev", "shop-dev")
		c.header = map[string]string{"Content-Type": contentType}
		return c
	}
	// What a form of another site can send.
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/plain; application/json", "application/json;=", ","} {
		w.refused(http.StatusBadRequest, v1.ProblemInvalid, "send the body as application/json", typed(contentType))
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		if response := w.do(typed(contentType)); response.Code != http.StatusCreated {
			t.Errorf("%q: %d %s", contentType, response.Code, response.Body)
		}
	}
}

func TestABodyIsBounded(t *testing.T) {
	w := newWorld(t)
	c := promoteTo("dev", "shop-dev")
	for name, unknown := range map[string]bool{"of known length": false, "of unknown length": true} {
		for size, status := range map[int]int{64<<10 - 100: http.StatusCreated, 64<<10 + 1: http.StatusRequestEntityTooLarge, 1 << 20: http.StatusRequestEntityTooLarge} {
			c.body = `{"freight": "v1.2.0", "reason": "` + strings.Repeat("x", size-40) + `"}` + strings.Repeat(" ", 40)
			r := c.request(t)
			if unknown {
				r.ContentLength = -1
			}
			response := httptest.NewRecorder()
			w.handler.ServeHTTP(response, r)
			if response.Code != status {
				t.Errorf("%d bytes %s: %d %s", size, name, response.Code, response.Body)
			}
			if status != http.StatusCreated && !strings.Contains(response.Body.String(), "the body is larger than 64KiB: shorten it") {
				t.Errorf("%d bytes %s: %s", size, name, response.Body)
			}
		}
	}
}

func TestADecisionWithoutABodyIsTakenWhateverItsLength(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	c := w.decide("approve", p.ID, "bob")
	c.body = ""
	r := c.request(t)
	r.ContentLength = -1 // as a proxy sends it that does not know
	r.Header.Del("Content-Type")
	response := httptest.NewRecorder()
	w.handler.ServeHTTP(response, r)
	if response.Code != http.StatusOK {
		t.Errorf("%d %s", response.Code, response.Body)
	}
}

func TestACallThatThereIsNotIsAProblemToo(t *testing.T) {
	w := newWorld(t)
	for _, c := range []call{
		{path: "/nothing"}, {path: "/"}, {path: ""}, {path: "/pipelines/shop/stages"}, {path: "/pipelines/shop/freight/"},
		{path: "/pipelines/waybill%2Fshop/stage"}, {path: "/../../metrics"},
		{method: post, path: "/me", gate: "waybill-promote"}, {method: http.MethodDelete, path: "/pipelines/shop"}, {method: http.MethodPut, path: "/pipelines/shop/freight"},
		{path: "/pipelines/shop/stages/dev/promotions"}, {path: "/pipelines/shop/warehouses/shop/refresh"}, {path: "/pipelines/shop/promotions/x/approve"},
	} {
		w.refused(http.StatusNotFound, v1.ProblemNotFound, "there is no such call, or it has another method: GET /api/v1/openapi.yaml tells which there are", c)
	}
	response := httptest.NewRecorder()
	w.handler.ServeHTTP(response, httptest.NewRequest(get, "/metrics", http.NoBody))
	if response.Code != http.StatusNotFound {
		t.Errorf("outside the API: %d %s", response.Code, response.Body)
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestAPanicIsOneFailedRequest(t *testing.T) {
	w := newWorld(t)
	w.before = func(verb, _ string) error {
		if verb == "list" {
			panic("a bug")
		}
		return nil
	}
	p := w.refused(http.StatusInternalServerError, v1.ProblemInternal, "the proxy's log tells what", call{path: "/application"})
	if strings.Contains(p.Detail, "a bug") {
		t.Errorf("the cause is told: %q", p.Detail)
	}
	w.before = nil
	if response := w.do(call{path: "/application"}); response.Code != http.StatusOK {
		t.Errorf("afterwards: %d", response.Code)
	}
}

func TestTheLabelsOfTheMetricsAreFew(t *testing.T) {
	w := newWorld(t)
	tag := w.do(call{path: "/me"}).Header().Get("ETag")
	w.do(call{path: "/me", header: map[string]string{"If-None-Match": tag}})
	for _, c := range []call{{method: "BREW", path: "/me"}, {method: "X-1", path: "/pipelines/shop"}, {path: "/some/path"}, {path: "/pipelines/Some-Name"}} {
		w.do(c)
	}
	outside := httptest.NewRecorder()
	w.handler.ServeHTTP(outside, httptest.NewRequest(get, "/some/path", http.NoBody))
	families, err := metrics.Registry.Gather()
	w.must(err)
	var seen []string
	for _, family := range families {
		if family.GetName() != "waybill_api_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if method := labels["method"]; method != get && method != post && method != "other" {
				t.Errorf("method %q", method)
			}
			if route := labels["route"]; strings.Contains(route, "ome") || strings.Contains(route, "shop") {
				t.Errorf("route %q", route)
			}
			seen = append(seen, labels["route"]+" "+labels["status"])
		}
	}
	for _, want := range []string{"/api/v1/me Not Modified", "none Not Found"} {
		if !slices.Contains(seen, want) {
			t.Errorf("%q is not counted: %q", want, seen)
		}
	}
}
