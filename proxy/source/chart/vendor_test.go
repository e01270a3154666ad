package chart_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/downloader"
	"helm.sh/helm/v3/pkg/getter"
	helmregistry "helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	vendoring "github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/registry"
)

// What a promotion vendors, `helm dependency build` takes for its own: the lock is of
// Chart.yaml, and the archives are those that it would fetch.
func TestHelmTakesWhatIsVendoredForItsOwn(t *testing.T) {
	w, c, server := newWorld(t), newClassic(t), newRegistry(t, registry.Config{})
	c.publish("db", "1.0.0", "2.1.0")
	push(t, server, "queue", "1.0.0", "3.0.0+build.1")
	inOCI := "oci://" + server.Repository("charts")
	files := map[string][]byte{
		"Chart.yaml": []byte("apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n" +
			"- name: db\n  version: ~1.0.0\n  repository: " + c.URL + "\n  condition: db.enabled\n  tags: [a, \"<b>\"]\n  import-values: [{child: x, parent: y}, data]\n" +
			"- name: queue\n  version: 1.x # as is\n  repository: " + inOCI + "\n- name: db\n  alias: second\n  version: ~1.0.0\n  repository: " + c.URL + "\n"),
		"charts/db-1.0.0.tgz": packaged(t, "db", "1.0.0"),
	}
	pins := []freight.Chart{
		w.pinOf(pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}, "2.1.0"),
		w.pinOf(pipeline.ChartSubscription{RepoURL: inOCI + "/queue"}, "3.0.0+build.1"),
	}
	edits, err := vendoring.Vendor(files, pins, time.Unix(0, 0), func(pin freight.Chart) ([]byte, error) {
		return w.Archive(t.Context(), namespace, pin, false)
	})
	w.must(err)
	dir := t.TempDir()
	for name, content := range edits.Files {
		path := filepath.Join(dir, name)
		w.must(os.MkdirAll(filepath.Dir(path), 0o700))
		w.must(os.WriteFile(path, content, 0o600))
	}
	vendored := slices.Sorted(maps.Keys(edits.Files))
	want := []string{"Chart.lock", "Chart.yaml", "charts/db-2.1.0.tgz", "charts/queue-3.0.0+build.1.tgz"}
	if diff := cmp.Diff(want, vendored); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"charts/db-1.0.0.tgz"}, edits.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}

	loaded, err := loader.LoadDir(dir)
	w.must(err)
	w.must(loaded.Validate())
	w.must(action.CheckDependencies(loaded, loaded.Metadata.Dependencies))

	helm := t.TempDir()
	repositories := repo.NewFile()
	repositories.Add(&repo.Entry{Name: "shop", URL: c.URL})
	config := filepath.Join(helm, "repositories.yaml")
	w.must(repositories.WriteFile(config, 0o600))
	client, err := helmregistry.NewClient(helmregistry.ClientOptPlainHTTP(), helmregistry.ClientOptWriter(t.Output()))
	w.must(err)
	manager := downloader.Manager{
		Out: t.Output(), ChartPath: dir, Getters: getter.All(cli.New()), RegistryClient: client,
		RepositoryConfig: config, RepositoryCache: filepath.Join(helm, "cache"),
	}
	w.must(os.MkdirAll(manager.RepositoryCache, 0o700))
	w.must(manager.Build())
	for name, content := range edits.Files {
		built, err := os.ReadFile(filepath.Join(dir, name))
		w.must(err)
		if string(built) != string(content) {
			t.Errorf("helm dependency build makes another %s:\n%s", name, built)
		}
	}
	// Were the lock of something else, it would say so.
	w.must(os.WriteFile(filepath.Join(dir, "Chart.yaml"), files["Chart.yaml"], 0o600))
	if err := manager.Build(); err == nil {
		t.Error("helm dependency build takes any lock")
	}
}
