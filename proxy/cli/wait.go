package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// defaultTimeout of waiting: people take their time to approve, and a forgotten
// job should still end.
const defaultTimeout = time.Hour

// waiting is whether, and how long, to wait for the end of a promotion.
type waiting struct {
	wait    bool
	timeout time.Duration
}

func (w *waiting) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.wait, "wait", false, "wait for the end of the promotion and show its progress")
	cmd.Flags().DurationVar(&w.timeout, "timeout", defaultTimeout, "how long to wait with --wait; exit code 5 when it has passed")
}

// wait follows a promotion to its end. The error tells how it ended, unless it
// succeeded; whatever happens, the newest state is returned.
func (c *command) wait(ctx context.Context, r *route, p client.Document[v1.Promotion], timeout time.Duration) (client.Document[v1.Promotion], error) {
	out, drawn := c.Out, c.style
	if c.structured() {
		out, drawn = c.Err, styleOf(c.Err, c.style.env)
	}
	progress := newProgress(out, drawn)
	defer progress.clear()

	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start, etag := c.Now(), ""
	for {
		progress.show(p.Value)
		if p.Value.Phase.Ended() {
			return p, ended(p.Value)
		}
		progress.status(p.Value, c.Now().Sub(start))
		if pause(limited, c.Interval) != nil {
			return p, c.stopped(ctx, p.Value, timeout)
		}
		var next client.Document[v1.Promotion]
		tag, changed, err := r.client.GetIfChanged(limited, r.reading(), etag, &next, nil, r.in("promotions", p.Value.ID)...)
		switch {
		case limited.Err() != nil:
			return p, c.stopped(ctx, p.Value, timeout)
		case client.Temporary(err):
			progress.trouble(err)
		case err != nil:
			return p, fmt.Errorf("%w; promotion %s goes on", err, p.Value.ID)
		default:
			progress.troubled = false
			if changed {
				p, etag = next, tag
			}
		}
	}
}

func ended(p v1.Promotion) error {
	if p.Phase == promotion.Succeeded {
		return nil
	}
	return &endedError{promotion: p.Promotion}
}

// stopped is the error of waiting that ended before the promotion did.
func (c *command) stopped(ctx context.Context, p v1.Promotion, timeout time.Duration) error {
	goesOn := fmt.Sprintf("promotion %s goes on (see it: argocd-waybill get promotion %s; end it: argocd-waybill abort %s)", p.ID, p.ID, p.ID)
	if ctx.Err() != nil {
		return &waitError{code: ExitInterrupted, sentence: "stopped waiting: " + goesOn}
	}
	sentence := fmt.Sprintf("%s has passed: %s", timeout, goesOn)
	if p.Waiting != "" {
		sentence += "; it waits: " + p.Waiting
	}
	return &waitError{code: ExitTimeout, sentence: sentence}
}

var errPaused = errors.New("the pause was cut short")

// pause waits for a time, or fails when the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errPaused
	case <-timer.C:
		return nil
	}
}
