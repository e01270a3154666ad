package engine

import (
	"bytes"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

const (
	argocdNamespace = "argocd"
	shopRepo        = "https://git.example.com/shop.git"
)

// application returns an Application that is bound to a stage of the shop.
func application(name, stage, branch string) *v1alpha1.Application {
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: argocdNamespace, Name: name,
			Annotations: map[string]string{argocd.AnnotationStage: "shop/" + stage},
		},
		Spec: v1alpha1.ApplicationSpec{
			Project: "shop",
			Source: &v1alpha1.ApplicationSource{
				RepoURL: shopRepo, TargetRevision: branch, Path: "deploy/" + name,
				Plugin: &v1alpha1.ApplicationSourcePlugin{Name: argocd.PluginName},
			},
		},
	}
}

func project(name string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: argocdNamespace, Name: name},
		Spec:       v1alpha1.AppProjectSpec{SourceRepos: []string{"*"}},
	}
}

// argoCD stands in for Argo CD's application controller. Each call of step
// does one thing to each Application that has something to do.
type argoCD struct {
	w *world
	// operations are those that have begun, by the Application's name.
	operations map[string][]v1alpha1.Operation
	// ended operations are followed by a comparison.
	ended map[string]bool
	// automated Applications are synced by Argo CD itself.
	automated map[string]bool
	// fails is the message of the operations of an Application that shall fail.
	fails map[string]string
	// stuck Applications have operations that do not end.
	stuck map[string]bool
	// degraded Applications do not become healthy.
	degraded map[string]bool
	// trouble is an Application's comparison error.
	trouble map[string]string
	// asleep makes the controller do nothing.
	asleep bool
}

func newArgoCD(w *world) *argoCD {
	return &argoCD{
		w: w, operations: map[string][]v1alpha1.Operation{}, ended: map[string]bool{}, automated: map[string]bool{}, fails: map[string]string{},
		stuck: map[string]bool{}, degraded: map[string]bool{}, trouble: map[string]string{},
	}
}

// started counts the operations of an Application that carry a promotion.
func (c *argoCD) started(app, promotion string) int {
	n := 0
	for _, op := range c.operations[app] {
		for _, info := range op.Info {
			if info.Value == promotion {
				n++
			}
		}
	}
	return n
}

func (c *argoCD) step(t *testing.T) (changed bool) {
	t.Helper()
	if c.asleep {
		return false
	}
	var list v1alpha1.ApplicationList
	if err := c.w.seen.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		app := &list.Items[i]
		if !c.work(app) {
			continue
		}
		changed = true
		if err := c.w.server.Update(t.Context(), app); err != nil {
			t.Fatal(err)
		}
	}
	return changed
}

func (c *argoCD) work(app *v1alpha1.Application) bool {
	now := metav1.NewTime(c.w.clock.now)
	state := app.Status.OperationState
	_, refresh := app.Annotations[v1alpha1.AnnotationKeyRefresh]
	switch {
	case app.Operation != nil && (state == nil || state.Phase.Completed()):
		c.operations[app.Name] = append(c.operations[app.Name], *app.Operation)
		app.Status.OperationState = &v1alpha1.OperationState{Phase: "Running", Operation: *app.Operation, StartedAt: now}
	case app.Operation != nil && c.stuck[app.Name]:
		return false
	case app.Operation != nil:
		app.Operation, c.ended[app.Name] = nil, true
		state.FinishedAt, state.Phase, state.Message = &now, "Succeeded", "successfully synced"
		state.SyncResult = &v1alpha1.SyncOperationResult{Revision: c.head(app)}
		if message := c.fails[app.Name]; message != "" {
			state.Phase, state.Message = "Failed", message
		}
	case refresh || app.Status.ReconciledAt == nil || c.ended[app.Name]:
		delete(app.Annotations, v1alpha1.AnnotationKeyRefresh)
		delete(c.ended, app.Name)
		c.compare(app, now)
	default:
		return false
	}
	return true
}

// compare compares what is deployed to the head of the branch.
func (c *argoCD) compare(app *v1alpha1.Application, now metav1.Time) {
	app.Status.ReconciledAt = &now
	app.Status.Sync.Revision = c.head(app)
	app.Status.Sync.Status = v1alpha1.SyncStatusCodeOutOfSync
	app.Status.Health.Status = "Healthy"
	if c.degraded[app.Name] {
		app.Status.Health.Status = "Degraded"
	}
	app.Status.Conditions = nil
	if message := c.trouble[app.Name]; message != "" {
		app.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: v1alpha1.ApplicationConditionComparisonError, Message: message}}
	}
	state := app.Status.OperationState
	deployed := ""
	if state != nil && state.SyncResult != nil {
		deployed = state.SyncResult.Revision
	}
	if c.file(app, deployed) != "" && c.file(app, deployed) == c.file(app, c.head(app)) {
		app.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
	} else if c.automated[app.Name] {
		app.Operation = &v1alpha1.Operation{InitiatedBy: v1alpha1.OperationInitiator{Automated: true}, Sync: &v1alpha1.SyncOperation{}}
	}
}

func (c *argoCD) head(app *v1alpha1.Application) string {
	tip, _ := c.w.git.tip(app.Spec.Source.RepoURL, app.Spec.Source.TargetRevision)
	return tip.id
}

// file is the Application's waybill at a revision.
func (c *argoCD) file(app *v1alpha1.Application, revision string) string {
	at, _ := c.w.git.find(app.Spec.Source.RepoURL, revision)
	return string(bytes.TrimSpace(at.files[app.Spec.Source.Path+"/"+waybill.FileName(app.Name)]))
}

// edit changes an Application as a person would.
func (w *world) edit(name string, do func(*v1alpha1.Application)) {
	w.t.Helper()
	app := w.app(name)
	do(app)
	if err := w.server.Update(w.t.Context(), app); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) app(name string) *v1alpha1.Application {
	w.t.Helper()
	var app v1alpha1.Application
	if err := w.server.Get(w.t.Context(), client.ObjectKey{Namespace: argocdNamespace, Name: name}, &app); err != nil {
		w.t.Fatal(err)
	}
	return &app
}

// live tells whether Argo CD shows an Application as deployed at the head.
func (w *world) live(name string) bool {
	s := w.app(name).Status
	return s.Sync.Status == v1alpha1.SyncStatusCodeSynced && s.Health.Status == "Healthy"
}
