package expression_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/expression"
)

func ExampleRepositories_Of() {
	repositories, err := expression.CompileRepositories(`request.header("X-Event") == "push" ? map(request.body.images, "registry.example.com/" + #.name) : nil`)
	if err != nil {
		fmt.Println(err)
		return
	}
	urls, err := repositories.Of(expression.Request{
		Body:   map[string]any{"images": []any{map[string]any{"name": "shop"}}},
		Header: func(string) string { return "push" },
	})
	fmt.Println(urls, err)
	// Output: [registry.example.com/shop] <nil>
}

func TestAnExpressionGivesRepositoriesOrAnError(t *testing.T) {
	t.Parallel()
	body := map[string]any{"url": "https://git.example.com/shop", "list": []any{"a/b", "", nil, "c/d"}, "long": strings.Repeat("x", 3000), "many": make([]any, 101), "endless": make([]any, 1001), "text": strings.Repeat("ü", 8<<10)}
	for text, want := range map[string]struct {
		urls []string
		err  string
	}{
		`request.body.url`:               {urls: []string{"https://git.example.com/shop"}},
		`request.body.list`:              {urls: []string{"a/b", "c/d"}},
		`[request.body.url]`:             {urls: []string{"https://git.example.com/shop"}},
		`request.body.nothing`:           {},
		`split("a/b,c/d", ",")`:          {urls: []string{"a/b", "c/d"}},
		`nil`:                            {},
		`[]`:                             {},
		`request.body.url.deeper`:        {err: "invalid operation"},
		`request.body.list[9]`:           {err: "out of range"},
		`1`:                              {err: "holds a int"},
		`[true]`:                         {err: "holds a bool"},
		`{"a": 1}`:                       {err: "holds a map"},
		`request.body.long`:              {err: "more than 2048 bytes"},
		`request.body.many`:              {err: "more than 100"},
		`request.body.endless`:           {},
		`map(request.body.endless, "a")`: {err: "what it takes for a list is none, or has more than 1000 items"},
		`len(request.body.text) == 4096 ? "clipped" : "whole"`:          {urls: []string{"clipped"}},
		`map(filter(request.body.list, # != nil && # != ""), "h/" + #)`: {urls: []string{"h/a/b", "h/c/d"}},
	} {
		compiled, err := expression.CompileRepositories(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		urls, err := compiled.Of(expression.Request{Body: body, Header: func(string) string { return "" }})
		if !slices.Equal(urls, want.urls) || (err != nil) != (want.err != "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s gives %q, %v", text, urls, err)
		}
	}
}

func TestAnExpressionThatCannotBeCompiledIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                           "is not an expression",
		"request.bdy":                                "is not an expression that may stand here: request has no field bdy (1:9): it has body, header",
		"body.url":                                   "unknown name body (1:1): an expression here sees request",
		"now()":                                      "is not an expression",
		"'" + strings.Repeat("x", 4<<10) + "'":       "longer than",
		strings.Repeat("1+", 1000) + "1":             "is not an expression",
		`request.header("X-Event") == `:              "is not an expression",
		`os.Getenv("KUBERNETES_SERVICE_HOST")`:       "is not an expression",
		`request.header("X-Event", "X-Another")`:     "is not an expression",
		`repeat(request.body.url, 1000)`:             "repeat is not allowed here: the functions are len, ",
		`reduce(request.body.list, #acc + #acc)`:     "reduce is not allowed here",
		`let a = request.body.url; a + a`:            "let is not allowed here",
		`map(request.body.list, map(#.list, #))`:     "cannot hold another one",
		`date("2012-12-31").Format(request.body.a)`:  "Format() is not allowed here",
		`map(0..1000, "a")`:                          "ranges (..) are not allowed here",
		`map(request.body.list, request.body.a)`:     "request is not allowed in what is done with each element of a list: write # for the element",
		`map(request.body.list, $env.request)`:       "request is not allowed in what is done with each element",
		strings.Repeat("request.body.a+", 17) + "''": "more than 16 sums (+) are not allowed here",
	} {
		if _, err := expression.CompileRepositories(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
