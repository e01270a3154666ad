package bundle_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/hack/bundle"
)

// names lists objects as kind namespace/name, sorted.
func names(t *testing.T, manifests []byte) []string {
	t.Helper()
	var found []string
	for _, o := range decode(t, manifests) {
		accessor, err := meta.Accessor(o)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, o.GetObjectKind().GroupVersionKind().Kind+" "+accessor.GetNamespace()+"/"+accessor.GetName())
	}
	slices.Sort(found)
	return found
}

func TestUsersApplyTheseObjectsAndNoSecret(t *testing.T) {
	manifests := everything(t)
	for folder, want := range map[string][]string{
		"waybill": {
			"Deployment waybill/waybill-proxy",
			"Namespace /waybill",
			"NetworkPolicy waybill/waybill-proxy",
			"PodDisruptionBudget waybill/waybill-proxy",
			"Role argocd/waybill-proxy",
			"Role waybill/waybill-proxy",
			"RoleBinding argocd/waybill-proxy",
			"RoleBinding waybill/waybill-proxy",
			"Service waybill/waybill-proxy",
			"ServiceAccount waybill/waybill-proxy",
		},
		"argocd": {
			"ConfigMap argocd/argocd-cm",
			"ConfigMap argocd/argocd-cmd-params-cm",
			"ConfigMap argocd/argocd-rbac-cm",
			"ConfigMap argocd/waybill-plugin",
			"Deployment argocd/argocd-repo-server",
			"Deployment argocd/argocd-server",
		},
		"application-namespace": {
			"Role /waybill-proxy",
			"RoleBinding /waybill-proxy",
		},
	} {
		if diff := cmp.Diff(want, names(t, manifests[folder])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", folder, diff)
		}
	}
}

func TestOnlyTheseKeysOfArgoCDsConfigurationAreTouched(t *testing.T) {
	got := map[string][]string{}
	for _, c := range all[*corev1.ConfigMap](decode(t, everything(t)["argocd"])) {
		for key := range c.Data {
			got[c.Name] = append(got[c.Name], key)
		}
		slices.Sort(got[c.Name])
		if c.Name != "waybill-plugin" && len(c.Labels)+len(c.Annotations) > 0 {
			t.Errorf("%s claims labels or annotations of an object that is not ours", c.Name)
		}
	}
	want := map[string][]string{
		"argocd-cm":            {"extension.config.waybill", "extension.config.waybill-approve", "extension.config.waybill-promote"},
		"argocd-cmd-params-cm": {"reposerver.plugin.use.manifest.generate.paths", "server.enable.proxy.extension"},
		"argocd-rbac-cm":       {"policy.waybill.csv"},
		"waybill-plugin":       {"plugin.yaml"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestEachGateHasTheSecretOfItsName(t *testing.T) {
	for key, value := range extensionConfig(t, everything(t)["argocd"]) {
		gate := strings.TrimPrefix(key, "extension.config.")
		want := "services:\n- url: http://waybill-proxy.waybill.svc:8080\n  headers:\n  - name: Waybill-Gate-Secret\n    value: $waybill-gates:" + gate + "\n"
		if diff := cmp.Diff(want, value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

func extensionConfig(t *testing.T, manifests []byte) map[string]string {
	t.Helper()
	for _, c := range all[*corev1.ConfigMap](decode(t, manifests)) {
		if c.Name == "argocd-cm" {
			return c.Data
		}
	}
	t.Fatal("no argocd-cm")
	return nil
}

func TestABundleForAnotherPlaceDiffersOnlyInWhatIsAsked(t *testing.T) {
	for folder, build := range map[string]func(string, bundle.Options) ([]byte, error){
		"waybill": bundle.Waybill,
		"argocd":  bundle.ArgoCD,
	} {
		bare, err := build(root, bundle.Options{WithoutWorkloads: true})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(names(t, everything(t)[folder]), func(name string) bool { return strings.HasPrefix(name, "Deployment ") })
		if diff := cmp.Diff(want, names(t, bare)); diff != "" {
			t.Errorf("%s without workloads (-want +got):\n%s", folder, diff)
		}
	}
	whole, err := bundle.Waybill(root, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kustomize(t, "waybill")), string(whole)); diff != "" {
		t.Errorf("without options (-manifests +bundle):\n%s", diff)
	}

	moved, err := bundle.ArgoCD(root, bundle.Options{ProxyURL: "http://127.0.0.1:9"})
	if err != nil {
		t.Fatal(err)
	}
	want := extensionConfig(t, everything(t)["argocd"])
	for key, value := range want {
		want[key] = strings.ReplaceAll(value, bundle.ProxyURL, "http://127.0.0.1:9")
	}
	if diff := cmp.Diff(want, extensionConfig(t, moved)); diff != "" {
		t.Errorf("with another address (-want +got):\n%s", diff)
	}
	if strings.Contains(string(moved), bundle.ProxyURL) {
		t.Errorf("%s is still there", bundle.ProxyURL)
	}
}

func TestAMissingFolderIsAnErrorThatNamesIt(t *testing.T) {
	_, err := bundle.Waybill(t.TempDir(), bundle.Options{})
	if err == nil || !strings.Contains(err.Error(), "the manifests of waybill") {
		t.Errorf("error %v", err)
	}
}

// With discover, Argo CD would send whole repositories to ask; a version would
// become part of the name in every Application; Git credentials serve nobody.
func TestThePluginIsAskedForByNameAlone(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "manifests", "sidecar", "plugin.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.UnmarshalStrict(content, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"apiVersion": "argoproj.io/v1alpha1",
		"kind":       "ConfigManagementPlugin",
		"metadata":   map[string]any{"name": "waybill"},
		"spec": map[string]any{
			"generate":   map[string]any{"command": []any{"waybill-plugin", "generate"}},
			"parameters": map[string]any{"dynamic": map[string]any{"command": []any{"waybill-plugin", "parameters"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plugin.yaml (-want +got):\n%s", diff)
	}
}

// Images are set by users; the placeholder says so when it is forgotten.
func TestEveryContainerIsConfinedAndBounded(t *testing.T) {
	images := map[string]string{}
	for _, manifests := range everything(t) {
		for _, d := range all[*appsv1.Deployment](decode(t, manifests)) {
			pod := d.Spec.Template.Spec
			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				if c.Image == "" {
					continue // a container of Argo CD's own, which gets a mount
				}
				images[c.Name] = c.Image
				if err := confined(pod.SecurityContext, c); err != "" {
					t.Errorf("%s: %s", c.Name, err)
				}
				if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s: no request or no limit of memory", c.Name)
				}
			}
		}
	}
	want := map[string]string{
		"waybill-proxy":     "ghcr.io/waybill-cd/waybill-proxy:unreleased",
		"waybill":           "ghcr.io/waybill-cd/waybill-plugin:unreleased",
		"waybill-extension": "ghcr.io/waybill-cd/waybill-extension:unreleased",
	}
	if diff := cmp.Diff(want, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

// confined says what a container lacks of a read-only, unprivileged one.
func confined(pod *corev1.PodSecurityContext, c corev1.Container) string {
	s := c.SecurityContext
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	isTrue := func(b *bool) bool { return b != nil && *b }
	switch {
	case s == nil || !isTrue(s.ReadOnlyRootFilesystem):
		return "its root filesystem is writable"
	case s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation:
		return "it may escalate privileges"
	case s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}):
		return "it keeps capabilities"
	case !isTrue(s.RunAsNonRoot) && !isTrue(pod.RunAsNonRoot):
		return "it may run as root"
	case s.SeccompProfile == nil && pod.SeccompProfile == nil:
		return "it has no seccomp profile"
	}
	return ""
}

func TestOnlyArgoCDsServerReachesTheAPI(t *testing.T) {
	objects := decode(t, kustomize(t, "waybill"))
	policies := all[*networkingv1.NetworkPolicy](objects)
	if len(policies) != 1 {
		t.Fatalf("%d policies", len(policies))
	}
	pods := all[*appsv1.Deployment](objects)[0].Spec.Template.Labels
	for key, value := range policies[0].Spec.PodSelector.MatchLabels {
		if pods[key] != value {
			t.Errorf("the policy is not for the proxy's pods: %s=%s", key, value)
		}
	}
	got, err := yaml.Marshal(policies[0].Spec.Ingress)
	if err != nil {
		t.Fatal(err)
	}
	want := `- from:
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: argocd
    podSelector:
      matchLabels:
        app.kubernetes.io/name: argocd-server
  ports:
  - port: api
    protocol: TCP
- ports:
  - port: webhooks
    protocol: TCP
- from:
  - namespaceSelector: {}
  ports:
  - port: metrics
    protocol: TCP
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("ingress (-want +got):\n%s", diff)
	}
}
