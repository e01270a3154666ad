package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// The exit codes. They are stable: scripts match them.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitUsage       = 2
	ExitRefused     = 3
	ExitEnded       = 4
	ExitTimeout     = 5
	ExitInterrupted = 130
)

// usageError is a command that cannot be understood.
type usageError struct{ sentence string }

func (e *usageError) Error() string { return e.sentence }

func usage(format string, args ...any) error {
	return &usageError{sentence: fmt.Sprintf(format, args...)}
}

// refusedError is a verdict that was asked for, shown, and forbids.
type refusedError struct{ verdict eligibility.Verdict }

func (e *refusedError) Error() string { return e.verdict.Refusal() }

// endedError is a promotion that was waited for and did not succeed.
type endedError struct{ promotion promotion.Promotion }

func (e *endedError) Error() string {
	p := e.promotion
	sentence := fmt.Sprintf("promotion %s to %s has ended: %s", p.ID, p.Stage, p.Phase)
	if p.Message != "" {
		sentence += ": " + p.Message
	}
	return sentence
}

// waitError is the end of waiting before the end of the promotion.
type waitError struct {
	code     int
	sentence string
}

func (e *waitError) Error() string { return e.sentence }

// exit tells the user what went wrong in a command and returns the exit code.
func (c *command) exit(ctx context.Context, ran *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	code := c.code(ctx, err)
	switch problem, hushed := (*client.ProblemError)(nil), (*refusedError)(nil); {
	case errors.As(err, &hushed):
		// The verdict is on the screen already.
	case errors.Is(err, context.Canceled):
		c.complain("interrupted")
	default:
		c.complain(err.Error())
		if errors.As(err, &problem) && problem.Verdict != nil {
			fmt.Fprint(c.Err, styleOf(c.Err, c.style.env).verdict(*problem.Verdict, "", c.Now()))
		}
		if code == ExitUsage {
			fmt.Fprintf(c.Err, "see: %s --help\n", ran.CommandPath())
		}
	}
	return code
}

func (c *command) complain(sentence string) {
	fmt.Fprintln(c.Err, "argocd-waybill:", clean(sentence))
}

func (c *command) code(ctx context.Context, err error) int {
	var (
		misused    *usageError
		segment    *client.SegmentError
		refused    *refusedError
		permission *client.PermissionError
		problem    *client.ProblemError
		ended      *endedError
		waited     *waitError
	)
	switch {
	case !c.started, errors.As(err, &misused), errors.As(err, &segment):
		return ExitUsage
	case errors.As(err, &waited):
		return waited.code
	case errors.As(err, &ended):
		return ExitEnded
	case errors.As(err, &refused), errors.As(err, &permission):
		return ExitRefused
	case errors.As(err, &problem) && refusal(problem.Type):
		return ExitRefused
	case ctx.Err() != nil:
		return ExitInterrupted
	default:
		return ExitError
	}
}

// refusal tells whether a problem is a rule that says no, and not a fault.
func refusal(kind string) bool {
	switch kind {
	case v1.ProblemGate, v1.ProblemForbidden, v1.ProblemNotBound, v1.ProblemIneligible, v1.ProblemPromoter, v1.ProblemConflict:
		return true
	default:
		return false
	}
}
