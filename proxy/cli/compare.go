package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) compareCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare <from> <to>",
		Short: "Show what lies between two pieces of freight",
		Long: `Show what lies between two pieces of freight of one warehouse: what becomes of each
artifact, the commits between two that are pinned, and the freight in between.`,
		Example: `  argocd-waybill compare v1.1.0 v1.2.0 -p shop
  argocd-waybill compare 7d3f0c1 65e18c3 -o json`,
		Args: arguments(2, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.completeFreight(cmd, args, typed)
		},
		RunE: c.run(func(cmd *cobra.Command, args []string) error {
			r, err := c.route(cmd.Context())
			if err != nil {
				return err
			}
			var compared client.Document[v1.Comparison]
			query := url.Values{"from": {args[0]}, "to": {args[1]}}
			if err := r.get(cmd.Context(), &compared, query, r.in("freight", "compare")...); err != nil {
				return err
			}
			if c.structured() {
				return c.write(compared)
			}
			return c.print("%s", c.comparison(compared.Value))
		}),
	}
	c.outputFlag(cmd, formatJSON, formatYAML)
	return cmd
}

// comparison draws what lies between.
func (c *command) comparison(v v1.Comparison) string {
	var b strings.Builder
	title := func(f v1.FreightSummary) string { return clean(called(f.Alias, f.Summary, f.ID)) }
	fmt.Fprintf(&b, "%s -> %s", title(v.From), title(v.To))
	if v.Backwards {
		b.WriteString(", which is the older one")
	}
	b.WriteString("\n\n")
	for _, a := range v.Artifacts {
		change := pinned(a.From) + " -> " + pinned(a.To)
		if !a.Changed {
			change = pinned(a.To) + ", unchanged"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", clean(a.Kind), clean(strings.TrimSpace(a.Artifact+" "+a.Subscription)), change)
		if a.Problem != "" {
			fmt.Fprintf(&b, "  the commits between are not known: %s\n", clean(a.Problem))
		}
		if a.Backwards && len(a.Commits) > 0 {
			b.WriteString("  these commits would be taken back:\n")
		}
		for _, k := range a.Commits {
			fmt.Fprintf(&b, "  %s %s (%s, %s)\n", clean(freight.Short(k.ID)), clean(k.Subject), clean(k.Author), c.age(k.At))
		}
		if a.More {
			b.WriteString("  and more\n")
		}
	}
	if len(v.Between) > 0 {
		b.WriteString("\nIn between:\n")
	}
	for _, f := range v.Between {
		fmt.Fprintf(&b, "  %s %s (%s)\n", clean(freight.Short(f.ID)), title(f), c.age(f.DiscoveredAt))
	}
	if v.More {
		b.WriteString("  and more\n")
	}
	return b.String()
}

// pinned shows a version of an artifact.
func pinned(v *freight.Version) string {
	if v == nil {
		return "none"
	}
	id := strings.TrimPrefix(v.ID, "sha256:")
	switch {
	case v.Name == "":
		return clean(freight.Short(id))
	case id == "":
		return clean(v.Name)
	default:
		return clean(v.Name + " (" + freight.Short(id) + ")")
	}
}
