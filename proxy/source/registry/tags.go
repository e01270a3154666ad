package registry

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

const (
	// pageSize is as large as every registry takes: Amazon's refuses more.
	pageSize = 1000
	// maxPages bounds a list whose pages are small.
	maxPages = 2000
)

// tagPattern is the grammar of the OCI distribution specification.
var tagPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// Tags returns all tags, or an error where any page of their list cannot be had.
// What is no tag by OCI's grammar is left out, and what is there twice, once.
func (r *Repository) Tags(ctx context.Context) ([]string, error) {
	pages, err := r.puller.Lister(ctx, r.name)
	if err != nil {
		return nil, r.describe(ctx, err)
	}
	var tags []string
	seen, links, before, told := map[string]bool{}, map[string]bool{}, "", 0
	for pages.HasNext() {
		page, err := pages.Next(ctx)
		if err != nil {
			return nil, r.describe(ctx, err)
		}
		known := len(seen)
		told += len(page.Tags)
		for _, tag := range page.Tags {
			if !seen[tag] && tagPattern.MatchString(tag) {
				tags = append(tags, tag)
			}
			seen[tag] = true
		}
		if len(seen) == known && strings.HasSuffix(before, doubt) {
			break // the page before was the last
		}
		if told > r.registries.options.MaxTags || len(links) > maxPages {
			return nil, r.describe(ctx, errTooMany)
		}
		if links[page.Next] {
			return nil, sentence.Fail(ErrUnreachable, nil, "the pages of the list of tags of %s lead in a circle: check the registry", r.access.RepoURL)
		}
		if page.Next != "" {
			links[page.Next] = true
		}
		before = page.Next
	}
	return tags, nil
}

// Gone makes sure of tags that were on the list once and are not any more: that
// they were removed. Where one is there, the list is not whole, and what would be
// chosen from it a part of the truth: [ErrPartial].
func (r *Repository) Gone(ctx context.Context, tags []string) error {
	const atOnce = 8
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, tag := range tags {
		group.Go(func() error {
			switch _, err := r.Head(each, tag); {
			case errors.Is(err, ErrGone):
				return nil
			case err != nil && !errors.Is(err, ErrUnusable): // which is there
				return err
			}
			return sentence.Fail(ErrPartial, nil, "the list of tags of %s is not whole: the tag %s is missing on it, and is there: the next look reads it anew", r.access.RepoURL, tag)
		})
	}
	return group.Wait()
}
