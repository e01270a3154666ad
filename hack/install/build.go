// Package install puts Waybill beside the Argo CD of a stack: it builds the
// binaries, applies the very manifests that users apply, makes the gates'
// secrets with the command that users run, and runs the proxy with the rights of
// its own ServiceAccount.
package install

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/waybill-cd/waybill/hack/stack"
)

// Binaries are the paths of Waybill's own binaries.
type Binaries struct {
	Proxy  string
	Plugin string
	CLI    string
}

// The packages of the binaries, by name.
var packages = []struct {
	name, path string
	// limited tells that previews run it under a limit of memory, which is less
	// than the race detector takes for itself.
	limited bool
}{
	{name: "waybill-proxy", path: "./proxy"},
	{name: "waybill-plugin", path: "./plugin", limited: true},
	{name: "argocd-waybill", path: "./proxy/cli/argocd-waybill"},
	// It is looked for beside waybill-plugin.
	{name: "waybill-plugin-chart", path: "./plugin/chart", limited: true},
}

// Build builds the binaries into a folder. flags are further ones for go build,
// for those that run without a limit of memory.
func Build(ctx context.Context, root, folder string, log io.Writer, flags ...string) (Binaries, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return Binaries{}, fmt.Errorf("cannot make the folder of the binaries: %w", err)
	}
	for _, p := range packages {
		_, _ = fmt.Fprintf(log, "building %s\n", p.name)
		args := []string{"build", "-o", filepath.Join(folder, p.name)}
		if !p.limited {
			args = append(args, flags...)
		}
		cmd := exec.CommandContext(ctx, "go", append(args, p.path)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return Binaries{}, fmt.Errorf("building %s: %w: %s", p.name, err, strings.TrimSpace(string(out)))
		}
	}
	return Binaries{
		Proxy:  filepath.Join(folder, packages[0].name),
		Plugin: filepath.Join(folder, packages[1].name),
		CLI:    filepath.Join(folder, packages[2].name),
	}, nil
}

// Sidecar tells a stack how to run the sidecar.
func (b Binaries) Sidecar(root string) *stack.Plugin {
	return &stack.Plugin{Binary: b.Plugin, Config: filepath.Join(root, "manifests", "sidecar", "plugin.yaml")}
}

// Race returns the flags that build with the race detector, where there is the C
// compiler that it needs.
func Race() []string {
	if _, err := exec.LookPath("cc"); err != nil {
		return nil
	}
	return []string{"-race"}
}
