package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatWasPackedIsCounted(t *testing.T) {
	tests := map[string]struct {
		root   string // of the checkout
		source string
		files  map[string]string
		want   Packed
	}{
		"the whole checkout of Argo CD's, with .git": {
			root: "_cmp_server/1234", source: "apps/shop",
			files: map[string]string{".git/objects/a": "12345", "apps/shop/kustomization.yaml": "{}", "README": "x"},
			want:  Packed{Root: ".", Files: 3, Bytes: 8, Git: 5, HasGit: true, Argo: true},
		},
		"the Application's folder alone": {
			root: "_cmp_server/1234", source: "apps/shop",
			files: map[string]string{"kustomization.yaml": "{}"},
			want:  Packed{Root: "apps/shop", Files: 1, Bytes: 2, Argo: true},
		},
		"somebody's clone": {
			root: "clone", source: "apps/shop",
			files: map[string]string{".git/HEAD": "1", "apps/shop/a.yaml": "{}"},
			want:  Packed{Root: ".", Files: 2, Bytes: 3, Git: 1, HasGit: true},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), test.root)
			for file, text := range test.files {
				path := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(root, test.source)
			if _, err := os.Stat(path); err != nil {
				path = root
			}
			checkout, err := Open(path, test.source)
			if err != nil {
				t.Fatal(err)
			}
			defer checkout.Close()
			got, err := checkout.Packed()
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
