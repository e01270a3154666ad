package argocd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// ErrBusy tells that an operation runs, or that the Application was changed
// meanwhile: look again.
var ErrBusy = errors.New("the Application is busy")

// ErrNotFound tells that there is no such Application.
var ErrNotFound = errors.New("there is no such Application")

// Applications reads and syncs Applications.
type Applications struct {
	cached           client.Reader
	writer           client.Client
	controlNamespace string
}

// NewApplications returns Applications over informers. cached must have the
// index of [IndexApplications]; controlNamespace is Argo CD's own.
func NewApplications(cached client.Reader, writer client.Client, controlNamespace string) *Applications {
	return &Applications{cached: cached, writer: writer, controlNamespace: controlNamespace}
}

const indexStage = "waybill.dev/stage"

// IndexApplications adds the index by stage.
func IndexApplications(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &v1alpha1.Application{}, indexStage, func(o client.Object) []string {
		app, ok := o.(*v1alpha1.Application)
		if !ok {
			return nil
		}
		stage, asks, err := StageOf(app)
		if !asks || err != nil {
			return nil
		}
		return []string{stage.String()}
	})
}

// Bound are the Applications of a stage.
type Bound struct {
	// Applications have joined, sorted by namespace and name.
	Applications []Application
	// Problems keep others from joining, one sentence each.
	Problems []string

	problems map[string]string // of one of them, by namespace/name
}

// Problem tells what keeps an Application, namespace/name, from joining; empty where
// it has joined, or does not ask to.
func (b Bound) Problem(key string) string { return b.problems[key] }

// Has tells whether an Application, namespace/name, has joined.
func (b Bound) Has(key string) bool {
	return slices.ContainsFunc(b.Applications, func(a Application) bool { return a.Key() == key })
}

// Bound returns the Applications that are bound to a stage: by annotation, in
// the stage's AppProject, which permits their namespace and repository, rendered
// by the plugin, and on the stage's branch where it has one of its own.
func (a *Applications) Bound(ctx context.Context, doc pipeline.Document, stage pipeline.Stage, name pipeline.StageName) (Bound, error) {
	var list v1alpha1.ApplicationList
	if err := a.cached.List(ctx, &list, client.MatchingFields{indexStage: name.String()}); err != nil {
		return Bound{}, fmt.Errorf("cannot list Applications: %w", err)
	}
	if len(list.Items) == 0 {
		return Bound{}, nil
	}
	var project v1alpha1.AppProject
	err := a.cached.Get(ctx, client.ObjectKey{Namespace: a.controlNamespace, Name: doc.ProjectOf(stage)}, &project)
	if client.IgnoreNotFound(err) != nil {
		return Bound{}, fmt.Errorf("cannot read AppProject %s: %w", doc.ProjectOf(stage), err)
	}
	bound := Bound{problems: map[string]string{}}
	for i := range list.Items {
		app, err := a.join(&list.Items[i], project, doc, stage)
		if err != nil {
			bound.Problems = append(bound.Problems, err.Error())
			bound.problems[app.Key()] = err.Error()
			continue
		}
		bound.Applications = append(bound.Applications, app)
	}
	slices.SortFunc(bound.Applications, func(x, y Application) int { return strings.Compare(x.Key(), y.Key()) })
	slices.Sort(bound.Problems)
	return bound, nil
}

// join tells why an Application may not join a stage. An Application names its
// project itself: only what the AppProject permits makes it one of its own.
func (a *Applications) join(object *v1alpha1.Application, permits v1alpha1.AppProject, doc pipeline.Document, stage pipeline.Stage) (Application, error) {
	app, err := see(object, a.controlNamespace)
	if err != nil {
		return app, err
	}
	project := doc.ProjectOf(stage)
	switch {
	case app.Project != project:
		return app, fmt.Errorf("Application %s is in AppProject %s, stage %s takes those of %s: move it, or set the stage's project", app.Key(), app.Project, stage.Name, project)
	case permits.Name != project:
		return app, fmt.Errorf("Application %s is in AppProject %s, which does not exist: make it", app.Key(), project)
	case !permits.IsAppNamespacePermitted(object, a.controlNamespace):
		return app, fmt.Errorf("Application %s is in AppProject %s, which takes none of namespace %s: add that to its sourceNamespaces", app.Key(), project, app.Namespace)
	case !permits.IsSourcePermitted(v1alpha1.ApplicationSource{RepoURL: app.RepoURL}):
		return app, fmt.Errorf("Application %s is in AppProject %s, which does not permit %s: add that to its sourceRepos", app.Key(), project, app.RepoURL)
	case stage.Branch != "" && app.Branch != stage.Branch:
		return app, fmt.Errorf("Application %s tracks %s, stage %s writes to its own branch: set targetRevision: %s", app.Key(), orDefault(app.Branch), stage.Name, stage.Branch)
	case stage.Branch == "":
		for _, other := range doc.Stages {
			if other.Branch != "" && other.Branch == app.Branch {
				return app, fmt.Errorf("Application %s tracks %s, which is the branch of stage %s alone: track another", app.Key(), app.Branch, other.Name)
			}
		}
	}
	return app, nil
}

func orDefault(branch string) string {
	if branch == "" {
		return "the default branch"
	}
	return branch
}

// Binding returns what an Application asks to join, and its AppProject.
func (a *Applications) Binding(ctx context.Context, namespace, name string) (stage pipeline.StageName, project string, asks bool, err error) {
	var app v1alpha1.Application
	err = a.cached.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &app)
	switch {
	case apierrors.IsNotFound(err):
		return stage, "", false, fmt.Errorf("Application %s/%s: %w", namespace, name, ErrNotFound)
	case err != nil:
		return stage, "", false, fmt.Errorf("cannot read Application %s/%s: %w", namespace, name, err)
	}
	stage, asks, err = StageOf(&app)
	return stage, app.Spec.GetProject(), asks, err
}

// jsonPatch is one operation of RFC 6902.
type jsonPatch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// StartSync starts a sync operation that carries the promotion. It does so only
// where none runs and the Application is as it was read; else ErrBusy. What the
// operation prunes and its options follow the Application's sync policy.
func (a *Applications) StartSync(ctx context.Context, app Application, promotion, by string, automatic bool) error {
	if app.Operation().Running {
		return fmt.Errorf("Application %s: %w", app.Key(), ErrBusy)
	}
	op := v1alpha1.Operation{
		InitiatedBy: v1alpha1.OperationInitiator{Username: by, Automated: automatic},
		Info:        []*v1alpha1.Info{{Name: infoPromotion, Value: promotion}},
		Sync:        &v1alpha1.SyncOperation{SyncStrategy: &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{}}},
	}
	if policy := app.object.Spec.SyncPolicy; policy != nil {
		op.Sync.SyncOptions = policy.SyncOptions
		op.Sync.Prune = app.Prunes()
		if policy.Retry != nil {
			op.Retry = *policy.Retry
		}
	}
	patch := []jsonPatch{
		{Op: "test", Path: "/metadata/resourceVersion", Value: app.object.ResourceVersion},
		{Op: "add", Path: "/operation", Value: op},
	}
	if app.object.Status.OperationState != nil {
		// As Argo CD's API does: else an informer that trails may show the last
		// operation's end as this one's (argo-cd #20875).
		patch = append(patch, jsonPatch{Op: "remove", Path: "/status/operationState"})
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("cannot write the sync operation of Application %s: %w", app.Key(), err)
	}
	target := &v1alpha1.Application{}
	target.Namespace, target.Name = app.Namespace, app.Name
	err = a.writer.Patch(ctx, target, client.RawPatch(types.JSONPatchType, data))
	switch {
	case apierrors.IsConflict(err), failedTest(err):
		return fmt.Errorf("Application %s: %w", app.Key(), ErrBusy)
	case err != nil:
		return fmt.Errorf("cannot sync Application %s: %w", app.Key(), err)
	}
	return nil
}

// failedTest tells whether a patch failed at its "test": the API server answers
// with an invalid request that has no causes. One with causes is no race, and
// would be invalid again.
func failedTest(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details == nil || len(details.Causes) == 0
}

// Refresh asks Argo CD to look at the Application's repository now.
func (a *Applications) Refresh(ctx context.Context, app Application) error {
	target := &v1alpha1.Application{}
	target.Namespace, target.Name = app.Namespace, app.Name
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationKeyRefresh, v1alpha1.RefreshTypeNormal)
	if err := a.writer.Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return fmt.Errorf("cannot refresh Application %s: %w", app.Key(), err)
	}
	return nil
}
