package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

// examined runs doctor in an Application's path, outside of a sidecar.
func examined(t *testing.T, env map[string]string, files map[string]string, args ...string) (int, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "_cmp_server", "1234")
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The machine's own folders are no sidecar's, whatever is there.
	all := map[string]string{"ARGOCD_PLUGINSOCKFILEPATH": filepath.Join(root, "no-sockets")}
	for name, value := range env {
		all[name] = value
	}
	var out, errs bytes.Buffer
	dir := filepath.Join(root, env[envSourcePath])
	if _, err := os.Stat(dir); err != nil {
		dir = root
	}
	call := Call{Args: append([]string{"doctor"}, args...), Dir: dir, Env: all, Stdout: &out, Stderr: &errs, Version: "v1"}
	code := call.Run()
	return code, out.String() + errs.String()
}

func TestDoctorTellsWhatARenderSees(t *testing.T) {
	shop := map[string]string{envApplication: "shop-dev", envSourcePath: "apps/shop"}
	kustomization := map[string]string{"apps/shop/kustomization.yaml": "resources: []\n"}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{kustomization, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	tests := map[string]struct {
		env   map[string]string
		files map[string]string
		code  int
		want  []string
	}{
		"no Application": {code: 0, want: []string{"no Application is named"}},
		"a kustomization without a waybill": {
			env: shop, files: kustomization,
			want: []string{"its path holds a kustomization", "begins at .: 1 files, 1 KiB, without .git", "warning  application: there is no waybill-shop-dev.yaml in its path. Remedy: promote freight"},
		},
		"the whole checkout": {
			env: shop, files: with(map[string]string{".git/HEAD": "x"}),
			want: []string{"warning  application: the whole checkout is packed for each render: 2 files", "manifest-generate-paths"},
		},
		"the waybill of another Application": {
			env: shop, files: with(map[string]string{"apps/shop/waybill-shop-prod.yaml": "x"}),
			want: []string{"there is no waybill-shop-dev.yaml in its path, but waybill-shop-prod.yaml"},
		},
		"a waybill that is none": {
			env: shop, files: with(map[string]string{"apps/shop/waybill-shop-dev.yaml": "x"}), code: 1,
			want: []string{"error    application: ", "Remedy: promote again"},
		},
		"a bad parameter": {
			env:   map[string]string{envApplication: "shop-dev", envParameters: `[{"name":"strict","string":"perhaps"}]`},
			files: map[string]string{"kustomization.yaml": "{}"}, code: 1,
			want: []string{"error    application: its plugin parameter strict is not true or false. Remedy: set string: true or false"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, out := examined(t, test.env, test.files)
			if code != test.code {
				t.Errorf("the exit code is %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not told:\n%s", want, out)
				}
			}
		})
	}
}

func TestDoctorTellsTheWaybillThatARenderReads(t *testing.T) {
	path := t.TempDir()
	promote(t, path, "- origin: shop\n  images:\n  - {repoURL: registry.example.com/shop, tag: v1, digest: 'sha256:"+strings.Repeat("1", 64)+"'}\n")
	text, err := os.ReadFile(filepath.Join(path, "waybill-shop-prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	code, out := examined(t, map[string]string{envApplication: "shop-prod"}, map[string]string{"waybill-shop-prod.yaml": string(text)})
	if code != 0 || !strings.Contains(out, "ok       application: waybill-shop-prod.yaml is its waybill: stage shop/prod, serial 42, freight ") {
		t.Errorf("%d %s", code, out)
	}
}

func TestProgramsReadDoctorAsJSON(t *testing.T) {
	_, out := examined(t, nil, map[string]string{"a": ""}, "-o", "json")
	var answer struct {
		Findings []finding.Finding `json:"findings"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Findings) != 2 {
		t.Errorf("%v: %s", err, out)
	}
	if code, out := examined(t, nil, map[string]string{"a": ""}, "-o", "xml"); code != 1 || !strings.Contains(out, `doctor does not know "-o xml": write doctor, or doctor -o json`) {
		t.Errorf("%d %s", code, out)
	}
}
