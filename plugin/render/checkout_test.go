package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheRootOfACheckoutIsFound(t *testing.T) {
	repository := t.TempDir()
	for _, dir := range []string{".git", "apps/shop/prod"} {
		if err := os.MkdirAll(filepath.Join(repository, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, path, sourcePath, want string }{
		{"in Argo CD's work folder", "/tmp/_cmp_server/0c9e/apps/shop", "apps/shop", "/tmp/_cmp_server/0c9e"},
		{"in Argo CD's work folder, behind a link", "/tmp/_cmp_server/0c9e/overlays/prod", "apps/prod", "/tmp/_cmp_server/0c9e"},
		{"by the source path", "/builds/1/apps/shop/prod", "apps/shop/prod", "/builds/1"},
		{"by a source path that is not clean", "/builds/1/apps/shop", "./apps//shop/", "/builds/1"},
		{"by a source path whose beginning was left out", "/builds/1/shop/prod", "apps/shop/prod", "/builds/1"},
		{"when the Application is at the root", "/builds/1", ".", "/builds/1"},
		{"when all but the Application was left out", "/builds/1", "apps/shop", "/builds/1"},
		{"and never the whole machine", "/shop", "apps/shop", "/shop"},
		{"by the Git repository", filepath.Join(repository, "apps/shop/prod"), "", repository},
		{"without any of these", "/nowhere/apps/shop", "", "/nowhere/apps/shop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, rootOf(tt.path, tt.sourcePath)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPathsAreToldAsTheyAreInTheRepository(t *testing.T) {
	for _, tt := range []struct{ sourcePath, path, name, want string }{
		{"apps/shop", "apps/shop", "apps/base", "apps/base"},
		{"apps/shop", ".", "kustomization.yaml", "apps/shop/kustomization.yaml"},
		{"apps/shop", "shop", "base", "apps/base"},
		{".config/shop", "shop", "base", ".config/base"},
		{".", ".", "base", "base"},
		{"", "apps/shop", "apps/base", "apps/base"},
		{"elsewhere", "apps/shop", "apps/base", "apps/base"},
	} {
		c := &Checkout{prefix: prefixOf(tt.sourcePath, tt.path)}
		if got := c.tell(tt.name); got != tt.want {
			t.Errorf("source path %q at %q: %s is told as %s, want %s", tt.sourcePath, tt.path, tt.name, got, tt.want)
		}
	}
}

func TestLinksAreFollowedWithinTheCheckoutOnly(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	outside := t.TempDir()
	write(t, outside, map[string]string{"pod.yaml": pod, "base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": pod})
	tests := []struct {
		name  string
		files map[string]string
		links map[string]string // name to target; "outside" is another folder
		err   string
	}{
		{
			name:  "a manifest",
			files: map[string]string{"shared/pod.yaml": pod, "app/.keep": ""},
			links: map[string]string{"app/pod.yaml": "../shared/pod.yaml"},
		},
		{
			name:  "a manifest outside",
			files: map[string]string{"app/b.yaml": pod},
			links: map[string]string{"app/pod.yaml": "outside/pod.yaml"},
			err:   "lies outside",
		},
		{
			name:  "a manifest that is gone",
			files: map[string]string{"app/b.yaml": pod},
			links: map[string]string{"app/pod.yaml": "gone.yaml"},
		},
		{
			name:  "a base",
			files: map[string]string{"app/kustomization.yaml": "resources: [base]\n", "real/kustomization.yaml": "resources: [pod.yaml]\n", "real/pod.yaml": pod},
			links: map[string]string{"app/base": "../real"},
		},
		{
			name:  "a base outside",
			files: map[string]string{"app/kustomization.yaml": "resources: [base]\n"},
			links: map[string]string{"app/base": "outside/base"},
			err:   "lies outside",
		},
		{
			name:  "a resource outside",
			files: map[string]string{"app/kustomization.yaml": "resources: [pod.yaml]\n"},
			links: map[string]string{"app/pod.yaml": "outside/pod.yaml"},
			err:   "lies outside",
		},
		{
			name:  "a generator's file outside",
			files: map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a, files: [pod.yaml]}]\n"},
			links: map[string]string{"app/pod.yaml": "outside/pod.yaml"},
			err:   "lies outside",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.files)
			for name, target := range tt.links {
				if rest, found := strings.CutPrefix(target, "outside/"); found {
					target = filepath.Join(outside, rest)
				}
				if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			checkout, err := Open(filepath.Join(dir, "app"), "app")
			if err != nil {
				t.Fatal(err)
			}
			defer checkout.Close()
			_, err = checkout.Manifests(Options{}, nil)
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("the error is %v, want one that tells %q", err, tt.err)
			case err != nil && (strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), outside)):
				t.Errorf("the error names a path of this machine: %v", err)
			}
		})
	}
}

func TestReadsAreBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": strings.Repeat("#", 600), "b.yaml": strings.Repeat("#", 600)})
	large, err := os.Create(filepath.Join(dir, "large.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(maxFile + 1); err != nil {
		t.Fatal(err)
	}
	checkout, err := Open(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()

	if _, err := checkout.Read("large.yaml"); err == nil || !strings.Contains(err.Error(), "large.yaml is larger than 32 MiB") {
		t.Errorf("reading a large file: %v", err)
	}
	if _, err := checkout.Read("none.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a file that is not there: %v", err)
	}
	checkout.left = 1000
	if _, err := checkout.Read("a.yaml"); err != nil {
		t.Errorf("reading within the bound: %v", err)
	}
	if _, err := checkout.Read("b.yaml"); err == nil || !strings.Contains(err.Error(), "the render reads more than") {
		t.Errorf("reading past the bound of the render: %v", err)
	}
}
