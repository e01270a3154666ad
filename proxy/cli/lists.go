package cli

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

const (
	// defaultLimit of a list for people.
	defaultLimit = 30
	// pageSize of the requests that a list is made of.
	pageSize = 100
	// maxPages bounds what is kept of a list.
	maxPages = 100
)

func limitFlag(cmd *cobra.Command, limit *int) {
	cmd.Flags().IntVar(limit, "limit", defaultLimit, "show at most this many, the newest; 0 shows all")
}

// pages reads a paged list, newest first, up to a limit; 0 for all of it.
func pages[T any](ctx context.Context, r *route, query url.Values, limit int, kind string) ([]client.Document[T], error) {
	var all []client.Document[T]
	for range maxPages {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(all))
		}
		query.Set("limit", strconv.Itoa(size))
		var page struct {
			Items []client.Document[T] `json:"items"`
			Next  string               `json:"next"`
		}
		if err := r.get(ctx, &page, query, r.in(kind)...); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		// A page without items ends the list whatever its cursor says.
		if page.Next == "" || len(page.Items) == 0 || limit > 0 && len(all) >= limit {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
	return nil, fmt.Errorf("the list of %s has more than %d entries: ask for fewer with --limit", kind, maxPages*pageSize)
}

func (c *command) getFreight() *cobra.Command {
	var limit int
	cmd := c.getOf(&cobra.Command{
		Use:               "freight [id, alias or version]",
		Short:             "Show the freight of a pipeline and how far each has got",
		ValidArgsFunction: first(c.completeFreight),
	}, func(ctx context.Context, name string) error {
		if limit < 0 {
			return usage("--limit must not be negative")
		}
		r, err := c.route(ctx)
		if err != nil {
			return err
		}
		l := list[v1.Freight]{
			single: name != "",
			none:   "No freight in pipeline " + r.pipeline.Short() + " yet.", columns: c.freightColumns(),
			name: func(f v1.Freight) string { return f.ID },
		}
		if name == "" {
			l.items, err = pages[v1.Freight](ctx, r, url.Values{}, limit, "freight")
		} else {
			l.items, err = findFreight(ctx, r, name)
		}
		if err != nil {
			return err
		}
		return show(c, l)
	})
	limitFlag(cmd, &limit)
	return cmd
}

// findFreight finds the freight of a name. One with a slash, as tags of Git may
// have, cannot stand in a path: it is looked for in the list, by the same rule.
func findFreight(ctx context.Context, r *route, name string) ([]client.Document[v1.Freight], error) {
	if strings.Contains(name, "/") {
		return findListed(ctx, r, name, "")
	}
	found := make([]client.Document[v1.Freight], 1)
	return found, r.get(ctx, &found[0], nil, r.in("freight", name)...)
}

// notFoundError tells that a name is of no freight in a list, or of several.
type notFoundError struct{ error }

func (e *notFoundError) Unwrap() error { return e.error }

// findListed finds the freight of a name in the list, among that of one warehouse
// where it is named.
func findListed(ctx context.Context, r *route, name, warehouse string) ([]client.Document[v1.Freight], error) {
	all, err := pages[v1.Freight](ctx, r, url.Values{}, 0, "freight")
	if err != nil {
		return nil, err
	}
	var plain []freight.Freight
	for _, f := range all {
		if warehouse == "" || f.Value.Origin == warehouse {
			plain = append(plain, f.Value.Freight)
		}
	}
	found, err := freight.Find(plain, name)
	if err != nil && warehouse != "" {
		err = fmt.Errorf("warehouse %s: %w", warehouse, err)
	}
	if err != nil {
		return nil, &notFoundError{err}
	}
	return slices.DeleteFunc(all, func(f client.Document[v1.Freight]) bool { return f.Value.ID != found.ID }), nil
}

func (c *command) getPromotions() *cobra.Command {
	var (
		limit int
		stage string
	)
	cmd := c.getOf(&cobra.Command{
		Use: "promotions [id]", Aliases: []string{"promotion"},
		Short:             "Show promotions: who asked for what, and how it went",
		ValidArgsFunction: first(c.completePromotions),
	}, func(ctx context.Context, name string) error {
		if limit < 0 {
			return usage("--limit must not be negative")
		}
		r, err := c.routeOfPromotion(ctx, name)
		if err != nil {
			return err
		}
		l := list[v1.Promotion]{
			single: name != "",
			none:   "No promotions in pipeline " + r.pipeline.Short() + " yet.", columns: c.promotionColumns(),
			name: func(p v1.Promotion) string { return p.ID },
		}
		if name != "" {
			l.items = make([]client.Document[v1.Promotion], 1)
			if err := r.get(ctx, &l.items[0], nil, r.in("promotions", name)...); err != nil {
				return err
			}
			return show(c, l)
		}
		query := url.Values{}
		if stage != "" {
			query.Set("stage", stage)
			l.none = "No promotions to " + r.pipeline.Short() + "/" + stage + " yet."
		}
		if l.items, err = pages[v1.Promotion](ctx, r, query, limit, "promotions"); err != nil {
			return err
		}
		return show(c, l)
	})
	limitFlag(cmd, &limit)
	cmd.Flags().StringVar(&stage, "stage", "", "only promotions to this stage")
	c.complete(cmd, "stage", c.completeStages)
	return cmd
}
