// Package chromium has Debian's Chromium at hand, in which the tests and the
// measurements of the UI run.
package chromium

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Path is where Debian's package puts it.
const Path = "/usr/bin/chromium"

// Ensure installs it where it is missing and that is possible. What takes long is
// told on log.
func Ensure(ctx context.Context, log io.Writer) error {
	if _, err := os.Stat(Path); err == nil {
		return nil
	}
	const packages = "chromium fonts-dejavu-core"
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("the UI's tests need Chromium at %s: install it (on Debian: apt-get install %s)", Path, packages)
	}
	fmt.Fprintln(log, "installing Chromium")
	const patient = "apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "
	install := exec.CommandContext(ctx, "sh", "-c", patient+"update && "+patient+"install -y --no-install-recommends "+packages)
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get cannot install %s: %w: %s", packages, err, out[max(0, len(out)-2000):])
	}
	return nil
}
