package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

const (
	// previewTime bounds a preview, in seconds.
	previewTime = 1
	// previews are made of each Application.
	previews = 9
)

// largePreview previews promotions as the proxy does, of freight that neither side
// was rendered with before: two trees of a Git host's, each rendered by the plugin
// as a child, and compared.
func largePreview(ctx context.Context, w *workshop) (figures []figure, err error) {
	if _, err := w.build(ctx, "waybill-plugin-chart", "./plugin/chart"); err != nil {
		return nil, err
	}
	p, err := w.previewer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.host.Kill()) }()
	kustomization := manyWorkloads()
	kustomization["kustomization.yaml"] = "resources: [many.yaml]\nnamespace: shop\n"
	for _, source := range []struct {
		name  string
		files map[string]string
	}{{"kustomization", kustomization}, {"chart", chartOfManyWorkloads()}} {
		seconds, err := p.measure(ctx, source.name, source.files)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{what: "of a " + source.name, value: seconds, limit: previewTime, unit: " s"})
	}
	return figures, nil
}

// previewer is a Git host, and what the proxy previews with.
type previewer struct {
	host         *git.Server
	repositories *gitrepo.Repositories
	renderer     *preview.Renderer
}

func (w *workshop) previewer(ctx context.Context) (*previewer, error) {
	dir := filepath.Join(w.dir, "previews")
	host, err := git.New(git.Config{Dir: filepath.Join(dir, "host")})
	if err != nil {
		return nil, err
	}
	repositories, err := gitrepo.New(account{host.User(), host.Password()}, gitrepo.Options{Dir: filepath.Join(dir, "copies")})
	if err != nil {
		return nil, err
	}
	renderer, err := preview.New(repositories, preview.Options{Plugin: w.plugin, Dir: filepath.Join(dir, "renders")})
	if err != nil {
		return nil, err
	}
	return &previewer{host, repositories, renderer}, host.Start(ctx)
}

// measure returns how many seconds a preview of an Application with these files
// takes. The first one fetches the repository, and does not count.
func (p *previewer) measure(ctx context.Context, name string, files map[string]string) (float64, error) {
	url, err := p.host.Create(ctx, name, below(shopPath, files))
	if err != nil {
		return 0, err
	}
	app, err := bound(ctx, url)
	if err != nil {
		return 0, err
	}
	revision, err := p.repositories.Tip(ctx, url, "")
	if err != nil {
		return 0, err
	}
	var took []float64
	for i := range previews + 1 {
		seconds, err := p.once(ctx, app, revision, 2*i)
		if err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, seconds)
		}
	}
	return median(took), nil
}

// once previews the freight that comes after one, by its number.
func (p *previewer) once(ctx context.Context, app argocd.Application, revision string, number int) (float64, error) {
	var trees [2]preview.Tree
	for i := range trees {
		data, err := bill(fmt.Sprintf("v1.%d.0", number+i))
		if err != nil {
			return 0, err
		}
		trees[i] = preview.Tree{Revision: revision, Files: map[string][]byte{app.WaybillPath(): data}}
	}
	began := time.Now()
	shown, err := p.renderer.Compare(ctx, app, trees[0], trees[1])
	took := time.Since(began).Seconds()
	if err != nil {
		return 0, err
	}
	if shown.Total != 2*workloads || len(shown.Changed) != workloads {
		return 0, fmt.Errorf("it shows %d changes of %d resources, want %d of %d: %s%s", len(shown.Changed), shown.Total, workloads, 2*workloads, shown.Today, shown.Problem)
	}
	return took, nil
}

// bound is an Application of the stage prod in a repository.
func bound(ctx context.Context, url string) (argocd.Application, error) {
	const control = "argocd"
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return argocd.Application{}, err
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&v1alpha1.Application{
			ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: application, Annotations: map[string]string{argocd.AnnotationStage: "shop/prod"}},
			Spec: v1alpha1.ApplicationSpec{
				Project: "shop", Destination: v1alpha1.ApplicationDestination{Namespace: "shop"},
				Source: &v1alpha1.ApplicationSource{RepoURL: url, Path: shopPath, Plugin: &v1alpha1.ApplicationSourcePlugin{Name: argocd.PluginName}},
			},
		},
		&v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: "shop"}, Spec: v1alpha1.AppProjectSpec{SourceRepos: []string{"*"}}},
	)
	if err := argocd.IndexApplications(ctx, indexer{builder}); err != nil {
		return argocd.Application{}, err
	}
	cluster := builder.Build()
	stage := pipeline.Stage{Name: "prod"}
	all, err := argocd.NewApplications(cluster, cluster, control).Bound(ctx, pipeline.Document{Project: "shop", Stages: []pipeline.Stage{stage}}, stage,
		pipeline.StageName{Pipeline: pipeline.Name{Namespace: pipeline.DefaultNamespace, Name: "shop"}, Stage: stage.Name})
	if err != nil {
		return argocd.Application{}, err
	}
	if len(all.Applications) != 1 {
		return argocd.Application{}, fmt.Errorf("the Application has not joined its stage: %v", all.Problems)
	}
	return all.Applications[0], nil
}

// indexer adds an index to a cluster of objects in memory.
type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	i.WithIndex(o, field, values)
	return nil
}

type account struct{ user, password string }

func (a account) Git(context.Context, string) (string, string, error) { return a.user, a.password, nil }

func (a account) GitOf(context.Context, string, string) (string, string, error) {
	return a.user, a.password, nil
}
