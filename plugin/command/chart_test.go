package command

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/render"
)

const chartYAML = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"

func TestTheSameFreightGivesTheSameBytesOfAChart(t *testing.T) {
	path := t.TempDir()
	write(t, path, map[string]string{
		"Chart.yaml":         chartYAML,
		"templates/pod.yaml": pod + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: version}\ndata: {version: {{ .Values.version }}}\n",
	})
	env := map[string]string{
		envApplication: "shop-prod", envSourcePath: ".",
		envParameters: `[{"name":"imageValues","map":{"version":"registry.example.com/shop#version"}}]`,
	}
	rendered := func(version, digit string) string {
		promote(t, path, strings.NewReplacer("v1.4.2", version, digestOfOnes, strings.Repeat(digit, 64)).Replace(shopFreight))
		stdout, stderr := runIn(t, path, env, "generate")
		if stderr != "" {
			t.Fatal(stderr)
		}
		return stdout
	}
	a, b, again := rendered("v1", "a"), rendered("v2", "b"), rendered("v1", "a")
	if diff := cmp.Diff(a, again); diff != "" {
		t.Errorf("promoting A, B and A does not give A again:\n%s", diff)
	}
	if a == b || !strings.Contains(b, "version: v2") {
		t.Errorf("promoting B gives:\n%s", b)
	}
}

func TestAChartWithoutEndIsRefused(t *testing.T) {
	path := t.TempDir()
	write(t, path, map[string]string{"Chart.yaml": chartYAML})
	promote(t, path, shopFreight)
	var stdout, stderr bytes.Buffer
	endless := func(*render.Checkout, render.ChartOptions) ([]manifest.Object, error) {
		<-t.Context().Done()
		return nil, nil
	}
	code := Call{
		Args: []string{"generate"}, Dir: path, Env: map[string]string{envApplication: "shop-prod", envSourcePath: "."},
		Stdout: &stdout, Stderr: &stderr, Chart: endless, renderTime: time.Millisecond,
	}.Run()
	if want := "): it takes more than 0 s to render: look for a template"; code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
		t.Errorf("generate ends with %d, %q and %q, want %q in it", code, stdout.String(), stderr.String(), want)
	}
}

// FuzzGenerateOfAChart holds what must be true of every outcome: a program that
// ends, output or a refusal but not both, a first line that stands alone, no path
// of the machine.
func FuzzGenerateOfAChart(f *testing.F) {
	f.Add(chartYAML, "a: 1\n", `{"a.b":"1"}`, "release", "1.34.4")
	f.Add("apiVersion: v1\nname: a\nversion: 0.1.0\nkubeVersion: '>1'\ntype: library\n", "a: &a [*a]\n", `{"a[0]":"{x,y}"}`, "", "")
	f.Add("dependencies: [{name: db, version: 1.x, alias: x, import-values: [a, {child: b}], tags: [t], condition: 'a.b,c'}]\n"+chartYAML, "db: 1\ntags: {t: false}\nglobal: []\n", `{"db.a":"null"}`, "x", "v1.2+")
	f.Add(chartYAML+"dependencies:\n- null\n", "null", `{"a[99999999]":"1"}`, "A_B", "latest")
	f.Add(chartYAML+"annotations: 1\n", "- 1\n", `{"":"","=":",","a\\":"\\"}`, "a.b", "1")
	f.Add(chartYAML+"dependencies: [{name: db, version: 1.0.0, repository: 'file://../..'}]\n", "\xff", `{"a.b.c.d":"file"}`, "x", "1.0.0")
	f.Fuzz(func(t *testing.T, chart, values, set, release, kubeVersion string) {
		path := filepath.Join(t.TempDir(), "checkout")
		write(t, path, map[string]string{
			"Chart.yaml": chart, "values.yaml": values, "prod.yaml": values,
			"charts/db/Chart.yaml":          "apiVersion: v2\nname: db\nversion: 1.0.0\n",
			"charts/db/values.yaml":         "exports: {a: {x: 1}}\nb: {c: 1}\n",
			"charts/db/values.schema.json":  `{"properties": {"size": {"type": "integer"}}}`,
			"charts/db/templates/cm.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {v: {{ .Values | toJson | quote }}}\n",
			"templates/cm.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name | quote }}}\ndata: {v: {{ .Values | toJson | quote }}}\n",
			"templates/as-they-are.yaml":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: raw}\ndata: {{- toYaml .Values | nindent 2 }}\n",
			"templates/required-value.yaml": "{{ if .Values.wanted }}{{ required \"want\" .Values.wanted.a }}{{ end }}",
		})
		var parameters []map[string]any
		var given map[string]string
		if json.Unmarshal([]byte(set), &given) == nil {
			parameters = append(parameters, map[string]any{"name": "parameters", "map": given}, map[string]any{"name": "stringParameters", "map": given})
			files := map[string]string{}
			for name := range given {
				files[name] = "values.yaml"
			}
			parameters = append(parameters, map[string]any{"name": "fileParameters", "map": files})
		}
		parameters = append(parameters,
			map[string]any{"name": "unpinned", "string": "allow"},
			map[string]any{"name": "valueFiles", "array": []string{"prod.yaml", set}},
			map[string]any{"name": "ignoreMissingValueFiles", "string": "true"},
			map[string]any{"name": "values", "string": values},
			map[string]any{"name": "releaseName", "string": release},
			map[string]any{"name": "kubeVersion", "string": kubeVersion},
		)
		text, err := json.Marshal(parameters)
		if err != nil {
			t.Fatal(err)
		}
		env := map[string]string{envApplication: "shop-prod", envSourcePath: ".", envParameters: string(text)}
		stdout, stderr := runIn(t, path, env, "generate")
		if (stdout == "") == (stderr == "") {
			t.Errorf("standard output has %d bytes, standard error %d", len(stdout), len(stderr))
		}
		if line, _, _ := strings.Cut(stderr, "\n"); len([]rune(line)) >= 200 {
			t.Errorf("the first line has %d characters: %s", len([]rune(line)), line)
		}
		if strings.Contains(stderr, filepath.Dir(path)) {
			t.Errorf("a path of the machine is told: %s", stderr)
		}
	})
}
