// Command argocd-waybill is Waybill's command line: `argocd waybill …` from
// Argo CD 3.1, by its own name before.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/waybill-cd/waybill/proxy/cli"
)

// version is set by the linker.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, cli.Program{
		Args: os.Args[1:], Version: version,
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}))
}
