package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/plugin/container"
)

// binaries builds waybill-plugin into a folder, and what else it names.
func binaries(t *testing.T, packages map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, pkg := range packages {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", pkg, err, out)
		}
	}
	return dir
}

// checkout writes files into a folder as argocd-cmp-server does, and returns it.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "_cmp_server", "0c9e", "apps", "shop")
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func generate(t *testing.T, binary, dir string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	command := exec.CommandContext(t.Context(), binary, "generate")
	command.Dir, command.Stdout, command.Stderr = dir, &out, &errs
	command.Env = []string{
		"ARGOCD_APP_NAME=shop-prod", "ARGOCD_APP_NAMESPACE=prod", "ARGOCD_APP_SOURCE_PATH=apps/shop", "KUBE_VERSION=1.34.4",
		`ARGOCD_APP_PARAMETERS=[{"name":"unpinned","string":"allow"},{"name":"parameters","map":{"size":"3"}}]`,
	}
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

const chartYAML = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"

func TestAChartIsRenderedByTheBinaryBesideThePlugin(t *testing.T) {
	dir := binaries(t, map[string]string{"waybill-plugin": ".", chartBinary: "./chart"})
	plugin := filepath.Join(dir, "waybill-plugin")
	memory, _ := container.Memory("/")
	for _, tt := range []struct {
		name, template string
		code           int
		stdout, stderr string // stderr begins with it
	}{
		{
			name: "with all that Argo CD passes", template: "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n" +
				"spec: {version: {{ .Capabilities.KubeVersion }}, size: {{ .Values.size }}}\n",
			stdout: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: shop-prod\n  namespace: prod\nspec:\n  size: 3\n  version: v1.34.4\n",
		},
		{
			name: "and its errors are the plugin's", template: "{{ fail `no` }}", code: 1,
			stderr: "Application shop-prod: execution error at (shop/templates/all.yaml:1:3): no: mend the chart, helm template apps/shop shows the same\n",
		},
		{
			name: "and one without end ends", template: "{{ define `a` }}{{ tpl .Values.x . }}{{ end }}{{ include `a` . }}", code: 1,
			stderr: fmt.Sprintf("Application shop-prod: it takes more than %d MiB to render: ", container.RenderLimit(memory)>>20),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := checkout(t, map[string]string{"Chart.yaml": chartYAML, "values.yaml": "x: '{{ $kept := repeat 1000000 `x` }}{{ tpl .Values.x . }}{{ $kept }}'\n", "templates/all.yaml": tt.template})
			stdout, stderr, code := generate(t, plugin, path)
			if code != tt.code {
				t.Errorf("exit code %d", code)
			}
			if diff := cmp.Diff(tt.stdout, stdout); diff != "" {
				t.Errorf("standard output (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(stderr, tt.stderr) || tt.code == 0 && stderr != "" {
				t.Errorf("standard error: %s", stderr)
			}
		})
	}
}

func TestAChartWithoutTheBinaryForItIsRefused(t *testing.T) {
	dir := binaries(t, map[string]string{"waybill-plugin": "."})
	path := checkout(t, map[string]string{"Chart.yaml": chartYAML, "templates/all.yaml": "a: 1"})
	stdout, stderr, code := generate(t, filepath.Join(dir, "waybill-plugin"), path)
	const want = "Application shop-prod: its path holds a Helm chart, and waybill-plugin-chart cannot be started (no such file or directory): " +
		"install it beside waybill-plugin, as Waybill's image does\n"
	if diff := cmp.Diff(want, stderr); diff != "" || stdout != "" || code != 1 {
		t.Errorf("exit code %d, %s\n%s", code, stdout, diff)
	}
}
