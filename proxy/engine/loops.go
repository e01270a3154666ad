package engine

import (
	"context"
	"reflect"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Parallel turns of the loops. A stage and a warehouse have one turn at a time
// each, whatever these say. Their turns mostly wait, for a repository that others
// work on or for a host: there are so many that the stages of one host that does
// not answer, or a few long first looks, keep no other waiting, and so few that
// what they hold meanwhile, a pack or a list of tags each, fits into memory.
const (
	parallelStages     = 32
	parallelWarehouses = 32
)

// The pauses after turns that failed, or that want another one: each is twice as
// long as the one before. The longest is how long a loop may sleep when the API
// server is back, however long it was away.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Minute
)

// pauses are those of a loop. There is no bound for all of its keys together, or
// the stages of one pipeline would wait for those of another.
func pauses[K comparable]() workqueue.TypedRateLimiter[K] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[K](shortestPause, longestPause)
}

// Loops adds the loops to a manager, which runs them while it holds the Lease.
func (e *Engine) Loops(mgr ctrl.Manager) error {
	if err := mgr.Add(sweeper{e}); err != nil {
		return err
	}
	records := &corev1.ConfigMap{}
	err := builder.TypedControllerManagedBy[pipeline.Name](mgr).Named("pipeline").
		Watches(records, handler.TypedEnqueueRequestsFromMapFunc(pipelinesOf)).
		WithOptions(controller.TypedOptions[pipeline.Name]{RateLimiter: pauses[pipeline.Name]()}).
		Complete(turn[pipeline.Name]{e, "pipeline", e.accept})
	if err != nil {
		return err
	}
	err = builder.TypedControllerManagedBy[warehouseKey](mgr).Named("warehouse").
		Watches(records, handler.TypedEnqueueRequestsFromMapFunc(e.warehousesOf)).
		WithOptions(controller.TypedOptions[warehouseKey]{MaxConcurrentReconciles: parallelWarehouses, RateLimiter: pauses[warehouseKey]()}).
		Complete(turn[warehouseKey]{e, "warehouse", e.look})
	if err != nil {
		return err
	}
	return builder.TypedControllerManagedBy[pipeline.StageName](mgr).Named("stage").
		Watches(records, handler.TypedEnqueueRequestsFromMapFunc(e.stagesOf)).
		Watches(&v1alpha1.AppProject{}, handler.TypedEnqueueRequestsFromMapFunc(e.stagesOfProject)).
		Watches(&v1alpha1.Application{}, handler.TypedEnqueueRequestsFromMapFunc(stagesOfApplication), builder.WithPredicates(applicationChanged())).
		WithOptions(controller.TypedOptions[pipeline.StageName]{MaxConcurrentReconciles: parallelStages, RateLimiter: pauses[pipeline.StageName]()}).
		Complete(turn[pipeline.StageName]{e, "stage", e.advance})
}

// turn is one turn of a loop, watched by the liveness check.
type turn[K comparable] struct {
	engine *Engine
	loop   string
	do     func(context.Context, K) (reconcile.Result, error)
}

// Reconcile makes one turn.
func (t turn[K]) Reconcile(ctx context.Context, key K) (reconcile.Result, error) {
	defer t.engine.pulse.beat(t.loop+" "+describe(key), t.engine.Now())()
	return t.do(ctx, key)
}

func describe(key any) string {
	switch k := key.(type) {
	case pipeline.Name:
		return k.String()
	case pipeline.StageName:
		return k.String()
	case warehouseKey:
		return k.String()
	default:
		return reflect.TypeOf(key).String()
	}
}

// pipelineOf returns the pipeline of a record of one of the kinds.
func pipelineOf(o client.Object, kinds ...string) (pipeline.Name, bool) {
	cm, ok := o.(*corev1.ConfigMap)
	if !ok {
		return pipeline.Name{}, false
	}
	for _, kind := range kinds {
		if cm.Labels[store.LabelKind] == kind {
			return store.PipelineOf(cm)
		}
	}
	return pipeline.Name{}, false
}

// pipelinesOf returns the pipeline whose document a record's change concerns:
// the document in force too, which somebody may delete to start it anew.
func pipelinesOf(_ context.Context, o client.Object) []pipeline.Name {
	name, ok := pipelineOf(o, store.KindPipeline, store.KindAccepted)
	if !ok {
		return nil
	}
	return []pipeline.Name{name}
}

// lastKnown returns a pipeline as it is in force, with no warehouses and stages where
// it is not. An event comes once: where an own write has to be read from the API
// server, and that does not answer, it goes to those of the document that was read
// last. If that write was another document's, it has an event of its own.
func (e *Engine) lastKnown(ctx context.Context, name pipeline.Name) Pipeline {
	p, err := e.Pipeline(ctx, name)
	if err != nil {
		p = e.docs.last()[name] // none of one that is not in force
	}
	return p
}

// warehousesOf returns the warehouses that a record's change concerns.
func (e *Engine) warehousesOf(ctx context.Context, o client.Object) []warehouseKey {
	name, ok := pipelineOf(o, store.KindPipeline, store.KindAccepted, store.KindWarehouse)
	if !ok {
		return nil
	}
	p := e.lastKnown(ctx, name)
	keys := make([]warehouseKey, len(p.Warehouses))
	for i, w := range p.Warehouses {
		keys[i] = warehouseKey{name, w.Name}
	}
	return keys
}

// stagesOf returns the stages that a record's change concerns. A promotion is
// its own stage's affair; what a stage verified, or a warehouse selects, is
// everybody's further down.
func (e *Engine) stagesOf(ctx context.Context, o client.Object) []pipeline.StageName {
	if name, ok := pipelineOf(o, store.KindPromotion); ok {
		return []pipeline.StageName{{Pipeline: name, Stage: o.GetLabels()[store.LabelStage]}}
	}
	name, ok := pipelineOf(o, store.KindPipeline, store.KindAccepted, store.KindWarehouse, store.KindFreight, store.KindStage)
	if !ok {
		return nil
	}
	p := e.lastKnown(ctx, name)
	keys := make([]pipeline.StageName, len(p.Stages))
	for i, s := range p.Stages {
		keys[i] = pipeline.StageName{Pipeline: name, Stage: s.Name}
	}
	return keys
}

// stagesOfApplication returns the stage that an Application asks to join.
func stagesOfApplication(_ context.Context, o client.Object) []pipeline.StageName {
	app, ok := o.(*v1alpha1.Application)
	if !ok {
		return nil
	}
	stage, asks, err := argocd.StageOf(app)
	if !asks || err != nil {
		return nil
	}
	return []pipeline.StageName{stage}
}

// stagesOfProject returns the stages whose Applications are an AppProject's: it
// decides which of them may join.
func (e *Engine) stagesOfProject(ctx context.Context, o client.Object) []pipeline.StageName {
	known := e.docs.last() // see lastKnown
	pipelines, err := e.Pipelines(ctx)
	if err != nil {
		log.FromContext(ctx).Error(err, "the change of an AppProject goes to the pipelines as they were read last", "project", o.GetName())
	}
	for _, p := range pipelines {
		known[p.Name] = p
	}
	var keys []pipeline.StageName
	for _, p := range known {
		for _, s := range p.Stages {
			if p.ProjectOf(s) == o.GetName() {
				keys = append(keys, pipeline.StageName{Pipeline: p.Name, Stage: s.Name})
			}
		}
	}
	return keys
}

// applicationChanged lets through only what a promotion waits for: Argo CD
// writes an Application's status far more often than that.
func applicationChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(ev event.UpdateEvent) bool {
		before, ok1 := ev.ObjectOld.(*v1alpha1.Application)
		after, ok2 := ev.ObjectNew.(*v1alpha1.Application)
		return !ok1 || !ok2 || !reflect.DeepEqual(watched(before), watched(after))
	}}
}

// watched is what of an Application makes a stage's loop turn.
func watched(a *v1alpha1.Application) any {
	type state struct {
		stage, sync, health, operation, revision string
		revisions                                []string
		spec                                     v1alpha1.ApplicationSpec
		requested, settled                       bool
		conditions                               int
	}
	s := state{
		stage:      a.Annotations[argocd.AnnotationStage],
		sync:       string(a.Status.Sync.Status),
		health:     string(a.Status.Health.Status),
		revision:   a.Status.Sync.Revision,
		revisions:  a.Status.Sync.Revisions,
		spec:       a.Spec,
		requested:  a.Operation != nil,
		conditions: len(a.Status.Conditions),
	}
	if op := a.Status.OperationState; op != nil {
		s.operation = string(op.Phase) + op.StartedAt.String()
		s.settled = a.Status.ReconciledAt != nil && op.FinishedAt != nil && !a.Status.ReconciledAt.Before(op.FinishedAt)
	}
	return s
}
