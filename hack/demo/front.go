package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/waybill-cd/waybill/hack/front"
	"github.com/waybill-cd/waybill/hack/stack"
)

// serveFront builds the UI extension, has argocd-server serve it, and serves the
// pages to see it in: Argo CD's own where ARGOCD_UI names a folder with them.
// Where the extension cannot be built, the demo runs without it.
func serveFront(ctx context.Context, s *stack.Stack, root string, port int, out io.Writer) (*front.Front, error) {
	config := front.Config{ArgoCD: s.ArgoCDURL(), Port: port, Pages: os.Getenv("ARGOCD_UI")}
	_, _ = fmt.Fprintln(out, "building the UI extension")
	ui, err := front.Build(ctx, root)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, front.ErrNoNode):
		_, _ = fmt.Fprintln(out, "The UI extension is not shown, because npm, which builds it, is not installed.")
	case err != nil:
		_, _ = fmt.Fprintf(out, "The UI extension is not shown: %v\n", err)
	default:
		if err := s.UIExtension("waybill", ui.Extension); err != nil {
			return nil, err
		}
		if config.Pages == "" {
			config.Pages = ui.Host
		}
	}
	return front.Serve(ctx, config)
}
