// Command demo runs the whole of Waybill on this machine: a real Kubernetes API
// server, a real Argo CD, a registry, a Git server, and a shop whose image
// travels from dev through staging to prod.
//
//	go run ./hack/demo        builds what is missing, starts all, prints what to try
//	go run ./hack/demo push   pushes the next version of the shop's image, as CI would
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/waybill-cd/waybill/hack/install"
	"github.com/waybill-cd/waybill/hack/shop"
	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/component"
	"github.com/waybill-cd/waybill/hack/stack/process"
)

// firstVersion is what the demo's registry holds at the start.
const firstVersion = "v1.0.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// ports are those of a run; 0 takes a free one.
type ports struct{ front, argocd, registry, git int }

func run(ctx context.Context, args []string, out io.Writer) error {
	var p ports
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.IntVar(&p.front, "port", 0, "port of the front server, Argo CD's address for people")
	flags.IntVar(&p.argocd, "argocd-port", 0, "port of argocd-server itself")
	flags.IntVar(&p.registry, "registry-port", 0, "port of the registry")
	flags.IntVar(&p.git, "git-port", 0, "port of the Git server")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "usage: go run ./hack/demo [flags]        start the demo\n       go run ./hack/demo push [TAG]   push the next version of the shop's image, or TAG")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := component.RepositoryRoot()
	if err != nil {
		return err
	}
	folder := filepath.Join(root, ".demo")
	switch flags.Arg(0) {
	case "":
		return start(ctx, root, folder, p, out)
	case "push":
		return push(ctx, folder, flags.Arg(1), out)
	default:
		return fmt.Errorf("%q is no command: leave it out to start the demo, or say push", flags.Arg(0))
	}
}

func start(ctx context.Context, root, folder string, p ports, out io.Writer) (err error) {
	if running(folder) {
		return fmt.Errorf("a demo runs already in %s: stop it with Ctrl-C first", filepath.Base(folder))
	}
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("cannot clear the last demo's folder: %w", err)
	}
	binaries, err := install.Build(ctx, root, filepath.Join(root, "bin"), out)
	if err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Config{
		Dir: folder, Log: out, ArgoCDPort: p.argocd, RegistryPort: p.registry, GitPort: p.git, Plugin: binaries.Sidecar(root),
	})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.Stop())
		if err == nil {
			err = os.RemoveAll(folder)
		}
	}()
	if _, err := install.Install(ctx, s, root, binaries, install.Options{}); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "setting up the shop")
	product, err := shop.SetUp(ctx, s)
	if err != nil {
		return err
	}
	if _, err := product.Push(ctx, firstVersion); err != nil {
		return err
	}
	page, err := serveFront(ctx, s, root, p.front, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.Close()) }()
	if err := writePeople(ctx, s, binaries, folder, page.URL()); err != nil {
		return err
	}
	if err := (state{Image: product.Image}).write(folder); err != nil {
		return err
	}
	guide(out, s, product, page.URL())
	if err := supervise(ctx, s, out); err != nil {
		return fmt.Errorf("%w\nthe logs are in %s", err, filepath.Join(filepath.Base(folder), "log"))
	}
	_, _ = fmt.Fprintln(out, "\nstopping")
	return nil
}

// supervise waits for the end of the demo. It starts the proxy again when that
// dies, as its Deployment would: kill it, and watch it carry on.
func supervise(ctx context.Context, s *stack.Stack, out io.Writer) error {
	for {
		err := s.Wait(ctx)
		var death *process.DeathError
		if !errors.As(err, &death) || death.Name != install.Proxy {
			return err
		}
		_, _ = fmt.Fprintf(out, "%s died; starting it again\n", death.Name)
		if err := s.StartComponent(ctx, install.Proxy); err != nil {
			return errors.Join(death, err)
		}
	}
}
