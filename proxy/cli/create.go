package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) createCommand() *cobra.Command {
	create := &cobra.Command{
		Use:     "create",
		Short:   "Make freight by hand",
		Example: `  argocd-waybill create freight -p shop --warehouse shop --artifact shop=v1.1.5 --reason "the hotfix"`,
		Args:    subcommand,
		RunE:    func(*cobra.Command, []string) error { return usage("name what to create: freight") },
	}
	create.AddCommand(c.createFreight())
	return create
}

// assembly is what the flags of create freight say.
type assembly struct {
	warehouse, from, reason string
	artifacts               []string
	dryRun                  bool
}

func (c *command) createFreight() *cobra.Command {
	var a assembly
	cmd := &cobra.Command{
		Use:   "freight",
		Short: "Make freight by hand, of one version of each subscription of a warehouse",
		Long: `Make freight by hand, of one version of each subscription of a warehouse, among
those that get candidates shows. A subscription is called by its name, its
repository, or the last part of that. With --from, what is not chosen is as in
that freight, whose warehouse need not be named.

The same content is the same freight. Where a warehouse makes none by itself
(freightCreationPolicy: Manual), stages that promote by themselves take what was
made last; elsewhere, promote it.`,
		Example: `  argocd-waybill get candidates -p shop --warehouse shop
  argocd-waybill create freight -p shop --warehouse shop --artifact shop=v1.1.5 --artifact config=4b1c27c --reason "the hotfix"
  argocd-waybill create freight -p shop --from brave-otter --artifact shop=v1.1.5 --reason "only the image" --dry-run`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(a.reason) == "" && !a.dryRun {
				return usage("say why with --reason: freight that is made by hand is recorded with it")
			}
			return c.assemble(cmd.Context(), a)
		}),
	}
	c.warehouseFlag(cmd, &a.warehouse)
	cmd.Flags().StringVar(&a.from, "from", "", "freight to begin with: an ID, the beginning of one, an alias or a version")
	c.complete(cmd, "from", c.completeFreightOf(&a.warehouse))
	cmd.Flags().StringArrayVar(&a.artifacts, "artifact", nil, "a version of a subscription: <subscription or repository>=<version>; may be given again")
	c.complete(cmd, "artifact", c.completeArtifacts(&a))
	cmd.Flags().StringVar(&a.reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&a.dryRun, "dry-run", false, "only show what the freight would hold")
	c.outputFlag(cmd, formatJSON, formatYAML, formatName)
	return cmd
}

func (c *command) assemble(ctx context.Context, a assembly) error {
	r, err := c.route(ctx)
	if err != nil {
		return err
	}
	from, err := c.begin(ctx, r, &a)
	if err != nil {
		return err
	}
	var found v1.Candidates
	if err := r.get(ctx, &found, nil, r.in("warehouses", a.warehouse, "candidates")...); err != nil {
		return err
	}
	for _, item := range found.Items {
		if item.Error != "" {
			return fmt.Errorf("freight cannot be made now: %s", item.Error)
		}
	}
	subscriptions := offered(found)
	choices, err := choicesOf(subscriptions, from, a.artifacts)
	if err != nil {
		return err
	}
	// The same rule as the proxy's, so that a mistake is told before anything is
	// asked for.
	chosen, err := freight.Choose(subscriptions, choices)
	if err != nil {
		return err
	}
	artifacts, details := freight.Assemble(chosen)
	if a.dryRun {
		intended, err := intend(ctx, r, a.warehouse, artifacts)
		if err != nil {
			return err
		}
		return c.showAssembly(intended, details)
	}
	stage, err := r.takes(ctx, a.warehouse)
	if err != nil {
		return err
	}
	door, err := r.door(ctx, stage, v1.ActionAssemble)
	if err != nil {
		return err
	}
	var made client.Document[v1.Freight]
	status, err := r.client.Post(ctx, door, v1.Assemble{Artifacts: choices, Reason: a.reason}, &made, r.in("warehouses", a.warehouse, "freight")...)
	if err != nil {
		return err
	}
	return c.showMade(made, status)
}

// takes returns the first stage with Applications that takes freight of a warehouse.
// Where none does, it returns another, of which the proxy tells that.
func (r *route) takes(ctx context.Context, warehouse string) (stage string, err error) {
	var p v1.Pipeline
	if err := r.get(ctx, &p, nil, r.in()...); err != nil {
		return "", err
	}
	for _, s := range p.Stages {
		if requests(p, s.Name, warehouse) && slices.ContainsFunc(r.applications, func(a client.Application) bool { return a.Stage.Stage == s.Name }) {
			return s.Name, nil
		}
	}
	return r.applications[0].Stage.Stage, nil
}

// intendedFreight is what a dry run would make, or finds made.
type intendedFreight struct {
	freight.Freight
	exists bool
}

// intend returns the freight of a content, with the alias that it has where it
// exists: the content alone tells the ID.
func intend(ctx context.Context, r *route, warehouse string, artifacts freight.Artifacts) (f intendedFreight, err error) {
	f.Freight = freight.New(r.pipeline.String(), warehouse, artifacts, time.Time{})
	var there v1.Freight
	err = r.get(ctx, &there, nil, r.in("freight", f.ID)...)
	if problem := (*client.ProblemError)(nil); errors.As(err, &problem) && problem.Type == v1.ProblemNotFound {
		return f, nil
	}
	f.exists, f.Alias = err == nil, there.Alias
	return f, err
}

func (c *command) showAssembly(f intendedFreight, details []freight.Detail) error {
	switch c.output {
	case formatJSON, formatYAML:
		return c.write(map[string]any{
			"id": f.ID, "alias": f.Alias, "exists": f.exists, "origin": f.Origin,
			"images": f.Images, "commits": f.Commits, "charts": f.Charts, "details": details,
		})
	case formatName:
		return c.print("%s\n", clean(f.Summary()))
	}
	if f.exists {
		return c.print("%s\n", thereIs("there is already", f.Freight, f.Summary()))
	}
	return c.print("would make freight of warehouse %s: %s\n", clean(f.Origin), clean(f.Summary()))
}

func (c *command) showMade(made client.Document[v1.Freight], status int) error {
	f := made.Value
	switch c.output {
	case formatJSON, formatYAML:
		return c.write(made)
	case formatName:
		return c.print("%s\n", clean(f.ID))
	}
	opening := "made"
	if status == http.StatusOK {
		opening = "there is already"
	}
	return c.print("%s\n", thereIs(opening, f.Freight, f.Summary))
}

// thereIs is the sentence of freight that exists.
func thereIs(opening string, f freight.Freight, summary string) string {
	return clean(fmt.Sprintf("%s freight %s (%s) of warehouse %s: %s", opening, freight.Short(f.ID), f.Alias, f.Origin, summary))
}
