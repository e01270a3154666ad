package doctor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/finding"
)

const (
	// ChartBinary renders charts, and stands beside waybill-plugin.
	ChartBinary = "waybill-plugin-chart"

	versionTimeout = 5 * time.Second
	maxVersion     = 256 // bytes
)

// chart starts the chart binary for its version. Both are one product: two
// versions would read the same waybill by different rules.
func (s Sidecar) chart(ctx context.Context) []finding.Finding {
	l := finding.For(CheckChart)
	if filepath.Base(s.Self) == ChartBinary {
		l.OK("this is %s itself", ChartBinary)
		return l.All()
	}
	program := filepath.Join(filepath.Dir(s.Self), ChartBinary)
	if _, err := os.Stat(program); err != nil {
		l.Fail("use Waybill's image, which has both, or install it there", "there is no %s beside this program, so that no Helm chart can be rendered", ChartBinary)
		return l.All()
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "version") //nolint:gosec // it stands beside this program
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second
	out := &head{limit: maxVersion}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		l.Fail("use Waybill's image, built for this machine's architecture", "%s does not run: %v", ChartBinary, reason(err))
		return l.All()
	}
	if version := strings.TrimSpace(string(out.kept)); version != s.Version {
		l.Fail("use one image for both, and restart argocd-repo-server", "%s has the version %q, and this program %q", ChartBinary, version, s.Version)
		return l.All()
	}
	l.OK("%s runs, and has the same version, %s", ChartBinary, s.Version)
	return l.All()
}

// head keeps the beginning of what is written to it.
type head struct {
	kept  []byte
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(h.limit-len(h.kept), len(p))]...)
	return len(p), nil
}
