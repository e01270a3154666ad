package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

var document = sync.OnceValues(func() (*openapi3.T, error) {
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(data)
})

func described(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheDocumentIsValid(t *testing.T) {
	if err := described(t).Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheServerServesTheDocument(t *testing.T) {
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	for gate := range secrets {
		response := w.do(call{path: "/openapi.yaml", gate: gate})
		if response.Code != http.StatusOK || response.Header().Get("Content-Type") != "application/yaml" || !bytes.Equal(response.Body.Bytes(), file) {
			t.Errorf("through %s: status %d, %s, %d bytes of %d", gate, response.Code, response.Header().Get("Content-Type"), response.Body.Len(), len(file))
		}
	}
}

func TestTheDocumentDescribesEveryCallAndNoOther(t *testing.T) {
	router, ok := newWorld(t).handler.(*echo.Echo)
	if !ok {
		t.Fatal("the handler has no routes")
	}
	var served, told []string
	for _, route := range router.Routes() {
		if route.Method != echo.RouteNotFound {
			path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(strings.TrimPrefix(route.Path, v1.Prefix), "{$1}")
			served = append(served, route.Method+" "+path)
		}
	}
	for path, item := range described(t).Paths.Map() {
		for method := range item.Operations() {
			told = append(told, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(told)
	if diff := cmp.Diff(served, told); diff != "" {
		t.Errorf("calls (-served +described):\n%s", diff)
	}
}

// Each call is made through every gate, of a pipeline whose gates are the usual
// ones and of one that names its own.
func TestEachCallGoesThroughTheGateThatTheDocumentTells(t *testing.T) {
	gates := map[string]map[string]string{
		"shop":  {"read": "waybill", "promote": "waybill-promote", "approve": "waybill-approve"},
		"books": {"read": "waybill", "promote": "books-promote", "approve": "books-approve"},
	}
	w := newWorld(t)
	for path, item := range described(t).Paths.Map() {
		for method, operation := range item.Operations() {
			kind, _ := operation.Extensions["x-waybill-gate"].(string)
			for name, of := range gates {
				right := of[kind]
				if (right == "") != (kind == "any") {
					t.Fatalf("%s %s: the gate %q is none", method, path, kind)
				}
				id := w.pending(name)
				for gate := range secrets {
					filled := strings.NewReplacer("{pipeline}", name, "{stage}", "dev", "{warehouse}", name, "{promotion}", id, "{freight}", "v1.0.0").Replace(path)
					response := w.do(call{method: method, path: filled, gate: gate, app: name + "-dev", user: "admin"})
					refused := response.Code == http.StatusForbidden && strings.Contains(response.Body.String(), v1.ProblemGate)
					if refused != (kind != "any" && gate != right) {
						t.Errorf("%s %s through %s: refused %v: %d %s", method, filled, gate, refused, response.Code, response.Body)
					}
				}
			}
		}
	}
}

// goType is a type of the API and the name of its schema.
type goType struct {
	of     reflect.Type
	schema string
}

// Every field of an answer and of a request is described, and what is always
// there is required.
func TestTheSchemasAreTheTypes(t *testing.T) {
	doc := described(t)
	queue := []goType{
		{reflect.TypeFor[v1.Me](), "Me"}, {reflect.TypeFor[v1.Application](), "Application"}, {reflect.TypeFor[v1.Pipelines](), "Pipelines"},
		{reflect.TypeFor[v1.Pipeline](), "Pipeline"}, {reflect.TypeFor[v1.FreightPage](), "FreightPage"}, {reflect.TypeFor[v1.PromotionPage](), "PromotionPage"},
		{reflect.TypeFor[v1.Promote](), "Promote"}, {reflect.TypeFor[v1.Rollback](), "Rollback"}, {reflect.TypeFor[v1.Decide](), "Decide"},
		{reflect.TypeFor[v1.Approve](), "Approve"}, {reflect.TypeFor[v1.Preview](), "Preview"}, {reflect.TypeFor[v1.Comparison](), "Comparison"},
		{reflect.TypeFor[v1.Problem](), "Problem"}, {reflect.TypeFor[v1.Candidates](), "Candidates"}, {reflect.TypeFor[v1.Assemble](), "Assemble"},
	}
	checked := map[goType]bool{}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if checked[next] {
			continue
		}
		checked[next] = true
		queue = append(queue, compare(t, next.of, doc.Components.Schemas[next.schema], next.schema)...)
	}
	for name := range doc.Components.Schemas {
		if used := slices.ContainsFunc(slices.Collect(keys(checked)), func(g goType) bool { return g.schema == name }); !used && !scalar(doc.Components.Schemas[name]) {
			t.Errorf("no type is the schema %s", name)
		}
	}
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// scalar tells whether a schema is of a plain value, or of a list.
func scalar(s *openapi3.SchemaRef) bool { return s != nil && !s.Value.Type.Is("object") }

// times are the structs that are written as text.
var times = []reflect.Type{reflect.TypeFor[time.Time](), reflect.TypeFor[pipeline.Timestamp]()}

// compare compares the fields of a struct with the properties of a schema, and
// returns the types and named schemas below.
func compare(t *testing.T, of reflect.Type, schema *openapi3.SchemaRef, name string) []goType {
	t.Helper()
	if schema == nil {
		t.Errorf("%s has no schema %s", of, name)
		return nil
	}
	properties, required := flatten(schema)
	fields := fieldsOf(of)
	var below []goType
	for field, f := range fields {
		property, known := properties[field]
		if !known {
			t.Errorf("%s.%s is not described in %s", of, field, name)
			continue
		}
		if always := !f.omitted; always != slices.Contains(required, field) {
			t.Errorf("%s.%s is always there: %v, and the opposite in %s", of, field, always, name)
		}
		element := f.of
		for element.Kind() == reflect.Pointer || element.Kind() == reflect.Slice {
			if element.Kind() == reflect.Slice && property != nil {
				property = property.Value.Items
			}
			element = element.Elem()
		}
		if element.Kind() == reflect.Struct && !slices.Contains(times, element) && property != nil {
			at := strings.TrimPrefix(property.Ref, "#/components/schemas/")
			if at == "" {
				below = append(below, compare(t, element, property, name+"."+field)...)
				continue
			}
			below = append(below, goType{element, at})
		}
	}
	for property := range properties {
		if _, known := fields[property]; !known {
			t.Errorf("%s tells of %s, which %s has not", name, property, of)
		}
	}
	return below
}

func flatten(schema *openapi3.SchemaRef) (openapi3.Schemas, []string) {
	properties, required := openapi3.Schemas{}, slices.Clone(schema.Value.Required)
	for _, part := range schema.Value.AllOf {
		more, needed := flatten(part)
		for name, p := range more {
			properties[name] = p
		}
		required = append(required, needed...)
	}
	for name, p := range schema.Value.Properties {
		properties[name] = p
	}
	return properties, required
}

type jsonField struct {
	of      reflect.Type
	omitted bool // where it is empty
}

// fieldsOf returns what encoding/json writes of a struct: of two fields of one
// name, the one that is less deeply embedded.
func fieldsOf(of reflect.Type) map[string]jsonField {
	fields, depth := map[string]jsonField{}, map[string]int{}
	for _, f := range reflect.VisibleFields(of) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if d, known := depth[name]; known && d <= len(f.Index) {
			continue
		}
		fields[name], depth[name] = jsonField{f.Type, options == "omitempty" || options == "omitzero"}, len(f.Index)
	}
	return fields
}

// conforms checks an answer, and a request that was taken, against the document.
// What the document does not know must not be found.
func conforms(t *testing.T, r *http.Request, response *httptest.ResponseRecorder) {
	t.Helper()
	doc := described(t)
	route, params := find(doc, r)
	if route == nil {
		if response.Code != http.StatusNotFound && response.Code != http.StatusMethodNotAllowed && response.Code != http.StatusUnauthorized {
			t.Errorf("%s %s is not described, and answered with %d", r.Method, r.URL, response.Code)
		}
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, Route: route, PathParams: params, QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if response.Code < 400 {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s was taken, and is described otherwise: %v", r.Method, r.URL, err)
		}
	}
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.Code, Header: response.Header(), Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(response.Body.Bytes())),
	})
	if err != nil {
		t.Errorf("%s %s: the answer %d is described otherwise: %v\n%s", r.Method, r.URL, response.Code, err, response.Body)
	}
}

func find(doc *openapi3.T, r *http.Request) (*routers.Route, map[string]string) {
	path, inside := strings.CutPrefix(r.URL.Path, v1.Prefix)
	if !inside {
		return nil, nil
	}
	parts := strings.Split(path, "/")
	var (
		found *routers.Route
		with  map[string]string
	)
	for template, item := range doc.Paths.Map() {
		params, ok := match(strings.Split(template, "/"), parts)
		// Of two that match, the one that says more of the path in words.
		if operation := item.GetOperation(method(r)); ok && operation != nil && (found == nil || len(params) < len(with)) {
			found, with = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: r.Method, Operation: operation}, params
		}
	}
	return found, with
}

// method keeps the library from taking a method that it does not know for its
// own mistake.
func method(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return http.MethodTrace
	}
	return r.Method
}

func match(template, parts []string) (map[string]string, bool) {
	if len(template) != len(parts) {
		return nil, false
	}
	params := map[string]string{}
	for i, t := range template {
		if strings.HasPrefix(t, "{") {
			params[strings.Trim(t, "{}")] = parts[i]
		} else if t != parts[i] {
			return nil, false
		}
	}
	return params, true
}
