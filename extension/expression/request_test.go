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
	body := map[string]any{"url": "https://git.example.com/shop", "list": []any{"a/b", "", nil, "c/d"}, "long": strings.Repeat("x", 3000), "many": make([]any, 101)}
	for text, want := range map[string]struct {
		urls []string
		err  string
	}{
		`request.body.url`:                {urls: []string{"https://git.example.com/shop"}},
		`request.body.list`:               {urls: []string{"a/b", "c/d"}},
		`[request.body.url]`:              {urls: []string{"https://git.example.com/shop"}},
		`request.body.nothing`:            {},
		`split("a/b,c/d", ",")`:           {urls: []string{"a/b", "c/d"}},
		`nil`:                             {},
		`[]`:                              {},
		`request.body.url.deeper`:         {err: "invalid operation"},
		`request.body.list[9]`:            {err: "out of range"},
		`1`:                               {err: "holds a int"},
		`[true]`:                          {err: "holds a bool"},
		`{"a": 1}`:                        {err: "holds a map"},
		`request.body.long`:               {err: "more than 2048 bytes"},
		`request.body.many`:               {err: "more than 100"},
		`repeat(request.body.long, 1000)`: {err: "memory budget"},
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
		"":                                       "is not an expression",
		"request.bdy":                            "is not an expression",
		"now()":                                  "is not an expression",
		"'" + strings.Repeat("x", 4<<10) + "'":   "longer than",
		strings.Repeat("1+", 1000) + "1":         "is not an expression",
		`request.header("X-Event") == `:          "is not an expression",
		`os.Getenv("KUBERNETES_SERVICE_HOST")`:   "is not an expression",
		`request.header("X-Event", "X-Another")`: "is not an expression",
	} {
		if _, err := expression.CompileRepositories(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
