package e2e

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

const commitsPipeline = `
apiVersion: v1
kind: ConfigMap
metadata: {name: commits, namespace: waybill, labels: {waybill.dev/kind: pipeline}}
data:
  pipeline.yaml: |
    apiVersion: waybill.dev/v1
    project: shop
    warehouses:
    - name: commits
      interval: 1h
      subscriptions:
      - image: {repoURL: "IMAGE"}
      - git: {repoURL: "REPO", branch: main, includePaths: [commits/]}
    stages:
    - name: live
      requestedFreight: [{origin: commits, sources: {direct: true}}]
      branch: env/commits
`

const commitsApplication = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: commits-live
  namespace: argocd
  annotations: {waybill.dev/stage: commits/live, argocd.argoproj.io/manifest-generate-paths: /commits}
spec:
  project: shop
  source: {repoURL: REPO, targetRevision: env/commits, path: commits, plugin: {name: waybill}}
  destination: {server: https://kubernetes.default.svc, namespace: shop-dev}
`

// TestFreightOfAnImageAndACommitIsPromotedWithTheTreeOfThatCommit: what was pushed
// to the repository since does not go along, whoever assembled the freight.
func TestFreightOfAnImageAndACommitIsPromotedWithTheTreeOfThatCommit(t *testing.T) {
	image := theStack.Registry().Repository("commits")
	fill := strings.NewReplacer("IMAGE", image, "REPO", theShop.RepoURL)
	commit := func(message, settings string) string {
		t.Helper()
		files := map[string]string{
			"commits/deployment.yaml": sourceDeployment("commits", image+":latest"),
			"commits/settings.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: commits}\ndata: {settings: " + settings + "}\n",
		}
		id, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: message, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	push := func(tag string) string {
		t.Helper()
		digest, err := theStack.Registry().PushImage(t.Context(), "commits", tag, registry.Image{})
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	first := commit("The first settings", "first")
	digest := push("v1.0.0")
	if _, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Branch: "env/commits", Message: "Begin env/commits", Files: map[string]string{"ENVIRONMENT": "live\n"}}); err != nil {
		t.Fatal(err)
	}
	apply(t, fill.Replace(commitsApplication))
	apply(t, fill.Replace(commitsPipeline))
	candidate := func(what, of string) (f v1.Freight) {
		t.Helper()
		eventually(t, what, func() (string, bool) {
			out, code := cli(t, alice, "refresh", "commits", "--app", "commits-live")
			if code != 0 {
				return out, false // the proxy does not know the pipeline yet
			}
			p := get[v1.Pipeline](t, "commits-live", "/pipelines/commits")
			for _, one := range p.Freight {
				if one.ID == p.Warehouses[0].Candidate {
					f = one
				}
			}
			return out + f.Summary + p.Warehouses[0].Error, len(f.Commits) == 1 && f.Commits[0].ID == of
		})
		return f
	}
	made := candidate("the image and the commit are freight", first)
	if len(made.Images) != 1 || made.Images[0].Digest != digest || made.Alias == "" || made.Details[1].Subject != "The first settings" {
		t.Errorf("the freight is %+v", made)
	}

	// The branch and the image go on, and the freight stays what it is.
	second := commit("The second settings", "second")
	push("v1.1.0")
	candidate("so are the next", second)
	promoted := func(freight string) v1.Promotion {
		t.Helper()
		id := ask(t, alice, "promote", "-p", "commits", "--stage", "live", "--freight", freight, "--app", "commits-live")
		var p v1.Promotion
		eventually(t, "promotion "+id+" ends", func() (string, bool) {
			p = get[v1.Promotion](t, "commits-live", "/pipelines/commits/promotions/"+id)
			return string(p.Phase) + " " + p.Message + " " + p.Waiting, p.Phase.Ended()
		})
		if p.Phase != promotion.Succeeded {
			t.Fatalf("%s: %s", p.Phase, p.Message)
		}
		return p
	}
	live := func() (image, settings string) {
		t.Helper()
		return kubectl(t, "get", "deployment", "commits", "-n", "shop-dev", "-o", "jsonpath={.spec.template.spec.containers[0].image}"),
			kubectl(t, "get", "configmap", "commits", "-n", "shop-dev", "-o", "jsonpath={.data.settings}")
	}
	p := promoted(made.Alias)
	if got := p.Applications[0].Base; got != first {
		t.Errorf("the branch took the tree of %s, want %s", got, first)
	}
	if image, settings := live(); !strings.HasSuffix(image, ":v1.0.0@"+digest) || settings != "first" {
		t.Errorf("live is %s with the %s settings", image, settings)
	}

	// A combination that the warehouse never selected: the old image, the new commit.
	id := strings.TrimSpace(must(t, alice, "create", "freight", "--app", "commits-live", "--from", made.Alias,
		"--artifact", theShop.RepoURL+"="+second, "--reason", "the settings alone", "-o", "name"))
	if got := promoted(id).Applications[0].Base; got != second {
		t.Errorf("the branch took the tree of %s, want %s", got, second)
	}
	if image, settings := live(); !strings.HasSuffix(image, ":v1.0.0@"+digest) || settings != "second" {
		t.Errorf("live is %s with the %s settings", image, settings)
	}
	if out := must(t, alice, "get", "warehouses", "--app", "commits-live"); !strings.Contains(out, " ago ") {
		t.Errorf("the warehouse does not tell of its last look:\n%s", out)
	}
}
