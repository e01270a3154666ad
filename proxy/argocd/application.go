// Package argocd reads Applications and AppProjects, starts sync operations,
// and asks Argo CD's own policy who may do what.
//
// Applications are read from informers and written with JSON patches alone: a
// typed update would drop the fields that newer versions of Argo CD have added.
package argocd

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/waybill"
)

const (
	// AnnotationStage binds an Application to a stage.
	AnnotationStage = "waybill.dev/stage"
	// PluginName is the name of the config-management plugin.
	PluginName = "waybill"
	// infoPromotion is the key under which an operation carries the promotion
	// that started it.
	infoPromotion = "waybill.dev/promotion"
)

// Application is an Application as Waybill sees it.
type Application struct {
	Namespace string
	Name      string
	// Instance is the name that Argo CD gives to plugins (ARGOCD_APP_NAME).
	Instance string
	Project  string
	// RepoURL, Branch and Path are those of the source that the plugin renders.
	// An empty branch is the repository's default one.
	RepoURL string
	Branch  string
	Path    string

	source int // position of that source, -1 for an Application with a single one
	object *v1alpha1.Application
}

// Key returns namespace/name.
func (a Application) Key() string { return a.Namespace + "/" + a.Name }

// WaybillPath returns the path of the Application's waybill in its repository, from
// the root, however the Application writes its own: Argo CD takes ./deploy, too.
func (a Application) WaybillPath() string {
	return path.Join(strings.Trim(a.Path, "/"), waybill.FileName(a.Instance))
}

// StageOf returns the stage that an Application asks to join; false where it
// asks for none.
func StageOf(app *v1alpha1.Application) (stage pipeline.StageName, asks bool, err error) {
	value, asks := app.Annotations[AnnotationStage]
	if !asks {
		return pipeline.StageName{}, false, nil
	}
	stage, err = pipeline.ParseStageName(value)
	if err != nil {
		err = fmt.Errorf("Application %s, annotation %s: %w", app.QualifiedName(), AnnotationStage, err)
	}
	return stage, true, err
}

// see makes Waybill's view of an Application. It has to have exactly one source
// that the plugin renders, from a Git repository.
func see(app *v1alpha1.Application, controlNamespace string) (Application, error) {
	a := Application{
		Namespace: app.Namespace,
		Name:      app.Name,
		Instance:  waybill.InstanceName(app.Namespace, app.Name, controlNamespace),
		Project:   app.Spec.GetProject(),
		source:    -1,
		object:    app,
	}
	rendered, chart := 0, ""
	for i, s := range app.Spec.GetSources() {
		if s.Plugin == nil || s.Plugin.Name != PluginName {
			continue
		}
		rendered++
		a.RepoURL, a.Branch, a.Path, chart = s.RepoURL, branch(s.TargetRevision), s.Path, s.Chart
		if app.Spec.HasMultipleSources() {
			a.source = i
		}
	}
	switch {
	case rendered == 0:
		return a, fmt.Errorf("Application %s has no source with plugin.name: %s: set it, so that Argo CD renders with Waybill", app.QualifiedName(), PluginName)
	case rendered > 1:
		return a, fmt.Errorf("Application %s has %d sources with plugin.name: %s: one Application has one waybill, so keep one", app.QualifiedName(), rendered, PluginName)
	case chart != "":
		return a, fmt.Errorf("Application %s renders chart %s, which holds no waybill: give it a source in Git that depends on the chart", app.QualifiedName(), chart)
	case tellsTooMuch(a.RepoURL):
		return a, fmt.Errorf("Application %s has a repoURL that holds a user or a password, or that is no URL: "+
			"write its plain https:// URL, and put credentials into a repository Secret in Waybill's namespace", app.QualifiedName())
	}
	return a, nil
}

// tellsTooMuch tells whether a repository's address may hold a password: nothing is
// written to such a one, and no sentence may repeat it.
func tellsTooMuch(repoURL string) bool {
	if !strings.Contains(repoURL, "://") {
		return false // as scp takes it, which knows no passwords
	}
	u, err := url.Parse(repoURL)
	return err != nil || u.User != nil
}

func branch(targetRevision string) string {
	if targetRevision == "HEAD" {
		return ""
	}
	return strings.TrimPrefix(targetRevision, "refs/heads/")
}

// Operation is the state of an Application's sync operation.
type Operation struct {
	// Running tells that one runs, or is about to.
	Running bool
	// Promotion is the one that started it; empty for anybody else's.
	Promotion string
	// Succeeded and Failed tell how the last one ended; neither where there is
	// none.
	Succeeded bool
	Failed    bool
	Message   string
}

// Operation returns the state of the Application's operation.
func (a Application) Operation() Operation {
	if op := a.object.Operation; op != nil {
		return Operation{Running: true, Promotion: promotionOf(op.Info)}
	}
	state := a.object.Status.OperationState
	if state == nil {
		return Operation{}
	}
	return Operation{
		Running:   !state.Phase.Completed(),
		Promotion: promotionOf(state.Operation.Info),
		Succeeded: state.Phase.Successful(),
		// Failed or Error: Argo CD's own Failed() leaves the latter out.
		Failed:  state.Phase.Completed() && !state.Phase.Successful(),
		Message: state.Message,
	}
}

func promotionOf(info []*v1alpha1.Info) string {
	for _, i := range info {
		if i != nil && i.Name == infoPromotion {
			return i.Value
		}
	}
	return ""
}

// Sync and Health return Argo CD's words for the Application's state.
func (a Application) Sync() string { return string(a.object.Status.Sync.Status) }

// Health returns Argo CD's word for the Application's health.
func (a Application) Health() string { return string(a.object.Status.Health.Status) }

// Settled tells whether Argo CD has compared the Application since its last
// operation ended: before, its status is that of the time before the sync.
func (a Application) Settled() bool {
	state, at := a.object.Status.OperationState, a.object.Status.ReconciledAt
	if state == nil || state.FinishedAt == nil {
		return at != nil
	}
	return at != nil && !at.Before(state.FinishedAt)
}

// Good tells whether the Application is Synced and Healthy.
func (a Application) Good() bool {
	return a.object.Status.Sync.Status == v1alpha1.SyncStatusCodeSynced && a.object.Status.Health.Status == "Healthy"
}

// Compared returns the revision that the status was compared to.
func (a Application) Compared() string {
	return pick(a.source, a.object.Status.Sync.Revision, a.object.Status.Sync.Revisions)
}

// Deployed returns the revision that the last operation synced.
func (a Application) Deployed() string {
	state := a.object.Status.OperationState
	if state == nil || state.SyncResult == nil {
		return ""
	}
	return pick(a.source, state.SyncResult.Revision, state.SyncResult.Revisions)
}

func pick(source int, single string, several []string) string {
	if source < 0 {
		return single
	}
	if source < len(several) {
		return several[source]
	}
	return ""
}

// Trouble returns what Argo CD cannot do with the Application: its comparison
// and specification errors; empty for none.
func (a Application) Trouble() string {
	for _, c := range a.object.Status.Conditions {
		if c.Type == v1alpha1.ApplicationConditionComparisonError || c.Type == v1alpha1.ApplicationConditionInvalidSpecError {
			return FirstLine(c.Message)
		}
	}
	return ""
}

// maxMessage bounds what is taken over from Argo CD, in bytes.
const maxMessage = 500

// FirstLine shortens a message of Argo CD's to what records and answers hold. Of
// an error of the plugin it keeps the plugin's own words: what Argo CD says
// before them only tells the way that they came.
func FirstLine(message string) string {
	if _, own, found := strings.Cut(message, "waybill-plugin generate` failed exit status 1: "); found {
		message = own
	}
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}
