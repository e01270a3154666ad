package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		e.absorb, e.endDecided, e.endIneligible, e.automate, e.handOn, e.startNext,
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
	if err := e.store.PutPromotion(ctx, &r); err != nil {
		return err
	}
	return e.conclude(ctx, s, r)
}

// endDecided ends the waiting promotions that a person rejected or withdrew.
func (e *Engine) endDecided(ctx context.Context, s *Situation) (bool, error) {
	for _, r := range s.Open {
		if reason, message, ends := r.Value.Ending(); ends && r.Value.Phase == promotion.Pending && r.Value.ID != s.Record.Value.Running {
			return true, e.end(ctx, s, r, promotion.Aborted, reason, message)
		}
	}
	return false, nil
}

// endIneligible ends the waiting promotions that may not be asked for any more:
// the pipeline has changed, or a verification was revoked.
func (e *Engine) endIneligible(ctx context.Context, s *Situation) (bool, error) {
	for _, r := range s.Open {
		if r.Value.Phase != promotion.Pending || r.Value.ID == s.Record.Value.Running {
			continue
		}
		verdict, err := e.Judge(ctx, *s, r.Value)
		if errors.Is(err, ErrNotFound) {
			return true, e.end(ctx, s, r, promotion.Aborted, promotion.ReasonInvalid, err.Error())
		}
		if err != nil {
			return false, err
		}
		if !verdict.Allowed {
			return true, e.end(ctx, s, r, promotion.Aborted, promotion.ReasonInvalid, verdict.Refusal())
		}
	}
	return false, nil
}

// automate keeps the queue of automatic promotions at what the warehouses
// select now: it ends those that a newer candidate overtook, and asks for the
// candidate once that is eligible.
func (e *Engine) automate(ctx context.Context, s *Situation) (bool, error) {
	if !s.Stage.Automatic() {
		return false, nil
	}
	for _, origin := range s.requested() {
		id, known := s.Candidates[origin]
		if !known {
			continue
		}
		candidate := promotion.Held{Origin: origin, Freight: id}
		if !promotion.Choose(s.Record.Value, candidate, s.values()).Promote {
			continue
		}
		f, err := e.FreightByID(ctx, s.Pipeline.Name, id)
		if errors.Is(err, ErrNotFound) {
			continue // the informer has not shown it yet, or somebody deleted it
		}
		if err != nil {
			return false, err
		}
		if !e.Verdict(*s, f, false).Allowed {
			continue
		}
		for _, old := range promotion.Overtaken(s.values(), candidate) {
			if i := s.indexOf(old.ID); old.ID != s.Record.Value.Running {
				return true, e.end(ctx, s, s.Open[i], promotion.Superseded, "", "freight "+short(id)+" is the candidate now")
			}
		}
		// The key makes a repeated turn ask for the same promotion.
		key := fmt.Sprintf("auto %d %s", s.Record.Value.Serial, id)
		created, err := e.ask(ctx, s, candidate, promotion.Request{Automatic: true}, key)
		if created || err != nil {
			return created, err
		}
	}
	return false, nil
}

func (s Situation) indexOf(id string) int {
	return slices.IndexFunc(s.Open, func(r store.Record[promotion.Promotion]) bool { return r.Value.ID == id })
}

// handOn promotes what the stage holds once more when Applications have joined
// it since. One that has left is forgotten: what it renders is not the stage's
// affair, and should it come back, it joins anew.
func (e *Engine) handOn(ctx context.Context, s *Situation) (bool, error) {
	record := &s.Record.Value
	if record.Running != "" || len(record.Current) == 0 || len(s.Open) > 0 {
		return false, nil
	}
	known := len(record.Applications)
	record.Applications = slices.DeleteFunc(record.Applications, func(key string) bool { return !s.Bound.Has(key) })
	if len(record.Applications) < known {
		return true, e.store.PutStage(ctx, s.Name, &s.Record)
	}
	var joined []string
	for _, a := range s.Bound.Applications {
		if !slices.Contains(record.Applications, a.Key()) {
			joined = append(joined, a.Key())
		}
	}
	if len(joined) == 0 {
		return false, nil
	}
	held := record.Current[0]
	if record.Declines(held.Freight) {
		return false, nil // it failed once: a person tries again, or the next freight does
	}
	key := fmt.Sprintf("join %d %v", record.Serial, joined)
	return e.ask(ctx, s, held.Held, promotion.Request{Automatic: true, Applications: joined, Reason: "joined the stage"}, key)
}

// ask stores a request of the engine's own.
func (e *Engine) ask(ctx context.Context, s *Situation, held promotion.Held, request promotion.Request, key string) (created bool, err error) {
	request.By, request.At = promotion.System, e.Now()
	p := promotion.New(s.Pipeline.Name.String(), s.Stage.Name, held, request, key)
	p.Document = s.Pipeline.Hash
	_, created, err = e.store.CreatePromotion(ctx, p)
	return created, err
}

// startNext gives the stage to the first promotion of the queue that is ready.
// One that waits for an approval does not hold up those behind it.
func (e *Engine) startNext(ctx context.Context, s *Situation) (bool, error) {
	if s.Record.Value.Running != "" {
		return false, nil
	}
	for _, p := range promotion.Queue(s.values()) {
		verdict, err := e.Judge(ctx, *s, p)
		if err != nil {
			return false, err
		}
		if !verdict.Ready {
			continue
		}
		record := &s.Record.Value
		record.Begin(p.ID)
		candidate := ""
		if s.Stage.Automatic() {
			candidate = s.Candidates[p.Origin]
		}
		record.Settle(p, candidate, e.Now())
		record.Document = s.Pipeline.Hash
		return true, e.store.PutStage(ctx, s.Name, &s.Record)
	}
	return false, nil
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
		carries := s.Record.Value.Carry(promotion.Held{Origin: r.Value.Origin, Freight: r.Value.Freight}, s.requested())
		r.Value.Document = s.Pipeline.Hash
		r.Value.Start(s.Record.Value.Serial, carries, s.evidence(carries), e.Steps(), e.Now())
		if err := e.store.PutPromotion(ctx, &r); err != nil {
			return again(err)
		}
		e.event(s.Pipeline.Name, corev1.EventTypeNormal, "PromotionRunning", "promotion %s to %s runs: freight %s", r.Value.ID, s.Stage.Name, short(r.Value.Freight))
	}
	if reason, message, ends := r.Value.Ending(); ends {
		return again(e.end(ctx, s, r, promotion.Aborted, reason, message))
	}
	return e.runSteps(ctx, s, r)
}

// nextChange is when a verdict on the stage changes by itself: the end of a
// soak. Zero for never.
func (e *Engine) nextChange(s Situation) time.Duration {
	var next time.Duration
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
