package argocd_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

func TestWhichApplicationsJoinAStage(t *testing.T) {
	own, shared := document(), document()
	shared.Stages = []pipeline.Stage{{Name: "prod"}, {Name: "staging", Branch: "env/staging"}}
	theirs := document()
	theirs.Stages[1].Project = "shop-prod"
	change := func(do func(*v1alpha1.Application)) *v1alpha1.Application { return application("a", do) }
	source := func(do func(*v1alpha1.ApplicationSource)) *v1alpha1.Application {
		return change(func(a *v1alpha1.Application) { do(a.Spec.Source) })
	}
	revision := func(r string) *v1alpha1.Application {
		return source(func(s *v1alpha1.ApplicationSource) { s.TargetRevision = r })
	}
	for name, test := range map[string]struct {
		doc     pipeline.Document
		app     *v1alpha1.Application
		project *v1alpha1.AppProject
		problem string // empty where it joins
	}{
		"on the stage's branch":          {own, application("a"), project("shop"), ""},
		"on the stage's branch in full":  {own, revision("refs/heads/env/prod"), project("shop"), ""},
		"on another branch":              {own, revision("main"), project("shop"), "tracks main, stage prod writes to its own branch: set targetRevision: env/prod"},
		"on the default branch":          {own, revision("HEAD"), project("shop"), "tracks the default branch, stage prod writes to its own"},
		"on no branch":                   {own, revision(""), project("shop"), "tracks the default branch"},
		"where the branch is shared":     {shared, revision("main"), project("shop"), ""},
		"where the default is shared":    {shared, revision("HEAD"), project("shop"), ""},
		"on the branch of another stage": {shared, revision("env/staging"), project("shop"), "tracks env/staging, which is the branch of stage staging alone"},
		"in the stage's project":         {theirs, change(func(a *v1alpha1.Application) { a.Spec.Project = "shop-prod" }), project("shop-prod"), ""},
		"in the pipeline's, not its own": {theirs, application("a"), project("shop-prod"), "is in AppProject shop, stage prod takes those of shop-prod"},
		"in another project":             {own, change(func(a *v1alpha1.Application) { a.Spec.Project = "evil" }), project("shop"), "is in AppProject evil, stage prod takes those of shop"},
		"in no project":                  {own, change(func(a *v1alpha1.Application) { a.Spec.Project = "" }), project("shop"), "is in AppProject default"},
		"in a project that is not there": {own, application("a"), project("other"), "is in AppProject shop, which does not exist"},
		"of a namespace permitted":       {own, change(func(a *v1alpha1.Application) { a.Namespace = "team-a" }), project("shop"), ""},
		"of a namespace not permitted":   {own, change(func(a *v1alpha1.Application) { a.Namespace = "team-b" }), project("shop"), "which takes none of namespace team-b: add that to its sourceNamespaces"},
		"of a repository not permitted": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.RepoURL = "https://git.example.com/theirs.git" }), project("shop"),
			"which does not permit https://git.example.com/theirs.git: add that to its sourceRepos",
		},
		"of a repository with a password": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.RepoURL = "https://git:hunter2@git.example.com/theirs.git" }), project("shop"),
			"has a repoURL that holds a user or a password",
		},
		"of a repository over SSH, which takes a user": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.RepoURL = "ssh://git@git.example.com/theirs.git" }), project("shop"),
			"write its plain https:// URL, and put credentials into a repository Secret in Waybill's namespace",
		},
		"of a repository with half a password": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.RepoURL = "https://git:hunter2%@git.example.com/theirs.git" }), project("shop"),
			"has a repoURL that holds a user or a password, or that is no URL",
		},
		"without the plugin": {own, source(func(s *v1alpha1.ApplicationSource) { s.Plugin = nil }), project("shop"), "has no source with plugin.name: waybill"},
		"with another plugin": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.Plugin.Name = "waybill-v1" }), project("shop"), "has no source with plugin.name: waybill",
		},
		"without a source": {own, change(func(a *v1alpha1.Application) { a.Spec.Source = nil }), project("shop"), "has no source with plugin.name"},
		"with two rendered sources": {
			own, change(func(a *v1alpha1.Application) {
				a.Spec.Sources = v1alpha1.ApplicationSources{*rendered("a", "env/prod"), *rendered("b", "env/prod")}
			}), project("shop"), "has 2 sources with plugin.name: waybill: one Application has one waybill",
		},
		"with a chart for a source": {
			own, source(func(s *v1alpha1.ApplicationSource) { s.Chart = "db" }), project("shop"), "renders chart db, which holds no waybill",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bound := newCluster(t, test.app, test.project).bound(t, test.doc)
			if test.problem == "" {
				if len(bound.Applications) != 1 || len(bound.Problems) != 0 {
					t.Errorf("got %d Applications, problems %q", len(bound.Applications), bound.Problems)
				}
				return
			}
			if strings.Contains(strings.Join(bound.Problems, ""), "hunter2") {
				t.Errorf("it tells a password: %q", bound.Problems)
			}
			if len(bound.Applications) != 0 || len(bound.Problems) != 1 || !strings.Contains(bound.Problems[0], test.problem) {
				t.Errorf("got %d Applications, problems %q, want %q", len(bound.Applications), bound.Problems, test.problem)
			}
		})
	}
}

func TestApplicationsOfAStageAreSortedAndNoOthers(t *testing.T) {
	to := func(stage string) func(*v1alpha1.Application) {
		return func(a *v1alpha1.Application) { a.Annotations[argocd.AnnotationStage] = stage }
	}
	bound := newCluster(t, project("shop"),
		application("b"), application("a"), application("c", func(a *v1alpha1.Application) { a.Namespace = "team-a" }),
		application("full", to("waybill/shop/prod")),
		application("dev", to("shop/dev")), application("other", to("books/prod")), application("elsewhere", to("team-a/shop/prod")), application("broken", to("prod")),
		application("none", func(a *v1alpha1.Application) { a.Annotations = nil }),
		application("z", func(a *v1alpha1.Application) { a.Spec.Project = "x" }), application("y", func(a *v1alpha1.Application) { a.Spec.Project = "x" }),
	).bound(t, document())
	keys := make([]string, len(bound.Applications))
	for i, a := range bound.Applications {
		keys[i] = a.Key()
	}
	if diff := cmp.Diff([]string{"argocd/a", "argocd/b", "argocd/full", "team-a/c"}, keys); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	if len(bound.Problems) != 2 || !strings.Contains(bound.Problems[0], "argocd/y") || !strings.Contains(bound.Problems[1], "argocd/z") {
		t.Errorf("problems %q", bound.Problems)
	}
}

func TestTheBindingOfAnApplication(t *testing.T) {
	apps := newCluster(t, application("a"),
		application("none", func(a *v1alpha1.Application) { a.Annotations, a.Spec.Project = nil, "" }),
		application("broken", func(a *v1alpha1.Application) { a.Annotations[argocd.AnnotationStage] = "prod" }),
	).applications()
	stage, project, asks, err := apps.Binding(t.Context(), control, "a")
	if stage != prod || project != "shop" || !asks || err != nil {
		t.Errorf("bound: %v, %q, %v, %v", stage, project, asks, err)
	}
	if _, project, asks, err := apps.Binding(t.Context(), control, "none"); project != "default" || asks || err != nil {
		t.Errorf("not bound: %q, %v, %v", project, asks, err)
	}
	if _, _, asks, err := apps.Binding(t.Context(), control, "broken"); !asks || err == nil || errors.Is(err, argocd.ErrNotFound) {
		t.Errorf("broken: %v, %v", asks, err)
	}
	if _, _, asks, err := apps.Binding(t.Context(), "team-a", "a"); asks || !errors.Is(err, argocd.ErrNotFound) {
		t.Errorf("missing: %v, %v", asks, err)
	}
}

func TestTheSyncOperationIsOneJSONPatch(t *testing.T) {
	limited := &v1alpha1.RetryStrategy{Limit: 3}
	for name, test := range map[string]struct {
		policy    *v1alpha1.SyncPolicy
		state     *v1alpha1.OperationState
		automatic bool
		operation string
		removes   bool
	}{
		"first": {
			operation: `{"sync":{"syncStrategy":{"hook":{}}},"initiatedBy":{"username":"alice"},"info":[{"name":"waybill.dev/promotion","value":"p1"}],"retry":{}}`,
		},
		"after another, automatic": {
			state: &v1alpha1.OperationState{Phase: synccommon.OperationSucceeded}, automatic: true, removes: true,
			operation: `{"sync":{"syncStrategy":{"hook":{}}},"initiatedBy":{"username":"alice","automated":true},"info":[{"name":"waybill.dev/promotion","value":"p1"}],"retry":{}}`,
		},
		"as the sync policy says": {
			policy: &v1alpha1.SyncPolicy{
				Automated:   &v1alpha1.SyncPolicyAutomated{Prune: true, SelfHeal: true},
				SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}, Retry: limited,
			},
			operation: `{"sync":{"prune":true,"syncStrategy":{"hook":{}},"syncOptions":["CreateNamespace=true"]},"initiatedBy":{"username":"alice"},"info":[{"name":"waybill.dev/promotion","value":"p1"}],"retry":{"limit":3}}`,
		},
		"with a policy that prunes nothing": {
			policy:    &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}},
			operation: `{"sync":{"syncStrategy":{"hook":{}}},"initiatedBy":{"username":"alice"},"info":[{"name":"waybill.dev/promotion","value":"p1"}],"retry":{}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
				a.Spec.SyncPolicy, a.Status.OperationState, a.ResourceVersion = test.policy, test.state, "4242"
			}))
			must(t, c.applications().StartSync(t.Context(), a, "p1", "alice", test.automatic))
			want := `[{"op":"test","path":"/metadata/resourceVersion","value":"4242"},{"op":"add","path":"/operation","value":` + test.operation + `}`
			if test.removes {
				want += `,{"op":"remove","path":"/status/operationState"}`
			}
			if diff := cmp.Diff([]patch{{"argocd/shop-prod", "application/json-patch+json", want + "]"}}, c.patches); diff != "" {
				t.Errorf("patches (-want +got):\n%s", diff)
			}
			var stored v1alpha1.Application
			must(t, c.Get(t.Context(), client.ObjectKey{Namespace: control, Name: "shop-prod"}, &stored))
			operation, err := json.Marshal(stored.Operation)
			must(t, err)
			if string(operation) != test.operation || stored.Status.OperationState != nil {
				t.Errorf("stored %s, state %v", operation, stored.Status.OperationState)
			}
		})
	}
}

func TestNoOperationIsStartedWhereOneRuns(t *testing.T) {
	for name, running := range map[string]func(*v1alpha1.Application){
		"requested": func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} },
		"running": func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: synccommon.OperationRunning}
		},
		"terminating": func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: synccommon.OperationTerminating}
		},
	} {
		c, a := seen(t, application("shop-prod", running))
		if err := c.applications().StartSync(t.Context(), a, "p1", "alice", false); !errors.Is(err, argocd.ErrBusy) || len(c.patches) != 0 {
			t.Errorf("%s: %v, patches %v", name, err, c.patches)
		}
	}
}

func TestAnApplicationThatChangedMeanwhileIsBusy(t *testing.T) {
	kind := schema.GroupKind{Group: "argoproj.io", Kind: "Application"}
	resource := schema.GroupResource{Group: "argoproj.io", Resource: "applications"}
	for name, test := range map[string]struct {
		answer error
		busy   bool
	}{
		// What the API server answers to a patch whose "test" does not hold.
		"a failed test": {apierrors.NewGenericServerResponse(422, "patch", resource, "shop-prod", "", 0, false), true},
		"a conflict":    {apierrors.NewConflict(resource, "shop-prod", errors.New("changed")), true},
		// These would be the same the next time.
		"an operation that the schema refuses": {apierrors.NewInvalid(kind, "shop-prod", field.ErrorList{field.Invalid(field.NewPath("operation"), "x", "no")}), false},
		"a patch that is none":                 {apierrors.NewBadRequest("error decoding patch"), false},
		"no right":                             {apierrors.NewForbidden(resource, "shop-prod", errors.New("no")), false},
		"no Application":                       {apierrors.NewNotFound(resource, "shop-prod"), false},
		"no API server":                        {errors.New("connection refused"), false},
	} {
		c, a := seen(t, application("shop-prod"))
		c.answer = test.answer
		err := c.applications().StartSync(t.Context(), a, "p1", "alice", false)
		if err == nil || errors.Is(err, argocd.ErrBusy) != test.busy || !strings.Contains(err.Error(), "argocd/shop-prod") {
			t.Errorf("%s: %v", name, err)
		}
		if !test.busy && !errors.Is(err, test.answer) {
			t.Errorf("%s: the cause is lost in %v", name, err)
		}
	}
}

func TestARefreshIsAnAnnotationAndNothingElse(t *testing.T) {
	c, a := seen(t, application("shop-prod"))
	must(t, c.applications().Refresh(t.Context(), a))
	want := []patch{{"argocd/shop-prod", "application/merge-patch+json", `{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`}}
	if diff := cmp.Diff(want, c.patches); diff != "" {
		t.Errorf("patches (-want +got):\n%s", diff)
	}
	c.answer = errors.New("connection refused")
	if err := c.applications().Refresh(t.Context(), a); !errors.Is(err, c.answer) {
		t.Errorf("got %v", err)
	}
}
