package command

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// littleMemory is what a render may take in a process of the tests, in bytes.
const littleMemory = 64 << 20

// laughs is YAML of a few lines whose aliases make ten to the ninth of it, as the
// value of a field.
func laughs() string {
	text := "\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += fmt.Sprintf("  a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// Each in a process of its own, as what takes too much goes on until that ends.
func TestARenderThatTakesTooMuchMemoryIsRefused(t *testing.T) {
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n"
	for name, files := range map[string]map[string]string{
		"aliases in a resource": {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": configMap + "data:" + laughs()},
		"aliases in a patch":    {"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: patch.yaml}]\n", "a.yaml": configMap, "patch.yaml": configMap + "data:" + laughs()},
		"a large manifest":      {"a.yaml": configMap + "data: {a: [" + strings.Repeat("a,", 2<<20) + "]}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "_cmp_server", "0c9e", "apps", "shop")
			write(t, path, files)
			promote(t, path, shopFreight)
			env := map[string]string{envApplication: "shop-prod", envSourcePath: "apps/shop"}
			stdout, stderr, code := child(t, path, "plugin with little memory", env, "generate")
			want := fmt.Sprintf("): it takes more than %d MiB to render: look for", littleMemory>>20)
			if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "Application shop-prod (stage shop/prod, freight ") || !strings.Contains(stderr, want) {
				t.Errorf("exit code %d, %d bytes of manifests, %.500s", code, len(stdout), stderr)
			}
		})
	}
}
