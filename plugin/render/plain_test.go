package render

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADirectoryIsReadWithoutWhatIsNoFileOfIt(t *testing.T) {
	dir := t.TempDir()
	configMap := func(name string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"
	}
	write(t, dir, map[string]string{
		"a.yaml":                     configMap("a"),
		".git/refs/heads/a.yaml":     configMap("git"),
		"sub/.git/config.yaml":       configMap("git"),
		"sub/waybill-shop-prod.yaml": "apiVersion: waybill.dev/v1\nkind: Waybill\napplication: shop-prod\n",
		"sub/waybill-c.yaml":         configMap("c"),
		"sub/b.yaml":                 configMap("b"),
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	checkout, err := Open(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	objects, err := checkout.Manifests(Options{Directory: DirectoryOptions{Recurse: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range objects {
		names = append(names, o.Name())
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Error(diff)
	}
}
