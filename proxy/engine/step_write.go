package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
		change, err := w.change(s, *p, bill, loads, apps)
		if err != nil {
			return errored(err)
		}
		if handsOn(*p) && change.Own && change.Base == "" {
			if change.Base, err = w.base(ctx, s, change); err != nil {
				return retry(err)
			}
		}
		written, err := w.git.Commit(ctx, change)
		var overtaken *newer
		switch {
		case errors.As(err, &overtaken):
			return w.follow(ctx, s, p, overtaken)
		case errors.Is(err, gitrepo.ErrRefused):
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

// bill makes the waybill of a promotion, but for the Application's name. It
// holds nothing but what is recorded, so that a repeated step writes the same.
func (w writeWaybill) bill(ctx context.Context, s *Situation, p promotion.Promotion) (waybill.Waybill, []freight.Freight, error) {
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
		f, err := w.FreightByID(ctx, s.Pipeline.Name, h.Freight)
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

func (w writeWaybill) change(s *Situation, p promotion.Promotion, bill waybill.Waybill, loads []freight.Freight, apps []argocd.Application) (gitrepo.Change, error) {
	repo := apps[0].RepoURL
	if apps[0].Branch == "" {
		return gitrepo.Change{}, fmt.Errorf("Application %s tracks whatever branch is the default of %s, where a waybill cannot be kept: set its targetRevision to a branch", apps[0].Key(), repo)
	}
	pinned := commitOf(loads, repo)
	if pinned != "" && s.Stage.Branch == "" {
		return gitrepo.Change{}, fmt.Errorf("the freight pins commit %s of %s, from which Application %s is deployed: give stage %s a branch of its own (branch: env/%s), so that this very commit can be rendered",
			short(pinned), repo, apps[0].Key(), s.Stage.Name, s.Stage.Name)
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
		Base:      pinned,
		Owner:     s.Name.String(),
		Files:     files,
		Admits:    func(_ string, present []byte) error { return admits(present, s.Name.String(), p.Serial) },
		Message:   message(s, p, loads),
		Promotion: p.ID,
		Trailers:  []gitrepo.Trailer{{Key: trailerRecord, Value: cmp.Or(s.Record.Value.Head, "none")}},
		At:        *p.StartedAt,
	}, nil
}

// base returns the commit whose tree a stage branch has: that of the newest
// promotion that wrote to it. What is handed on needs no approval, so it must
// not bring along what has come to the default branch since.
func (w writeWaybill) base(ctx context.Context, s *Situation, c gitrepo.Change) (base string, err error) {
	all, err := w.Promotions(ctx, s.Pipeline.Name)
	if err != nil {
		return "", err
	}
	var newest int64
	for _, p := range all {
		for _, r := range p.Applications {
			if p.Stage == s.Stage.Name && p.Serial >= newest && r.Base != "" && r.Branch == c.Branch &&
				freight.GitRepository(r.RepoURL) == freight.GitRepository(c.RepoURL) {
				base, newest = r.Base, p.Serial
			}
		}
	}
	return base, nil
}

// newer is the error of a waybill that the branch holds and that a later
// promotion of the stage has written.
type newer struct{ serial int64 }

func (n *newer) Error() string {
	return fmt.Sprintf("Git holds a waybill of a later promotion of the stage (serial %d)", n.serial)
}

// admits tells whether a promotion may replace what stands where its waybill
// goes: anything but a later waybill of the stage. It is what keeps a replica
// that was frozen before its push, and wakes after its successor's, from undoing
// that.
func admits(present []byte, stage string, serial int64) error {
	bill, err := waybill.Parse(present)
	if err == nil && bill.Stage == stage && bill.Serial > serial {
		return &newer{bill.Serial}
	}
	return nil
}

// follow deals with a later waybill. Where the stage is another promotion's by
// now, this process has slept and must not write. Else the stage's record was
// lost and counts anew: the waybills are the truth, and the count goes on from
// there. It is stored before anything is written, so that a repeated step writes
// the same.
func (w writeWaybill) follow(ctx context.Context, s *Situation, p *promotion.Promotion, later *newer) outcomeOf {
	now, err := w.store.StageNow(ctx, s.Name)
	switch {
	case err != nil:
		return retry(err)
	case now.Running != p.ID || now.Serial >= later.serial:
		return retry(fmt.Errorf("%w, and the stage is that promotion's", later))
	}
	p.Serial = later.serial + 1
	return waiting("%s, of which the stage's record knows nothing: this one is serial %d", later, p.Serial)
}

// commitOf returns the commit of a repository that the freight pins, if any.
func commitOf(loads []freight.Freight, repo string) string {
	for _, f := range loads {
		for _, c := range f.Commits {
			if freight.GitRepository(c.RepoURL) == freight.GitRepository(repo) {
				return c.ID
			}
		}
	}
	return ""
}

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
