package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
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
		fact, remedy := eligibility.Unbound(s.Stage.Name, s.Bound.Problems)
		return waiting("%s: %s", fact, remedy)
	}
	bill, loads, err := w.bill(ctx, s, *p)
	if err != nil {
		return retry(err)
	}
	groups := groupByBranch(s.Bound.Applications)
	changes := make([]gitrepo.Change, len(groups))
	for i, apps := range groups {
		if changes[i], err = changeOf(s, *p, bill, loads, apps); err != nil {
			return errored(err)
		}
	}
	// What is outdated, or cannot be vendored, is found before the first push, so
	// that nothing is left half written.
	for i, apps := range groups {
		if err := w.onBase(ctx, s, p, &changes[i], loads, apps); err != nil {
			return endsOrRetries(err)
		}
	}
	if err := w.upToDate(ctx, p, changes, groups); err != nil {
		return endsOrRetries(err)
	}
	results := make([]promotion.Result, 0, len(s.Bound.Applications))
	for i, apps := range groups {
		written, err := w.commit(ctx, p, changes[i], apps)
		var overtaken *newer
		switch {
		case errors.As(err, &overtaken):
			return w.follow(ctx, s, p, overtaken)
		case err != nil:
			return endsOrRetries(err)
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

// onBase settles what a change is made on, as far as that is known beforehand, and
// vendors the charts that are pinned.
func (w writeWaybill) onBase(ctx context.Context, s *Situation, p *promotion.Promotion, c *gitrepo.Change, loads []freight.Freight, apps []argocd.Application) (err error) {
	if err := w.settleBase(ctx, s, *p, c); err != nil {
		return err
	}
	if len(p.Rendered) > 0 {
		if *c, err = asRendered(p, *c, apps); err != nil {
			return err
		}
	}
	if len(pinsOf(loads)) == 0 {
		return nil
	}
	start, err := w.git.Start(ctx, *c)
	if err != nil {
		return err
	}
	if c.Own {
		c.Base = start
	}
	return w.vendor(ctx, s, c, loads, apps, start)
}

// endsOrRetries tells an error that lasts from one that may pass.
func endsOrRetries(err error) outcomeOf {
	for _, lasting := range []error{gitrepo.ErrRefused, errNoBase, errOutdated, errVendor} {
		if errors.Is(err, lasting) {
			return errored(err)
		}
	}
	return retry(err)
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
	for range attempts {
		written, err := w.git.Commit(ctx, c)
		if !errors.Is(err, gitrepo.ErrMoved) {
			return written, err
		}
		tip, err := w.stillRenders(ctx, p, c, apps)
		if err != nil {
			return gitrepo.Written{}, err
		}
		c.Tip = tip
	}
	return gitrepo.Written{}, fmt.Errorf("branch %s of %s moves too fast: it will be tried again", c.Branch, c.RepoURL)
}

// asRendered is the change on what was rendered when the promotion started.
func asRendered(p *promotion.Promotion, c gitrepo.Change, apps []argocd.Application) (gitrepo.Change, error) {
	for _, a := range apps {
		r, known := p.RenderedOf(a.Namespace, a.Name)
		if !known {
			return c, fmt.Errorf("%w: Application %s has joined the stage; preview it and ask again", errOutdated, a.Key())
		}
		if c.Own {
			c.Base = r.Commit
		}
		c.Tip = r.Commit
	}
	return c, nil
}

// upToDate tells whether all that an approval is bound to, in several branches, can
// still be written. One that holds its change already is what an earlier turn of
// the step wrote. A single branch needs no look beforehand: its commit takes one.
func (w writeWaybill) upToDate(ctx context.Context, p *promotion.Promotion, changes []gitrepo.Change, groups [][]argocd.Application) error {
	if len(p.Rendered) == 0 || len(groups) == 1 {
		return nil
	}
	for i, apps := range groups {
		c := changes[i]
		if c.Own {
			continue // from the very base that was rendered
		}
		branches, err := w.git.Branches(ctx, c.RepoURL)
		if err != nil {
			return err
		}
		tip, err := branches.Start(c)
		if err != nil {
			return err
		}
		if tip == c.Tip {
			continue
		}
		holds, err := w.holds(ctx, c, tip)
		if err == nil && !holds {
			_, err = w.stillRenders(ctx, p, c, apps)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether a commit has the files of a change.
func (w writeWaybill) holds(ctx context.Context, c gitrepo.Change, at string) (bool, error) {
	for path, want := range c.Files {
		present, err := w.git.File(ctx, c.RepoURL, at, path)
		if errors.Is(err, gitrepo.ErrNoFile) || err == nil && !bytes.Equal(present, want) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
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
		digest, err := w.previews.Digest(ctx, a, preview.Tree{Revision: tip, Files: c.Files, Removed: c.Removed})
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
