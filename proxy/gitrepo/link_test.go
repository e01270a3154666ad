package gitrepo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLinks writes links that an export would write, and follows them: through
// each other too, they lead nowhere outside.
func FuzzLinks(f *testing.F) {
	for _, seed := range [][3]string{
		{".", "../link", "../../link/.."}, {"d", "e", ".."}, {"d/..", "../..", "../../.."}, {"d/link/link", "../d/e", "./../../d"}, {"", "/", "\\"},
		{"d/link", "..", "../link/link"}, {"link", "link", "link"}, {"d//e/", ".//..", "../.."},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, top, middle, low string) {
		above := t.TempDir()
		above, err := filepath.EvalSymlinks(above)
		if err != nil {
			t.Fatal(err)
		}
		root := filepath.Join(above, "root")
		if err := os.MkdirAll(filepath.Join(root, "d", "e"), 0o700); err != nil {
			t.Fatal(err)
		}
		var links []string
		for path, target := range map[string]string{"link": top, "d/link": middle, "d/e/link": low} {
			if !stays(path, target) {
				continue
			}
			if err := os.Symlink(target, filepath.Join(root, path)); err == nil {
				links = append(links, path)
			}
		}
		for _, path := range links {
			at, err := filepath.EvalSymlinks(filepath.Join(root, path))
			if err == nil && at != root && !strings.HasPrefix(at, root+string(filepath.Separator)) {
				t.Errorf("%s leads to %s: %q %q %q", path, strings.TrimPrefix(at, above), top, middle, low)
			}
		}
	})
}
