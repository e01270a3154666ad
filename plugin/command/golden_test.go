package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/helm"
)

var update = flag.Bool("update", false, "write what generate gives into testdata, as expected from now on")

// TestGenerate renders each directory of testdata:
//
//	input/            the checkout
//	env               variables, one NAME=value a line; ARGOCD_APP_SOURCE_PATH
//	                  is the Application's path in the checkout (default ".")
//	freight.yaml      what was promoted, if anything: a list of origin and images
//	parameters.json   ARGOCD_APP_PARAMETERS, if any
//	expected.yaml     standard output, or
//	error.txt         standard error
//
// A case that fails leaves got.yaml beside them.
func TestGenerate(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/input")
	if err != nil || len(cases) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	for _, input := range cases {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) { testCase(t, dir) })
	}
}

func testCase(t *testing.T, dir string) {
	stdout, stderr := runCase(t, dir, "generate")
	if stderr != "" && stdout != "" {
		t.Errorf("a refused render writes manifests:\n%s", stdout)
	}
	if stderr == "" && stdout == "" {
		t.Error("the output is empty, which Argo CD takes for success")
	}
	if line, _, _ := strings.Cut(stderr, "\n"); len([]rune(line)) >= 200 {
		t.Errorf("the first line of the error has %d characters", len([]rune(line)))
	}
	expect(t, dir, "expected.yaml", stdout)
	expect(t, dir, "error.txt", stderr)
}

// expect compares one stream with its file, where no file means nothing.
func expect(t *testing.T, dir, name, got string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if *update {
		if got == "" {
			_ = os.Remove(file)
			return
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
		if err := os.WriteFile(filepath.Join(dir, "got.yaml"), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runCase runs a command on a copy of a case's checkout, as Argo CD would.
func runCase(t *testing.T, dir, command string) (stdout, stderr string) {
	t.Helper()
	checkout := t.TempDir()
	if err := os.CopyFS(checkout, os.DirFS(filepath.Join(dir, "input"))); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{envApplication: "shop-prod", envSourcePath: "."}
	for line := range strings.Lines(readCase(t, dir, "env")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[name] = value
	}
	env[envParameters] = readCase(t, dir, "parameters.json")
	path := filepath.Join(checkout, env[envSourcePath])
	if promoted := readCase(t, dir, "freight.yaml"); promoted != "" {
		promote(t, path, promoted)
	}
	return runIn(t, path, env, command)
}

// testMemory is room for what a test process holds besides.
const testMemory = 4 << 30

func runIn(t *testing.T, path string, env map[string]string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := Call{Args: args, Dir: path, Env: env, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Chart: helm.Render, renderMemory: testMemory}.Run()
	if failed := errs.Len() > 0; failed != (code == 1) {
		t.Errorf("the exit code is %d with this on standard error: %s", code, errs.String())
	}
	return out.String(), errs.String()
}

func readCase(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// promote writes the waybill that a promotion of the freight would.
func promote(t testing.TB, path, promoted string) {
	t.Helper()
	var list []waybill.Freight
	text, err := yaml.YAMLToJSON([]byte(promoted))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for i, f := range list {
		list[i].ID = freight.ID("waybill/shop", f.Origin, f.Artifacts)
	}
	w := waybill.Waybill{
		Application: "shop-prod",
		Stage:       "shop/prod",
		Serial:      42,
		Freight:     list,
		Promotion: waybill.Promotion{
			ID: "shop.prod.42", By: "alice", ApprovedBy: []string{"bob"},
			At: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC),
		},
		VerifiedIn: []string{"dev", "staging"},
	}
	data, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, waybill.FileName("shop-prod")), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
