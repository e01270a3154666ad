package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// trailerRecord names the head of the stage's chain of records when the commit
// was made: whoever can read the repository can check the chain against it.
const trailerRecord = "Waybill-Record"

// bill makes the waybill of a promotion, but for the Application's name. It
// holds nothing but what is recorded, so that a repeated step writes the same.
func (e *Engine) bill(ctx context.Context, s *Situation, p promotion.Promotion) (waybill.Waybill, []freight.Freight, error) {
	bill := waybill.Waybill{
		Stage:  s.Name.String(),
		Serial: p.Serial,
		Promotion: waybill.Promotion{
			ID: p.ID, By: p.Request.By, ApprovedBy: approvers(s, p), At: *p.StartedAt, Reason: p.Request.Reason,
		},
		Mirrors:    s.Stage.Mirrors,
		VerifiedIn: passedEverywhere(p),
	}
	loads := make([]freight.Freight, 0, len(p.Carries))
	for _, h := range p.Carries {
		f, err := e.FreightByID(ctx, s.Pipeline.Name, h.Freight)
		if err != nil {
			return bill, nil, err
		}
		loads = append(loads, f)
		bill.Freight = append(bill.Freight, waybill.Freight{ID: f.ID, Origin: f.Origin, Artifacts: f.Artifacts})
	}
	return bill, loads, nil
}

func groupByBranch(apps []argocd.Application) [][]argocd.Application {
	groups := map[string][]argocd.Application{}
	for _, a := range apps {
		key := freight.GitRepository(a.RepoURL) + " " + a.Branch
		groups[key] = append(groups[key], a)
	}
	ordered := make([][]argocd.Application, 0, len(groups))
	for _, g := range groups {
		ordered = append(ordered, g)
	}
	slices.SortFunc(ordered, func(a, b []argocd.Application) int { return cmp.Compare(a[0].Key(), b[0].Key()) })
	return ordered
}

// changeOf makes what a promotion commits to a branch, for all Applications that
// track it. It is the one rule for that: the step carries it out, and a preview
// shows what it gives.
func changeOf(s *Situation, p promotion.Promotion, bill waybill.Waybill, loads []freight.Freight, apps []argocd.Application) (gitrepo.Change, error) {
	repo := apps[0].RepoURL
	if apps[0].Branch == "" {
		return gitrepo.Change{}, fmt.Errorf("Application %s tracks whatever branch is the default of %s, where a waybill cannot be kept: set its targetRevision to a branch", apps[0].Key(), repo)
	}
	pinned, found, err := freight.CommitOf(loads, repo)
	if err != nil {
		return gitrepo.Change{}, err
	}
	if found && s.Stage.Branch == "" {
		return gitrepo.Change{}, fmt.Errorf("the freight pins commit %s of %s, from which Application %s is deployed: give stage %s a branch of its own (branch: env/%s), so that this very commit can be rendered",
			short(pinned.ID), repo, apps[0].Key(), s.Stage.Name, s.Stage.Name)
	}
	files := map[string][]byte{}
	for _, a := range apps {
		bill.Application = a.Instance
		file, err := bill.Marshal()
		if err != nil {
			return gitrepo.Change{}, err
		}
		files[a.WaybillPath()] = file
	}
	return gitrepo.Change{
		RepoURL:   repo,
		Branch:    apps[0].Branch,
		Own:       s.Stage.Branch != "",
		Base:      pinned.ID,
		Owner:     s.Name.String(),
		Files:     files,
		Judged:    slices.Sorted(maps.Keys(files)),
		Admits:    func(_ string, present []byte) error { return admits(present, s.Name.String(), p.Serial) },
		Message:   message(s, p, loads),
		Promotion: p.ID,
		Trailers:  []gitrepo.Trailer{{Key: trailerRecord, Value: cmp.Or(s.Record.Value.Head, "none")}},
		At:        *p.StartedAt,
	}, nil
}

// settleBase settles whose tree a stage branch is to have. What is handed on, and
// a rollback, need no approval, so they must not bring along what has come to the
// default branch since: the one keeps the tree that the branch has, the other
// brings back the one that its freight had there.
func (e *Engine) settleBase(ctx context.Context, s *Situation, p promotion.Promotion, c *gitrepo.Change) error {
	if !c.Own || c.Base != "" || !handsOn(p) && !p.Request.Rollback {
		return nil
	}
	all, err := e.Promotions(ctx, s.Pipeline.Name)
	if err != nil {
		return err
	}
	base := func(match func(promotion.Promotion) bool) string {
		return promotion.Base(all, s.Stage.Name, c.RepoURL, match)
	}
	if p.Request.Rollback {
		c.Base = base(func(before promotion.Promotion) bool {
			return before.Freight == p.Freight && before.Phase == promotion.Succeeded
		})
	}
	if c.Base == "" {
		c.Base = base(func(promotion.Promotion) bool { return true })
	}
	if c.Base == "" && p.Request.Rollback {
		return fmt.Errorf("no record tells which tree branch %s of %s had with this freight, and what the default branch holds now may never have been in %s: %w",
			c.Branch, c.RepoURL, s.Stage.Name, errNoBase)
	}
	return nil
}

// errNoBase ends a rollback of which nobody knows what to return to.
var errNoBase = errors.New("promote the freight, instead of rolling back to it")

// approvers are those whose approval counts under the stage's rule.
func approvers(s *Situation, p promotion.Promotion) []string {
	var names []string
	for _, a := range p.Counting(s.Stage.Approval) {
		names = append(names, a.By)
	}
	return names
}

// message tells in the repository's history what the promotion did, and by
// whose decision.
func message(s *Situation, p promotion.Promotion, loads []freight.Freight) string {
	var b strings.Builder
	verb := "Promote"
	if p.Request.Rollback {
		verb = "Roll back to"
	}
	summaries := make([]string, len(loads))
	for i, f := range loads {
		summaries[i] = f.Summary()
	}
	fmt.Fprintf(&b, "%s %s in %s\n\n", verb, strings.Join(summaries, ", "), s.Name)
	for _, f := range loads {
		fmt.Fprintf(&b, "Freight %s of warehouse %s.\n", f.ID, f.Origin)
	}
	fmt.Fprintf(&b, "Asked for by %s.\n", oneLine(p.Request.By))
	if names := approvers(s, p); len(names) > 0 {
		fmt.Fprintf(&b, "Approved by %s.\n", oneLine(strings.Join(names, ", ")))
	}
	if passed := passedEverywhere(p); len(passed) > 0 {
		fmt.Fprintf(&b, "Verified in %s.\n", strings.Join(passed, ", "))
	}
	if p.Request.Reason != "" {
		fmt.Fprintf(&b, "Reason: %s\n", oneLine(p.Request.Reason))
	}
	return b.String()
}

// oneLine keeps people's words from becoming lines, or trailers, of their own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
