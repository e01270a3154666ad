package helm_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/release"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/plugin/helm"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/render"
)

// testCase is a folder of testdata:
//
//	input/        the checkout
//	options.yaml  how its chart is rendered, if not by the defaults
type testCase struct {
	// Path is the Application's, in the checkout.
	Path string
	render.ChartOptions
	// Set, SetString and SetFile are Helm's flags where they differ from
	// "name=value" of the parameters.
	Set, SetString, SetFile []string

	input string
}

func readCase(t *testing.T, dir string) testCase {
	t.Helper()
	c := testCase{Path: ".", input: filepath.Join(dir, "input")}
	c.ReleaseName = "shop"
	data, err := os.ReadFile(filepath.Join(dir, "options.yaml"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestWhatHelmTemplatePrints renders each case with the plugin and with Helm's
// own command, and compares objects and their order.
func TestWhatHelmTemplatePrints(t *testing.T) {
	const atLeast = 30
	cases, err := filepath.Glob("testdata/*/input")
	if err != nil || len(cases) < atLeast {
		t.Fatalf("there are %d cases, want at least %d: %v", len(cases), atLeast, err)
	}
	for _, input := range cases {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := readCase(t, dir)
			want := c.helmTemplate(t)
			got := c.render(t)
			if len(want) == 0 {
				t.Fatal("helm template prints no object, which compares nothing")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-helm template +plugin:\n%s", diff)
			}
			if again := c.render(t); cmp.Diff(got, again) != "" {
				t.Error("a second time it renders something else")
			}
		})
	}
}

func (c testCase) render(t *testing.T) []manifest.Object {
	t.Helper()
	checkout, err := render.Open(filepath.Join(c.input, c.Path), c.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	objects, err := helm.Render(checkout, c.ChartOptions)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// helmTemplate returns the objects that `helm template` prints, as Argo CD calls
// it (argo-cd, util/helm, template). It goes Helm's own way from the flags to the
// text (helm, cmd/helm, newTemplateCmd), of which the plugin takes the engine
// alone.
func (c testCase) helmTemplate(t *testing.T) []manifest.Object {
	t.Helper()
	flags := values.Options{ValueFiles: c.valueFiles(t), Values: c.Set, StringValues: c.SetString}
	if flags.Values == nil {
		flags.Values = assignments(c.Parameters)
	}
	if flags.StringValues == nil {
		flags.StringValues = assignments(c.StringParameters)
	}
	for _, assignment := range c.SetFile {
		name, file, _ := strings.Cut(assignment, "=")
		flags.FileValues = append(flags.FileValues, name+"="+filepath.Join(c.input, c.Path, file))
	}
	given, err := flags.MergeValues(nil)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.DryRun, install.DryRunOption, install.ClientOnly, install.Replace = true, "true", true, true
	install.ReleaseName, install.Namespace = c.ReleaseName, c.Namespace
	if install.Namespace == "" {
		install.Namespace = "default"
	}
	install.IncludeCRDs, install.SkipSchemaValidation = !c.SkipCRDs, c.SkipSchemaValidation
	install.APIVersions = c.APIVersions
	if c.KubeVersion != "" {
		if install.KubeVersion, err = chartutil.ParseKubeVersion(c.KubeVersion); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := loader.Load(filepath.Join(c.input, c.Path))
	if err != nil {
		t.Fatal(err)
	}
	if err := action.CheckDependencies(loaded, loaded.Metadata.Dependencies); err != nil {
		t.Fatal(err)
	}
	rendered, err := install.Run(loaded, given)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, strings.TrimSpace(rendered.Manifest))
	for _, hook := range rendered.Hooks {
		if !c.SkipTests || !slices.Contains(hook.Events, release.HookTest) {
			fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
		}
	}
	objects, err := manifest.Parse(out.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return objects
}

// valueFiles returns the files as Argo CD passes them, the values as the last.
func (c testCase) valueFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, name := range c.ValueFiles {
		file := filepath.Join(c.input, c.Path, name)
		if filepath.IsAbs(name) {
			file = filepath.Join(c.input, name)
		}
		if _, err := os.Stat(file); os.IsNotExist(err) && c.IgnoreMissingValueFiles {
			continue
		}
		files = append(files, file)
	}
	if c.Values != "" {
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, []byte(c.Values), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func assignments(parameters map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		all = append(all, name+"="+parameters[name])
	}
	return all
}
