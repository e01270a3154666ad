// Package gallery looks at every state of the UI extension in a real browser, with
// recorded answers in the place of the servers, and at what happens between them: the
// tests of the page itself are in ui/gallery. They leave a picture of each state in both
// themes and at three widths in ui/screenshots, and an index.html there to look through
// them.
package gallery

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/waybill-cd/waybill/hack/chromium"
	"github.com/waybill-cd/waybill/hack/front"
	"github.com/waybill-cd/waybill/hack/stack/component"
)

func TestEveryState(t *testing.T) {
	run(t, "gallery.test.mjs")
}

func TestBetweenStates(t *testing.T) {
	run(t, "moves.test.mjs", "WAYBILL_REACT=16")
	run(t, "moves.test.mjs", "WAYBILL_REACT=19")
}

// run runs one of the tests in ui/gallery.
func run(t *testing.T, file string, env ...string) {
	t.Helper()
	root, err := component.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	if err := chromium.Ensure(t.Context(), os.Stdout); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(front.Built(root).Extension); err != nil {
		t.Fatal(errors.New("the UI extension is not built: run make ui"))
	}
	cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", filepath.Join("gallery", file))
	cmd.Dir = filepath.Join(root, "ui")
	cmd.Env = append(append(os.Environ(), "WAYBILL_CHROMIUM="+chromium.Path), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: the extension is not as it should be: %v", file, err)
	}
}
