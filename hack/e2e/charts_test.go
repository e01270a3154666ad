package e2e

import (
	"os"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	helmregistry "helm.sh/helm/v3/pkg/registry"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/stack/git"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

const chartsPipeline = `
apiVersion: v1
kind: ConfigMap
metadata: {name: charts, namespace: waybill, labels: {waybill.dev/kind: pipeline}}
data:
  pipeline.yaml: |
    apiVersion: waybill.dev/v1
    project: shop
    warehouses:
    - name: charts
      interval: 1h
      subscriptions:
      - chart: {repoURL: "oci://REGISTRY/db", semverConstraint: ^1.0.0}
    stages:
    - name: live
      requestedFreight: [{origin: charts, sources: {direct: true}}]
      branch: env/charts
`

const chartsApplication = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: charts-live
  namespace: argocd
  annotations: {waybill.dev/stage: charts/live, argocd.argoproj.io/manifest-generate-paths: /umbrella}
spec:
  project: shop
  source: {repoURL: REPO, targetRevision: env/charts, path: umbrella, plugin: {name: waybill}}
  destination: {server: https://kubernetes.default.svc, namespace: shop-dev}
`

// pushChart pushes a version of the chart db, whose one manifest tells it.
func pushChart(t *testing.T, version string) {
	t.Helper()
	template := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {version: {{ .Chart.Version | quote }}}\n"
	path, err := chartutil.Save(&chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: chart.APIVersionV2, Name: "db", Version: version},
		Templates: []*chart.File{{Name: "templates/db.yaml", Data: []byte(template)}},
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := helmregistry.NewClient(helmregistry.ClientOptPlainHTTP(), helmregistry.ClientOptWriter(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Push(archive, theStack.Registry().Repository("db")+":"+version); err != nil {
		t.Fatal(err)
	}
}

// TestAPinnedChartIsVendoredByThePromotion: the repository's chart depends on
// another one, names some version of it and vendors none; what is live is the
// version that was promoted, also that of before.
func TestAPinnedChartIsVendoredByThePromotion(t *testing.T) {
	registry := strings.TrimSuffix(theStack.Registry().Repository("db"), "/db")
	fill := strings.NewReplacer("REGISTRY", registry, "REPO", theShop.RepoURL)
	umbrella := "apiVersion: v2\nname: umbrella\nversion: 0.1.0\ndependencies:\n- name: db # what the freight says\n  version: 0.0.1\n  repository: oci://" + registry + "\n"
	for branch, files := range map[string]map[string]string{
		"main":       {"umbrella/Chart.yaml": umbrella},
		"env/charts": {"ENVIRONMENT": "live\n"},
	} {
		if _, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Branch: branch, Message: "Begin the umbrella", Files: files}); err != nil {
			t.Fatal(err)
		}
	}
	pushChart(t, "1.0.0")
	apply(t, fill.Replace(chartsApplication))
	apply(t, fill.Replace(chartsPipeline))
	promoted := func(version string) {
		t.Helper()
		eventually(t, "chart "+version+" is freight", func() (string, bool) {
			out, code := cli(t, alice, "refresh", "charts", "--app", "charts-live")
			if code != 0 {
				return out, false // the proxy does not know the pipeline yet
			}
			p := get[v1.Pipeline](t, "charts-live", "/pipelines/charts")
			found := false
			for _, f := range p.Freight {
				found = found || len(f.Charts) == 1 && f.Charts[0].Version == version
			}
			return out + p.Warehouses[0].Error, found
		})
		id := ask(t, alice, "promote", "-p", "charts", "--stage", "live", "--freight", version, "--app", "charts-live", "--reason", "the database")
		eventually(t, "promotion "+id+" succeeds", func() (string, bool) {
			p := get[v1.Promotion](t, "charts-live", "/pipelines/charts/promotions/"+id)
			return string(p.Phase) + " " + p.Message + " " + p.Waiting, p.Phase == promotion.Succeeded
		})
		if live := kubectl(t, "get", "configmap", "db", "-n", "shop-dev", "-o", "jsonpath={.data.version}"); live != version {
			t.Errorf("live is the chart %s, want %s", live, version)
		}
	}
	promoted("1.0.0")
	pushChart(t, "1.1.0")
	promoted("1.1.0")
	promoted("1.0.0")
}
