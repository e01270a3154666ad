package cli

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// completionTimeout bounds how long a shell waits after the tab key.
const completionTimeout = 2 * time.Second

// completer offers words to a shell. It offers nothing where it cannot: a shell
// is no place for an error.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// complete gives a flag its words.
func (c *command) complete(cmd *cobra.Command, flag string, words completer) {
	// It fails only for a flag that does not exist, or has words already.
	_ = cmd.RegisterFlagCompletionFunc(flag, words)
}

// first completes the first argument alone.
func first(words completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(cmd, args, typed)
	}
}

// offer finds words within the time that a shell has.
func offer(cmd *cobra.Command, find func(context.Context) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	words, err := find(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func (c *command) completePipelines(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return offer(cmd, func(ctx context.Context) ([]string, error) {
		reach, err := c.connect()
		if err != nil {
			return nil, err
		}
		bound, err := reach.Applications(ctx)
		var names []string
		for _, a := range bound {
			names = append(names, a.Stage.Pipeline.Short())
		}
		slices.Sort(names)
		return slices.Compact(names), err
	})
}

func (c *command) completeStages(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(p v1.Pipeline) (words []string) {
		for _, s := range p.Stages {
			words = append(words, word(s.Name, join("; ", s.Current, func(l v1.Load) string { return l.Summary })))
		}
		return words
	})
}

// completeFullStages offers stages as an Application's annotation names them.
func (c *command) completeFullStages(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return offer(cmd, func(ctx context.Context) ([]string, error) {
		known, err := c.pipelines(ctx)
		var names []string
		for _, p := range known {
			for _, stage := range p.Value.Stages {
				names = append(names, shortPipeline(p.Value.Name)+"/"+stage)
			}
		}
		return names, err
	})
}

func (c *command) completeWarehouses(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(p v1.Pipeline) (words []string) {
		for _, w := range p.Warehouses {
			words = append(words, w.Name)
		}
		return words
	})
}

func (c *command) completeFreight(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(p v1.Pipeline) []string { return freightWords(p.Freight) })
}

// completeFreightFor offers what may go into a stage at all: freight of the
// warehouses that it requests. Without a stage, nor an Application of one, that is
// all.
func (c *command) completeFreightFor(stage *string) completer {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.completeAlong(cmd, func(r *route, p v1.Pipeline) []string {
			name, err := c.stage(r, *stage)
			if err != nil {
				return freightWords(p.Freight)
			}
			return freightWords(slices.DeleteFunc(p.Freight, func(f v1.Freight) bool { return !requests(p, name, f.Origin) }))
		})
	}
}

// completeFreightOf offers freight of a warehouse, or all where none is named.
func (c *command) completeFreightOf(warehouse *string) completer {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.completeFrom(cmd, func(p v1.Pipeline) []string {
			return freightWords(slices.DeleteFunc(p.Freight, func(f v1.Freight) bool { return *warehouse != "" && f.Origin != *warehouse }))
		})
	}
}

// requests tells whether a stage of a pipeline requests freight of a warehouse.
func requests(p v1.Pipeline, stage, warehouse string) bool {
	return slices.ContainsFunc(p.Stages, func(s v1.Stage) bool {
		return s.Name == stage && slices.ContainsFunc(s.RequestedFreight, func(f pipeline.RequestedFreight) bool { return f.Origin.Name == warehouse })
	})
}

// freightWords are the names of freight, see freight.Find, each once.
func freightWords(all []v1.Freight) (words []string) {
	told := map[string]bool{}
	for _, f := range all {
		names := []string{freight.Short(f.ID), f.Alias}
		for _, i := range f.Images {
			names = append(names, i.Tag)
		}
		for _, k := range f.Commits {
			names = append(names, k.Tag)
		}
		for _, k := range f.Charts {
			names = append(names, k.Version)
		}
		for _, name := range names {
			if name != "" && !told[name] {
				told[name] = true
				words = append(words, word(name, f.Summary))
			}
		}
	}
	return words
}

// completeArtifacts offers what create freight may choose of its warehouse.
func (c *command) completeArtifacts(a *assembly) completer {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return offer(cmd, func(ctx context.Context) ([]string, error) {
			r, err := c.route(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := c.begin(ctx, r, a); err != nil {
				return nil, err
			}
			var found v1.Candidates
			if err := r.get(ctx, &found, nil, r.in("warehouses", a.warehouse, "candidates")...); err != nil {
				return nil, err
			}
			var words []string
			for i, of := range offered(found) {
				for _, o := range found.Items[i].Offers {
					words = append(words, word(of.String()+"="+o.Version, o.Detail.Subject))
				}
			}
			return words, nil
		})
	}
}

func (c *command) completeFrom(cmd *cobra.Command, words func(v1.Pipeline) []string) ([]string, cobra.ShellCompDirective) {
	return c.completeAlong(cmd, func(_ *route, p v1.Pipeline) []string { return words(p) })
}

func (c *command) completeAlong(cmd *cobra.Command, words func(*route, v1.Pipeline) []string) ([]string, cobra.ShellCompDirective) {
	return offer(cmd, func(ctx context.Context) ([]string, error) {
		r, err := c.route(ctx)
		if err != nil {
			return nil, err
		}
		var p v1.Pipeline
		if err := r.get(ctx, &p, nil, r.in()...); err != nil {
			return nil, err
		}
		return words(r, p), nil
	})
}

func (c *command) completePromotions(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.completePromotionsIf(cmd, func(v1.Promotion) bool { return true })
}

func (c *command) completeOpenPromotions(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.completePromotionsIf(cmd, func(p v1.Promotion) bool { return !p.Phase.Ended() })
}

func (c *command) completePromotionsIf(cmd *cobra.Command, match func(v1.Promotion) bool) ([]string, cobra.ShellCompDirective) {
	return offer(cmd, func(ctx context.Context) ([]string, error) {
		r, err := c.route(ctx)
		if err != nil {
			return nil, err
		}
		found, err := pages[v1.Promotion](ctx, r, url.Values{}, defaultLimit, "promotions")
		var words []string
		for _, p := range found {
			if match(p.Value) {
				words = append(words, word(p.Value.ID, p.Value.Summary+" "+string(p.Value.Phase)))
			}
		}
		return words, err
	})
}

// word is one that a shell offers, with a description.
func word(text, description string) string {
	if description == "" {
		return clean(text)
	}
	return clean(text) + "\t" + clean(description)
}
