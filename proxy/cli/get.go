package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) getCommand() *cobra.Command {
	get := &cobra.Command{
		Use:   "get",
		Short: "Show pipelines, stages, warehouses, freight or promotions",
		Long: `Show pipelines, stages, warehouses and what they offer (candidates), freight or
promotions, as a table, as JSON or YAML (the documents as they come from the
server), or as names, one on a line.`,
		Example: `  argocd-waybill get pipelines
  argocd-waybill get stages -p shop -o wide
  argocd-waybill get stage prod -p shop -o yaml
  argocd-waybill get warehouses -p shop
  argocd-waybill get freight -p shop --limit 5
  argocd-waybill get promotions -p shop --stage prod`,
		Args: subcommand,
		RunE: func(*cobra.Command, []string) error {
			return usage("name what to get: pipelines, stages, warehouses, candidates, freight or promotions")
		},
	}
	get.AddCommand(c.getPipelines(), c.getStages(), c.getWarehouses(), c.getCandidates(), c.getFreight(), c.getPromotions())
	return get
}

// getOf makes one of the get commands.
func (c *command) getOf(cmd *cobra.Command, do func(ctx context.Context, name string) error) *cobra.Command {
	cmd.Args = arguments(0, 1)
	cmd.RunE = c.run(func(cmd *cobra.Command, args []string) error {
		name := ""
		if len(args) == 1 {
			name = args[0]
		}
		return do(cmd.Context(), name)
	})
	c.outputFlag(cmd, formatWide, formatJSON, formatYAML, formatName)
	return cmd
}

func (c *command) getPipelines() *cobra.Command {
	return c.getOf(&cobra.Command{
		Use: "pipelines [name]", Aliases: []string{"pipeline"},
		Short:             "Show the pipelines whose Applications you can read",
		ValidArgsFunction: first(c.completePipelines),
	}, func(ctx context.Context, name string) error {
		l := list[v1.PipelineSummary]{
			none: "No pipelines.", columns: pipelineColumns(),
			name: func(p v1.PipelineSummary) string { return shortPipeline(p.Name) },
		}
		if name == "" && c.app == "" && c.pipeline == "" {
			var err error
			if l.items, err = c.pipelines(ctx); err != nil {
				return err
			}
			return show(c, l)
		}
		if name != "" {
			c.pipeline = name
		}
		r, err := c.route(ctx)
		if err != nil {
			return err
		}
		l.single, l.items = true, make([]client.Document[v1.PipelineSummary], 1)
		var whole client.Document[v1.Pipeline]
		if err := r.get(ctx, &whole, nil, r.in()...); err != nil {
			return err
		}
		l.items[0] = client.Document[v1.PipelineSummary]{Raw: whole.Raw, Value: summary(whole.Value)}
		return show(c, l)
	})
}

// summary makes the line of a list from a whole pipeline, whose warehouses and
// stages stand where a line has only their names.
func summary(p v1.Pipeline) v1.PipelineSummary {
	s := p.PipelineSummary
	s.Warehouses, s.Stages = nil, nil
	for _, w := range p.Warehouses {
		s.Warehouses = append(s.Warehouses, w.Name)
	}
	for _, stage := range p.Stages {
		s.Stages = append(s.Stages, stage.Name)
	}
	return s
}

// pipelines asks once for each project of which the user can read a bound
// Application, because the proxy answers for one project at a time.
func (c *command) pipelines(ctx context.Context) ([]client.Document[v1.PipelineSummary], error) {
	reach, err := c.connect()
	if err != nil {
		return nil, err
	}
	bound, err := reach.Applications(ctx)
	if err != nil {
		return nil, err
	}
	var projects []string
	byProject := map[string][]client.Application{}
	for _, a := range bound {
		if byProject[a.Project] == nil {
			projects = append(projects, a.Project)
		}
		byProject[a.Project] = append(byProject[a.Project], a)
	}
	var found []client.Document[v1.PipelineSummary]
	seen := map[string]bool{}
	var stray error
	for _, project := range projects {
		r := &route{client: reach, applications: byProject[project]}
		var answer struct {
			Items []client.Document[v1.PipelineSummary] `json:"items"`
		}
		switch err := r.get(ctx, &answer, nil, "pipelines"); {
		case client.Elsewhere(err):
			stray = err
			continue
		case err != nil:
			return nil, err
		}
		for _, item := range answer.Items {
			if !seen[item.Value.Name] {
				seen[item.Value.Name] = true
				found = append(found, item)
			}
		}
	}
	if len(found) == 0 && stray != nil {
		return nil, stray
	}
	slices.SortFunc(found, func(a, b client.Document[v1.PipelineSummary]) int {
		return strings.Compare(shortPipeline(a.Value.Name), shortPipeline(b.Value.Name))
	})
	return found, nil
}

func (c *command) getStages() *cobra.Command {
	return c.getOf(&cobra.Command{
		Use: "stages [name]", Aliases: []string{"stage"},
		Short: "Show the stages of a pipeline: what each holds and does",
		Long: `Show the stages of a pipeline: what each holds and does. VERIFIED tells when that
freight first passed in the stage, and SINCE (wide) how long it has been there.`,
		ValidArgsFunction: first(c.completeStages),
	}, func(ctx context.Context, name string) error {
		r, err := c.route(ctx)
		if err != nil {
			return err
		}
		var answer struct {
			Stages []client.Document[v1.Stage] `json:"stages"`
		}
		if err := r.get(ctx, &answer, nil, r.in()...); err != nil {
			return err
		}
		l := list[v1.Stage]{
			items: answer.Stages, single: name != "",
			none:    "No stages in pipeline " + r.pipeline.Short() + ".",
			columns: c.stageColumns(),
			name:    func(s v1.Stage) string { return s.Name },
		}
		if name != "" {
			l.items = slices.DeleteFunc(slices.Clone(l.items), func(s client.Document[v1.Stage]) bool { return s.Value.Name != name })
			if len(l.items) == 0 {
				return fmt.Errorf("pipeline %s has no stage %q: it has %s", r.pipeline.Short(), name,
					join(", ", answer.Stages, func(s client.Document[v1.Stage]) string { return s.Value.Name }))
			}
		}
		return show(c, l)
	})
}

// shortPipeline writes a pipeline's name as people do.
func shortPipeline(full string) string {
	name, err := pipeline.ParseName(full)
	if err != nil {
		return full
	}
	return name.Short()
}
