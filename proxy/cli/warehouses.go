package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

func (c *command) getWarehouses() *cobra.Command {
	return c.getOf(&cobra.Command{
		Use: "warehouses [name]", Aliases: []string{"warehouse"},
		Short:             "Show the warehouses of a pipeline: what each selects, and how its last look went",
		ValidArgsFunction: first(c.completeWarehouses),
	}, func(ctx context.Context, name string) error {
		r, err := c.route(ctx)
		if err != nil {
			return err
		}
		var answer struct {
			Warehouses []client.Document[v1.Warehouse] `json:"warehouses"`
			Freight    []v1.Freight                    `json:"freight"`
		}
		if err := r.get(ctx, &answer, nil, r.in()...); err != nil {
			return err
		}
		l := list[v1.Warehouse]{
			items: answer.Warehouses, single: name != "",
			none:    "No warehouses in pipeline " + r.pipeline.Short() + ".",
			columns: c.warehouseColumns(answer.Freight),
			name:    func(w v1.Warehouse) string { return w.Name },
		}
		if name != "" {
			l.items = slices.DeleteFunc(slices.Clone(l.items), func(w client.Document[v1.Warehouse]) bool { return w.Value.Name != name })
			if len(l.items) == 0 {
				return fmt.Errorf("pipeline %s has no warehouse %q: it has %s", r.pipeline.Short(), name,
					join(", ", answer.Warehouses, func(w client.Document[v1.Warehouse]) string { return w.Value.Name }))
			}
		}
		return show(c, l)
	})
}

func (c *command) warehouseColumns(recent []v1.Freight) []column[v1.Warehouse] {
	candidate := func(w v1.Warehouse) string {
		for _, f := range recent {
			if f.ID == w.Candidate {
				return called(f.Alias, f.Summary, f.ID)
			}
		}
		return freight.Short(w.Candidate)
	}
	return []column[v1.Warehouse]{
		{title: "WAREHOUSE", cell: func(w v1.Warehouse) string { return w.Name }},
		{title: "CANDIDATE", cell: candidate},
		{title: "ID", wide: true, cell: func(w v1.Warehouse) string { return freight.Short(w.Candidate) }},
		{title: "LOOKED", cell: func(w v1.Warehouse) string { return c.since(w.LookedAt) }},
		{title: "NEXT", cell: func(w v1.Warehouse) string { return c.until(w.NextLookAt) }},
		{title: "REQUESTS", wide: true, cell: func(w v1.Warehouse) string {
			if w.Requests == nil {
				return ""
			}
			return strconv.FormatInt(*w.Requests, 10)
		}},
		{title: "INTERVAL", wide: true, cell: func(w v1.Warehouse) string { return time.Duration(w.Interval).String() }},
		{title: "POLICY", wide: true, cell: func(w v1.Warehouse) string {
			if w.Manual {
				return pipeline.CreationManual
			}
			return pipeline.CreationAutomatic
		}},
		{title: "SKIPPED", wide: true, cell: func(w v1.Warehouse) string { return strings.Join(w.Skipped, "; ") }},
		{title: "DETAIL", cell: func(w v1.Warehouse) string {
			detail := cmp.Or(w.Error, w.Reason)
			if c.output != formatWide {
				detail = brief(detail)
			}
			return detail
		}},
	}
}

// briefLength is how much of a problem a table shows that is not wide, in
// characters.
const briefLength = 60

// The API tells the problems of several subscriptions in one sentence, which names
// each subscription, and may end with the number of those that it does not name.
var (
	nextProblem     = regexp.MustCompile(`; subscriptions\[\d+\]`)
	furtherProblems = regexp.MustCompile(`; and so for (\d+) more subscriptions$`)
)

// brief is the beginning of the first problem, and how many more there are.
func brief(problems string) string {
	more := 0
	if further := furtherProblems.FindStringSubmatch(problems); further != nil {
		problems = strings.TrimSuffix(problems, further[0])
		// Where it is no number, it adds nothing.
		more, _ = strconv.Atoi(further[1])
	}
	if others := nextProblem.FindAllStringIndex(problems, -1); len(others) > 0 {
		problems, more = problems[:others[0][0]], more+len(others)
	}
	if letters := []rune(problems); len(letters) > briefLength {
		problems = strings.TrimRight(string(letters[:briefLength]), " ") + "..."
	}
	if more > 0 {
		problems += fmt.Sprintf(" (and %d more)", more)
	}
	return problems
}

func (c *command) since(t *time.Time) string {
	if t == nil {
		return ""
	}
	return c.age(*t) + " ago"
}

// until is how long it is to a time; one that has come is now.
func (c *command) until(t *time.Time) string {
	switch {
	case t == nil:
		return ""
	case !t.After(c.Now()):
		return "now"
	default:
		return "in " + duration.HumanDuration(t.Sub(c.Now()))
	}
}

// warehouse returns the warehouse that a flag names, else the only one.
func (c *command) warehouse(ctx context.Context, r *route, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	var p v1.Pipeline
	if err := r.get(ctx, &p, nil, r.in()...); err != nil {
		return "", err
	}
	if len(p.Warehouses) != 1 {
		return "", usage("name the warehouse with --warehouse: pipeline %s has %s", r.pipeline.Short(), join(", ", p.Warehouses, func(w v1.Warehouse) string { return w.Name }))
	}
	return p.Warehouses[0].Name, nil
}

func (c *command) warehouseFlag(cmd *cobra.Command, warehouse *string) {
	cmd.Flags().StringVar(warehouse, "warehouse", "", "the warehouse; may be left out where the pipeline has only one")
	c.complete(cmd, "warehouse", c.completeWarehouses)
}

// candidate is one line of what a warehouse offers.
type candidate struct {
	of freight.Offered
	v1.Offer
}

// offered is what the subscriptions of a warehouse offer, by the rules' own type.
func offered(all v1.Candidates) []freight.Offered {
	subscriptions := make([]freight.Offered, len(all.Items))
	for i, item := range all.Items {
		subscriptions[i] = freight.Offered{Subscription: item.Subscription, Kind: item.Kind, RepoURL: item.RepoURL, Name: item.Name}
		for _, o := range item.Offers {
			subscriptions[i].Offers = append(subscriptions[i].Offers, o.Offer)
		}
	}
	return subscriptions
}

func (c *command) getCandidates() *cobra.Command {
	var warehouse string
	cmd := c.getOf(&cobra.Command{
		Use: "candidates", Aliases: []string{"candidate"},
		Short: "Show what the subscriptions of a warehouse offer now, to make freight of",
		Example: `  argocd-waybill get candidates -p shop --warehouse shop
  argocd-waybill get candidates -p shop -o name    # as --artifact takes them`,
	}, func(ctx context.Context, _ string) error {
		r, err := c.route(ctx)
		if err != nil {
			return err
		}
		if warehouse, err = c.warehouse(ctx, r, warehouse); err != nil {
			return err
		}
		var found client.Document[v1.Candidates]
		if err := r.get(ctx, &found, nil, r.in("warehouses", warehouse, "candidates")...); err != nil {
			return err
		}
		if c.output == formatJSON || c.output == formatYAML {
			return c.write(found)
		}
		l := list[candidate]{
			none: "Warehouse " + warehouse + " offers nothing.", columns: c.candidateColumns(),
			name: func(o candidate) string { return o.of.String() + "=" + o.Version },
		}
		for i, of := range offered(found.Value) {
			if why := found.Value.Items[i].Error; why != "" {
				fmt.Fprintln(c.Err, clean(why))
			}
			for _, o := range found.Value.Items[i].Offers {
				l.items = append(l.items, client.Document[candidate]{Value: candidate{of, o}})
			}
		}
		return show(c, l)
	})
	cmd.Args = arguments(0, 0)
	c.warehouseFlag(cmd, &warehouse)
	return cmd
}

func (c *command) candidateColumns() []column[candidate] {
	return []column[candidate]{
		{title: "SUBSCRIPTION", cell: func(o candidate) string { return o.of.String() }},
		{title: "VERSION", cell: func(o candidate) string { return o.Version }},
		{title: "CREATED", cell: func(o candidate) string { return c.since(o.Detail.CreatedAt) }},
		{title: "AUTHOR", cell: func(o candidate) string { return o.Detail.Author }},
		{title: "SUBJECT", cell: func(o candidate) string { return o.Detail.Subject }},
		{title: "APP-VERSION", wide: true, cell: func(o candidate) string { return o.Detail.AppVersion }},
		{title: "REVISION", wide: true, cell: func(o candidate) string { return o.Detail.Revision }},
		{title: "SOURCE", wide: true, cell: func(o candidate) string { return o.Detail.Source }},
		{title: "PIN", wide: true, cell: func(o candidate) string {
			artifacts, _ := freight.Assemble([]freight.Offer{o.Offer.Offer})
			return pins(v1.Freight{Freight: freight.Freight{Artifacts: artifacts}})
		}},
	}
}
