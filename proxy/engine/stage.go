package engine

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/store"
)

// advance is a stage's loop: it takes note of what has ended, asks for what
// auto-promotion wants, starts the next promotion, and runs the one that has
// the stage.
func (e *Engine) advance(ctx context.Context, name pipeline.StageName) (reconcile.Result, error) {
	p, err := e.Pipeline(ctx, name.Pipeline)
	if errors.Is(err, ErrNotFound) {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	s, err := e.Situation(ctx, p, name.Stage)
	if errors.Is(err, ErrNotFound) {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	// Each of these stores at most one change of the stage's record and then
	// asks for another turn, so that every turn decides on what is stored.
	for _, do := range []func(context.Context, *Situation) (bool, error){
		e.absorb, e.endWaiting, e.automate, e.startNext, e.handOn,
	} {
		changed, err := do(ctx, &s)
		if err != nil {
			return again(err)
		}
		if changed {
			return reconcile.Result{Requeue: true}, nil
		}
	}
	if s.Record.Value.Running != "" {
		return e.run(ctx, &s)
	}
	return reconcile.Result{RequeueAfter: e.nextChange(s)}, nil
}

// absorb takes note of a promotion that ended when the stage's record could not
// be written any more: the next link of the chain.
func (e *Engine) absorb(ctx context.Context, s *Situation) (bool, error) {
	next, found, err := e.store.EndedAfter(ctx, s.Name, s.Record.Value.Head)
	if err != nil || !found {
		return false, err
	}
	return true, e.conclude(ctx, s, next)
}

// conclude moves the stage past a promotion that has ended.
func (e *Engine) conclude(ctx context.Context, s *Situation, r store.Record[promotion.Promotion]) error {
	p, record := r.Value, &s.Record.Value
	if wrote(p) {
		record.Enter(p, *p.FinishedAt)
		record.Applications = keys(p)
	}
	if p.Phase == promotion.Succeeded {
		record.Verify(p, *p.FinishedAt)
	}
	record.Serial = max(record.Serial, p.Serial) // of a record that was lost
	record.Finish(p, r.Text)
	if err := e.store.PutStage(ctx, s.Name, &s.Record); err != nil {
		return err
	}
	e.ended(s.Name, p)
	return nil
}

// wrote tells whether a waybill of the promotion has been written, or there was
// none to write.
func wrote(p promotion.Promotion) bool {
	for _, a := range p.Applications {
		if a.Revision != "" {
			return true
		}
	}
	return p.Phase == promotion.Succeeded
}

func keys(p promotion.Promotion) []string {
	all := make([]string, 0, len(p.Applications))
	for _, a := range p.Applications {
		if a.Revision != "" {
			all = append(all, a.Namespace+"/"+a.Name)
		}
	}
	return all
}

// end makes a promotion final and moves the stage past it.
func (e *Engine) end(ctx context.Context, s *Situation, r store.Record[promotion.Promotion], phase promotion.Phase, reason, message string) error {
	r.Value.End(phase, reason, message, s.Record.Value.Head, e.Now())
	for i := range r.Value.Applications {
		if a := &r.Value.Applications[i]; !a.Phase.Ended() {
			a.Phase = phase
		}
	}
	if err := e.put(ctx, s.Pipeline.Name, &r); err != nil {
		return err
	}
	return e.conclude(ctx, s, r)
}

// run carries the promotion that has the stage one step further.
func (e *Engine) run(ctx context.Context, s *Situation) (reconcile.Result, error) {
	r, err := e.store.Promotion(ctx, s.Pipeline.Name, s.Record.Value.Running)
	if errors.Is(err, store.ErrNotFound) {
		// Somebody deleted it: the stage is free again.
		s.Record.Value.Running = ""
		return again(e.store.PutStage(ctx, s.Name, &s.Record))
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if r.Value.Phase.Ended() {
		return again(e.conclude(ctx, s, r))
	}
	if r.Value.Phase == promotion.Pending {
		// In a turn of its own: what is rendered before the start, and the steps,
		// may be too long for one, see stuck.
		if err := e.start(ctx, s, &r); err != nil {
			return again(err)
		}
		return reconcile.Result{Requeue: true}, nil
	}
	return e.runSteps(ctx, s, r)
}

// start makes the promotion that was given the stage run, unless it has become
// wrong since an earlier turn gave it the stage: then it ends, or the stage is
// taken back.
func (e *Engine) start(ctx context.Context, s *Situation, r *store.Record[promotion.Promotion]) error {
	reason, message, err := e.ending(ctx, s, r.Value)
	switch {
	case err != nil:
		return err
	case reason != "":
		return e.end(ctx, s, *r, promotion.Aborted, reason, message)
	}
	verdict, err := e.Judge(ctx, *s, r.Value)
	if err != nil {
		return err
	}
	if !verdict.Ready {
		return e.release(ctx, s)
	}
	if r.Value.Bound() {
		if same, err := e.rendersAsApproved(ctx, s, r); !same || err != nil {
			return err
		}
	}
	carries := s.carries(promotion.Held{Origin: r.Value.Origin, Freight: r.Value.Freight})
	r.Value.Document, r.Value.Message = s.Pipeline.Hash, ""
	r.Value.Start(s.Record.Value.Serial, carries, s.evidence(carries), e.Steps(), e.Now())
	if err := e.store.PutPromotion(ctx, r); err != nil {
		return err
	}
	e.event(s.Pipeline.Name, corev1.EventTypeNormal, "PromotionRunning", "promotion %s to %s runs: freight %s", r.Value.ID, s.Stage.Name, short(r.Value.Freight))
	return nil
}

// release takes the stage back from a promotion that was given it and waits on.
func (e *Engine) release(ctx context.Context, s *Situation) error {
	s.Record.Value.Running = ""
	return e.store.PutStage(ctx, s.Name, &s.Record)
}

// nextChange is when something about the stage changes by itself: the end of a
// soak, or of the pause of a promotion. Zero for never.
func (e *Engine) nextChange(s Situation) time.Duration {
	var next time.Duration
	for _, r := range s.Open {
		if left := e.rests.left(r.Value.ID, e.Now()); left > 0 && (next == 0 || left < next) {
			next = left
		}
	}
	for _, request := range s.Stage.RequestedFreight {
		id := s.Candidates[request.Origin.Name]
		for _, up := range request.Sources.Stages {
			record := s.Upstream[up]
			at, soaks := record.SoakedAt(id, time.Duration(request.Sources.RequiredSoakTime))
			if wait := at.Sub(e.Now()); soaks && wait > 0 && (next == 0 || wait < next) {
				next = wait
			}
		}
	}
	return next
}

// application returns the Application of a result as it is now.
func (s Situation) application(r promotion.Result) (argocd.Application, bool) {
	for _, a := range s.Bound.Applications {
		if a.Namespace == r.Namespace && a.Name == r.Name {
			return a, true
		}
	}
	return argocd.Application{}, false
}
