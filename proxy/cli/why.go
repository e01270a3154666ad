package cli

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// aim is a stage and the freight that is to go there, as flags say it.
type aim struct {
	stage   string
	freight string
}

// query asks about the freight: its promotion, or a rollback to it.
func (a aim) query(rollback bool) url.Values {
	query := url.Values{"freight": {a.freight}}
	if rollback {
		query.Set("rollback", "true")
	}
	return query
}

func (c *command) aimFlags(cmd *cobra.Command, a *aim) {
	cmd.Flags().StringVar(&a.stage, "stage", "", "the stage; may be left out with --app")
	cmd.Flags().StringVar(&a.freight, "freight", "", "the freight: a version, an alias, an ID, or the first digits of one")
	c.complete(cmd, "stage", c.completeStages)
	c.complete(cmd, "freight", c.completeFreightFor(&a.stage))
}

// take returns the way to the server for an aim, which must name freight, and
// fills in the stage where flags leave it out.
func (c *command) take(ctx context.Context, to *aim) (*route, error) {
	if to.freight == "" {
		return nil, usage("name the freight with --freight")
	}
	r, err := c.route(ctx)
	if err != nil {
		return nil, err
	}
	to.stage, err = c.stage(r, to.stage)
	return r, err
}

func (c *command) whyCommand() *cobra.Command {
	var (
		to       aim
		rollback bool
	)
	cmd := &cobra.Command{
		Use:   "why",
		Short: "Tell why freight may, or may not, go into a stage",
		Long: `Tell why freight may, or may not, go into a stage: each condition with the fact
that it rests on, and what would change it. The exit code is 0 if the promotion
may be asked for, and 3 if not.`,
		Example: `  argocd-waybill why -p shop --stage prod --freight v1.2.0
  argocd-waybill why -p shop --stage prod --freight 7d3f0c1 --rollback`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			r, err := c.take(cmd.Context(), &to)
			if err != nil {
				return err
			}
			return c.judge(cmd.Context(), r, to, rollback)
		}),
	}
	c.aimFlags(cmd, &to)
	cmd.Flags().BoolVar(&rollback, "rollback", false, "judge a rollback to it")
	c.outputFlag(cmd, formatJSON, formatYAML)
	return cmd
}

// judge shows the verdict, and returns it as an error where it forbids.
func (c *command) judge(ctx context.Context, r *route, to aim, rollback bool) error {
	var verdict client.Document[eligibility.Verdict]
	if err := r.get(ctx, &verdict, to.query(rollback), r.in("stages", to.stage, "eligibility")...); err != nil {
		return err
	}
	var err error
	if c.structured() {
		err = c.write(verdict)
	} else {
		err = c.print("%s", c.style.verdict(verdict.Value, to.freight, c.Now()))
	}
	if err == nil && !verdict.Value.Allowed {
		err = &refusedError{verdict: verdict.Value}
	}
	return err
}
