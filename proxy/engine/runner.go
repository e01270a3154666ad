package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
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
)

// runSteps carries a running promotion as far as it goes now.
func (e *Engine) runSteps(ctx context.Context, s *Situation, r store.Record[promotion.Promotion]) (reconcile.Result, error) {
	deadline := r.Value.StartedAt.Add(e.PromotionTimeout)
	for i := range r.Value.Steps {
		state := &r.Value.Steps[i]
		if state.Phase == promotion.Succeeded {
			continue
		}
		now := e.Now().UTC().Truncate(time.Second)
		if state.StartedAt == nil {
			state.StartedAt, state.Phase = &now, promotion.Running
		}
		result := errored(fmt.Errorf("this version of Waybill has no step %q", state.Name))
		if step, known := e.stepNamed(state.Name); known {
			result = step.run(ctx, s, &r.Value)
		}
		if ctx.Err() != nil {
			return reconcile.Result{}, ctx.Err()
		}
		state.Message = result.message
		switch {
		case result.phase == promotion.Succeeded:
			state.Phase, state.FinishedAt = promotion.Succeeded, &now
			if err := e.store.PutPromotion(ctx, &r); err != nil {
				return again(err)
			}
			if err := e.entered(ctx, s, r.Value); err != nil {
				return again(err)
			}
		case result.phase.Ended():
			return again(e.end(ctx, s, r, result.phase, "", state.Name+": "+result.message))
		case e.Now().After(deadline):
			return again(e.end(ctx, s, r, promotion.Failed, "", fmt.Sprintf("%s: not done within %s: %s", state.Name, e.PromotionTimeout, result.message)))
		default:
			if result.err != nil {
				log.FromContext(ctx).Info("a step will be tried again", "promotion", r.Value.ID, "step", state.Name, "cause", result.err.Error())
			}
			if err := e.store.PutPromotion(ctx, &r); err != nil {
				return again(err)
			}
			return reconcile.Result{RequeueAfter: wait(result, deadline.Sub(e.Now()))}, nil
		}
	}
	return again(e.end(ctx, s, r, promotion.Succeeded, "", ""))
}

func (e *Engine) stepNamed(name string) (step, bool) {
	for _, s := range e.steps {
		if s.name() == name {
			return s, true
		}
	}
	return nil, false
}

func wait(result outcomeOf, left time.Duration) time.Duration {
	pause := poll
	if result.err != nil {
		pause = afterError
	}
	return max(time.Second, min(pause, left))
}

// entered records that the freight is in the stage as soon as its waybills are
// written: from then on they, and not the record, decide what is rendered.
func (e *Engine) entered(ctx context.Context, s *Situation, p promotion.Promotion) error {
	if !wrote(p) {
		return nil
	}
	s.Record.Value.Enter(p, e.Now())
	s.Record.Value.Applications = keys(p)
	return e.store.PutStage(ctx, s.Name, &s.Record)
}

func short(id string) string { return freight.Short(id) }

// errGone is for an Application that left the stage while it was promoted to.
var errGone = errors.New("the Application is gone, or has left the stage")
