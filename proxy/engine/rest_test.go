package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

func TestATurnWithNothingToDoWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, shopApplications()...)
	w.release("v1")
	w.until("staging is verified", w.verified("staging", "v1"))
	w.promote("alice", "prod", "v1")
	w.pass(time.Minute)
	for name, disturb := range map[string]func(){
		"nothing":                      func() {},
		"a restart":                    w.restart,
		"an Application that flickers": func() { w.edit("dev", func(a *v1alpha1.Application) { a.Status.Sync.Status = "Unknown" }) },
		"a touched document": func() {
			cm := pipelineMap("shop", "")
			if err := touch(t.Context(), w.server, cm); err != nil {
				t.Fatal(err)
			}
		},
	} {
		w.writes = nil
		disturb()
		w.pass(24 * time.Hour)
		if len(w.writes) != 0 {
			t.Errorf("%s: it wrote %v", name, w.writes)
		}
	}
	for _, key := range []any{shop, warehouseKey{shop, "shop"}, stageName("dev"), stageName("staging"), stageName("prod")} {
		if _, err := w.reconcile(key); err != nil || len(w.writes) != 0 {
			t.Errorf("a turn of %v wrote %v, %v", key, w.writes, err)
		}
	}
}

func TestAPromotionThatWaitsForApplicationsWritesNothingMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.stuck["dev"] = true
	w.release("v1")
	w.pass(time.Minute)
	w.writes = nil
	w.pass(3 * time.Minute)
	if len(w.writes) != 0 {
		t.Errorf("it wrote %v", w.writes)
	}
}

func TestALoopDoesNotSleepLongAfterAnOutageOrForOthers(t *testing.T) {
	t.Parallel()
	r := pauses[pipeline.StageName]()
	var pause time.Duration
	const turns = 1000
	for range turns {
		pause = r.When(stageName("dev"))
	}
	if pause != longestPause {
		t.Errorf("after %d turns that failed it sleeps for %s", turns, pause)
	}
	for i := range turns {
		if pause := r.When(stageName(fmt.Sprintf("stage-%d", i))); pause != shortestPause {
			t.Fatalf("the first pause of stage %d is %s", i, pause)
		}
	}
}

func TestOnlyWhatAPromotionWaitsForMakesItsStageTurn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*v1alpha1.Application)
		turns  bool
	}{
		"reconciled again":     {func(a *v1alpha1.Application) { a.Status.ReconciledAt = &metav1.Time{Time: noon.Add(time.Hour)} }, false},
		"observed again":       {func(a *v1alpha1.Application) { a.Status.ObservedAt = &metav1.Time{Time: noon} }, false},
		"another annotation":   {func(a *v1alpha1.Application) { a.Annotations["example.com/a"] = "b" }, false},
		"its health":           {func(a *v1alpha1.Application) { a.Status.Health.Status = "Degraded" }, true},
		"its sync status":      {func(a *v1alpha1.Application) { a.Status.Sync.Status = "OutOfSync" }, true},
		"its revision":         {func(a *v1alpha1.Application) { a.Status.Sync.Revision = "c2" }, true},
		"its specification":    {func(a *v1alpha1.Application) { a.Spec.Project = "other" }, true},
		"its stage":            {func(a *v1alpha1.Application) { a.Annotations[argocd.AnnotationStage] = "shop/prod" }, true},
		"an operation":         {func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} }, true},
		"an operation's state": {func(a *v1alpha1.Application) { a.Status.OperationState = &v1alpha1.OperationState{Phase: "Running"} }, true},
		"trouble": {func(a *v1alpha1.Application) {
			a.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: "ComparisonError"}}
		}, true},
	} {
		before := application("dev", "dev", "main")
		after := before.DeepCopy()
		test.change(after)
		if got := applicationChanged().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != test.turns {
			t.Errorf("%s: turns %v, want %v", name, got, test.turns)
		}
	}
}

func TestAliveFailsOnATurnThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	entered, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	hang := turn[pipeline.StageName]{w.engine, "stage", func(context.Context, pipeline.StageName) (reconcile.Result, error) {
		close(entered)
		<-leave
		return reconcile.Result{}, nil
	}}
	go func() {
		defer close(left)
		_, _ = hang.Reconcile(t.Context(), stageName("dev"))
	}()
	<-entered
	w.clock.now = w.clock.now.Add(stuck)
	if err := w.engine.Alive(nil); err != nil {
		t.Errorf("after %s: %s", stuck, err)
	}
	w.clock.now = w.clock.now.Add(time.Second)
	if err := w.engine.Alive(nil); err == nil || !strings.Contains(err.Error(), "the loop of stage shop/dev has been at one turn since 2026-03-14T12:00:00Z") {
		t.Errorf("it says %v", err)
	}
	close(leave)
	<-left
	if err := w.engine.Alive(nil); err != nil {
		t.Errorf("after its end: %s", err)
	}
}

func TestATurnIsNeverSoLongThatItIsTakenForOneThatHangs(t *testing.T) {
	t.Parallel()
	steps := time.Duration(len(newWorld(t, devDocument).engine.steps))
	if longest := max(steps*stepTimeout, lookTimeout); longest >= stuck {
		t.Errorf("a turn may take %s, and hangs after %s", longest, stuck)
	}
}
