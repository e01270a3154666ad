// Command prepare builds what the stack runs, where the cache lacks it, so that
// tests do not spend their time on it: about ten minutes the first time.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/waybill-cd/waybill/hack/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := stack.Prepare(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prepare:", err)
		os.Exit(1)
	}
}
