// Package e2e states what Waybill promises on the real stack: a Kubernetes API
// server, Argo CD 2.14.21, a registry and a Git server, with the bundle's own
// manifests and the proxy under its own Roles.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/hack/install"
	"github.com/waybill-cd/waybill/hack/shop"
	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/component"
)

// The stack that all tests share. They run one after the other, each on what it
// sets up or in the order that it says.
var (
	theStack *stack.Stack
	waybill  *install.Installation
	theShop  *shop.Shop
	binaries install.Binaries
	counter  *apiCounter
	sessions = map[string]string{} // tokens by account
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	root, err := component.RepositoryRoot()
	if err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "waybill-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if binaries, err = install.Build(ctx, root, filepath.Join(folder, "bin"), os.Stdout, install.Race()...); err != nil {
		return 0, err
	}
	if err := findRenderers(ctx); err != nil {
		return 0, err
	}
	theStack, err = stack.Start(ctx, stack.Config{Log: os.Stdout, Plugin: binaries.Sidecar(root)})
	if err != nil {
		return 0, err
	}
	if counter, err = countAPI(theStack.RESTConfig()); err != nil {
		return 0, errors.Join(err, theStack.Stop())
	}
	defer func() {
		// The proxy first: its watches hold the counter's connections open.
		err = errors.Join(err, theStack.Stop())
		counter.close()
	}()
	options := install.Options{APIServer: counter.server.URL, Certificate: counter.certificate()}
	if waybill, err = install.Install(ctx, theStack, root, binaries, options); err != nil {
		return 0, err
	}
	if theShop, err = shop.SetUp(ctx, theStack); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// findRenderers puts kustomize and helm into PATH, where the repo-server looks
// for them to render what is not the plugin's. They are built where the cache
// lacks them.
func findRenderers(ctx context.Context) error {
	builder, err := component.NewBuilder(os.Stdout)
	if err != nil {
		return err
	}
	path := os.Getenv("PATH")
	for _, set := range []component.Set{component.Kustomize(), component.Helm()} {
		folder, err := builder.Build(ctx, set)
		if err != nil {
			return err
		}
		path = folder + string(filepath.ListSeparator) + path
	}
	return os.Setenv("PATH", path)
}
