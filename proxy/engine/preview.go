package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
	"github.com/waybill-cd/waybill/proxy/store"
)

// ErrPreview tells that what would be rendered is not what was seen.
var ErrPreview = errors.New("the preview is not the present one")

// ErrUnavailable tells that something outside of Waybill did not answer: the
// same request may succeed later.
var ErrUnavailable = errors.New("not available now")

// Preview is what a promotion of freight would change in a stage.
type Preview struct {
	Freight freight.Freight
	// Carries is all the freight that the waybills would hold.
	Carries []promotion.Held
	// Digest is that of all that the Applications would render; empty where one
	// of them renders nothing.
	Digest       string
	Applications []preview.Application
}

// Preview renders what the Applications of a stage render now and what they
// would with freight, and tells the difference; with rollback, that of a return to
// it. It asks each repository once where its branches stand.
func (e *Engine) Preview(ctx context.Context, p Pipeline, stage, named string, rollback bool) (Preview, error) {
	s, err := e.Situation(ctx, p, stage)
	if err != nil {
		return Preview{}, err
	}
	f, err := e.FindFreight(ctx, p.Name, named, s.Origins()...)
	if err != nil {
		return Preview{}, err
	}
	if _, requested := s.Stage.Requests(f.Origin); !requested {
		return Preview{}, invalid("stage %s does not request freight of warehouse %s", s.Stage.Name, f.Origin)
	}
	held := promotion.Held{Origin: f.Origin, Freight: f.ID}
	shown := Preview{Freight: f, Carries: s.carries(held)}
	plans, err := e.plan(ctx, &s, held, rollback)
	if err != nil {
		return shown, err
	}
	shown.Applications = make([]preview.Application, len(plans))
	rendered := make([]promotion.Rendered, len(plans))
	err = each(ctx, plans, func(ctx context.Context, i int, pl plan) error {
		a, err := pl.compare(ctx, e.previews)
		shown.Applications[i], rendered[i] = a, pl.rendered(a.Digest)
		return err
	})
	if err != nil {
		return shown, err
	}
	shown.Digest = promotion.PreviewDigest(rendered)
	return shown, nil
}

// plan is what a promotion would have one Application render.
type plan struct {
	app argocd.Application
	// now is the Application's branch as it is, next what the promotion would
	// make of it.
	now, next preview.Tree
	// err is why it would make nothing.
	err error
}

// plan makes the trees that a promotion would commit. They differ from the
// promotion's own in what is not known before it starts (its ID, its time, who
// approved), which no manifest is made from; so that all previews of the same
// freight are the same.
func (e *Engine) plan(ctx context.Context, s *Situation, f promotion.Held, rollback bool) ([]plan, error) {
	if e.previews == nil {
		return nil, &refusal{"this installation of Waybill renders no previews", ErrUnavailable}
	}
	never := time.Unix(0, 0).UTC()
	p := promotion.Promotion{
		ID: "preview", Serial: 1, Origin: f.Origin, Freight: f.Freight, Carries: s.carries(f), StartedAt: &never,
		Request: promotion.Request{By: promotion.System, Rollback: rollback},
	}
	bill, loads, err := e.bill(ctx, s, p)
	if err != nil {
		return nil, err
	}
	asked := map[string]asked{}
	var plans []plan
	for _, apps := range groupByBranch(s.Bound.Applications) {
		repository := freight.GitRepository(apps[0].RepoURL)
		answer, known := asked[repository]
		if !known {
			answer.branches, answer.err = e.git.Branches(ctx, apps[0].RepoURL)
			asked[repository] = answer
		}
		next, err := e.next(ctx, answer, s, p, bill, loads, apps)
		for _, a := range apps {
			pl := plan{app: a, next: next, err: err}
			// A branch that is not there yet holds nothing.
			pl.now.Revision, _ = answer.branches.Tip(a.Branch)
			plans = append(plans, pl)
		}
	}
	return plans, nil
}

// asked is where the branches of a repository stand, or why that is not known.
type asked struct {
	branches gitrepo.Branches
	err      error
}

// next is the tree that a promotion would commit to the branch of Applications.
func (e *Engine) next(ctx context.Context, a asked, s *Situation, p promotion.Promotion, bill waybill.Waybill, loads []freight.Freight, apps []argocd.Application) (preview.Tree, error) {
	if a.err != nil {
		return preview.Tree{}, a.err
	}
	c, err := changeOf(s, p, bill, loads, apps)
	if err != nil {
		return preview.Tree{}, &preview.Refusal{Sentence: err.Error()}
	}
	var start string
	err = e.settleBase(ctx, s, p, &c)
	if err == nil {
		start, err = a.branches.Start(c)
	}
	if err == nil {
		err = e.vendor(ctx, s, &c, loads, apps, start)
	}
	if errors.Is(err, errVendor) || errors.Is(err, errNoBase) {
		err = &preview.Refusal{Sentence: err.Error()}
	}
	return preview.Tree{Revision: start, Files: c.Files, Removed: c.Removed}, err
}

// compare tells what would change. What keeps it from being rendered is part of
// the answer.
func (pl plan) compare(ctx context.Context, previews Previews) (preview.Application, error) {
	var (
		a   preview.Application
		err = pl.err
	)
	if err == nil {
		a, err = previews.Compare(ctx, pl.app, pl.now, pl.next)
	}
	if err != nil {
		a = preview.Application{Namespace: pl.app.Namespace, Name: pl.app.Name, Prunes: pl.app.Prunes(), Problem: err.Error()}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return a, ctx.Err() // nobody waits for it any more
	}
	return a, nil
}

func (pl plan) rendered(digest string) promotion.Rendered {
	return promotion.Rendered{Namespace: pl.app.Namespace, Name: pl.app.Name, Digest: digest, Commit: pl.next.Revision}
}

// maxAtOnce bounds the Applications that are looked at together. The renderer
// bounds its processes itself.
const maxAtOnce = 8

// each does something for all plans. A fault in that is an error of its plan's: it
// must not end the process, which all else depends on.
func each(ctx context.Context, plans []plan, do func(context.Context, int, plan) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxAtOnce)
	for i, pl := range plans {
		group.Go(func() (err error) {
			defer func() {
				if fault := recover(); fault != nil {
					log.FromContext(ctx).Error(fmt.Errorf("panic: %v", fault), "a preview failed", "application", pl.app.Key(), "stack", string(debug.Stack()))
					err = fmt.Errorf("what Application %s renders cannot be told, because of a fault in Waybill: report what the proxy's log says of it", pl.app.Key())
				}
			}()
			return do(ctx, i, pl)
		})
	}
	return group.Wait()
}

// render returns what the Applications of a stage would render by a promotion. The
// sentence tells why one of them renders nothing; the error is for what may be
// otherwise at the next try.
func (e *Engine) render(ctx context.Context, s *Situation, p promotion.Promotion) (all []promotion.Rendered, sentence string, err error) {
	plans, err := e.plan(ctx, s, promotion.Held{Origin: p.Origin, Freight: p.Freight}, p.Request.Rollback)
	if err != nil {
		return nil, "", err
	}
	all = make([]promotion.Rendered, len(plans))
	sentences := make([]string, len(plans))
	err = each(ctx, plans, func(ctx context.Context, i int, pl plan) error {
		digest, err := "", pl.err
		if err == nil {
			digest, err = e.previews.Digest(ctx, pl.app, pl.next)
		}
		all[i] = pl.rendered(digest)
		if errors.As(err, new(*preview.Refusal)) || errors.Is(err, gitrepo.ErrRefused) {
			sentences[i], err = err.Error(), nil
		}
		return err
	})
	return all, cmp.Or(sentences...), err
}

// checkPreview tells why an approval of a preview is not taken: the preview is
// not what would be rendered now.
func (e *Engine) checkPreview(ctx context.Context, p Pipeline, id, seen string) error {
	if !promotion.IsPreviewDigest(seen) {
		return invalid("preview is not the digest of a preview: sha256: and 64 hex digits")
	}
	r, err := e.Promotion(ctx, p, id)
	if err != nil {
		return err
	}
	s, err := e.Situation(ctx, p, r.Value.Stage)
	if err != nil {
		return err
	}
	all, sentence, err := e.render(ctx, &s, r.Value)
	switch present := promotion.PreviewDigest(all); {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnavailable):
		return err
	case err != nil:
		return &refusal{"the preview cannot be compared with what would be rendered now: " + err.Error(), ErrUnavailable}
	case sentence != "":
		return &refusal{"promotion " + id + " cannot be approved for a preview: " + sentence, ErrPreview}
	case present == "":
		return &refusal{"promotion " + id + " cannot be approved for a preview, because no Application renders anything: approve it without one", ErrPreview}
	case present != seen:
		return &refusal{fmt.Sprintf("what promotion %s would render has changed since that preview (it is %s now): look at the preview again", id, present), ErrPreview}
	}
	return nil
}

// rendersAsApproved tells whether a promotion that is about to start would render
// what its approvals are bound to, and records what that is. Those that were
// given to something else lose their count, and the promotion waits on for
// others: nothing has been written for it.
func (e *Engine) rendersAsApproved(ctx context.Context, s *Situation, r *store.Record[promotion.Promotion]) (bool, error) {
	all, sentence, err := e.renderInTime(ctx, s, r.Value)
	if err != nil {
		if err := e.postpone(ctx, s, r, err); err != nil {
			return false, err
		}
		return false, e.release(ctx, s)
	}
	why := "what would be rendered has changed since: look at the preview again"
	if sentence != "" {
		why = "there is nothing any more that an approval can be bound to: " + sentence
	}
	r.Value.Rendered = all
	if !r.Value.Outdate(promotion.PreviewDigest(all), why) {
		return true, nil
	}
	r.Value.Rendered, r.Value.Message = nil, ""
	if err := e.store.PutPromotion(ctx, r); err != nil {
		return false, err
	}
	e.event(s.Pipeline.Name, corev1.EventTypeWarning, "PromotionOutdated", "approvals of promotion %s to %s count no longer: %s", r.Value.ID, s.Stage.Name, why)
	return false, e.release(ctx, s)
}

func (e *Engine) renderInTime(ctx context.Context, s *Situation, p promotion.Promotion) ([]promotion.Rendered, string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return e.render(ctx, s, p)
}

// postpone leaves a promotion alone for a while of which cannot be told now whether
// it renders what was approved: others, a rollback above all, must not wait for
// that. The record tells why.
func (e *Engine) postpone(ctx context.Context, s *Situation, r *store.Record[promotion.Promotion], cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sentence := promotion.Clip("it could not be compared with what was approved and will be tried again: " + cause.Error())
	if r.Value.Message != sentence {
		r.Value.Message = sentence
		if err := e.store.PutPromotion(ctx, r); err != nil {
			return err
		}
		e.event(s.Pipeline.Name, corev1.EventTypeWarning, "PromotionPostponed", "promotion %s to %s does not start: %s", r.Value.ID, s.Stage.Name, sentence)
	}
	e.rests.rest(r.Value.ID, e.Now(), pauseAfter(cause, afterPostponing))
	return nil
}

// postponed tries again what a promotion was postponed for, before it is given the
// stage: as long as that fails, nothing is written. It tells whether it still does.
func (e *Engine) postponed(ctx context.Context, s *Situation, r *store.Record[promotion.Promotion]) (bool, error) {
	if r.Value.Message == "" || !r.Value.Bound() {
		return false, nil
	}
	_, _, cause := e.renderInTime(ctx, s, r.Value)
	if cause == nil {
		return false, nil
	}
	return true, e.postpone(ctx, s, r, cause)
}
