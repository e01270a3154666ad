package equality

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	names "github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/render"
)

// chartCase is a folder of package helm's testdata:
//
//	input/        the checkout
//	options.yaml  how its chart is rendered, if not by the defaults
type chartCase struct {
	// Path is the Application's, in the checkout.
	Path string
	render.ChartOptions
	// Set, SetString and SetFile are Helm's flags where they differ from
	// "name=value" of the parameters.
	Set, SetString, SetFile []string
}

// TestChartsRenderAsHelmTemplatePrintsThem renders each case by the plugin, by
// the helm binary, and by Argo CD, which runs that binary with flags of its own
// making. It compares objects and their order.
func TestChartsRenderAsHelmTemplatePrintsThem(t *testing.T) {
	inputs, err := filepath.Glob("../../plugin/helm/testdata/*/input")
	if err != nil || len(inputs) < minCases {
		t.Fatalf("there are %d cases, want %d: %v", len(inputs), minCases, err)
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := readChartCase(t, dir)
			want := c.helmTemplate(t, copied(t, input))
			if len(want) == 0 {
				t.Fatal("helm template prints no object, which compares nothing")
			}
			native, failure := renderNatively(t, copied(t, input), oneCase{Path: c.Path, Source: map[string]any{"helm": c.native()}})
			if failure != "" {
				t.Fatal(failure)
			}
			if diff := cmp.Diff(want, native); diff != "" {
				t.Errorf("-helm template +Argo CD:\n%s", diff)
			}
			got, refusal := generate(t, input, c.Path, c.parameters())
			if refusal != "" {
				t.Fatal(refusal)
			}
			if diff := cmp.Diff(want, objects(t, got)); diff != "" {
				t.Errorf("-helm template +plugin:\n%s", diff)
			}
		})
	}
}

func readChartCase(t *testing.T, dir string) chartCase {
	t.Helper()
	c := chartCase{Path: "."}
	data, err := os.ReadFile(filepath.Join(dir, "options.yaml"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// copied returns a copy of a checkout: helm and Argo CD may write to theirs.
func copied(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// helmTemplate returns the objects that helm prints with the flags of Argo CD
// (argo-cd, util/helm, template).
func (c chartCase) helmTemplate(t *testing.T, root string) []manifest.Object {
	t.Helper()
	path := filepath.Join(root, c.Path)
	args := []string{"template", c.ReleaseName, ".", "--namespace", c.Namespace}
	if c.ReleaseName == "" {
		args[1] = application
	}
	if c.Namespace == "" {
		args[4] = namespace
	}
	add := func(flag string, values ...string) {
		for _, value := range values {
			args = append(args, flag, value)
		}
	}
	add("--values", c.valueFiles(t, root, path)...)
	add("--set", flagsOr(c.Set, c.Parameters)...)
	add("--set-string", flagsOr(c.SetString, c.StringParameters)...)
	add("--set-file", flagsOr(c.SetFile, c.FileParameters)...)
	add("--api-versions", c.APIVersions...)
	if c.KubeVersion != "" {
		add("--kube-version", c.KubeVersion)
	}
	for flag, wanted := range map[string]bool{
		"--include-crds": !c.SkipCRDs, "--skip-tests": c.SkipTests, "--skip-schema-validation": c.SkipSchemaValidation,
	} {
		if wanted {
			args = append(args, flag)
		}
	}
	command := exec.CommandContext(t.Context(), programs.helm, args...)
	command.Dir, command.Stderr = path, os.Stderr
	command.Env = []string{"HOME=" + t.TempDir()}
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, string(out))
}

// valueFiles returns the files as Argo CD passes them, the values as the last.
func (c chartCase) valueFiles(t *testing.T, root, path string) []string {
	t.Helper()
	var files []string
	for _, name := range c.ValueFiles {
		file := filepath.Join(path, name)
		if filepath.IsAbs(name) {
			file = filepath.Join(root, name)
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && c.IgnoreMissingValueFiles {
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

func flagsOr(flags []string, settings map[string]string) []string {
	if flags != nil {
		return flags
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flags = append(flags, name+"="+settings[name])
	}
	return flags
}

// native is the case as spec.source.helm has it.
func (c chartCase) native() map[string]any {
	var set, files []map[string]any
	for name, value := range c.Parameters {
		set = append(set, map[string]any{"name": name, "value": value})
	}
	for name, value := range c.StringParameters {
		set = append(set, map[string]any{"name": name, "value": value, "forceString": true})
	}
	for name, file := range c.FileParameters {
		files = append(files, map[string]any{"name": name, "path": file})
	}
	return map[string]any{
		names.ReleaseName: c.ReleaseName, names.Namespace: c.Namespace, names.KubeVersion: c.KubeVersion, names.APIVersions: c.APIVersions,
		names.ValueFiles: c.ValueFiles, names.IgnoreMissingValueFiles: c.IgnoreMissingValueFiles, names.Values: c.Values,
		names.Set: set, names.SetFile: files,
		names.SkipCrds: c.SkipCRDs, names.SkipTests: c.SkipTests, names.SkipSchemaValidation: c.SkipSchemaValidation,
	}
}

// parameters is the case as spec.source.plugin.parameters has it.
func (c chartCase) parameters() []parameter {
	var all []parameter
	for name, text := range map[string]string{
		names.ReleaseName: c.ReleaseName, names.Namespace: c.Namespace, names.KubeVersion: c.KubeVersion, names.Values: c.Values,
		names.IgnoreMissingValueFiles: strconv.FormatBool(c.IgnoreMissingValueFiles), names.SkipCrds: strconv.FormatBool(c.SkipCRDs),
		names.SkipTests: strconv.FormatBool(c.SkipTests), names.SkipSchemaValidation: strconv.FormatBool(c.SkipSchemaValidation),
	} {
		all = append(all, parameter{Name: name, String: &text})
	}
	for name, list := range map[string][]string{names.ValueFiles: c.ValueFiles, names.APIVersions: c.APIVersions} {
		all = append(all, parameter{Name: name, Array: list})
	}
	for name, settings := range map[string]map[string]string{names.Set: c.Parameters, names.SetString: c.StringParameters, names.SetFile: c.FileParameters} {
		all = append(all, parameter{Name: name, Map: settings})
	}
	return all
}
