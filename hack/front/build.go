package front

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoNode says that the UI cannot be built on this machine.
var ErrNoNode = errors.New("npm is missing, which builds the UI extension and its page: apt-get install -y nodejs npm")

// UI is what `make ui` builds.
type UI struct {
	// Extension is the path of the bundle, Host the folder of the page that
	// stands in the place of Argo CD's own.
	Extension string
	Host      string
}

// Built tells where in the repository `make ui` puts what it builds.
func Built(root string) UI {
	dist := filepath.Join(root, "ui", "dist")
	return UI{Extension: filepath.Join(dist, "extension-waybill.js"), Host: filepath.Join(dist, "host")}
}

// Build runs `make ui`. Without npm it returns [ErrNoNode].
func Build(ctx context.Context, root string) (UI, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return UI{}, ErrNoNode
	}
	cmd := exec.CommandContext(ctx, "make", "--silent", "ui")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return UI{}, fmt.Errorf("building the UI extension: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return Built(root), nil
}
