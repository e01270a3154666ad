package doctor

import (
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

const (
	settings    = "ConfigMap argocd/argocd-cm"
	params      = "ConfigMap argocd/argocd-cmd-params-cm"
	rbacMap     = "ConfigMap argocd/argocd-rbac-cm"
	repoServer  = "Deployment argocd/argocd-repo-server"
	server      = "Deployment argocd/argocd-server"
	proxyObject = "Deployment waybill/waybill-proxy"
	shopDev     = "Application argocd/shop-dev"
	shopProd    = "Application argocd/shop-prod"
)

// set and gone are what most faults are: a field with another value, an object
// that is not there.
func set(name string, value any, fields ...string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) { w.set(t, name, value, fields...) }
}

func gone(name string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) { w.remove(t, name) }
}

func replaced(name, key, from, to string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) { w.replace(t, name, key, from, to) }
}

// in changes a container of a Deployment.
func in(name, container, field string, value any) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		w.edit(t, name, container, func(c map[string]any) {
			if value == nil {
				delete(c, field)
				return
			}
			c[field] = value
		})
	}
}

func both(changes ...func(*testing.T, *world)) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		for _, change := range changes {
			change(t, w)
		}
	}
}

func TestEachFaultOfAnInstallationIsToldWithItsRemedy(t *testing.T) {
	const ok, warning, fault = finding.OK, finding.Warning, finding.Error
	tests := map[string]struct {
		spoil    func(*testing.T, *world)
		check    string
		severity finding.Severity
		fact     string
		remedy   string
	}{
		"an image that tells no version": {
			in(server, serverName, "image", "registry.example.com/argocd@sha256:00"),
			CheckVersion, warning, "Argo CD's version is not known", "argocd login",
		},
		"no proxy extensions": {
			set(params, nil, "data", keyExtensions),
			CheckParameters, fault, "server.enable.proxy.extension is not set", "kubectl rollout restart -n argocd deployment/argocd-server",
		},
		"proxy extensions that are switched off": {
			set(params, "false", "data", keyExtensions),
			CheckParameters, fault, `server.enable.proxy.extension is "false"`, "kubectl rollout restart -n argocd deployment/argocd-server",
		},
		"proxy extensions by a flag of the Deployment": {
			both(set(params, nil, "data", keyExtensions), in(server, serverName, "args", []any{"/usr/local/bin/argocd-server", "--enable-proxy-extension"})),
			CheckParameters, ok, "is set by the Deployment itself", "",
		},
		"no UI extension": {
			both(in(server, serverName, "volumeMounts", nil), set(server, nil, "spec", "template", "spec", "initContainers")),
			CheckExtension, warning, "Deployment argocd/argocd-server has no UI extension", "kubectl patch -n argocd deployment argocd-server --patch-file",
		},
		"a UI extension that is still to be built": {
			set(server, []any{map[string]any{"name": extensionName, "image": extensionImage}}, "spec", "template", "spec", "initContainers"), CheckExtension, fault, "the image of the UI extension, " + extensionImage, "with EXTENSION as the image that make images prints",
		},
		"whole checkouts": {
			set(params, nil, "data", keyPaths),
			CheckParameters, warning, "reposerver.plugin.use.manifest.generate.paths is not set", "kubectl rollout restart -n argocd deployment/argocd-repo-server",
		},
		"a setting that is newer than argocd-server": {
			func(t *testing.T, w *world) { w.changedAt(t, params, "11:30", keyExtensions) },
			CheckParameters, warning, "argocd-cmd-params-cm was changed 30 min ago, and argocd-server runs since before: argocd-server-1", "kubectl rollout restart -n argocd deployment/argocd-server",
		},

		"no gate":       {set(settings, nil, "data", "extension.config.waybill-promote"), CheckGates, fault, "gate waybill-promote is no proxy extension", "kubectl patch -n argocd configmap argocd-cm --patch"},
		"a broken gate": {set(settings, "services: x", "data", "extension.config.waybill"), CheckGates, fault, "extension.config.waybill is not what Argo CD reads", "kubectl patch -n argocd configmap argocd-cm --patch"},
		"a gate that leads nowhere": {
			replaced(settings, "extension.config.waybill", "http://", "://"), CheckGates, fault, "has no URL of a service", "kubectl patch -n argocd configmap argocd-cm --patch",
		},
		"a gate that leads to another namespace": {
			replaced(settings, "extension.config.waybill", "waybill-proxy.waybill.svc", "waybill-proxy.other.svc"),
			CheckGates, fault, "leads to waybill-proxy.other.svc:8080, and Waybill's namespace is waybill", "--namespace",
		},
		"a gate without a secret": {
			replaced(settings, "extension.config.waybill", "Waybill-Gate-Secret", "Other"), CheckGates, fault, "header Waybill-Gate-Secret 0 times", "kubectl patch -n argocd configmap argocd-cm --patch",
		},
		"a secret in the clear": {
			replaced(settings, "extension.config.waybill", "$waybill-gates:waybill", "hunter2hunter2hunter2"), CheckGates, fault, "stands in argocd-cm itself", "kubectl patch -n argocd configmap argocd-cm --patch",
		},
		"a secret of another Secret": {
			replaced(settings, "extension.config.waybill", "$waybill-gates:", "$other:"), CheckGates, warning, "another Secret than waybill-gates", "your own arrangement",
		},
		"the secret of another gate": {
			replaced(settings, "extension.config.waybill-approve", "$waybill-gates:waybill-approve", "$waybill-gates:waybill-promote"),
			CheckGates, fault, "gate waybill-approve carries the secret of gate waybill-promote", "kubectl patch -n argocd configmap argocd-cm --patch",
		},
		"two gates with one secret": {
			replaced(settings, "extension.config.waybill-approve", "$waybill-gates:waybill-approve", "$waybill-gates:waybill-promote"),
			CheckGates, fault, "gates waybill-approve and waybill-promote carry the same secret", "kubectl patch -n argocd configmap argocd-cm --patch",
		},
		"a reference to nothing": {
			replaced(settings, "extension.config.waybill", "$waybill-gates:waybill", "$waybill-gates:other"), CheckGates, fault, `refers to key "other"`, "gate-secrets",
		},
		"a gate that is configured twice": {
			set(settings, "extensions: [{name: waybill}]", "data", "extension.config"), CheckGates, fault, "extension waybill is configured twice", "remove it",
		},
		"no Secret for Argo CD":  {gone("Secret argocd/waybill-gates"), CheckGates, fault, "there is no Secret argocd/waybill-gates", "gate-secrets"},
		"no Secret for Waybill":  {gone("Secret waybill/waybill-gates"), CheckGates, fault, "there is no Secret waybill/waybill-gates", "gate-secrets"},
		"a Secret without label": {set("Secret argocd/waybill-gates", nil, "metadata", "labels"), CheckGates, fault, "lacks the label app.kubernetes.io/part-of", "kubectl label"},
		"an empty secret": {
			set("Secret waybill/waybill-gates", "", "data", "waybill"), CheckGates, fault, "gate waybill: its secret is shorter", "gate-secrets",
		},
		"an unresolved secret": {
			set("Secret waybill/waybill-gates", encoded("$waybill-gates:waybill"), "data", "waybill"), CheckGates, fault, "a reference that was never resolved", "gate-secrets",
		},
		"secrets that differ": {
			set("Secret waybill/waybill-gates", encoded("another-secret-of-it"), "data", "waybill"),
			CheckGates, fault, "the secret of gate waybill is one in argocd and another in waybill", "gate-secrets",
		},
		"a gate without a secret for it": {
			set("Secret waybill/waybill-gates", nil, "data", "waybill-approve"), CheckGates, fault, "Secret waybill/waybill-gates has no key waybill-approve", "gate-secrets",
		},
		"secrets that are newer than argocd-server": {
			func(t *testing.T, w *world) { w.changedAt(t, "Secret argocd/waybill-gates", "11:30", "waybill") },
			CheckGates, warning, "argocd-server runs since before", "rollout restart",
		},
		"secrets that are newer than the proxy": {
			func(t *testing.T, w *world) { w.changedAt(t, "Secret waybill/waybill-gates", "11:30", "waybill") },
			CheckGates, warning, "waybill-proxy runs since before: waybill-proxy-1", "kubectl rollout restart -n waybill deployment/waybill-proxy",
		},
		"a gate of a pipeline's own": {
			func(t *testing.T, w *world) {
				shopSays(t, w, "project: shop\n", "project: shop\ngates: {approve: qa}\n")
			},
			CheckGates, fault, "gate qa is no proxy extension", "kubectl patch -n argocd configmap argocd-cm --patch",
		},

		"no ConfigMap of plugin.yaml": {gone("ConfigMap argocd/waybill-plugin"), CheckSidecar, fault, "there is no ConfigMap argocd/waybill-plugin", "manifests/sidecar"},
		"another plugin.yaml": {
			replaced("ConfigMap argocd/waybill-plugin", "plugin.yaml", "generate]", "generate, -v]"), CheckSidecar, warning, "is not the one of this version", "manifests/sidecar",
		},
		"a plugin.yaml that is newer than the sidecar": {
			func(t *testing.T, w *world) {
				w.changedAt(t, "ConfigMap argocd/waybill-plugin", "11:30", "plugin.yaml")
			},
			CheckSidecar, warning, "ConfigMap waybill-plugin was changed 30 min ago", "rollout restart",
		},
		"no repo-server":   {gone(repoServer), CheckSidecar, warning, "there is no Deployment argocd-repo-server", "--argocd-namespace"},
		"no sidecar":       {in(repoServer, "waybill", "name", "other"), CheckSidecar, fault, "has no container waybill", "kubectl patch -n argocd deployment argocd-repo-server"},
		"no image":         {in(repoServer, "waybill", "image", "ghcr.io/waybill-cd/waybill-plugin:unreleased"), CheckSidecar, fault, "stands for one that is still to be built", "make images"},
		"another command":  {in(repoServer, "waybill", "command", []any{"sh"}), CheckSidecar, fault, `command is "sh"`, "patch"},
		"another user":     {in(repoServer, "waybill", "securityContext", map[string]any{"runAsUser": int64(1000)}), CheckSidecar, fault, "runs as user 1000, not as user 999", "999"},
		"a writable root":  {in(repoServer, "waybill", "securityContext", map[string]any{"runAsUser": int64(999)}), CheckSidecar, warning, "root file system", "readOnlyRootFilesystem"},
		"no memory limit":  {in(repoServer, "waybill", "resources", nil), CheckSidecar, warning, "has no memory limit", "1Gi"},
		"a low limit":      {in(repoServer, "waybill", "resources", limits("memory", "64Mi")), CheckSidecar, warning, "memory limit is 64Mi", "1Gi"},
		"a low CPU limit":  {in(repoServer, "waybill", "resources", limits("cpu", "100m")), CheckSidecar, warning, "CPU limit is 100m", "remove"},
		"no volumes":       {in(repoServer, "waybill", "volumeMounts", nil), CheckSidecar, fault, "does not share /home/argocd/cmp-server/plugins", "patch"},
		"no cmp-server":    {in(repoServer, "waybill", "volumeMounts", nil), CheckSidecar, fault, "does not mount /var/run/argocd", "patch"},
		"no plugin.yaml":   {in(repoServer, "waybill", "volumeMounts", nil), CheckSidecar, fault, "does not mount plugin.yaml", "patch"},
		"no /tmp":          {in(repoServer, "waybill", "volumeMounts", nil), CheckSidecar, fault, "mounts no /tmp", "patch"},
		"no copyutil":      {set(repoServer, nil, "spec", "template", "spec", "initContainers"), CheckSidecar, fault, "no init container copies argocd-cmp-server", "copyutil"},
		"a token":          {set(repoServer, true, "spec", "template", "spec", "automountServiceAccountToken"), CheckSidecar, warning, "mount a ServiceAccount's token", "false"},
		"pods not ready":   {set(repoServer, int64(0), "status", "readyReplicas"), CheckSidecar, warning, "0 of 1 pods of argocd/argocd-repo-server are ready", "kubectl describe"},
		"a shared /tmp":    {sharedTmp, CheckSidecar, fault, "shares /tmp with the repo-server", "emptyDir"},
		"a killed sidecar": {killed, CheckSidecar, warning, "was killed at its memory limit, and started 3 times anew", "raise"},
		"a stuck sidecar":  {waiting, CheckSidecar, fault, "does not run: CrashLoopBackOff", "kubectl logs"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := good(t)
			test.spoil(t, w)
			expect(t, Examine(w.read(t), nil), test.check, test.severity, test.fact, test.remedy)
		})
	}
}

// shopSays changes the pipeline of the shop, as the proxy has accepted it.
func shopSays(t *testing.T, w *world, from, to string) {
	t.Helper()
	w.replace(t, "ConfigMap waybill/shop", "pipeline.yaml", from, to)
	w.remove(t, "ConfigMap waybill/waybill.shop.accepted")
}

func limits(name, value string) map[string]any {
	return map[string]any{"limits": map[string]any{name: value}}
}

func sharedTmp(t *testing.T, w *world) {
	w.edit(t, repoServer, "waybill", func(c map[string]any) {
		for _, m := range c["volumeMounts"].([]any) {
			if m := m.(map[string]any); m["mountPath"] == "/tmp" {
				m["name"] = "tmp"
			}
		}
	})
}

func sidecarStatus(t *testing.T, w *world, status map[string]any) {
	status["name"] = sidecarName
	w.set(t, "Pod argocd/argocd-repo-server-1", []any{status}, "status", "containerStatuses")
}

func killed(t *testing.T, w *world) {
	sidecarStatus(t, w, map[string]any{"restartCount": int64(3), "lastState": map[string]any{"terminated": map[string]any{"reason": "OOMKilled"}}})
}

func waiting(t *testing.T, w *world) {
	sidecarStatus(t, w, map[string]any{"state": map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}})
}
