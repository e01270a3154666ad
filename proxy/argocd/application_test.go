package argocd_test

import (
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/health"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

func TestTheStageThatAnApplicationAsksToJoin(t *testing.T) {
	name := func(namespace, name, stage string) pipeline.StageName {
		return pipeline.StageName{Pipeline: pipeline.Name{Namespace: namespace, Name: name}, Stage: stage}
	}
	for value, test := range map[string]struct {
		want  pipeline.StageName
		valid bool
	}{
		"shop/prod":               {name("waybill", "shop", "prod"), true},
		"waybill/shop/prod":       {name("waybill", "shop", "prod"), true},
		"team-a/shop/prod":        {name("team-a", "shop", "prod"), true},
		"":                        {},
		"prod":                    {},
		"shop/":                   {},
		"/prod":                   {},
		"a/b/c/d":                 {},
		"shop/prod,shop/dev":      {},
		"shop/prod shop/dev":      {},
		" shop/prod":              {},
		"Shop/Prod":               {},
		"shop/../prod":            {},
		"shop/prod\nshop/staging": {},
	} {
		app := application("shop-prod", func(a *v1alpha1.Application) { a.Annotations[argocd.AnnotationStage] = value })
		got, asks, err := argocd.StageOf(app)
		if !asks || (err == nil) != test.valid || got != test.want {
			t.Errorf("%q: %v, asks %v, %v", value, got, asks, err)
		}
	}
	if got, asks, err := argocd.StageOf(application("shop", func(a *v1alpha1.Application) { a.Annotations = nil })); asks || err != nil || got != (pipeline.StageName{}) {
		t.Errorf("without the annotation: %v, %v, %v", got, asks, err)
	}
}

func TestAnApplicationsView(t *testing.T) {
	several := func(sources ...v1alpha1.ApplicationSource) func(*v1alpha1.Application) {
		return func(a *v1alpha1.Application) { a.Spec.Source, a.Spec.Sources = nil, sources }
	}
	chart := v1alpha1.ApplicationSource{RepoURL: "https://charts.example.com", Chart: "db", TargetRevision: "1.0.0"}
	values := v1alpha1.ApplicationSource{RepoURL: repoURL, Ref: "values", TargetRevision: "main"}
	type view struct{ Instance, RepoURL, Branch, Path, Waybill string }
	for name, test := range map[string]struct {
		app  *v1alpha1.Application
		want view
	}{
		"of Argo CD's own namespace": {
			application("shop-prod"),
			view{"shop-prod", repoURL, "env/prod", "deploy/prod", "deploy/prod/waybill-shop-prod.yaml"},
		},
		"of another namespace": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Namespace = "team-a" }),
			view{"team-a_shop-prod", repoURL, "env/prod", "deploy/prod", "deploy/prod/waybill-team-a_shop-prod.yaml"},
		},
		"with several sources": {
			application("shop-prod", several(chart, *rendered("deploy/prod", "env/prod"), values)),
			view{"shop-prod", repoURL, "env/prod", "deploy/prod", "deploy/prod/waybill-shop-prod.yaml"},
		},
		"with a full reference": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.TargetRevision = "refs/heads/env/prod" }),
			view{"shop-prod", repoURL, "env/prod", "deploy/prod", "deploy/prod/waybill-shop-prod.yaml"},
		},
		"at the top of the repository": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.Path = "." }),
			view{"shop-prod", repoURL, "env/prod", ".", "waybill-shop-prod.yaml"},
		},
		"with a dot in the path": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.Path = "./deploy/./prod" }),
			view{"shop-prod", repoURL, "env/prod", "./deploy/./prod", "deploy/prod/waybill-shop-prod.yaml"},
		},
		"with two slashes in the path": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.Path = "deploy//prod" }),
			view{"shop-prod", repoURL, "env/prod", "deploy//prod", "deploy/prod/waybill-shop-prod.yaml"},
		},
		"with a path out of the repository, which no change takes": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.Path = "../prod" }),
			view{"shop-prod", repoURL, "env/prod", "../prod", "../prod/waybill-shop-prod.yaml"},
		},
		"with slashes around the path": {
			application("shop-prod", func(a *v1alpha1.Application) { a.Spec.Source.Path = "/deploy/prod/" }),
			view{"shop-prod", repoURL, "env/prod", "/deploy/prod/", "deploy/prod/waybill-shop-prod.yaml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, a := seen(t, test.app)
			if diff := cmp.Diff(test.want, view{a.Instance, a.RepoURL, a.Branch, a.Path, a.WaybillPath()}); diff != "" {
				t.Errorf("view (-want +got):\n%s", diff)
			}
			if a.Key() != test.app.Namespace+"/shop-prod" || a.Project != "shop" {
				t.Errorf("%s of project %s", a.Key(), a.Project)
			}
		})
	}
}

func TestTheStateOfAnOperation(t *testing.T) {
	info := []*v1alpha1.Info{nil, {Name: "reason", Value: "x"}, {Name: "waybill.dev/promotion", Value: "p1"}}
	state := func(phase synccommon.OperationPhase, info []*v1alpha1.Info) *v1alpha1.OperationState {
		return &v1alpha1.OperationState{Phase: phase, Message: "said so", Operation: v1alpha1.Operation{Info: info}}
	}
	for name, test := range map[string]struct {
		requested *v1alpha1.Operation
		state     *v1alpha1.OperationState
		want      argocd.Operation
	}{
		"none":               {nil, nil, argocd.Operation{}},
		"ours, requested":    {&v1alpha1.Operation{Info: info}, nil, argocd.Operation{Running: true, Promotion: "p1"}},
		"another, requested": {&v1alpha1.Operation{}, nil, argocd.Operation{Running: true}},
		"requested after ours": {
			&v1alpha1.Operation{}, state(synccommon.OperationSucceeded, info), argocd.Operation{Running: true},
		},
		"running":     {nil, state(synccommon.OperationRunning, info), argocd.Operation{Running: true, Promotion: "p1", Message: "said so"}},
		"terminating": {nil, state(synccommon.OperationTerminating, nil), argocd.Operation{Running: true, Message: "said so"}},
		"succeeded":   {nil, state(synccommon.OperationSucceeded, info), argocd.Operation{Promotion: "p1", Succeeded: true, Message: "said so"}},
		"failed":      {nil, state(synccommon.OperationFailed, info), argocd.Operation{Promotion: "p1", Failed: true, Message: "said so"}},
		"in error":    {nil, state(synccommon.OperationError, info), argocd.Operation{Promotion: "p1", Failed: true, Message: "said so"}},
	} {
		_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
			a.Operation, a.Status.OperationState = test.requested, test.state
		}))
		if diff := cmp.Diff(test.want, a.Operation()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnApplicationIsSettledOnceItWasComparedAfterItsOperation(t *testing.T) {
	at := func(minute int) *metav1.Time {
		v := metav1.NewTime(time.Date(2026, 3, 14, 12, minute, 0, 0, time.UTC))
		return &v
	}
	for name, test := range map[string]struct {
		finished, compared *metav1.Time
		operated           bool
		want               bool
	}{
		"never compared":              {nil, nil, false, false},
		"compared, never synced":      {nil, at(1), false, true},
		"compared before the end":     {at(2), at(1), true, false},
		"compared at the end":         {at(2), at(2), true, true},
		"compared after the end":      {at(2), at(3), true, true},
		"synced, never compared":      {at(2), nil, true, false},
		"running, and never compared": {nil, nil, true, false},
	} {
		_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
			a.Status.ReconciledAt = test.compared
			if test.operated {
				a.Status.OperationState = &v1alpha1.OperationState{FinishedAt: test.finished}
			}
		}))
		if a.Settled() != test.want {
			t.Errorf("%s: %v", name, a.Settled())
		}
	}
}

func TestWhatArgoCDSaysOfAnApplication(t *testing.T) {
	_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
		a.Status.Sync.Status, a.Status.Health.Status = v1alpha1.SyncStatusCodeSynced, health.HealthStatusHealthy
		a.Status.Conditions = []v1alpha1.ApplicationCondition{
			{Type: v1alpha1.ApplicationConditionOrphanedResourceWarning, Message: "a warning"},
		}
	}))
	if !a.Good() || a.Sync() != "Synced" || a.Health() != "Healthy" || a.Trouble() != "" {
		t.Errorf("good %v, %s, %s, %q", a.Good(), a.Sync(), a.Health(), a.Trouble())
	}
	for _, bad := range []struct {
		sync   v1alpha1.SyncStatusCode
		health health.HealthStatusCode
	}{
		{v1alpha1.SyncStatusCodeOutOfSync, health.HealthStatusHealthy},
		{v1alpha1.SyncStatusCodeUnknown, health.HealthStatusHealthy},
		{v1alpha1.SyncStatusCodeSynced, health.HealthStatusProgressing},
		{v1alpha1.SyncStatusCodeSynced, health.HealthStatusDegraded},
		{v1alpha1.SyncStatusCodeSynced, health.HealthStatusSuspended},
		{v1alpha1.SyncStatusCodeSynced, health.HealthStatusMissing},
		{"", ""},
	} {
		_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
			a.Status.Sync.Status, a.Status.Health.Status = bad.sync, bad.health
		}))
		if a.Good() {
			t.Errorf("%s and %s is good", bad.sync, bad.health)
		}
	}
	for _, kind := range []string{v1alpha1.ApplicationConditionComparisonError, v1alpha1.ApplicationConditionInvalidSpecError} {
		_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
			a.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: kind, Message: "cannot render"}}
		}))
		if a.Trouble() != "cannot render" {
			t.Errorf("%s: %q", kind, a.Trouble())
		}
	}
}

func TestTheRevisionsAreThoseOfTheRenderedSource(t *testing.T) {
	_, single := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
		a.Status.Sync.Revision = "c1"
		a.Status.OperationState = &v1alpha1.OperationState{SyncResult: &v1alpha1.SyncOperationResult{Revision: "d1"}}
	}))
	if single.Compared() != "c1" || single.Deployed() != "d1" {
		t.Errorf("single source: %q, %q", single.Compared(), single.Deployed())
	}
	several := func(compared, deployed []string) argocd.Application {
		_, a := seen(t, application("shop-prod", func(a *v1alpha1.Application) {
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: repoURL, Ref: "values"}, *rendered("deploy/prod", "env/prod")}
			a.Spec.Source = nil
			a.Status.Sync.Revision, a.Status.Sync.Revisions = "wrong", compared
			a.Status.OperationState = &v1alpha1.OperationState{SyncResult: &v1alpha1.SyncOperationResult{Revision: "wrong", Revisions: deployed}}
		}))
		return a
	}
	if a := several([]string{"c1", "c2"}, []string{"d1", "d2"}); a.Compared() != "c2" || a.Deployed() != "d2" {
		t.Errorf("second source: %q, %q", a.Compared(), a.Deployed())
	}
	// Just after a source was added, Argo CD has fewer revisions than sources.
	if a := several([]string{"c1"}, nil); a.Compared() != "" || a.Deployed() != "" {
		t.Errorf("unknown: %q, %q", a.Compared(), a.Deployed())
	}
	if _, never := seen(t, application("shop-prod")); never.Deployed() != "" {
		t.Errorf("never synced: %q", never.Deployed())
	}
}
