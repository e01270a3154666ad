package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

// writeWaybill commits the waybill of each Application, one commit for each
// repository and branch.
type writeWaybill struct{ *Engine }

func (writeWaybill) name() string { return "write-waybill" }

func (w writeWaybill) run(ctx context.Context, s *Situation, p *promotion.Promotion) outcomeOf {
	if len(s.Bound.Applications) == 0 {
		if s.Stage.ControlFlow {
			return done()
		}
		return waiting("no Application is bound to stage %s any more", s.Stage.Name)
	}
	bill, loads, err := w.bill(ctx, s, *p)
	if err != nil {
		return retry(err)
	}
	groups := groupByBranch(s.Bound.Applications)
	results := make([]promotion.Result, 0, len(s.Bound.Applications))
	for _, apps := range groups {
		change, err := changeOf(s, *p, bill, loads, apps)
		if err != nil {
			return errored(err)
		}
		if handsOn(*p) && change.Own && change.Base == "" {
			if change.Base, err = w.base(ctx, s, change); err != nil {
				return retry(err)
			}
		}
		written, err := w.commit(ctx, p, change, apps)
		var overtaken *newer
		switch {
		case errors.As(err, &overtaken):
			return w.follow(ctx, s, p, overtaken)
		case errors.Is(err, gitrepo.ErrRefused), errors.Is(err, errOutdated):
			return errored(err)
		case err != nil:
			return retry(err)
		}
		for _, a := range apps {
			results = append(results, promotion.Result{
				Namespace: a.Namespace, Name: a.Name, Phase: promotion.Running,
				RepoURL: a.RepoURL, Branch: a.Branch, Revision: written.Commit, Base: written.Base,
			})
		}
		// What is written counts at once, even if the next repository refuses.
		p.Applications = slices.Clone(results)
	}
	return done()
}

// errOutdated ends a promotion that would render something else than what was
// approved. Its approvals were for that alone, and what runs cannot wait again:
// whoever wants the new result asks for it.
var errOutdated = errors.New("what would be rendered has changed since it was approved")

// commit makes the change, on what was rendered when the promotion started, where
// an approval is bound to that: on a stage branch from that very base, on a
// shared one on that very tip. Where others have pushed since, what the
// Applications render must be the same on the new tip.
func (w writeWaybill) commit(ctx context.Context, p *promotion.Promotion, c gitrepo.Change, apps []argocd.Application) (gitrepo.Written, error) {
	if len(p.Rendered) == 0 {
		return w.git.Commit(ctx, c)
	}
	for _, a := range apps {
		r, known := p.RenderedOf(a.Namespace, a.Name)
		if !known {
			return gitrepo.Written{}, fmt.Errorf("%w: Application %s has joined the stage; preview it and ask again", errOutdated, a.Key())
		}
		if c.Own {
			c.Base = r.Commit
		}
		c.Tip = r.Commit
	}
	for range attempts {
		written, err := w.git.Commit(ctx, c)
		if !errors.Is(err, gitrepo.ErrMoved) {
			return written, err
		}
		if c.Tip, err = w.stillRenders(ctx, p, c, apps); err != nil {
			return gitrepo.Written{}, err
		}
	}
	return gitrepo.Written{}, fmt.Errorf("branch %s of %s moves too fast: it will be tried again", c.Branch, c.RepoURL)
}

// stillRenders tells whether the Applications render on the branch's tip, which
// it returns, what they rendered when the promotion started.
func (w writeWaybill) stillRenders(ctx context.Context, p *promotion.Promotion, c gitrepo.Change, apps []argocd.Application) (tip string, err error) {
	branches, err := w.git.Branches(ctx, c.RepoURL)
	if err != nil {
		return "", err
	}
	if tip, err = branches.Start(c); err != nil {
		return "", err
	}
	for _, a := range apps {
		digest, err := w.previews.Digest(ctx, a, preview.Tree{Revision: tip, Files: c.Files})
		var refusal *preview.Refusal
		switch before, _ := p.RenderedOf(a.Namespace, a.Name); {
		case errors.As(err, &refusal):
			return "", fmt.Errorf("%w: Application %s cannot be rendered on branch %s any more (%s); ask again once it can", errOutdated, a.Key(), c.Branch, refusal.Sentence)
		case err != nil:
			return "", err
		case digest != before.Digest:
			return "", fmt.Errorf("%w: others have pushed to branch %s what changes Application %s; preview it and ask again", errOutdated, c.Branch, a.Key())
		}
	}
	return tip, nil
}
