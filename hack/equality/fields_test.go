package equality

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBothLookForFilesInTheSameFields compares the one rule that stands twice:
// which files a kustomization loads. The plugin refuses remote ones by it, and
// argocd-waybill convert finds by it what a render reads. Neither may import the
// other, nor may the domain that they share import kustomize's types.
func TestBothLookForFilesInTheSameFields(t *testing.T) {
	rule := []string{"files", "sources", "afterKey"}
	plugin := functions(t, "../../plugin/render/graph.go")
	convert := functions(t, "../../proxy/cli/convert/kustomization.go")
	for _, name := range rule {
		if plugin[name] == "" {
			t.Errorf("package render has no function %s in graph.go", name)
		}
		if diff := cmp.Diff(plugin[name], convert[name]); diff != "" {
			t.Errorf("%s differs (-plugin +convert):\n%s", name, diff)
		}
	}
}

// functions returns the text of a file's functions by their names, without the
// comments before them.
func functions(t *testing.T, file string) map[string]string {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, declared := range parsed.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok || function.Recv != nil {
			continue
		}
		var text bytes.Buffer
		if err := format.Node(&text, set, function); err != nil {
			t.Fatal(err)
		}
		all[function.Name.Name] = text.String()
	}
	return all
}
