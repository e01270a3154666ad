package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/hack/stack/registry"
)

// sourceKinds are the Applications of the stage sources/live, one for each kind
// of source. Each is named sources-<kind>, and so is its Deployment.
var sourceKinds = []string{"kustomize", "chart", "plain"}

// sourceFiles are what they are rendered from. IMAGE stands for the image
// repository.
var sourceFiles = map[string]string{
	"sources/base/deployment.yaml":    sourceDeployment("shop", "IMAGE:latest"),
	"sources/base/kustomization.yaml": "resources: [deployment.yaml]\n",
	"sources/kustomize/kustomization.yaml": "resources: [../base]\nnamespace: shop-dev\npatches:\n- target: {kind: Deployment}\n" +
		"  patch: |\n    - {op: replace, path: /metadata/name, value: sources-kustomize}\n",
	"sources/chart/Chart.yaml":                "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
	"sources/chart/values.yaml":               "image: {repository: none.example.com/none, tag: latest}\n",
	"sources/chart/values-dev.yaml":           "image: {repository: IMAGE}\n",
	"sources/chart/templates/deployment.yaml": sourceDeployment("{{ .Release.Name }}", `"{{ .Values.image.repository }}:{{ .Values.image.tag }}"`),
	"sources/plain/deployment.yaml":           sourceDeployment("sources-plain", "IMAGE"),
}

func sourceDeployment(name, image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n" +
		"  selector: {matchLabels: {app: " + name + "}}\n  template:\n    metadata: {labels: {app: " + name + "}}\n" +
		"    spec: {containers: [{name: shop, image: " + image + "}]}\n"
}

const sourcesPipeline = `
apiVersion: v1
kind: ConfigMap
metadata: {name: sources, namespace: waybill, labels: {waybill.dev/kind: pipeline}}
data:
  pipeline.yaml: |
    apiVersion: waybill.dev/v1
    project: shop
    warehouses:
    - {name: sources, interval: 1h, subscriptions: [{image: {repoURL: "IMAGE"}}]}
    stages:
    - {name: live, requestedFreight: [{origin: sources, sources: {direct: true}}]}
`

const sourceApplication = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: sources-KIND
  namespace: argocd
  annotations: {waybill.dev/stage: sources/live, argocd.argoproj.io/manifest-generate-paths: /sources}
spec:
  project: shop
  source: {repoURL: REPO, targetRevision: main, path: sources/KIND, plugin: {name: waybill, parameters: PARAMETERS}}
  destination: {server: https://kubernetes.default.svc, namespace: shop-dev}
`

// setUpSources makes the stage, and pushes two versions whose digests it returns.
func setUpSources(t *testing.T) (digests map[string]string) {
	t.Helper()
	image := theStack.Registry().Repository("sources")
	files := map[string]string{}
	for path, content := range sourceFiles {
		files[path] = strings.ReplaceAll(content, "IMAGE", image)
	}
	if _, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: "Add one Application for each kind of source", Files: files}); err != nil {
		t.Fatal(err)
	}
	apply(t, strings.ReplaceAll(sourcesPipeline, "IMAGE", image))
	for _, kind := range sourceKinds {
		parameters := "[]"
		if kind == "chart" {
			parameters = "[{name: valueFiles, array: [values-dev.yaml]}]"
		}
		apply(t, strings.NewReplacer("KIND", kind, "REPO", theShop.RepoURL, "PARAMETERS", parameters).Replace(sourceApplication))
	}
	digests = map[string]string{}
	for _, tag := range []string{"v1.0.0", "v2.0.0"} {
		digest, err := theStack.Registry().PushImage(t.Context(), "sources", tag, registry.Image{})
		if err != nil {
			t.Fatal(err)
		}
		digests[tag] = digest
		eventually(t, tag+" is freight", func() (string, bool) {
			out, code := cli(t, alice, "refresh", "sources", "--app", "sources-plain")
			if code != 0 {
				return out, false
			}
			out, _ = cli(t, alice, "get", "freight", "-p", "sources", "--app", "sources-plain")
			return out, strings.Contains(out, tag)
		})
	}
	return digests
}

// promoteSources promotes a version into all the sources, and waits until it is
// live in each.
func promoteSources(t *testing.T, tag, digest string) {
	t.Helper()
	id := ask(t, alice, "promote", "-p", "sources", "--stage", "live", "--freight", tag, "--app", "sources-plain")
	eventually(t, "promotion "+id+" ends", func() (string, bool) {
		p := get[struct {
			Phase   promotion.Phase
			Message string
			Waiting string
		}](t, "sources-plain", "/pipelines/sources/promotions/"+id)
		if p.Phase.Ended() && p.Phase != promotion.Succeeded {
			t.Fatalf("%s: %s", p.Phase, p.Message)
		}
		return fmt.Sprint(p), p.Phase.Ended()
	})
	for _, kind := range sourceKinds {
		if image := sourceImage(t, kind); !strings.HasSuffix(image, ":"+tag+"@"+digest) {
			t.Errorf("%s runs %s, want %s@%s", kind, image, tag, digest)
		}
	}
}

func sourceImage(t *testing.T, kind string) string {
	t.Helper()
	return kubectl(t, "get", "deployment", "sources-"+kind, "-n", "shop-dev", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
}

// argocd calls Argo CD's own API as its administrator.
func argocd(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, theStack.ArgoCDURL()+path, content)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token(t, admin))
	r.Header.Set("Content-Type", "application/json")
	status, answer := do(t, r)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// renderedManifests are what Argo CD's repo-server gives for an Application at a
// revision.
func renderedManifests(t *testing.T, app, revision string) []string {
	t.Helper()
	var answer struct{ Manifests []string }
	if err := json.Unmarshal(argocd(t, http.MethodGet, "/api/v1/applications/"+app+"/manifests?revision="+revision, nil), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Manifests
}

func TestEveryKindOfSourceIsPinned(t *testing.T) {
	digests := setUpSources(t)
	rendered := map[string][][]string{}
	for _, tag := range []string{"v1.0.0", "v2.0.0", "v1.0.0"} {
		promoteSources(t, tag, digests[tag])
		for _, kind := range sourceKinds {
			rendered[kind] = append(rendered[kind], renderedManifests(t, "sources-"+kind, "main"))
		}
	}
	for kind, all := range rendered {
		if diff := cmp.Diff(all[0], all[2]); diff != "" {
			t.Errorf("%s: promoting A, B and A does not give A again:\n%s", kind, diff)
		}
		if cmp.Equal(all[0], all[1]) {
			t.Errorf("%s: A and B render the same", kind)
		}
	}

	t.Run("Argo CD's own rollback renders the pin of its entry", func(t *testing.T) {
		for _, kind := range sourceKinds {
			var app struct {
				Status struct {
					History []struct {
						ID       int64
						Revision string
					}
				}
			}
			if err := json.Unmarshal(argocd(t, http.MethodGet, "/api/v1/applications/sources-"+kind, nil), &app); err != nil {
				t.Fatal(err)
			}
			history := app.Status.History
			if len(history) < 3 {
				t.Fatalf("%s: the history is %+v", kind, history)
			}
			entry := history[len(history)-2] // of v2.0.0
			argocd(t, http.MethodPost, "/api/v1/applications/sources-"+kind+"/rollback", map[string]any{"id": entry.ID})
			eventually(t, kind+" runs v2.0.0 again", func() (string, bool) {
				image := sourceImage(t, kind)
				return image, strings.HasSuffix(image, ":v2.0.0@"+digests["v2.0.0"])
			})
		}
	})

	t.Run("a waybill that is not this Application's own is refused, and what runs stays", func(t *testing.T) {
		const file = "sources/plain/waybill-sources-plain.yaml"
		good, err := theStack.Git().File(t.Context(), "shop", "main", file)
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := theStack.Git().File(t.Context(), "shop", "main", "sources/chart/waybill-sources-chart.yaml")
		if err != nil {
			t.Fatal(err)
		}
		before := sourceImage(t, "plain")
		for _, tt := range []struct {
			name, want string
			change     git.Commit
		}{
			{"hand-edited", "the waybill was edited by hand", git.Commit{Files: map[string]string{
				file: strings.Replace(good, digests["v1.0.0"], digests["v2.0.0"], 1)}}},
			{"missing", "it has no waybill: promote freight into its stage", git.Commit{Remove: []string{file}}},
			{"foreign", "the waybill was written for Application sources-chart", git.Commit{Files: map[string]string{file: foreign}}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				tt.change.Message = "Not a promotion"
				if _, err := theStack.Git().Commit(t.Context(), "shop", tt.change); err != nil {
					t.Fatal(err)
				}
				kubectl(t, "annotate", "application", "sources-plain", "-n", "argocd", "--overwrite", "argocd.argoproj.io/refresh=normal")
				eventually(t, "Argo CD says what is wrong", func() (string, bool) {
					conditions := kubectl(t, "get", "application", "sources-plain", "-n", "argocd", "-o", "jsonpath={.status.conditions[*].message}")
					return conditions, strings.Contains(conditions, tt.want)
				})
				if now := sourceImage(t, "plain"); now != before {
					t.Errorf("it runs %s, before %s", now, before)
				}
			})
		}
	})

	t.Run("the next promotion mends it", func(t *testing.T) { promoteSources(t, "v2.0.0", digests["v2.0.0"]) })
}
