package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// syncApplications starts one sync operation for each Application, unless an
// operation has deployed the waybill already.
type syncApplications struct{ *Engine }

func (syncApplications) name() string { return "argocd-sync" }

func (y syncApplications) run(ctx context.Context, s *Situation, p *promotion.Promotion) outcomeOf {
	var (
		waits   []string
		failure error
	)
	for i := range p.Applications {
		r := &p.Applications[i]
		a, bound := s.application(*r)
		if !bound {
			r.Phase, r.Message = promotion.Errored, s.gone(*r)
			continue
		}
		// One that cannot be synced does not hold back the others.
		switch err := y.sync(ctx, *p, *r, a); {
		case errors.Is(err, argocd.ErrBusy):
			waits = append(waits, a.Key()+": another operation runs")
		case err != nil:
			failure = cmp.Or(failure, err)
		}
	}
	switch {
	case failure != nil:
		return retry(failure)
	case len(waits) > 0:
		return waiting("%s", strings.Join(waits, "; "))
	default:
		return done()
	}
}

// sync starts an operation, unless the Application's operation is the
// promotion's, or has deployed its waybill.
func (y syncApplications) sync(ctx context.Context, p promotion.Promotion, r promotion.Result, a argocd.Application) error {
	op := a.Operation()
	switch {
	case op.Promotion == p.ID:
		return nil
	case op.Running:
		return argocd.ErrBusy
	case op.Succeeded:
		// Argo CD's own automated sync may have been faster.
		carries, err := y.carries(ctx, p, r, a, a.Deployed())
		if carries || err != nil {
			return err
		}
	}
	return y.apps.StartSync(ctx, a, p.ID, p.Request.By, p.Request.Automatic)
}

// maxKnown bounds what is remembered of revisions.
const maxKnown = 4096

type carrierKey struct{ repoURL, revision, path string }

// carriers remembers which promotion's waybill a revision holds: a commit never
// changes, so it is read once.
type carriers struct {
	mu    sync.Mutex
	known map[carrierKey]string
}

// carries tells whether the Application's waybill at a revision is the
// promotion's. Others may push in between, so it need not be our own commit.
func (e *Engine) carries(ctx context.Context, p promotion.Promotion, r promotion.Result, a argocd.Application, revision string) (bool, error) {
	if revision == "" || revision == r.Revision {
		return revision != "", nil
	}
	key := carrierKey{a.RepoURL, revision, a.WaybillPath()}
	e.seen.mu.Lock()
	id, known := e.seen.known[key]
	e.seen.mu.Unlock()
	if known {
		return id == p.ID, nil
	}
	file, err := e.git.File(ctx, a.RepoURL, revision, key.path)
	switch {
	case errors.Is(err, gitrepo.ErrNoFile):
	case err != nil:
		return false, fmt.Errorf("cannot tell which waybill Application %s has at %s: %w", a.Key(), short(revision), err)
	default:
		if bill, err := waybill.Parse(file); err == nil {
			id = bill.Promotion.ID
		}
	}
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	if len(e.seen.known) >= maxKnown {
		clear(e.seen.known)
	}
	e.seen.known[key] = id
	return id == p.ID, nil
}
