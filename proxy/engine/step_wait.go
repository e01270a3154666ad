package engine

import (
	"cmp"
	"context"
	"strings"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

// waitApplications waits until each Application is live: its operation
// succeeded, and it is Synced and Healthy at a revision where its waybill is
// this promotion's.
type waitApplications struct{ *Engine }

func (waitApplications) name() string { return "argocd-wait" }

func (w waitApplications) run(ctx context.Context, s *Situation, p *promotion.Promotion) outcomeOf {
	var (
		waits, failures []string
		failure         error
	)
	for i := range p.Applications {
		r := &p.Applications[i]
		a, bound := s.application(*r)
		if !bound {
			r.Phase, r.Message = promotion.Errored, s.gone(*r)
			failures = append(failures, r.Namespace+"/"+r.Name+": "+r.Message)
			continue
		}
		phase, message, err := w.look(ctx, *p, *r, a)
		if err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		r.Phase, r.Message = phase, message
		switch phase {
		case promotion.Succeeded:
		case promotion.Failed:
			failures = append(failures, a.Key()+": "+message)
		default:
			waits = append(waits, a.Key()+": "+message)
		}
	}
	switch {
	// Every Application has its say before the promotion ends.
	case failure != nil:
		return retry(failure)
	case len(waits) > 0:
		return waiting("%s", strings.Join(waits, "; "))
	case len(failures) > 0:
		return failed("%s", strings.Join(failures, "; "))
	default:
		return done()
	}
}

func (w waitApplications) look(ctx context.Context, p promotion.Promotion, r promotion.Result, a argocd.Application) (promotion.Phase, string, error) {
	op := a.Operation()
	switch {
	case op.Running:
		return promotion.Running, "the sync operation runs", nil
	case op.Failed && op.Promotion == p.ID:
		return promotion.Failed, "the sync failed: " + argocd.FirstLine(op.Message), nil
	case !a.Settled():
		return promotion.Running, "Argo CD has still to compare it", nil
	case a.Trouble() != "":
		return promotion.Running, a.Trouble(), nil
	}
	carries, err := w.carries(ctx, p, r, a, a.Compared())
	if err != nil {
		return "", "", err
	}
	switch {
	case !carries:
		return promotion.Running, "Argo CD has not seen the waybill yet", w.apps.Refresh(ctx, a)
	case !a.Good():
		return promotion.Running, "it is " + a.Sync() + " and " + a.Health(), nil
	default:
		return promotion.Succeeded, "", nil
	}
}
