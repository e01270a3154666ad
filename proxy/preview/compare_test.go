package preview_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/proxy/preview"
)

// Each folder of testdata holds what is rendered now and then, what the
// Application says besides, and what is shown.
func TestDifferencesAreShownAsTheGoldenFilesSay(t *testing.T) {
	cases, err := filepath.Glob("testdata/*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	w := newWorld(t, preview.Options{})
	for _, dir := range cases {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			app := w.application(func(app *v1alpha1.Application) {
				text, err := os.ReadFile(filepath.Join(dir, "application.yaml"))
				if err != nil {
					return
				}
				if err := yaml.UnmarshalStrict(text, app); err != nil {
					t.Fatal(err)
				}
			})
			at := func(branch string) preview.Tree {
				files := map[string]string{}
				for path, content := range folder(t, filepath.Join(dir, branch)) {
					files["deploy/"+path] = content
				}
				return w.push(branch+"-"+name, files)
			}
			got := w.compare(app, at("now"), at("then"))
			if got.Digest != "" {
				got.Digest = "some"
			}
			text, err := yaml.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(dir, "want.yaml")
			if *update {
				if err := os.WriteFile(golden, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// All the places where a value of a Secret may stand, and the ways to write one.
func TestNoValueOfASecretIsShown(t *testing.T) {
	secret := func(value string) string {
		return strings.ReplaceAll(`apiVersion: v1
kind: Secret
metadata:
  name: shop
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"v1","kind":"Secret","stringData":{"password":"VALUE"}}'
    example.com/generation: "VALUE-plain"
stringData: {password: VALUE, same: constant-value}
data: {token: VkFMVUU=}
---
apiVersion: v1
kind: Secret
metadata: {name: misplaced}
dataa: {password: VALUE}
spec: [VALUE]
---
apiVersion: v1
kind: Secret
metadata: {name: a-text}
data: VALUE
stringData: [VALUE]
---
apiVersion: v1
kind: Secret
metadata: {name: a-list}
data: [VALUE]
---
apiVersion: v1
kind: Secret
metadata: {name: no-text}
data: {password: {deeper: VALUE}, number: 7}
stringData: {a: {b: VALUE}}
---
apiVersion: v1
kind: Secret
metadata: {name: VALUE-in-the-name}
stringData: {password: VALUE}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: listed}, stringData: {password: VALUE}}
`, "VALUE", value)
	}
	secret2 := func(value string) string { return strings.ReplaceAll(secret(value), value+"-", "public-") }
	w := newWorld(t, preview.Options{})
	now := w.push("now", map[string]string{"deploy/secret.yaml": secret2("hunter2")})
	then := w.push("then", map[string]string{"deploy/secret.yaml": strings.ReplaceAll(secret2("swordfish"), "VkFMVUU=", "T1RIRVI=")})
	got := w.compare(w.application(nil), now, then)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"hunter2", "swordfish", "constant-value", "aHVudGVyMg", "c3dvcmRmaXNo", "VkFMVUU", "T1RIRVI", "Y29uc3RhbnQ"} {
		if strings.Contains(string(text), value) {
			t.Errorf("%s is shown in %s", value, text)
		}
	}
	if len(got.Changed) != 7 {
		t.Fatalf("%d Secrets have changed: %s", len(got.Changed), text)
	}
	for _, c := range got.Changed {
		if !strings.Contains(c.Diff, "++++++++") || !strings.Contains(c.Diff, "\n-") || !strings.Contains(c.Diff, "\n+") {
			t.Errorf("that Secret %s changes is not shown:\n%s", c.Name, c.Diff)
		}
		if strings.Contains(c.Diff, "\n-  same") || strings.Contains(c.Diff, "\n+  same") {
			t.Errorf("an equal value of %s seems to change:\n%s", c.Name, c.Diff)
		}
	}
}

func TestWhatIsShownIsBounded(t *testing.T) {
	w := newWorld(t, preview.Options{})
	long := func(word string) string {
		var b strings.Builder
		b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: long}\ndata:\n")
		for i := range 3000 {
			b.WriteString("  k" + strings.Repeat("0", 3) + string(rune('a'+i%26)) + strings.Repeat("x", i%7) + "-" + strings.Repeat("y", i/26) + ": " + word + "\n")
		}
		return b.String()
	}
	var many strings.Builder
	for i := range 1500 {
		many.WriteString("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m" + strings.Repeat("0", 4-len(itoa(i))) + itoa(i) + "}\n")
	}
	now := w.push("now", map[string]string{"deploy/a.yaml": long("before")})
	then := w.push("then", map[string]string{"deploy/a.yaml": long("after") + many.String()})
	got := w.compare(w.application(nil), now, then)
	if !got.Clipped || len(got.Added) != 1000 || got.Total != 1501 {
		t.Errorf("clipped: %v, %d added of %d", got.Clipped, len(got.Added), got.Total)
	}
	if len(got.Changed) != 1 || !got.Changed[0].Clipped || len(got.Changed[0].Diff) > 32<<10 {
		t.Errorf("the difference of a large object is %d bytes", len(got.Changed[0].Diff))
	}
}

func TestAComparisonWaitsForItsTurn(t *testing.T) {
	w := newWorld(t, preview.Options{})
	app := w.application(nil)
	now := w.push("now", map[string]string{"deploy/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}"})
	then := w.push("then", map[string]string{"deploy/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}"})
	w.compare(app, now, then)
	release := w.renderer.HoldComparisons()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // and all that comes before takes a fraction of it
	defer cancel()
	if _, err := w.renderer.Compare(ctx, app, now, then); err == nil || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("error %v", err)
	}
	release()
	w.compare(app, now, then)
}

func itoa(i int) string {
	text, _ := json.Marshal(i)
	return string(text)
}
