package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

// condition is what Argo CD says of an Application.
func condition(kind, message string) func(*testing.T, *world) {
	return set(shopDev, []any{map[string]any{"type": kind, "message": message}}, "status", "conditions")
}

// owned gives Applications to an ApplicationSet whose template has what is
// written there.
func owned(spec string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		w.add(t, "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: shop, namespace: argocd}\nspec:\n"+spec)
		for _, name := range []string{"dev", "staging", "prod"} {
			w.set(t, "Application argocd/shop-"+name, []any{map[string]any{"kind": "ApplicationSet", "name": "shop"}}, "metadata", "ownerReferences")
		}
	}
}

// carrying lets an Application carry its waybill.
func carrying(t *testing.T, w *world) {
	w.set(t, shopDev, []any{map[string]any{"name": "WAYBILL", "value": "{}"}}, "spec", "source", "plugin", "env")
}

const (
	goodTemplate = "  template: {metadata: {annotations: {waybill.dev/stage: 'shop/{{env}}'}}, spec: {source: {plugin: {name: waybill}}}}\n"
	sourceOnly   = "  template: {spec: {source: {plugin: {name: waybill}}}}\n"
)

func TestEachFaultOfAnApplicationIsToldWithItsRemedy(t *testing.T) {
	const ok, warning, fault = finding.OK, finding.Warning, finding.Error
	argoSays := "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = %splugin sidecar failed. " +
		"error generating manifests in cmp: rpc error: code = Unknown desc = error generating manifests: `waybill-plugin generate` failed exit status 1: Application shop-dev: it has two waybills\nmore"
	tests := map[string]struct {
		spoil    func(*testing.T, *world)
		check    string
		severity finding.Severity
		fact     string
		remedy   string
	}{
		"none": {
			both(gone(shopDev), gone("Application argocd/shop-staging"), gone(shopProd)),
			CheckApplications, warning, "no Application is bound", "annotate",
		},
		"an annotation that names no stage": {
			set(shopDev, "Shop", "metadata", "annotations", annotationStage), CheckApplications, fault, `names no stage ("Shop" is not the name of a stage`, "<pipeline>/<stage>",
		},
		"a pipeline that does not exist": {
			set(shopDev, "store/dev", "metadata", "annotations", annotationStage), CheckApplications, fault, "pipeline store, which they are bound to, does not exist or is not valid: argocd/shop-dev", "apply",
		},
		"a stage that does not exist": {
			set(shopDev, "shop/qa", "metadata", "annotations", annotationStage), CheckApplications, fault, "stage shop/qa, which they are bound to, does not exist: argocd/shop-dev", "dev, staging, prod",
		},
		"another project": {
			set(shopDev, "other", "spec", "project"), CheckApplications, fault, "stage shop/dev takes no Applications of AppProject other: argocd/shop-dev", "AppProject shop",
		},
		"no plugin": {
			set(shopDev, nil, "spec", "source", "plugin"), CheckApplications, fault, "no source is rendered by Waybill's plugin, so that nothing is pinned: argocd/shop-dev", "plugin.name: waybill",
		},
		"several sources with the plugin": {
			set(shopDev, []any{map[string]any{"plugin": map[string]any{"name": "waybill"}}, map[string]any{"plugin": map[string]any{"name": "waybill"}}}, "spec", "sources"),
			CheckApplications, fault, "several sources are rendered", "one waybill",
		},
		"a chart":      {set(shopDev, "db", "spec", "source", "chart"), CheckApplications, fault, "the source is a chart", "depends on the chart"},
		"native knobs": {set(shopDev, map[string]any{}, "spec", "source", "kustomize"), CheckApplications, fault, "the source has kustomize beside plugin", "remove it"},
		"HEAD":         {set(shopDev, "HEAD", "spec", "source", "targetRevision"), CheckApplications, warning, "targetRevision is HEAD", "write the branch"},
		"a commit":     {set(shopDev, strings.Repeat("a", 40), "spec", "source", "targetRevision"), CheckApplications, fault, "targetRevision is a commit or a tag", "write the branch"},
		"whole checkouts": {
			set(shopDev, nil, "metadata", "annotations", annotationPaths), CheckApplications, warning, "manifest-generate-paths is missing, so that each render packs the whole checkout with .git: argocd/shop-dev", "annotate",
		},
		"a hydrator":             {set(shopDev, map[string]any{"x": "y"}, "spec", "sourceHydrator"), CheckApplications, warning, "source hydrator", "or the plugin"},
		"another way to render":  {set(shopDev, "Kustomize", "status", "sourceType"), CheckApplications, warning, "rendered them as Kustomize", ".argocd-source"},
		"an error of the plugin": {condition("ComparisonError", fmt.Sprintf(argoSays, "")), CheckApplications, fault, "Argo CD reports ComparisonError (Application shop-dev: it has two waybills): argocd/shop-dev", "mend"},
		"paused rendering": {
			condition("ComparisonError", fmt.Sprintf(argoSays, "Manifest generation error (cached): ")),
			CheckApplications, fault, "rendering is paused after failures (Application shop-dev: it has two waybills): argocd/shop-dev", "--hard-refresh",
		},
		"an operation that hangs": {
			set(shopDev, map[string]any{"phase": "Running", "startedAt": "2026-03-01T10:00:00Z"}, "status", "operationState"),
			CheckApplications, warning, "an operation runs for more than 60 min", "terminate-op",
		},
		"an operation that does not begin": {
			set(shopDev, map[string]any{"sync": map[string]any{}}, "operation"), CheckApplications, warning, "has not begun", "argocd-application-controller",
		},
		"automation without prune": {
			set(shopDev, map[string]any{"automated": map[string]any{}}, "spec", "syncPolicy"), CheckApplications, ok, "without prune", "",
		},

		"a good ApplicationSet":   {owned(goodTemplate), CheckApplicationSets, ok, "ApplicationSet argocd/shop leaves the binding and the waybills", ""},
		"a lost annotation":       {owned(sourceOnly), CheckApplicationSets, fault, "takes the annotation waybill.dev/stage away", "preservedFields"},
		"a preserved annotation":  {owned(sourceOnly + "  preservedFields: {annotations: [waybill.dev/stage]}\n"), CheckApplicationSets, ok, "leaves the binding", ""},
		"a patched annotation":    {owned(sourceOnly + "  templatePatch: 'metadata: {annotations: {waybill.dev/stage: shop/dev}}'\n"), CheckApplicationSets, ok, "leaves the binding", ""},
		"a set that never writes": {owned(sourceOnly + "  syncPolicy: {applicationsSync: create-only}\n"), CheckApplicationSets, ok, "does not update its Applications", ""},
		"a set without the plugin": {
			owned("  template: {metadata: {annotations: {waybill.dev/stage: x}}, spec: {source: {path: x}}}\n"), CheckApplicationSets, fault, "has no plugin in its template", "plugin.name: waybill",
		},
		"a global preserved annotation": {
			both(owned(sourceOnly), set(params, "a, waybill.dev/stage", "data", keyPreserved)), CheckApplicationSets, ok, "leaves the binding", "",
		},
		"a waybill that is undone": {both(owned(goodTemplate), carrying), CheckApplicationSets, fault, "undoes the waybills that its Applications carry in plugin.env: argocd/shop-dev", "ignoreApplicationDifferences"},
		"a waybill that is ignored": {
			both(owned(goodTemplate+"  ignoreApplicationDifferences: [{jsonPointers: [/spec/source/plugin]}]\n"), carrying), CheckApplicationSets, ok, "leaves the binding", "",
		},

		"no proxy":           {gone(proxyObject), CheckWaybill, fault, "there is no Deployment waybill-proxy", "--namespace"},
		"no replicas":        {set(proxyObject, int64(0), "spec", "replicas"), CheckWaybill, fault, "has no replicas", "scale"},
		"no ready replica":   {set(proxyObject, int64(0), "status", "readyReplicas"), CheckWaybill, fault, "no replica of waybill/waybill-proxy is ready", "describe"},
		"one ready replica":  {set(proxyObject, int64(1), "status", "readyReplicas"), CheckWaybill, warning, "1 of 2 replicas", "describe"},
		"no image":           {in(proxyObject, proxyName, "image", "ghcr.io/waybill-cd/waybill-proxy:unreleased"), CheckWaybill, fault, "stands for one that is still to be built", "make images"},
		"another version":    {in(proxyObject, proxyName, "image", "ghcr.io/waybill-cd/waybill-proxy:v1.1.0"), CheckWaybill, warning, "the proxy has the version 1.1.0, and this command line 1.2.0", "version"},
		"another Argo CD":    {in(proxyObject, proxyName, "args", []any{"--argocd-namespace=cd"}), CheckWaybill, fault, "looks for Argo CD in namespace cd, not in argocd", "--argocd-namespace"},
		"no Lease":           {gone("Lease waybill/waybill-proxy"), CheckWaybill, fault, "no replica holds the Lease", "kubectl logs"},
		"an old Lease":       {set("Lease waybill/waybill-proxy", "2026-03-01T11:30:00.000000Z", "spec", "renewTime"), CheckWaybill, fault, "was renewed 30 min ago: no replica runs the engine", "kubectl logs"},
		"no pipeline":        {gone("ConfigMap waybill/shop"), CheckWaybill, warning, "there is no pipeline in namespace waybill", "hack/shop"},
		"a pipeline no more": {replaced("ConfigMap waybill/shop", "pipeline.yaml", "autoPromotion", "auto"), CheckWaybill, fault, "pipeline shop has problems, and the last good document stays in force", "lint"},
		"a pipeline never": {
			both(replaced("ConfigMap waybill/shop", "pipeline.yaml", "autoPromotion", "auto"), gone("ConfigMap waybill/waybill.shop.accepted")),
			CheckWaybill, fault, "pipeline shop has problems, and nothing is promoted", "lint",
		},
		"a pipeline that only an older version reads": {
			both(replaced("ConfigMap waybill/shop", "pipeline.yaml", "autoPromotion", "auto"), replaced("ConfigMap waybill/waybill.shop.accepted", "accepted.yaml", "autoPromotion", "auto")),
			CheckWaybill, fault, "pipeline shop has problems, and nothing is promoted", "lint",
		},
		"a pipeline that waits": {replaced("ConfigMap waybill/shop", "pipeline.yaml", "10s", "20s"), CheckWaybill, warning, "has not taken over the newest document of pipeline shop", "wait"},
		"a stage that is alone": {gone(shopProd), CheckWaybill, warning, "no Application is bound to these stages, so that their promotions wait: shop/prod", "controlFlow"},
		"no credentials":        {gone("Secret waybill/shop-repository"), CheckWaybill, warning, "no credentials to push waybills with", "secret-type"},
		"credentials without any": {
			both(set("Secret waybill/shop-repository", nil, "data", "username"), set("Secret waybill/shop-repository", nil, "data", "password")),
			CheckWaybill, warning, "no credentials to push waybills with, which only a repository that anybody may write to does without: https://git.example.com/shop.git", "password",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := good(t)
			test.spoil(t, w)
			expect(t, Examine(w.read(t), nil), test.check, test.severity, test.fact, test.remedy)
		})
	}
}

const hookSecret = `apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: waybill, labels: {waybill.dev/webhook: %s}}
data: {secret: %s}
`

func TestAWebhookReceiverThatTheProxyRefusesIsToldWithoutItsSecret(t *testing.T) {
	w := good(t)
	w.add(t, fmt.Sprintf(hookSecret, "hub", "dockerhub", encoded("a secret of some length")), fmt.Sprintf(hookSecret, "short", "github", encoded("confidential")))
	all := Examine(w.read(t), nil)
	expect(t, all, CheckWaybill, finding.Error, "all webhooks to Secret waybill/short are refused: its secret is shorter than 16 bytes", "mend it")
	expect(t, all, CheckWaybill, finding.OK, "webhook receivers that are ready: 1", "")
	for _, f := range all {
		if strings.Contains(f.Fact, "confidential") {
			t.Errorf("it tells the secret: %s", f.Fact)
		}
	}
}

// A thousand Applications with one fault are one finding, which names all of them
// where programs read it.
func TestAFaultOfManyApplicationsIsOneFinding(t *testing.T) {
	var in Installation
	for i := range 1000 {
		var a Application
		a.Meta.Name, a.Meta.Namespace = fmt.Sprintf("app-%d", i), "argocd"
		a.Meta.Annotations = map[string]string{annotationStage: "shop/dev", annotationPaths: "."}
		in.Applications.Value = append(in.Applications.Value, a)
	}
	in.Pipelines.Missing = true
	all := applications(in)
	if len(all) != 2 || len(all[1].Subjects) != 1000 || !strings.HasSuffix(all[1].Fact, "argocd/app-4 and 995 more") {
		t.Errorf("%d findings, the last %.200v", len(all), all[len(all)-1])
	}
}

func TestAnApplicationThatIsNotBoundIsNotLookedAt(t *testing.T) {
	w := good(t)
	w.add(t, "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: other, namespace: argocd}\nspec: {source: {path: x}}\n")
	if got := w.read(t).Applications.Value; len(got) != 3 {
		t.Errorf("%d Applications are read, want the 3 that are bound", len(got))
	}
}
