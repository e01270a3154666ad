package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) previewCommand() *cobra.Command {
	var (
		to       aim
		rollback bool
	)
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show what a promotion would change, before it is asked for",
		Long: `Show what a promotion would change, before it is asked for: the manifests of each
Application as they are in Git, and as they would be with the freight. What runs in
the cluster plays no part, and no value of a Secret is shown.

The digest at the end names exactly this result. An approval can be bound to it:
argocd-waybill approve <promotion> --preview <digest>.

The exit code is 1 if an Application cannot be rendered with the freight.`,
		Example: `  argocd-waybill preview -p shop --stage prod --freight v1.2.0
  argocd-waybill preview --app shop-prod --freight v1.2.0 -o wide
  argocd-waybill preview -p shop --stage prod --freight v1.1.0 --rollback`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			r, err := c.take(cmd.Context(), &to)
			if err != nil {
				return err
			}
			r.to(to.stage) // manifests are shown to Applications of the stage's project
			var shown client.Document[v1.Preview]
			if err := r.get(cmd.Context(), &shown, to.query(rollback), r.in("stages", to.stage, "preview")...); err != nil {
				return err
			}
			if c.structured() {
				err = c.write(shown)
			} else {
				err = c.print("%s", c.style.preview(shown.Value, c.output == formatWide))
			}
			if err != nil {
				return err
			}
			return unrendered(shown.Value)
		}),
	}
	c.aimFlags(cmd, &to)
	cmd.Flags().BoolVar(&rollback, "rollback", false, "show what a rollback to it would change")
	c.outputFlag(cmd, formatJSON, formatYAML, formatWide)
	return cmd
}

// unrendered is the error of a preview that is no whole one.
func unrendered(p v1.Preview) error {
	var names []string
	for _, a := range p.Applications {
		if a.Problem != "" {
			names = append(names, a.Namespace+"/"+a.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("with that freight, %s cannot be rendered: see above", strings.Join(names, ", "))
}

// preview draws what would change: a summary for each Application, and the
// difference of each object; wide, the objects that are added and pruned too.
func (s style) preview(p v1.Preview, wide bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s\n", clean(called(p.Alias, p.Summary, p.Freight)), clean(p.Stage))
	if len(p.Applications) == 0 {
		b.WriteString("No Application is bound to the stage.\n")
	}
	for _, a := range p.Applications {
		s.previewApplication(&b, a, wide)
	}
	if p.Digest != "" {
		fmt.Fprintf(&b, "\npreview %s\n", clean(p.Digest))
	}
	return b.String()
}

func (s style) previewApplication(b *strings.Builder, a v1.PreviewApplication, wide bool) {
	name := clean(a.Namespace + "/" + a.Name)
	if a.Problem != "" {
		fmt.Fprintf(b, "\n%s %s: %s\n", s.mark(markNo), name, clean(a.Problem))
		return
	}
	m := markYes
	if a.Clipped || a.Today != "" || len(a.CRDs) > 0 || risky(a) {
		m = markWait
	}
	fmt.Fprintf(b, "\n%s %s: %s\n", s.mark(m), name, previewCounts(a))
	if a.Today != "" {
		fmt.Fprintf(b, "  what is there cannot be rendered, so all is told as added: %s\n", clean(a.Today))
	}
	for _, i := range a.Images {
		fmt.Fprintf(b, "  image %s: %s -> %s\n", clean(i.Repository), versions(i.Before), versions(i.After))
	}
	for _, crd := range a.CRDs {
		switch {
		case crd.Goes:
			fmt.Fprintf(b, "  %s definition %s goes, and all objects of its kind with it\n", s.mark(markNo), clean(crd.Name))
		case len(crd.Versions) > 0:
			fmt.Fprintf(b, "  %s definition %s serves %s no longer\n", s.mark(markNo), clean(crd.Name), clean(strings.Join(crd.Versions, ", ")))
		default:
			fmt.Fprintf(b, "  %s definition %s changes\n", s.mark(markWait), clean(crd.Name))
		}
	}
	if wide {
		for _, r := range a.Added {
			fmt.Fprintf(b, "  %s\n", s.line('+', "+ "+clean(resource(r))))
		}
		for _, r := range a.Pruned {
			fmt.Fprintf(b, "  %s\n", s.line('-', "- "+clean(resource(r))))
		}
	}
	for _, change := range a.Changed {
		s.previewChange(b, change)
	}
	if a.Clipped {
		b.WriteString("  there is more than is shown here\n")
	}
}

func risky(a v1.PreviewApplication) bool {
	for _, change := range a.Changed {
		if len(change.Immutable) > 0 {
			return true
		}
	}
	return false
}

// previewCounts tells the difference in numbers.
func previewCounts(a v1.PreviewApplication) string {
	if len(a.Added)+len(a.Changed)+len(a.Pruned) == 0 {
		return fmt.Sprintf("nothing changes of %d resources", a.Total)
	}
	counts := fmt.Sprintf("%d added, %d changed, %d pruned of %d resources", len(a.Added), len(a.Changed), len(a.Pruned), a.Total)
	if len(a.Pruned) > 0 && !a.Prunes {
		counts += "; what is pruned stays in the cluster, as its sync policy says"
	}
	return counts
}

func versions(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return clean(strings.Join(all, ", "))
}

func resource(r v1.Resource) string {
	name := r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + name
	}
	if r.Group != "" {
		return r.Kind + "." + r.Group + " " + name
	}
	return r.Kind + " " + name
}

func (s style) previewChange(b *strings.Builder, change v1.PreviewChange) {
	fmt.Fprintf(b, "  %s\n", clean(resource(change.Resource)))
	if len(change.Immutable) > 0 {
		fmt.Fprintf(b, "  %s %s cannot be changed: the sync will fail unless it replaces the object\n", s.mark(markNo), clean(strings.Join(change.Immutable, ", ")))
	}
	for line := range strings.Lines(change.Diff) {
		line = strings.TrimSuffix(line, "\n")
		// The names of the two sides are the same for all.
		if line == "" || strings.HasPrefix(line, "--- now") || strings.HasPrefix(line, "+++ then") {
			continue
		}
		fmt.Fprintf(b, "    %s\n", s.line(line[0], clean(line)))
	}
	if change.Clipped {
		b.WriteString("    the difference is longer than is shown here\n")
	}
}

// line colours a line of a difference by its sign.
func (s style) line(sign byte, text string) string {
	colours := map[byte]string{'+': "\x1b[32m", '-': "\x1b[31m", '@': "\x1b[36m"}
	if colour := colours[sign]; s.colour && colour != "" {
		return colour + text + "\x1b[0m"
	}
	return text
}
