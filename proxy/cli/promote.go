package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) promoteCommand() *cobra.Command {
	var (
		to     aim
		ask    v1.Promote
		dryRun bool
		w      waiting
	)
	cmd := &cobra.Command{
		Use:   "promote",
		Short: "Ask for freight to be promoted into a stage",
		Long: `Ask for freight to be promoted into a stage. The promotion waits where the stage
wants approvals, or while another one runs. It goes on whether or not this command
waits for it.`,
		Example: `  argocd-waybill promote -p shop --stage prod --freight v1.2.0 --reason "release 1.2"
  argocd-waybill promote --app shop-prod --freight v1.2.0 --wait --timeout 1h
  argocd-waybill promote -p shop --stage prod --freight v1.2.0 --dry-run

  # From CI: asked for twice, it is still one promotion.
  argocd-waybill promote -p shop --stage dev --freight "$TAG" --key "$RUN_ID" --wait`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			r, err := c.take(cmd.Context(), &to)
			if err != nil {
				return err
			}
			if dryRun {
				return c.judge(cmd.Context(), r, to, false)
			}
			ask.Freight, ask.Key = to.freight, cmp.Or(ask.Key, rand.Text())
			return c.ask(cmd.Context(), r, to.stage, v1.ActionPromote, "promotions", ask, w)
		}),
	}
	c.aimFlags(cmd, &to)
	cmd.Flags().StringVar(&ask.Reason, "reason", "", "why, for the record")
	keyFlag(cmd, &ask.Key)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show the verdict; exit code 0 if the promotion may be asked for")
	w.flags(cmd)
	c.outputFlag(cmd, formatJSON, formatYAML, formatName)
	return cmd
}

func keyFlag(cmd *cobra.Command, key *string) {
	cmd.Flags().StringVar(key, "key", "", "what you call this request: the same key asks for the same promotion (default: random)")
}

func (c *command) rollbackCommand() *cobra.Command {
	var (
		to  aim
		ask v1.Rollback
		w   waiting
	)
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Return a stage to freight that it once verified",
		Long: `Return a stage to freight that it once verified: the one before, unless --freight
names another. It goes before all that waits, needs a reason, and needs approvals
only where the stage says so.`,
		Example: `  argocd-waybill rollback -p shop --stage prod --reason "checkout fails" --wait
  argocd-waybill rollback -p shop --stage prod --freight v1.1.0 --reason "back to 1.1"`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			if ask.Reason == "" {
				return usage("say why with --reason: a rollback is recorded with it")
			}
			r, err := c.route(cmd.Context())
			if err != nil {
				return err
			}
			if to.stage, err = c.stage(r, to.stage); err != nil {
				return err
			}
			ask.Freight, ask.Key = to.freight, cmp.Or(ask.Key, rand.Text())
			return c.ask(cmd.Context(), r, to.stage, v1.ActionRollback, "rollback", ask, w)
		}),
	}
	c.aimFlags(cmd, &to)
	cmd.Flags().StringVar(&ask.Origin, "origin", "", "the warehouse whose freight to return, where the stage holds freight of several")
	cmd.Flags().StringVar(&ask.Reason, "reason", "", "why, for the record")
	keyFlag(cmd, &ask.Key)
	w.flags(cmd)
	c.outputFlag(cmd, formatJSON, formatYAML, formatName)
	return cmd
}

// ask asks for a promotion and tells what became of it. The key makes it safe to
// ask once more where no answer came.
func (c *command) ask(ctx context.Context, r *route, stage, action, path string, request any, w waiting) error {
	door, before, err := r.doorInto(ctx, stage, action)
	if err != nil {
		return err
	}
	var made client.Document[v1.Promotion]
	status, err := r.client.Post(ctx, door, request, &made, r.in("stages", stage, path)...)
	if client.Temporary(err) && pause(ctx, c.Interval) == nil {
		status, err = r.client.Post(ctx, door, request, &made, r.in("stages", stage, path)...)
	}
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		return c.follow(ctx, r, made, "was asked for already:", w)
	}
	if again := twice(before, made.Value); again != "" && !c.structured() {
		if err := c.print("%s %s\n", c.style.mark(markWarn), clean(again)); err != nil {
			return err
		}
	}
	return c.follow(ctx, r, made, "asked for", w)
}

// twice tells where a new promotion brings a stage what it has, or what another
// one that waits brings; before is the stage as it was.
func twice(before v1.Stage, p v1.Promotion) string {
	if before.Name != p.Stage {
		return ""
	}
	name := called(p.Alias, p.Summary, p.Freight)
	for _, waits := range before.Pending {
		if waits.Origin == p.Origin && waits.Freight == p.Freight {
			return fmt.Sprintf("promotion %s of %s waits already: abort the one that is not wanted", waits.ID, name)
		}
	}
	if slices.ContainsFunc(before.Current, func(l v1.Load) bool { return l.Origin == p.Origin && l.Freight == p.Freight }) {
		return fmt.Sprintf("%s holds %s already: it is promoted again", p.Stage, name)
	}
	return ""
}

// follow shows a promotion after a change of it, and waits for its end if asked.
func (c *command) follow(ctx context.Context, r *route, p client.Document[v1.Promotion], opening string, w waiting) error {
	if !c.structured() {
		v := p.Value
		sentence := fmt.Sprintf("%s promotion %s of %s to %s/%s", opening, v.ID, called(v.Alias, v.Summary, v.Freight), r.pipeline.Short(), v.Stage)
		if err := c.print("%s\n", clean(sentence)); err != nil {
			return err
		}
	}
	var err error
	if w.wait {
		p, err = c.wait(ctx, r, p, w.timeout)
	} else if !c.structured() {
		newProgress(c.Out, c.style).show(p.Value)
	}
	if c.structured() && len(p.Raw) > 0 {
		if failed := c.writePromotion(p); failed != nil {
			return failed
		}
	}
	return err
}

func (c *command) writePromotion(p client.Document[v1.Promotion]) error {
	if c.output == formatName {
		return c.print("%s\n", clean(p.Value.ID))
	}
	return c.write(p)
}
