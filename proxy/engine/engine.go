// Package engine decides and carries out: it brings pipeline documents into
// force, has warehouses look, and moves promotions through their steps.
//
// It is level-triggered. Each loop looks at what is stored and at what is live,
// does the next thing, and stores the outcome with a compare-and-swap; killed
// anywhere, the next one carries on. So every step can be repeated without a
// second effect: IDs are derived from what is asked, commits are compared
// before they are made, and operations carry the promotion that started them.
//
// The loops run in one replica, the one that holds the Lease. Requests
// (requests.go) are taken by every replica: they store what a person asks, and
// the loops act on it.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/tools/record"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Git writes waybills, and reads them at a revision.
type Git interface {
	// Commit makes the change, unless it is made already.
	Commit(ctx context.Context, c gitrepo.Change) (gitrepo.Written, error)
	// File returns a file at a commit; gitrepo.ErrNoFile where it has none.
	File(ctx context.Context, repoURL, revision, path string) ([]byte, error)
	// Branches tells where all branches of a repository stand.
	Branches(ctx context.Context, repoURL string) (gitrepo.Branches, error)
	// Start tells the commit whose tree a change takes.
	Start(ctx context.Context, c gitrepo.Change) (string, error)
	// Glob returns the files of a folder at a commit that a pattern matches.
	Glob(ctx context.Context, repoURL, revision, folder string, patterns ...string) (map[string][]byte, error)
	// Between lists the commits between two.
	Between(ctx context.Context, repoURL, from, to string) (gitrepo.Between, error)
}

// Charts hands out the archives of charts.
type Charts interface {
	// Archive returns the archive that freight pins, by its digest. The chart
	// repository's certificate is trusted, whatever it is, where insecure says so.
	// The error is source.ErrRefused where repeating the call does not help.
	Archive(ctx context.Context, namespace string, pin freight.Chart, insecure bool) ([]byte, error)
}

// Previews renders Applications without deploying them, see preview.Renderer.
type Previews interface {
	// Compare tells the difference between what two trees give.
	Compare(ctx context.Context, app argocd.Application, now, next preview.Tree) (preview.Application, error)
	// Digest returns the digest of what a tree gives; *preview.Refusal where it
	// gives nothing.
	Digest(ctx context.Context, app argocd.Application, tree preview.Tree) (string, error)
}

// Options are an installation's settings.
type Options struct {
	// PromotionTimeout is how long a promotion may run before it has failed.
	PromotionTimeout time.Duration
	// Retention is how long ended promotions, and freight that nothing names,
	// are kept.
	Retention time.Duration
	// LooksElsewhere tells the last looks of the replica that runs the loops, by the
	// warehouses' full names, for the others to show. It answers soon, with nothing
	// where it does not know. nil where there is no other replica.
	LooksElsewhere func(context.Context) map[string]Look
	// Now is the clock.
	Now func() time.Time
	// Charts are the chart repositories, from which promotions vendor what freight
	// pins. Without them freight that pins a chart is not promoted to an Application
	// that depends on it.
	Charts Charts
}

// Engine is the engine. Its requests are safe for concurrent use.
type Engine struct {
	store    *store.Store
	apps     *argocd.Applications
	git      Git
	sources  source.Source
	previews Previews
	events   record.EventRecorder
	steps    []step
	docs     documents
	looks    looks
	offering *offering
	seen     carriers
	rests    rests
	born     time.Time // when this process began to look
	pulse    pulse
	Options
}

// New returns an engine.
func New(s *store.Store, apps *argocd.Applications, git Git, sources source.Source, previews Previews, events record.EventRecorder, o Options) *Engine {
	e := &Engine{
		store: s, apps: apps, git: git, sources: sources, previews: previews, events: events,
		docs:     documents{parsed: map[pipeline.Name]Pipeline{}},
		looks:    looks{states: map[warehouseKey]lookState{}},
		offering: newOffering(),
		seen:     carriers{known: map[carrierKey]string{}},
		rests:    rests{until: map[string]time.Time{}},
		born:     o.Now(),
		pulse:    pulse{since: map[string]time.Time{}},
		Options:  o,
	}
	e.steps = []step{writeWaybill{e}, syncApplications{e}, waitApplications{e}}
	return e
}

// Steps returns the names of a promotion's steps, in their order.
func (e *Engine) Steps() []string {
	names := make([]string, len(e.steps))
	for i, s := range e.steps {
		names[i] = s.name()
	}
	return names
}

// ErrNotFound tells that a pipeline, stage, warehouse, promotion or freight
// does not exist.
var ErrNotFound = errors.New("not found")

// refusal is a sentence for people that is, for callers, one of the package's
// errors.
type refusal struct {
	sentence string
	cause    error
}

func (r *refusal) Error() string { return r.sentence }

// Unwrap returns the cause, for errors.Is.
func (r *refusal) Unwrap() error { return r.cause }

func notFound(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), ErrNotFound}
}

func invalid(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), ErrInvalid}
}
