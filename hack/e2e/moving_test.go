package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// movingKinds are the native Applications that move to the plugin, by the kind of
// their source in Argo CD's words. Each is named moving-<kind>.
var movingKinds = map[string]string{"kustomize": "Kustomize", "helm": "Helm"}

var movingFiles = map[string]string{
	"moving/base/deployment.yaml":           sourceDeployment("moving", "IMAGE:latest"),
	"moving/base/kustomization.yaml":        "resources: [deployment.yaml]\nconfigMapGenerator: [{name: settings, literals: [COLOUR=red]}]\n",
	"moving/kustomize/kustomization.yaml":   "resources: [../base]\n",
	"moving/helm/Chart.yaml":                "apiVersion: v2\nname: moving\nversion: 1.0.0\n",
	"moving/helm/values.yaml":               "image: {repository: none.example.com/none, tag: latest}\ncolour: red\n",
	"moving/helm/values-dev.yaml":           "image: {repository: IMAGE}\n",
	"moving/helm/templates/deployment.yaml": sourceDeployment("{{ .Release.Name }}", `"{{ .Values.image.repository }}:{{ .Values.image.tag }}"`),
	"moving/helm/templates/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}', namespace: '{{ .Release.Namespace }}'}\n" +
		"data: {colour: '{{ .Values.colour }}', kubernetes: '{{ .Capabilities.KubeVersion }}', " +
		`apps: '{{ .Capabilities.APIVersions.Has "apps/v1" }}'}` + "\n",
}

const movingApplication = `# Kept, and so is the order.
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: moving-KIND
  namespace: argocd
spec:
  project: shop
  source:
    repoURL: REPO
    targetRevision: main
    path: moving/KIND
SOURCE
  destination: {server: https://kubernetes.default.svc, namespace: shop-dev}
`

var movingSources = map[string]string{
	"kustomize": `    kustomize:
      namePrefix: kustomize-
      images: ["IMAGE:v1.0.0"]
      commonLabels: {team: shop}
      replicas: [{name: moving, count: 2}]`,
	"helm": `    helm:
      releaseName: moving-chart
      valueFiles: [values-dev.yaml]
      values: |
        colour: green
      parameters: [{name: image.tag, value: v1.0.0}]`,
}

const movingPipeline = `
apiVersion: v1
kind: ConfigMap
metadata: {name: moving, namespace: waybill, labels: {waybill.dev/kind: pipeline}}
data:
  pipeline.yaml: |
    apiVersion: waybill.dev/v1
    project: shop
    warehouses:
    - name: moving
      interval: 1h
      subscriptions:
      - image: {repoURL: "IMAGE"}
    stages:
    - {name: live, requestedFreight: [{origin: moving, sources: {direct: true}}]}
`

// movingApp is what Argo CD says of such an Application.
type movingApp struct {
	Status struct {
		SourceType string
		Sync       struct {
			Status     string
			ComparedTo struct{ Source map[string]any }
		}
		Resources  []struct{ Kind, Name, Status string }
		Conditions []struct{ Message string }
	}
}

func movingNow(t *testing.T, kind string) (app movingApp) {
	t.Helper()
	if err := json.Unmarshal(argocd(t, "GET", "/api/v1/applications/moving-"+kind, nil), &app); err != nil {
		t.Fatal(err)
	}
	return app
}

// waitCompared waits until Argo CD has compared an Application with what its
// present source renders, and wants nothing of it out of sync.
func waitCompared(t *testing.T, kind, sourceType string) {
	t.Helper()
	var app movingApp
	eventually(t, "Argo CD compares moving-"+kind+" as "+sourceType, func() (string, bool) {
		app = movingNow(t, kind)
		_, byPlugin := app.Status.Sync.ComparedTo.Source["plugin"]
		return fmt.Sprintf("%+v", app), app.Status.SourceType == sourceType && byPlugin == (sourceType == "Plugin")
	})
	if app.Status.Sync.Status != "Synced" || len(app.Status.Resources) != 2 {
		t.Errorf("moving-%s as %s is %+v", kind, sourceType, app.Status)
	}
	for _, r := range app.Status.Resources {
		if r.Status != "Synced" {
			t.Errorf("as %s, %s %s is %s", sourceType, r.Kind, r.Name, r.Status)
		}
	}
}

// object reads an Application without its annotations: that for the paths is for
// native sources too, and stays.
func object(t *testing.T, text string) (app map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &app); err != nil {
		t.Fatal(err)
	}
	delete(app["metadata"].(map[string]any), "annotations")
	return app
}

// convert runs argocd-waybill convert on a file in place.
func convert(t *testing.T, file string, args ...string) {
	t.Helper()
	must(t, alice, append([]string{"convert", file, "--in-place"}, args...)...)
}

// cloneShop clones the shop's repository, as whoever converts has it.
func cloneShop(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	credentials := base64.StdEncoding.EncodeToString([]byte(theStack.Git().User() + ":" + theStack.Git().Password()))
	cmd := exec.CommandContext(t.Context(), "git", "-c", "http.extraHeader=Authorization: Basic "+credentials, "clone", "--quiet", theShop.RepoURL, folder)
	cmd.Env = theStack.Environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return folder
}

func TestNativeApplicationsMoveToThePluginAndBack(t *testing.T) {
	image := theStack.Registry().Repository("moving")
	in := strings.NewReplacer("IMAGE", image, "REPO", theShop.RepoURL)
	files := map[string]string{}
	for path, content := range movingFiles {
		files[path] = in.Replace(content)
	}
	pushToMain(t, "Add two Applications that know no plugin", files)
	apply(t, in.Replace(movingPipeline))
	clone, folder := cloneShop(t), t.TempDir()
	defer kubectl(t, "delete", "configmap", "moving", "-n", "waybill")
	native, rendered := map[string]string{}, map[string][]string{}

	for kind, sourceType := range movingKinds {
		file := filepath.Join(folder, kind+".yaml")
		native[kind] = strings.NewReplacer("KIND", kind, "REPO", theShop.RepoURL, "SOURCE", in.Replace(movingSources[kind])).Replace(movingApplication)
		apply(t, native[kind])
		defer argocd(t, "DELETE", "/api/v1/applications/moving-"+kind+"?cascade=true", nil)
		argocd(t, "POST", "/api/v1/applications/moving-"+kind+"/sync", map[string]any{"prune": true})
		eventually(t, "moving-"+kind+" is synced", func() (string, bool) {
			app := movingNow(t, kind)
			return fmt.Sprintf("%+v", app), app.Status.Sync.Status == "Synced"
		})
		waitCompared(t, kind, sourceType)
		rendered[kind] = renderedManifests(t, "moving-"+kind, "main")

		if err := os.WriteFile(file, []byte(native[kind]), 0o600); err != nil {
			t.Fatal(err)
		}
		convert(t, file, "--stage", "moving/live", "--unpinned-allow", "--repo", clone)
		moved, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"# Kept, and so is the order.\n", "waybill.dev/stage: moving/live", "argocd.argoproj.io/manifest-generate-paths: ", "name: waybill"} {
			if !strings.Contains(string(moved), want) {
				t.Errorf("%s has no %q:\n%s", kind, want, moved)
			}
		}
		apply(t, string(moved))
		waitCompared(t, kind, "Plugin")
		if diff := cmp.Diff(rendered[kind], renderedManifests(t, "moving-"+kind, "main")); diff != "" {
			t.Errorf("%s (-%s +Plugin):\n%s", kind, sourceType, diff)
		}
	}

	for kind, sourceType := range movingKinds {
		file := filepath.Join(folder, kind+".yaml")
		convert(t, file, "--back")
		back, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, native[kind]), object(t, string(back))); diff != "" {
			t.Errorf("%s (-before +back):\n%s", kind, diff)
		}
		apply(t, string(back))
		waitCompared(t, kind, sourceType)
		if diff := cmp.Diff(rendered[kind], renderedManifests(t, "moving-"+kind, "main")); diff != "" {
			t.Errorf("%s (-before +back):\n%s", kind, diff)
		}
	}
}
