package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/api"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/identity"
	"github.com/waybill-cd/waybill/proxy/store"
)

const (
	control   = "argocd"
	namespace = "waybill"
	repoURL   = "https://git.example.com/shop.git"
)

var (
	noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	shop = pipeline.Name{Namespace: namespace, Name: "shop"}
)

const shopDocument = `apiVersion: waybill.dev/v1
project: shop
warehouses:
- name: shop
  subscriptions:
  - image: {repoURL: registry.example.com/shop, constraint: ^1.0.0}
stages:
- name: dev
  requestedFreight: [{origin: shop, sources: {direct: true}}]
  autoPromotion: true
- name: staging
  requestedFreight: [{origin: shop, sources: {stages: [dev], requiredSoakTime: 10m}}]
- name: prod
  project: shop-prod
  requestedFreight: [{origin: shop, sources: {stages: [dev]}}]
  approval: {required: 2, notBy: promoter}
  branch: env/prod
`

// booksDocument has gates of its own.
const booksDocument = `apiVersion: waybill.dev/v1
project: shop
gates: {promote: books-promote, approve: books-approve}
warehouses:
- name: books
  subscriptions:
  - image: {repoURL: registry.example.com/books}
stages:
- name: dev
  requestedFreight: [{origin: books, sources: {direct: true}}]
  approval: {required: 1}
`

// The policy gives alice the right to promote and bob the right to approve;
// both and carol have both in shop-prod, and dave in one Application of staging.
// alice may get all of the shop's Applications, and bob one of staging.
const policy = `
p, alice, applications, action/waybill.dev/Stage/promote, shop/*, allow
p, bob, applications, action/waybill.dev/Stage/approve, shop/*, allow
p, role:prod, applications, action/waybill.dev/Stage/*, shop-prod/*, allow
g, alice, role:prod
g, bob, role:prod
g, carol, role:prod
p, alice, applications, get, shop/*, allow
p, bob, applications, get, shop/shop-staging, allow
p, dave, applications, action/waybill.dev/Stage/*, shop/shop-staging, allow
`

var secrets = map[string]string{
	"waybill":         "secret of waybill",
	"waybill-promote": "secret of waybill-promote",
	"waybill-approve": "secret of waybill-approve",
	"books-promote":   "secret of books-promote",
	"books-approve":   "secret of books-approve",
}

// world is the API over a cluster: the shop and the books, with three pieces of
// the shop's freight.
type world struct {
	t       *testing.T
	handler http.Handler
	store   *store.Store
	cluster client.WithWatch
	// writes are the calls that changed something.
	writes []string
	// before runs ahead of each call of the cluster, and may fail it.
	before func(verb, name string) error
	git    *fakeGit
	// sources are what warehouses look at, and elsewhere is what the replica that
	// looks tells of it.
	sources   *fakeSources
	elsewhere map[string]engine.Look
	// old, mid and new are the shop's freight.
	old, mid, new freight.Freight
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, git: &fakeGit{}, sources: &fakeSources{}}
	scheme := runtime.NewScheme()
	w.must(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: argocd.RBACConfigMap}, Data: map[string]string{"policy.csv": policy}},
		project("shop"), project("shop-prod"),
		application("shop-dev", "shop/dev", "shop", "main"),
		application("shop-staging", "shop/staging", "shop", "main"), application("shop-staging-eu", "shop/staging", "shop", "main"),
		application("shop-prod", "shop/prod", "shop-prod", "env/prod"),
		application("books-dev", "books/dev", "shop", "main"),
		application("loose", "", "shop", "main"),
		application("typo", "prod", "shop", "main"),
		application("lost", "nothing/dev", "shop", "main"),
		application("lost-stage", "shop/qa", "shop", "main"),
		application("stray", "shop/prod", "shop-prod", "main"), // on another branch than the stage's
		application("foreign", "shop/prod", "shop", "env/prod"),
	)
	w.must(errors.Join(store.IndexConfigMaps(t.Context(), indexer{builder}), argocd.IndexApplications(t.Context(), indexer{builder})))
	w.cluster = interceptor.NewClient(builder.Build(), w.interceptor())
	w.store = store.New(w.cluster, w.cluster, w.cluster, namespace)
	apps := argocd.NewApplications(w.cluster, w.cluster, control)
	e := engine.New(w.store, apps, w.git, w.sources, w.git, &record.FakeRecorder{}, engine.Options{
		PromotionTimeout: time.Minute, Now: func() time.Time { return noon },
		LooksElsewhere: func(context.Context) map[string]engine.Look { return w.elsewhere },
	})
	gates, err := identity.NewGates(secrets)
	w.must(err)
	w.handler = api.New(e, apps, argocd.NewPolicy(w.cluster, control), gates)
	w.fill()
	return w
}

func (w *world) fill() {
	for name, text := range map[string]string{"shop": shopDocument, "books": booksDocument} {
		w.must(w.cluster.Create(w.t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{store.LabelKind: store.KindPipeline}},
			Data:       map[string]string{pipeline.Key: text},
		}))
		w.accept(name, text)
	}
	w.old, w.mid, w.new = w.freight("v1.0.0", -3*time.Hour), w.freight("v1.1.0", -2*time.Hour), w.freight("v1.2.0", -time.Hour)
	warehouse, err := w.store.Warehouse(w.t.Context(), shop, "shop")
	w.must(err)
	warehouse.Value.Candidate = w.new.ID
	w.must(w.store.PutWarehouse(w.t.Context(), shop, &warehouse))
	w.writes = nil
}

// accept brings a document into force.
func (w *world) accept(name, text string) {
	w.t.Helper()
	full := pipeline.Name{Namespace: namespace, Name: name}
	r, err := w.store.Accepted(w.t.Context(), full)
	w.must(err)
	r.Value.Hash, r.Value.Document, r.Value.At = pipeline.Hash(text), text, noon
	w.must(w.store.PutAccepted(w.t.Context(), full, &r))
}

func (w *world) freight(tag string, age time.Duration) freight.Freight {
	w.t.Helper()
	f := freight.New(shop.String(), "shop", freight.Artifacts{
		Images: []freight.Image{{RepoURL: "registry.example.com/shop", Tag: tag, Digest: "sha256:" + strings.Repeat(tag[3:4], 64)}},
	}, noon.Add(age))
	f.Alias = "kind-" + tag
	_, err := w.store.CreateFreight(w.t.Context(), f)
	w.must(err)
	return f
}

// passed records that freight went into a stage and was verified there, an hour
// ago, the first of them first.
func (w *world) passed(stage string, all ...freight.Freight) {
	w.t.Helper()
	name := pipeline.StageName{Pipeline: shop, Stage: stage}
	r, err := w.store.Stage(w.t.Context(), name)
	w.must(err)
	for i, f := range all {
		at := noon.Add(-time.Hour + time.Duration(i)*time.Minute)
		p := promotion.New(shop.String(), stage, promotion.Held{Origin: "shop", Freight: f.ID}, promotion.Request{By: "alice", At: at}, fmt.Sprint(stage, i))
		p.Carries = []promotion.Held{{Origin: "shop", Freight: f.ID}}
		r.Value.Begin(p.ID)
		r.Value.Enter(p, at)
		r.Value.Verify(p, at)
		p.Phase = promotion.Succeeded
		r.Value.Finish(p, p.ID)
	}
	w.must(w.store.PutStage(w.t.Context(), name, &r))
	w.writes = nil
}

// pending stores a promotion to the stage dev of a pipeline, and returns its ID.
func (w *world) pending(name string) string {
	w.t.Helper()
	p := promotion.New(namespace+"/"+name, "dev", promotion.Held{Origin: name, Freight: w.mid.ID}, promotion.Request{By: "carol", At: noon}, "pending")
	_, _, err := w.store.CreatePromotion(w.t.Context(), p)
	w.must(err)
	return p.ID
}

// run gives a stage to a promotion, as the engine does.
func (w *world) run(id string) {
	w.t.Helper()
	r, err := w.store.Promotion(w.t.Context(), shop, id)
	w.must(err)
	name := pipeline.StageName{Pipeline: shop, Stage: r.Value.Stage}
	stage, err := w.store.Stage(w.t.Context(), name)
	w.must(err)
	stage.Value.Begin(id)
	w.must(w.store.PutStage(w.t.Context(), name, &stage))
	r.Value.Start(stage.Value.Serial, []promotion.Held{{Origin: r.Value.Origin, Freight: r.Value.Freight}}, nil, []string{"write-waybill"}, noon)
	w.must(w.store.PutPromotion(w.t.Context(), &r))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) interceptor() interceptor.Funcs {
	do := func(verb, name string, call func() error) error {
		if verb != "get" && verb != "list" {
			w.writes = append(w.writes, verb+" "+name)
		}
		if w.before != nil {
			if err := w.before(verb, name); err != nil {
				return err
			}
		}
		return call()
	}
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return do("get", key.Name, func() error { return c.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			return do("list", fmt.Sprintf("%T", list), func() error { return c.List(ctx, list, opts...) })
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return do("create", o.GetName(), func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return do("update", o.GetName(), func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return do("patch", o.GetName(), func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return do("delete", o.GetName(), func() error { return c.Delete(ctx, o, opts...) })
		},
	}
}

type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	i.WithIndex(o, field, values)
	return nil
}

func project(name string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: name},
		Spec:       v1alpha1.AppProjectSpec{SourceRepos: []string{repoURL}},
	}
}

func application(name, stage, project, branch string) *v1alpha1.Application {
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: name},
		Spec: v1alpha1.ApplicationSpec{
			Project: project,
			Source: &v1alpha1.ApplicationSource{
				RepoURL: repoURL, Path: "deploy/" + name, TargetRevision: branch,
				Plugin: &v1alpha1.ApplicationSourcePlugin{Name: argocd.PluginName},
			},
		},
		Status: v1alpha1.ApplicationStatus{
			Sync:   v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeSynced},
			Health: v1alpha1.HealthStatus{Status: "Healthy"},
		},
	}
	if stage != "" {
		app.Annotations = map[string]string{argocd.AnnotationStage: stage}
	}
	return app
}
