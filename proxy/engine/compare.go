package engine

import (
	"context"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// Comparison is what lies between two pieces of freight of one origin.
type Comparison struct {
	From, To  freight.Freight
	Artifacts []ArtifactComparison
	// Between is the freight that was found in between, newest first.
	Between []freight.Freight
	// Backwards tells that To is the older one.
	Backwards bool
	// More tells that there is more than Between holds.
	More bool
}

// ArtifactComparison is what becomes of one artifact.
type ArtifactComparison struct {
	freight.Difference
	// Commits are those between, where both pin a commit.
	Commits gitrepo.Between
	// Problem is why they are not known.
	Problem string
}

const (
	maxBetween = 100
	// maxHistories bounds the repositories whose history one comparison fetches.
	maxHistories = 8
)

// Compare tells what lies between two pieces of freight, named as people name
// them.
func (e *Engine) Compare(ctx context.Context, p Pipeline, from, to string) (Comparison, error) {
	all, err := e.store.Freight(ctx, p.Name)
	if err != nil {
		return Comparison{}, err
	}
	var c Comparison
	if c.From, err = freight.Find(all, from); err != nil {
		return c, notFound("pipeline %s: %s", p.Name.Short(), err)
	}
	if c.To, err = freight.Find(all, to); err != nil {
		return c, notFound("pipeline %s: %s", p.Name.Short(), err)
	}
	if c.From.Origin != c.To.Origin {
		return c, invalid("freight %s is of warehouse %s, and %s of %s: compare freight of one warehouse",
			short(c.From.ID), c.From.Origin, short(c.To.ID), c.To.Origin)
	}
	c.Between, c.Backwards = freight.Between(all, c.From, c.To)
	if len(c.Between) > maxBetween {
		c.Between, c.More = c.Between[:maxBetween], true
	}
	histories := 0
	for _, d := range freight.Compare(c.From.Artifacts, c.To.Artifacts) {
		a := ArtifactComparison{Difference: d}
		if d.Kind == freight.KindCommit && d.Changed && d.From != nil && d.To != nil && d.From.ID != d.To.ID {
			if histories++; histories > maxHistories {
				a.Problem = "too many repositories at once: compare the commits in Git"
			} else if a.Commits, err = e.git.Between(ctx, d.Artifact, d.From.ID, d.To.ID); err != nil {
				a.Problem = err.Error()
			}
		}
		c.Artifacts = append(c.Artifacts, a)
	}
	return c, ctx.Err()
}
