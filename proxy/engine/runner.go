package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/store"
)

// step is one thing that a promotion does. run looks at what is and does what
// is missing, so that it can be called again at any time; it never waits.
type step interface {
	name() string
	run(ctx context.Context, s *Situation, p *promotion.Promotion) outcomeOf
}

// outcomeOf a step's turn. A new step returns one of the four.
type outcomeOf struct {
	phase   promotion.Phase
	message string
	err     error // of a turn that may be repeated
}

func done() outcomeOf { return outcomeOf{phase: promotion.Succeeded} }

// waiting tells for what the step waits.
func waiting(format string, args ...any) outcomeOf {
	return outcomeOf{phase: promotion.Running, message: fmt.Sprintf(format, args...)}
}

// failed ends the promotion: what was deployed is not good.
func failed(format string, args ...any) outcomeOf {
	return outcomeOf{phase: promotion.Failed, message: fmt.Sprintf(format, args...)}
}

// errored ends the promotion: the step cannot be carried out.
func errored(err error) outcomeOf { return outcomeOf{phase: promotion.Errored, message: err.Error()} }

// retry repeats the step: what kept it may pass.
func retry(err error) outcomeOf {
	return outcomeOf{phase: promotion.Running, message: err.Error(), err: err}
}

const (
	// poll is the time to the next look at Applications whose change no event
	// tells, such as the end of the promotion's time.
	poll = 5 * time.Second
	// afterError is the pause before a step is tried again.
	afterError = 3 * time.Second
	// afterPostponing is the pause before a promotion is given the stage again
	// that could not be compared with what was approved.
	afterPostponing = 30 * time.Second
	// stepTimeout bounds one turn of one step, so that a turn of all of them is
	// never taken for one that hangs, see stuck.
	stepTimeout = 3 * time.Minute
)

// runSteps carries a running promotion as far as it goes now.
func (e *Engine) runSteps(ctx context.Context, s *Situation, r store.Record[promotion.Promotion]) (reconcile.Result, error) {
	// The time that nobody ran the promotion, because no replica was alive, is
	// not its own.
	deadline := later(*r.Value.StartedAt, e.born).Add(e.PromotionTimeout)
	for i := range r.Value.Steps {
		if reason, message, ends := r.Value.Ending(); ends {
			return again(e.end(ctx, s, r, promotion.Aborted, reason, message))
		}
		state := &r.Value.Steps[i]
		if state.Phase == promotion.Succeeded {
			continue
		}
		if left := e.rests.left(r.Value.ID, e.Now()); left > 0 {
			return reconcile.Result{RequeueAfter: left}, nil
		}
		if state.StartedAt == nil {
			state.StartedAt, state.Phase = e.second(), promotion.Running
		}
		result := e.step(ctx, s, &r.Value, state.Name)
		if ctx.Err() != nil {
			return reconcile.Result{}, ctx.Err()
		}
		state.Message = result.message
		late := e.Now().After(deadline)
		switch {
		case result.phase == promotion.Succeeded:
			state.Phase, state.FinishedAt = promotion.Succeeded, e.second()
		case result.phase.Ended():
			return again(e.end(ctx, s, r, result.phase, "", state.Name+": "+result.message))
		case late:
			return again(e.end(ctx, s, r, promotion.Failed, "", fmt.Sprintf("%s: not done within %s: %s", state.Name, e.PromotionTimeout, result.message)))
		}
		if err := e.keep(ctx, s, &r); err != nil {
			return again(err)
		}
		if result.phase == promotion.Succeeded {
			continue
		}
		if result.err != nil {
			log.FromContext(ctx).Info("a step will be tried again", "promotion", r.Value.ID, "step", state.Name, "cause", result.err.Error())
			e.rests.rest(r.Value.ID, e.Now(), min(pauseAfter(result.err, afterError), max(afterError, deadline.Sub(e.Now()))))
		}
		return reconcile.Result{RequeueAfter: wait(result, deadline.Sub(e.Now()))}, nil
	}
	return again(e.end(ctx, s, r, promotion.Succeeded, "", ""))
}

// step makes one turn of a step.
func (e *Engine) step(ctx context.Context, s *Situation, p *promotion.Promotion, name string) outcomeOf {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for _, step := range e.steps {
		if step.name() == name {
			result := step.run(ctx, s, p)
			// It may tell of every Application of the stage; each has its own message.
			result.message = promotion.Clip(result.message)
			return result
		}
	}
	return errored(fmt.Errorf("this version of Waybill has no step %q", name))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// second is now, as records hold it.
func (e *Engine) second() *time.Time {
	now := e.Now().UTC().Truncate(time.Second)
	return &now
}

// pauseAfter is how long a promotion is left alone after an error: at least for as
// long as a host wants to be. To try sooner would only tell of another time left.
func pauseAfter(err error, least time.Duration) time.Duration {
	var (
		host     *gitrepo.Busy
		registry *source.Busy
	)
	if errors.As(err, &host) {
		least = max(least, host.RetryAfter)
	}
	if errors.As(err, &registry) {
		least = max(least, registry.RetryAfter)
	}
	return least
}

func wait(result outcomeOf, left time.Duration) time.Duration {
	pause := poll
	if result.err != nil {
		pause = afterError
	}
	return max(time.Second, min(pause, left))
}

// keep stores what a turn did, and in the stage's record that the freight is
// there, as soon as a waybill is written: from then on that, and not the record,
// decides what is rendered.
func (e *Engine) keep(ctx context.Context, s *Situation, r *store.Record[promotion.Promotion]) error {
	if err := e.put(ctx, s.Pipeline.Name, r); err != nil || !wrote(r.Value) {
		return err
	}
	s.Record.Value.Enter(r.Value, e.Now())
	s.Record.Value.Applications = keys(r.Value)
	return e.store.PutStage(ctx, s.Name, &s.Record)
}

// put stores what became of a promotion. Where a person has decided something
// meanwhile, it is stored beside the decision: what the engine did has happened.
func (e *Engine) put(ctx context.Context, name pipeline.Name, r *store.Record[promotion.Promotion]) error {
	err := e.store.PutPromotion(ctx, r)
	for range attempts {
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		now, readErr := e.store.PromotionNow(ctx, name, r.Value.ID)
		if readErr != nil || !onlyDecided(r.Text, now.Value) {
			return err
		}
		mine := r.Value
		mine.Approvals, mine.Rejection, mine.Abort = now.Value.Approvals, now.Value.Rejection, now.Value.Abort
		now.Value = mine
		*r = now
		err = e.store.PutPromotion(ctx, r)
	}
	return err
}

// onlyDecided tells whether nothing but people's decisions has changed in a
// record since it was stored as text.
func onlyDecided(text string, now promotion.Promotion) bool {
	var before promotion.Promotion
	if err := yaml.Unmarshal([]byte(text), &before); err != nil {
		return false
	}
	before.Approvals, before.Rejection, before.Abort = now.Approvals, now.Rejection, now.Abort
	return reflect.DeepEqual(before, now)
}

// rests are the promotions that are left alone after an error, and until when.
// A restart forgets them: it tries at once.
type rests struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (r *rests) rest(id string, now time.Time, pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.until, func(_ string, until time.Time) bool { return !until.After(now) })
	r.until[id] = now.Add(pause)
}

func (r *rests) left(id string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(0, r.until[id].Sub(now))
}

func short(id string) string { return freight.Short(id) }

// gone tells why an Application is not bound any more to which the promotion wrote.
func (s Situation) gone(r promotion.Result) string {
	return cmp.Or(s.Bound.Problem(r.Namespace+"/"+r.Name), "the Application is gone, or has left the stage")
}
