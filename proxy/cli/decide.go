package cli

import (
	"github.com/spf13/cobra"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// decision is what a person can say of a promotion.
type decision struct {
	action  string
	opening string
	waits   bool
	// sees tells that it may be bound to a preview.
	sees bool
}

func (c *command) approveCommand() *cobra.Command {
	return c.decide(decision{action: v1.ActionApprove, opening: "approved", waits: true, sees: true}, &cobra.Command{
		Use:   "approve <promotion>",
		Short: "Approve a promotion that waits for it",
		Long: `Approve a promotion that waits for it. It starts once enough people have, and
nothing else keeps it back.

With --preview, the approval is bound to the result that argocd-waybill preview has
shown (with --rollback where the promotion is one): it is refused where something
else would be rendered now, and counts no longer once something else would be.`,
		Example: `  argocd-waybill get promotions -p shop --stage prod
  argocd-waybill approve shop-prod-5f0c1b9e27d4a8830c6e --comment "tested by QA" --wait

  # Approve what you have seen, and nothing else.
  argocd-waybill preview -p shop --stage prod --freight v1.2.0
  argocd-waybill approve shop-prod-5f0c1b9e27d4a8830c6e --preview sha256:…`,
	})
}

func (c *command) rejectCommand() *cobra.Command {
	return c.decide(decision{action: v1.ActionReject, opening: "rejected"}, &cobra.Command{
		Use:     "reject <promotion>",
		Short:   "Reject a promotion that waits, which ends it",
		Example: `  argocd-waybill reject shop-prod-5f0c1b9e27d4a8830c6e --comment "not on a Friday"`,
	})
}

func (c *command) abortCommand() *cobra.Command {
	return c.decide(decision{action: v1.ActionAbort, opening: "aborted"}, &cobra.Command{
		Use:   "abort <promotion>",
		Short: "Withdraw a promotion that waits, or stop waiting for one that runs",
		Long: `Withdraw a promotion that waits, or stop waiting for one that runs. What has been
written stays: only a rollback undoes it.`,
		Example: `  argocd-waybill abort shop-prod-5f0c1b9e27d4a8830c6e --comment "wrong version"`,
	})
}

func (c *command) decide(d decision, cmd *cobra.Command) *cobra.Command {
	var (
		said v1.Approve // of which other decisions are the comment alone
		w    waiting
	)
	cmd.Args = arguments(1, 1)
	cmd.ValidArgsFunction = first(c.completeOpenPromotions)
	cmd.RunE = c.run(func(cmd *cobra.Command, args []string) error {
		ctx, id := cmd.Context(), args[0]
		r, err := c.routeOfPromotion(ctx, id)
		if err != nil {
			return err
		}
		// Its stage tells which Application a change must come from.
		var p client.Document[v1.Promotion]
		if err := r.get(ctx, &p, nil, r.in("promotions", id)...); err != nil {
			return err
		}
		door, err := r.door(ctx, p.Value.Stage, d.action)
		if err != nil {
			return err
		}
		var decided client.Document[v1.Promotion]
		if _, err := r.client.Post(ctx, door, said, &decided, r.in("promotions", id, d.action)...); err != nil {
			return err
		}
		return c.follow(ctx, r, decided, d.opening, w)
	})
	cmd.Flags().StringVar(&said.Comment, "comment", "", "what to say about it, for the record")
	if d.sees {
		cmd.Flags().StringVar(&said.Preview, "preview", "", "the digest of the preview that you have seen, to which the approval is bound")
	}
	if d.waits {
		w.flags(cmd)
	}
	c.outputFlag(cmd, formatJSON, formatYAML, formatName)
	return cmd
}

func (c *command) refreshCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "refresh <warehouse>",
		Short: "Let a warehouse look for new versions now",
		Example: `  argocd-waybill refresh shop -p shop
  argocd-waybill get freight -p shop --limit 1`,
		Args:              arguments(1, 1),
		ValidArgsFunction: first(c.completeWarehouses),
		RunE: c.run(func(cmd *cobra.Command, args []string) error {
			r, err := c.route(cmd.Context())
			if err != nil {
				return err
			}
			door, err := r.door(cmd.Context(), r.applications[0].Stage.Stage, v1.ActionRefresh)
			if err != nil {
				return err
			}
			if _, err := r.client.Post(cmd.Context(), door, struct{}{}, nil, r.in("warehouses", args[0], "refresh")...); err != nil {
				return err
			}
			return c.print("warehouse %s of %s looks for new versions now\n", args[0], r.pipeline.Short())
		}),
	}
}
