package argocd_test

import (
	"context"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

const (
	control = "argocd"
	repoURL = "https://git.example.com/shop.git"
)

var prod = pipeline.StageName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Stage: "prod"}

// cluster stands in for the API server.
type cluster struct {
	client.WithWatch
	// patches are those that were sent, in order.
	patches []patch
	// answer is what the next patches are answered, nil to apply them.
	answer error
}

type patch struct {
	Name string
	Type string
	Body string
}

func newCluster(t *testing.T, objects ...client.Object) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	must(t, clientgoscheme.AddToScheme(scheme))
	must(t, v1alpha1.AddToScheme(scheme))
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
	must(t, argocd.IndexApplications(t.Context(), indexer{builder}))
	c := &cluster{}
	c.WithWatch = interceptor.NewClient(builder.Build(), interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			body, err := p.Data(o)
			if err != nil {
				return err
			}
			c.patches = append(c.patches, patch{o.GetNamespace() + "/" + o.GetName(), string(p.Type()), string(body)})
			if c.answer != nil {
				return c.answer
			}
			return w.Patch(ctx, o, p, opts...)
		},
	})
	return c
}

func (c *cluster) applications() *argocd.Applications { return argocd.NewApplications(c, c, control) }

type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	i.WithIndex(o, field, values)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// application is one that may join the stage prod, with changes.
func application(name string, change ...func(*v1alpha1.Application)) *v1alpha1.Application {
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: control, Name: name,
			Annotations: map[string]string{argocd.AnnotationStage: "shop/prod"},
		},
		Spec: v1alpha1.ApplicationSpec{
			Project: "shop",
			Source:  rendered("deploy/prod", "env/prod"),
		},
	}
	for _, c := range change {
		c(app)
	}
	return app
}

func rendered(path, revision string) *v1alpha1.ApplicationSource {
	return &v1alpha1.ApplicationSource{
		RepoURL: repoURL, Path: path, TargetRevision: revision,
		Plugin: &v1alpha1.ApplicationSourcePlugin{Name: argocd.PluginName},
	}
}

// project permits the repository, and Applications of the namespace team-a.
func project(name string, change ...func(*v1alpha1.AppProject)) *v1alpha1.AppProject {
	p := &v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: name},
		Spec:       v1alpha1.AppProjectSpec{SourceRepos: []string{repoURL}, SourceNamespaces: []string{"team-a"}},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// document has a stage that shares a branch and one with its own.
func document() pipeline.Document {
	return pipeline.Document{Project: "shop", Stages: []pipeline.Stage{{Name: "dev"}, {Name: "prod", Branch: "env/prod"}}}
}

// bound returns the Applications of the stage prod.
func (c *cluster) bound(t *testing.T, doc pipeline.Document) argocd.Bound {
	t.Helper()
	stage, _ := doc.Stage("prod")
	bound, err := c.applications().Bound(t.Context(), doc, stage, prod)
	must(t, err)
	return bound
}

// seen returns the one Application that joins.
func seen(t *testing.T, app *v1alpha1.Application) (*cluster, argocd.Application) {
	t.Helper()
	c := newCluster(t, app, project("shop"))
	bound := c.bound(t, document())
	if len(bound.Applications) != 1 {
		t.Fatalf("it has not joined: %q", bound.Problems)
	}
	return c, bound.Applications[0]
}
