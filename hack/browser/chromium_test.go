package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// chromium is where Debian's package puts it.
const chromium = "/usr/bin/chromium"

// ensureChromium installs Debian's Chromium where it is missing and that is
// possible.
func ensureChromium(ctx context.Context) error {
	if _, err := os.Stat(chromium); err == nil {
		return nil
	}
	const packages = "chromium fonts-dejavu-core"
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("the tests of the UI need Chromium at %s: install it (on Debian: apt-get install %s)", chromium, packages)
	}
	fmt.Println("installing Chromium")
	install := exec.CommandContext(ctx, "sh", "-c", "apt-get update && apt-get install -y --no-install-recommends "+packages)
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get cannot install %s: %w: %s", packages, err, out[max(0, len(out)-2000):])
	}
	return nil
}
