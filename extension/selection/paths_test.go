package selection_test

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/selection"
)

func paths(t testing.TB, include, exclude []string) selection.Paths {
	t.Helper()
	p, err := selection.ForPaths(include, exclude)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPathIsIncludedAndNotExcluded(t *testing.T) {
	for name, test := range map[string]struct {
		include, exclude []string
		takes, leaves    []string
	}{
		"everything": {nil, nil, []string{"a", "a/b/c.yaml"}, nil},
		"but never a waybill": {[]string{"deploy", "glob:**", "regex:."}, nil, []string{"deploy/a.yaml", "deploy/waybill.yaml"},
			[]string{"deploy/waybill-shop-prod.yaml", "waybill-shop.yaml"}},
		"a file":                 {[]string{"deploy/shop.yaml"}, nil, []string{"deploy/shop.yaml"}, []string{"deploy/shop.yaml2", "deploy/shop", "x/deploy/shop.yaml", "shop.yaml"}},
		"a folder":               {[]string{"deploy"}, nil, []string{"deploy/a", "deploy/a/b", "deploy"}, []string{"deployment/a", "x/deploy/a", "Deploy/a"}},
		"a folder with a slash":  {[]string{"deploy/"}, nil, []string{"deploy/a"}, []string{"deployment/a"}},
		"a folder from the root": {[]string{"/deploy"}, nil, []string{"deploy/a"}, []string{"deployment/a"}},
		"a folder from here":     {[]string{"./deploy/"}, nil, []string{"deploy/a"}, []string{"deployment/a"}},
		"a folder, tidied":       {[]string{"deploy//prod/./"}, nil, []string{"deploy/prod/a"}, []string{"deploy/a"}},
		"the root":               {[]string{"."}, nil, []string{"a", "a/b"}, nil},
		"the root as ./":         {[]string{"./"}, nil, []string{"a", "a/b"}, nil},
		"the root as /":          {[]string{"/"}, nil, []string{"a", "a/b"}, nil},
		"characters of patterns": {[]string{"a*b", "c[d"}, nil, []string{"a*b", "c[d/e"}, []string{"axb", "cd"}},

		"a glob":                         {[]string{"glob:charts/*/values.yaml"}, nil, []string{"charts/db/values.yaml"}, []string{"charts/values.yaml", "charts/a/b/values.yaml", "x/charts/db/values.yaml"}},
		"a glob over folders":            {[]string{"glob:**/*.go"}, nil, []string{"main.go", "a/b/c.go"}, []string{"main.go.txt"}},
		"a glob below a folder":          {[]string{"glob:deploy/**"}, nil, []string{"deploy/a", "deploy/a/b"}, []string{"deployment/a"}},
		"a glob is of the whole":         {[]string{"glob:deploy"}, nil, []string{"deploy"}, []string{"deploy/a"}},
		"a glob with alternatives":       {[]string{"glob:{api,web}/**"}, nil, []string{"api/a", "web/b/c"}, []string{"docs/a"}},
		"a glob with a class":            {[]string{"glob:v[0-9]/?"}, nil, []string{"v1/a"}, []string{"vx/a", "v1/ab"}},
		"a regular expression":           {[]string{"regex:^apps/[^/]+/deploy/"}, nil, []string{"apps/shop/deploy/a"}, []string{"apps/deploy/a", "x/apps/shop/deploy/a"}},
		"a regular expression, anywhere": {[]string{"regexp:deploy"}, nil, []string{"redeployed.txt"}, []string{"dep/loy"}},

		"excluded goes before included": {[]string{"deploy"}, []string{"glob:**/*.md", "deploy/test"}, []string{"deploy/a.yaml"}, []string{"deploy/README.md", "deploy/test/a.yaml"}},
		"all but what is excluded":      {nil, []string{"docs"}, []string{"a", "docs.txt"}, []string{"docs/a", "docs"}},
		"one of several":                {[]string{"api", "web"}, nil, []string{"api/a", "web/a"}, []string{"docs/a"}},
		"nothing":                       {[]string{"a"}, []string{"."}, nil, []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := paths(t, test.include, test.exclude)
			for _, path := range test.takes {
				if !p.Takes(path) {
					t.Errorf("%s is left", path)
				}
			}
			for _, path := range test.leaves {
				if p.Takes(path) {
					t.Errorf("%s is taken", path)
				}
			}
			if want := len(test.include)+len(test.exclude) == 0; p.Any() != want {
				t.Errorf("Any = %t, want %t", p.Any(), want)
			}
		})
	}
}

func TestACommitIsTakenForOneFileThatCounts(t *testing.T) {
	p := paths(t, []string{"deploy"}, []string{"glob:**/*.md"})
	for name, test := range map[string]struct {
		changed []string
		want    bool
	}{
		"one that counts":                 {[]string{"deploy/a.yaml"}, true},
		"one that counts, among others":   {[]string{"README.md", "main.go", "deploy/a.yaml"}, true},
		"none that counts":                {[]string{"README.md", "deploy/README.md"}, false},
		"a waybill alone":                 {[]string{"deploy/waybill-shop-prod.yaml"}, false},
		"a waybill and one that counts":   {[]string{"deploy/waybill-shop-prod.yaml", "deploy/a.yaml"}, true},
		"a waybill and one that does not": {[]string{"deploy/waybill-shop-prod.yaml", "main.go"}, false},
		"no file at all":                  {nil, false},
	} {
		if got := p.TakesAny(slices.Values(test.changed)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
	if paths(t, nil, nil).TakesAny(slices.Values([]string{"waybill-shop.yaml", "a/waybill-shop.yaml"})) {
		t.Error("without paths, a commit of waybills alone is taken")
	}
}

// To tell the changed files costs reading trees.
func TestNoMoreFilesAreReadThanNeeded(t *testing.T) {
	read := 0
	var changed iter.Seq[string] = func(yield func(string) bool) {
		for _, path := range []string{"a", "deploy/b", "deploy/c"} {
			read++
			if !yield(path) {
				return
			}
		}
	}
	if !paths(t, []string{"deploy"}, nil).TakesAny(changed) || read != 2 {
		t.Errorf("%d files are read, want 2", read)
	}
}

func FuzzPathsAreTakenOrLeft(f *testing.F) {
	f.Add("deploy", "", "deploy/a.yaml")
	f.Add("./deploy//", "glob:**/*.md", "deploy/README.md")
	f.Add("glob:{a,b}/**", "regex:^b", "b/c")
	f.Add("regexp:(a|b)+$", "/", "waybill-a.yaml")
	f.Add(".", "", "")
	f.Add("..", "glob:[", "../a")
	f.Fuzz(func(t *testing.T, include, exclude, changed string) {
		if strings.Count(include+exclude, "{") > 6 {
			return // a valid document bounds them
		}
		both, err := selection.ForPaths([]string{include}, []string{exclude})
		if err != nil {
			return
		}
		included, excluded := paths(t, []string{include}, nil), paths(t, nil, []string{exclude})
		if got, want := both.Takes(changed), included.Takes(changed) && excluded.Takes(changed); got != want {
			t.Errorf("Takes = %t, where it is included %t and not excluded %t", got, included.Takes(changed), excluded.Takes(changed))
		}
		// A folder holds all that is in it.
		if folder := paths(t, []string{changed}, nil); !strings.Contains(changed, ":") && path.Clean("/"+changed) == "/"+changed &&
			!folder.Takes(changed+"/below") {
			t.Errorf("%q does not hold what is below", changed)
		}
	})
}

func ExamplePaths_TakesAny() {
	p, err := selection.ForPaths([]string{"deploy/", "glob:charts/**"}, []string{"glob:**/*.md"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.TakesAny(slices.Values([]string{"main.go", "charts/db/values.yaml"})))
	fmt.Println(p.TakesAny(slices.Values([]string{"main.go", "charts/db/README.md", "deploy/waybill-shop-prod.yaml"})))
	// Output:
	// true
	// false
}
