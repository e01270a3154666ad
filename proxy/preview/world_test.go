package preview_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

var update = flag.Bool("update", false, "write the golden files")

// plugin is the real binary, built once, by the first test that needs it.
var plugin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "waybill-plugin-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "waybill-plugin")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/waybill-cd/waybill/plugin").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the plugin: %w\n%s", err, out)
	}
	return path, nil
})

var built string // the folder of it

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// world is a Git host, and a renderer that reads it.
type world struct {
	*git.Server
	t        *testing.T
	url      string
	renderer *preview.Renderer
	dir      string // of the renderer
	plugin   string // that it runs
	exports  *counted
}

// counted counts how often files are written for a render.
type counted struct {
	*gitrepo.Repositories
	exports atomic.Int64
}

func (c *counted) Export(ctx context.Context, repoURL, revision string, paths []string, dir string) error {
	c.exports.Add(1)
	return c.Repositories.Export(ctx, repoURL, revision, paths, dir)
}

type account struct{ user, password string }

func (a account) Git(context.Context, string) (string, string, error) { return a.user, a.password, nil }

func (a account) GitOf(context.Context, string, string) (string, string, error) {
	return a.user, a.password, nil
}

func newWorld(t *testing.T, o preview.Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	var err error
	w.Server, err = git.New(git.Config{Dir: t.TempDir(), Log: t.Output()})
	w.must(err)
	w.must(w.Start(t.Context()))
	t.Cleanup(func() { _ = w.Kill() })
	w.url, err = w.Create(t.Context(), "shop", map[string]string{"README.md": "The shop"})
	w.must(err)
	repositories, err := gitrepo.New(account{w.User(), w.Password()}, gitrepo.Options{Dir: t.TempDir()})
	w.must(err)
	w.exports = &counted{Repositories: repositories}
	if o.Plugin == "" {
		o.Plugin, err = plugin()
		w.must(err)
	}
	o.Dir, w.plugin = w.dir, o.Plugin
	w.renderer, err = preview.New(w.exports, o)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// push commits files to a branch of its own, and returns the tree to render.
func (w *world) push(branch string, files map[string]string) preview.Tree {
	w.t.Helper()
	id, err := w.Commit(w.t.Context(), "shop", git.Commit{Branch: branch, Files: files})
	w.must(err)
	return preview.Tree{Revision: id}
}

// folder reads the files of a folder.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const control = "argocd"

// application is one of the stage prod, changed by change.
func (w *world) application(change func(*v1alpha1.Application)) argocd.Application {
	w.t.Helper()
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: "shop-prod", Annotations: map[string]string{argocd.AnnotationStage: "shop/prod"}},
		Spec: v1alpha1.ApplicationSpec{
			Project:     "shop",
			Destination: v1alpha1.ApplicationDestination{Namespace: "shop"},
			Source: &v1alpha1.ApplicationSource{
				RepoURL: w.url, Path: "deploy", TargetRevision: "main",
				Plugin: &v1alpha1.ApplicationSourcePlugin{
					Name:       argocd.PluginName,
					Parameters: v1alpha1.ApplicationSourcePluginParameters{{Name: "unpinned", String_: new("allow")}},
				},
			},
		},
	}
	if change != nil {
		change(app)
	}
	scheme := runtime.NewScheme()
	w.must(v1alpha1.AddToScheme(scheme))
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(app, &v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: "shop"}, Spec: v1alpha1.AppProjectSpec{SourceRepos: []string{"*"}},
	})
	w.must(argocd.IndexApplications(w.t.Context(), indexer{builder}))
	cluster := builder.Build()
	stage := pipeline.Stage{Name: "prod"}
	name := pipeline.StageName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Stage: "prod"}
	bound, err := argocd.NewApplications(cluster, cluster, control).Bound(w.t.Context(), pipeline.Document{Project: "shop", Stages: []pipeline.Stage{stage}}, stage, name)
	w.must(err)
	if len(bound.Applications) != 1 {
		w.t.Fatalf("no Application: %v", bound.Problems)
	}
	return bound.Applications[0]
}

type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	i.WithIndex(o, field, values)
	return nil
}

func (w *world) compare(app argocd.Application, now, next preview.Tree) preview.Application {
	w.t.Helper()
	got, err := w.renderer.Compare(w.t.Context(), app, now, next)
	w.must(err)
	return got
}

// bill is the waybill of freight with one image.
func bill(t *testing.T, promotion, tag string) []byte {
	t.Helper()
	artifacts := freight.Artifacts{Images: []freight.Image{{RepoURL: "registry.example.com/shop", Tag: tag, Digest: "sha256:" + strings.Repeat(tag[1:2], 64)}}}
	w := waybill.Waybill{
		Application: "shop-prod", Stage: "shop/prod", Serial: 1,
		Freight:   []waybill.Freight{{ID: freight.ID("waybill/shop", "shop", artifacts), Origin: "shop", Artifacts: artifacts}},
		Promotion: waybill.Promotion{ID: promotion, By: "alice", At: time.Unix(0, 0)},
	}
	text, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// left are the folders of renders that are still there.
func (w *world) left() []string {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(w.dir, "preview"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	w.must(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
