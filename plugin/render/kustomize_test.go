package render

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provenance"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

// TestAKustomizationRendersAsKustomizeBuilds holds what is rendered against
// kustomize itself, byte by byte, in one process: first all in their order, then
// backwards, because kustomize keeps schemas from one build to the next.
func TestAKustomizationRendersAsKustomizeBuilds(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/app")
	if err != nil || len(cases) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	rendered := map[string]string{}
	for _, dir := range cases {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			want, err := krusty.MakeKustomizer(buildOptions()).Run(filesys.MakeFsOnDisk(), dir)
			if err != nil {
				t.Fatal(err)
			}
			text, err := want.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			rendered[dir] = renderText(t, dir)
			released := strings.ReplaceAll(string(text), "kustomize-"+provenance.GetProvenance().Semver(), "kustomize-"+release)
			if diff := cmp.Diff(released, rendered[dir]); diff != "" {
				t.Errorf("not what kustomize builds (-kustomize +render):\n%s", diff)
			}
		})
	}
	for i := len(cases) - 1; i >= 0; i-- {
		if diff := cmp.Diff(rendered[cases[i]], renderText(t, cases[i])); diff != "" {
			t.Errorf("%s renders differently the second time:\n%s", cases[i], diff)
		}
	}
}

func renderText(t *testing.T, dir string) string {
	t.Helper()
	checkout, err := Open(dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	objects, err := checkout.Manifests(Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := manifest.Write(&out, objects); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestABrokenFileOfAKustomizationIsToldAsKustomizeDoes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "apiVersion: v1\nkind: ConfigMap\n"})
	checkout, err := Open(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	_, err = checkout.Manifests(Options{}, nil)
	if err == nil || !strings.Contains(err.Error(), "missing metadata.name in object") || strings.Contains(err.Error(), "must build at directory") {
		t.Errorf("refused with %v", err)
	}
}

func TestAPluginIsAlwaysRefusedWithTheSameWords(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"kustomization.yaml": "transformers: [a.yaml]\n",
		"a.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\n" +
			"path: https://a.example.com/a.yaml\nfiles: {a: https://b.example.com/b.yaml, b: https://c.example.com/c.yaml}\n",
	})
	for range 50 { // maps have no order
		checkout, err := Open(dir, ".")
		if err != nil {
			t.Fatal(err)
		}
		_, err = checkout.Manifests(Options{}, nil)
		checkout.Close()
		if err == nil || !strings.Contains(err.Error(), "https://b.example.com/b.yaml") {
			t.Fatalf("refused with %v, want the first of its fields", err)
		}
	}
}

// FuzzKustomization feeds kustomizations. Whatever they say, no request leaves
// and no git is looked for: what the walk lets through, kustomize renders from
// the checkout alone.
func FuzzKustomization(f *testing.F) {
	for _, seed := range []string{
		"resources: [a.yaml, base]", "resources: ['https://example.com/a.yaml']", "bases: ['git@example.com:a/b']",
		"resources: ['github.com/a/b?ref=c', 'ssh://a@b/c/d', 'file:///a/b', 'git::https://a/b', 'a@b:c/d']",
		"components: ['github.com/a/b']", "crds: ['http://example.com']", "configurations: ['http://example.com']",
		"openapi: {path: 'http://example.com'}", "patches: [{path: 'http://example.com'}]", "replacements: [{path: 'http://example.com'}]",
		"configMapGenerator: [{name: a, files: ['a=http://example.com'], envs: ['http://example.com'], env: 'http://example.com'}]",
		"patchesStrategicMerge: ['http://example.com']", "patchesJson6902: [{path: 'http://example.com', target: {kind: A, name: a}}]",
		"transformers: ['http://example.com', \"apiVersion: builtin\\nkind: PatchTransformer\\nmetadata: {name: a}\\npath: http://example.com\"]",
		"transformers: [\"apiVersion: builtin\\nkind: ValueAddTransformer\\nmetadata: {name: a}\\ntargetFilePath: http://example.com\"]",
		"generators: ['http://example.com', 'github.com/a/b', plugins]", "validators: [\"apiVersion: a/v1\\nkind: B\\nmetadata: {name: c}\"]",
		"helmCharts: [{name: a, repo: 'https://example.com'}]", "Resources: ['HTTPS://example.com/a/b']", "resources: [..]", "resources: [/etc]", "{", "",
	} {
		f.Add(seed, "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nFiles: ['a=http://example.com']\n")
	}
	network := &recorder{}
	before := http.DefaultTransport
	http.DefaultTransport = network
	f.Cleanup(func() { http.DefaultTransport = before })
	f.Setenv("PATH", f.TempDir())
	silence(f)

	f.Fuzz(func(t *testing.T, kustomization, plugin string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{
			"kustomization.yaml":         kustomization,
			"a.yaml":                     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
			"base/kustomization.yaml":    "resources: [b.yaml]\n",
			"base/b.yaml":                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
			"plugins/kustomization.yaml": "resources: [plugin.yaml]\n",
			"plugins/plugin.yaml":        plugin,
		})
		checkout, err := Open(dir, ".")
		if err != nil {
			t.Fatal(err)
		}
		defer checkout.Close()
		objects, err := checkout.Manifests(Options{}, nil)
		if network.asked != "" {
			t.Fatalf("a request was made to %s", network.asked)
		}
		switch {
		case err == nil && len(objects) == 0:
			t.Error("nothing is rendered without an error")
		case err != nil && strings.Contains(err.Error(), "'git' program"):
			t.Errorf("git is looked for: %v", err)
		case err != nil && strings.Contains(err.Error(), dir):
			t.Errorf("the error names a path of this machine: %v", err)
		}
	})
}

type recorder struct{ asked string }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.asked = request.URL.String()
	return nil, errors.New("no network")
}

// silence keeps kustomize's warnings out of the output.
func silence(f *testing.F) {
	before := os.Stderr
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		f.Fatal(err)
	}
	os.Stderr = null
	f.Cleanup(func() { os.Stderr = before; null.Close() })
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What kustomize says today of files that hold a Secret's value.
func TestNoErrorOfKustomizeTellsAValue(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: hunter2}\n"
	for name, files := range map[string]map[string]string{
		"an env file that is no UTF-8":      {"kustomization.yaml": "secretGenerator: [{name: a, envs: [env]}]\n", "env": "A=hunter2\xff\n"},
		"a literal without a key":           {"kustomization.yaml": "secretGenerator: [{name: a, literals: [hunter2]}]\n"},
		"a part that a value does not have": {"kustomization.yaml": "resources: [a.yaml]\nreplacements: [{source: {kind: Secret, fieldPath: stringData.a, options: {delimiter: '-', index: 9}}, targets: [{select: {kind: Secret}, fieldPaths: [stringData.a]}]}]\n"},
		"a field below a value":             {"kustomization.yaml": "resources: [a.yaml]\nreplacements: [{source: {kind: Secret, fieldPath: stringData.a}, targets: [{select: {kind: Secret}, fieldPaths: [stringData.a.b.c], options: {create: true}}]}]\n"},
		"a patch that is a list":            {"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: b.yaml}]\n", "b.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: [hunter2]\n"},
		"a patch and a path":                {"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: a.yaml, patch: hunter2}]\n"},
		"a patch without a target":          {"kustomization.yaml": "resources: [a.yaml]\npatches: [{patch: '[{op: add, path: /stringData/a, value: hunter2}]'}]\n"},
		"annotations without a name":        {"kustomization.yaml": "resources: [b.yaml]\n", "b.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {annotations: {last-applied: hunter2}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"a.yaml": secret})
			write(t, dir, files)
			checkout, err := Open(dir, ".")
			if err != nil {
				t.Fatal(err)
			}
			defer checkout.Close()
			_, err = checkout.Manifests(Options{}, nil)
			if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "104 117 110 116 101 114 50") {
				t.Errorf("refused with %v", err)
			}
		})
	}
}
