// Package equality holds the plugin against what users run without it: the
// kustomize and helm binaries, and Argo CD's own rendering. Everything runs as a process of
// its own, the plugin as Argo CD starts it.
package equality

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/waybill-cd/waybill/hack/stack/component"
	// What the plugin is built of, so that go test runs this anew when it changes.
	_ "github.com/waybill-cd/waybill/plugin/command"
)

// programs are what the tests run.
var programs struct{ plugin, kustomize, helm, native string }

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "waybill-equality-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes the plugin in a folder, and the others where the cache lacks them.
func build(ctx context.Context, dir string) error {
	builder, err := component.NewBuilder(os.Stderr)
	if err != nil {
		return err
	}
	kustomize, err := builder.Build(ctx, component.Kustomize())
	if err != nil {
		return err
	}
	helm, err := builder.Build(ctx, component.Helm())
	if err != nil {
		return err
	}
	native, err := builder.Build(ctx, component.Native())
	if err != nil {
		return err
	}
	programs.plugin = filepath.Join(dir, "waybill-plugin")
	programs.kustomize = filepath.Join(kustomize, "kustomize")
	programs.helm = filepath.Join(helm, "helm")
	programs.native = filepath.Join(native, "native")
	// The second stands beside the first, which becomes it for charts.
	for path, pkg := range map[string]string{programs.plugin: "./plugin", programs.plugin + "-chart": "./plugin/chart"} {
		compile := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
		compile.Dir = builder.Root
		if out, err := compile.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}
