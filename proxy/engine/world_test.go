package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
)

const namespace = "waybill"

var shop = pipeline.Name{Namespace: namespace, Name: "shop"}

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

type clock struct{ now time.Time }

// world is all that an engine lives in. It drives the loops as their controllers
// do: a turn is made when an event calls for it or the turn before asked for
// it, one after the other, in a time that moves when there is nothing to do.
type world struct {
	t      *testing.T
	server client.WithWatch
	git    *gitHost
	images *registry
	charts *chartHost
	argo   *argoCD
	clock  *clock
	events *events

	// The replica that runs the loops, and what breaks of its writes.
	engine *Engine
	link   *link
	breaks func(what string) fault
	writes []string
	// killed is called when the replica was killed, before the next one starts.
	killed func()

	// elsewhere is what the replicas tell each other of looks.
	elsewhere func() map[string]Look
	// people is the replica that takes requests, and sees what it asks for.
	people *Engine
	seen   *informer

	// told is what informers have still to see. They are up to trails changes
	// behind, and catch up by one with each catchUp turns of a moment.
	told   []change
	trails int
	due    []any // keys of the loops
	later  map[any]time.Time
	// errors are those that turns ended with.
	errors []error
}

const (
	promotionTimeout = 5 * time.Minute
	retention        = 30 * 24 * time.Hour
	argoKey          = "argocd"
	// catchUp is the number of turns after which informers see one change more.
	catchUp = 20
)

func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.server.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) enqueue(keys ...any) {
	for _, key := range keys {
		if !slices.Contains(w.due, key) {
			w.due = append(w.due, key)
		}
	}
}

// deliver turns what informers tell into turns, by the same functions as the
// controllers of [Engine.Loops].
func (w *world) deliver(behind int) {
	ctx := w.t.Context()
	for len(w.told) > behind {
		c := w.told[0]
		w.told = w.told[1:]
		w.link.cached.tell(c)
		for _, o := range []client.Object{c.before, c.after} {
			if o == nil {
				continue
			}
			switch o.(type) {
			case *corev1.ConfigMap:
				enqueueAll(w, pipelinesOf(ctx, o))
				enqueueAll(w, w.engine.warehousesOf(ctx, o))
				enqueueAll(w, w.engine.stagesOf(ctx, o))
			case *v1alpha1.AppProject:
				enqueueAll(w, w.engine.stagesOfProject(ctx, o))
			case *v1alpha1.Application:
				w.enqueue(argoKey)
				if c.before == nil || c.after == nil || applicationChanged().Update(event.UpdateEvent{ObjectOld: c.before, ObjectNew: c.after}) {
					enqueueAll(w, stagesOfApplication(ctx, o))
				}
			}
		}
	}
}

func enqueueAll[K comparable](w *world, keys []K) {
	for _, key := range keys {
		w.enqueue(key)
	}
}

// maxTurns is how many turns may be made before time moves: more are a loop that
// does not come to rest.
const maxTurns = 300

// until lets time pass until something is so.
func (w *world) until(what string, so func() bool) {
	w.t.Helper()
	const long = 2 * time.Hour
	for end := w.clock.now.Add(long); !so(); {
		if !w.once(end) {
			w.t.Fatalf("%s after %s: %s", what, long, w.describe())
		}
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.clock.now.Add(d); w.once(end); {
		continue
	}
}

// once makes all turns that are due; where there are none, it moves the time to
// the next ones. It is false at the end.
func (w *world) once(end time.Time) bool {
	w.t.Helper()
	for turns := range maxTurns {
		w.deliver(max(0, w.trails-turns/catchUp))
		switch {
		case len(w.due) > 0:
		case len(w.told) > 0:
			w.deliver(len(w.told) - 1)
			continue
		case turns > 0:
			return true
		default:
			return w.move(end)
		}
		key := w.due[0]
		w.due = w.due[1:]
		w.turn(key)
	}
	w.t.Fatalf("the loops do not come to rest: %s", w.describe())
	return false
}

func (w *world) move(end time.Time) bool {
	next := end.Add(1)
	for _, at := range w.later {
		if at.Before(next) {
			next = at
		}
	}
	if next.After(end) {
		w.clock.now = end
		return false
	}
	w.clock.now = next
	var due []any
	for key, at := range w.later {
		if !at.After(next) {
			due = append(due, key)
			delete(w.later, key)
		}
	}
	slices.SortFunc(due, func(a, b any) int { return cmp.Compare(fmt.Sprintf("%T %v", a, a), fmt.Sprintf("%T %v", b, b)) })
	w.enqueue(due...)
	return true
}

func (w *world) after(key any, d time.Duration) {
	at := w.clock.now.Add(d)
	if before, waits := w.later[key]; !waits || at.Before(before) {
		w.later[key] = at
	}
}

// turn makes one turn of a loop, and does with its result what the controllers
// do.
func (w *world) turn(key any) {
	w.t.Helper()
	if key == argoKey {
		if w.argo.step(w.t) {
			w.after(argoKey, time.Second)
		}
		return
	}
	result, err := w.reconcile(key)
	switch {
	case w.link.killed:
		w.killed()
		w.restart()
	case err != nil:
		w.errors = append(w.errors, err)
		w.after(key, time.Second)
	case result.Requeue:
		w.enqueue(key)
	case result.RequeueAfter > 0:
		w.after(key, result.RequeueAfter)
	}
}

func (w *world) reconcile(key any) (reconcile.Result, error) {
	ctx := w.t.Context()
	switch k := key.(type) {
	case pipeline.Name:
		return turn[pipeline.Name]{w.engine, "pipeline", w.engine.accept}.Reconcile(ctx, k)
	case warehouseKey:
		return turn[warehouseKey]{w.engine, "warehouse", w.engine.look}.Reconcile(ctx, k)
	case pipeline.StageName:
		return turn[pipeline.StageName]{w.engine, "stage", w.engine.advance}.Reconcile(ctx, k)
	default:
		return reconcile.Result{}, fmt.Errorf("there is no loop of %T", key)
	}
}

// events is what `kubectl get events` shows.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) Event(_ runtime.Object, kind, reason, message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, kind+" "+reason+": "+message)
}

func (e *events) Eventf(o runtime.Object, kind, reason, format string, args ...any) {
	e.Event(o, kind, reason, fmt.Sprintf(format, args...))
}

func (e *events) AnnotatedEventf(o runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	e.Eventf(o, kind, reason, format, args...)
}

var _ Git = (*link)(nil)
var _ source.Source = (*link)(nil)
var errOutage = errors.New("the host cannot be reached")
