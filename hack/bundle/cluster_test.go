package bundle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/waybill-cd/waybill/hack/bundle"
	"github.com/waybill-cd/waybill/hack/stack"
)

// cluster is a stock Argo CD on a real API server. The parts of the test run in
// the order in which a user installs and uninstalls.
type cluster struct {
	*stack.Stack
	client kubernetes.Interface
}

func TestOnARealCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole stack")
	}
	s, err := stack.Start(t.Context(), stack.Config{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	client, err := kubernetes.NewForConfig(s.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{Stack: s, client: client}
	c.installStock(t)
	before := c.snapshot(t)

	t.Run("the namespace is made first, because a dry run needs it", c.makeNamespace)
	t.Run("all manifests pass a server-side dry run", c.dryRun)
	t.Run("the proxy rolls out in a restricted namespace", c.rollOut)
	t.Run("the proxy's account has its rights and no others", c.rights)
	t.Run("the additions leave Argo CD's own settings alone", c.add)
	t.Run("the changed pods are accepted where the restricted standard holds", c.pods)
	t.Run("an upgrade of Argo CD keeps the additions", c.upgrade)
	t.Run("argocd-server sends each gate's calls to the proxy with its secret", c.gates)
	t.Run("what the bundle added can be taken out again", func(t *testing.T) { c.remove(t, before) })
}

// run runs kubectl as a user does at the top of the repository: what begins with
// manifests/ is a path there.
func (c cluster) run(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	for i, arg := range args {
		if strings.HasPrefix(arg, "manifests/") {
			args[i] = filepath.Join(root, arg)
		}
	}
	out, err := c.Kubectl(t.Context(), stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// patch applies the patches of a folder to Argo CD's own objects.
func (c cluster) patch(t *testing.T, folder string, args ...string) {
	t.Helper()
	for _, object := range changed() {
		kind, name, _ := strings.Cut(object, " ")
		c.run(t, nil, append([]string{"patch", "-n", "argocd", kind, name, "--patch-file", folder + "/" + name + ".yaml"}, args...)...)
	}
}

// installStock makes what a stock Argo CD has and the stack runs as processes,
// and some settings of a user's own.
func (c cluster) installStock(t *testing.T) {
	t.Helper()
	c.run(t, stock(t, changed()...), "apply", "-n", "argocd", "-f", "-")
	// There is nothing to run it.
	c.run(t, nil, "scale", "-n", "argocd", "deployment/argocd-repo-server", "deployment/argocd-server", "--replicas=0")
	for name, data := range map[string]string{
		"argocd-cm":            `{"data": {"url": "https://argocd.example.com", "extension.config.other": "services:\n- url: http://other.example.com\n"}}`,
		"argocd-cmd-params-cm": `{"data": {"reposerver.log.level": "debug"}}`,
		"argocd-rbac-cm":       `{"data": {"policy.csv": "g, qa, role:readonly\n", "policy.default": ""}}`,
	} {
		c.run(t, nil, "patch", "-n", "argocd", "configmap", name, "--type=merge", "-p", data)
	}
}

// snapshot returns the objects of Argo CD that the bundle adds to, as their users
// see them.
func (c cluster) snapshot(t *testing.T) map[string]unstructured.Unstructured {
	t.Helper()
	found := map[string]unstructured.Unstructured{}
	for _, object := range changed() {
		kind, name, _ := strings.Cut(object, " ")
		var u unstructured.Unstructured
		if err := json.Unmarshal([]byte(c.run(t, nil, "get", "-n", "argocd", kind, name, "-o", "json")), &u.Object); err != nil {
			t.Fatal(err)
		}
		for _, field := range [][]string{
			{"metadata", "resourceVersion"},
			{"metadata", "generation"},
			{"metadata", "annotations", "deployment.kubernetes.io/revision"},
			{"status"},
		} {
			unstructured.RemoveNestedField(u.Object, field...)
		}
		found[object] = u
	}
	return found
}

func (c cluster) makeNamespace(t *testing.T) {
	c.run(t, nil, "apply", "-f", "manifests/waybill/namespace.yaml")
	c.run(t, nil, "create", "namespace", "team-a")
}

func (c cluster) dryRun(t *testing.T) {
	for namespace, folder := range map[string]string{
		"waybill": "manifests/waybill",
		"argocd":  "manifests/sidecar",
		"team-a":  "manifests/application-namespace",
	} {
		kustomization := c.run(t, nil, "kustomize", folder)
		args := []string{"apply", "--dry-run=server", "--validate=strict", "-f", "-"}
		if folder != "manifests/waybill" { // which names its namespaces
			args = append(args, "-n", namespace)
		}
		c.run(t, []byte(kustomization), args...)
	}
	c.patch(t, "manifests/argocd", "--dry-run=server")
	c.patch(t, "manifests/argocd/remove", "--dry-run=server")
	manifests, err := bundle.ArgoCD(root, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.run(t, manifests, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
}

func (c cluster) rollOut(t *testing.T) {
	c.run(t, nil, "apply", "-k", "manifests/waybill")
	c.run(t, nil, "apply", "-n", "team-a", "-k", "manifests/application-namespace")
	// kwok makes the Pods Ready; that they exist is the admission's word.
	c.run(t, nil, "rollout", "status", "-n", "waybill", "deployment/waybill-proxy", "--timeout=3m")
}

func (c cluster) rights(t *testing.T) {
	type right struct{ verb, group, resource, name, namespace string }
	may := []right{
		{"create", "", "configmaps", "", "waybill"},
		{"delete", "", "configmaps", "shop", "waybill"},
		{"list", "", "secrets", "", "waybill"},
		{"create", "coordination.k8s.io", "leases", "", "waybill"},
		{"update", "coordination.k8s.io", "leases", "waybill-proxy", "waybill"},
		{"patch", "", "events", "", "waybill"},
		{"patch", "argoproj.io", "applications", "shop", "argocd"},
		{"watch", "argoproj.io", "appprojects", "", "argocd"},
		{"watch", "", "configmaps", "argocd-rbac-cm", "argocd"},
		{"patch", "argoproj.io", "applications", "shop", "team-a"},
	}
	mayNot := []right{
		{"create", "", "secrets", "", "waybill"},
		{"update", "coordination.k8s.io", "leases", "another", "waybill"},
		{"create", "", "pods", "", "waybill"},
		{"get", "", "secrets", "argocd-secret", "argocd"},
		{"list", "", "secrets", "", "argocd"},
		{"list", "", "configmaps", "", "argocd"},
		{"get", "", "configmaps", "argocd-cm", "argocd"},
		{"update", "", "configmaps", "argocd-rbac-cm", "argocd"},
		{"create", "argoproj.io", "applications", "", "argocd"},
		{"update", "argoproj.io", "applications", "shop", "argocd"},
		{"delete", "argoproj.io", "applications", "shop", "argocd"},
		{"patch", "argoproj.io", "appprojects", "default", "argocd"},
		{"list", "", "configmaps", "", "team-a"},
		{"list", "", "secrets", "", "default"},
		{"list", "argoproj.io", "applications", "", ""},
		{"list", "", "namespaces", "", ""},
	}
	allowed := func(r right) bool {
		review, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:   "system:serviceaccount:waybill:waybill-proxy",
				Groups: []string{"system:serviceaccounts", "system:serviceaccounts:waybill", "system:authenticated"},
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: r.verb, Group: r.group, Resource: r.resource, Name: r.name, Namespace: r.namespace,
				},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return review.Status.Allowed
	}
	for _, r := range may {
		// The API server's authorizer learns of new Roles a moment later.
		c.await(t, fmt.Sprintf("the right %+v", r), func(context.Context) (bool, error) { return allowed(r), nil })
	}
	for _, r := range mayNot {
		if allowed(r) {
			t.Errorf("the proxy may %+v", r)
		}
	}
}

func (c cluster) add(t *testing.T) {
	before := c.snapshot(t)
	c.run(t, nil, "apply", "-n", "argocd", "-k", "manifests/sidecar")
	c.patch(t, "manifests/argocd")
	c.patch(t, "manifests/argocd") // again, as an upgrade of Waybill does
	after := c.snapshot(t)

	added := map[string][]string{}
	for _, object := range changed() {
		old, current := data(t, before[object]), data(t, after[object])
		for key, value := range old {
			if current[key] != value {
				t.Errorf("%s: %s is %q, and was %q", object, key, current[key], value)
			}
			delete(current, key)
		}
		for key := range current {
			added[object] = append(added[object], key)
		}
		slices.Sort(added[object])
	}
	want := map[string][]string{
		"ConfigMap argocd-cm":            {"extension.config.waybill", "extension.config.waybill-approve", "extension.config.waybill-promote"},
		"ConfigMap argocd-cmd-params-cm": {"reposerver.plugin.use.manifest.generate.paths", "server.enable.proxy.extension"},
		"ConfigMap argocd-rbac-cm":       {"policy.waybill.csv"},
	}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("added keys (-want +got):\n%s", diff)
	}
	containers := strings.Fields(c.run(t, nil, "get", "-n", "argocd", "deployment", "argocd-repo-server", "argocd-server",
		"-o", "jsonpath={.items[*].spec.template.spec['initContainers','containers'][*].name}"))
	slices.Sort(containers)
	if want := []string{"argocd-repo-server", "argocd-server", "copyutil", "waybill", "waybill-extension"}; !slices.Equal(containers, want) {
		t.Errorf("containers %q, want %q", containers, want)
	}
}

func data(t *testing.T, object unstructured.Unstructured) map[string]string {
	t.Helper()
	values, _, err := unstructured.NestedStringMap(object.Object, "data")
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func (c cluster) pods(t *testing.T) {
	for _, name := range []string{"argocd-repo-server", "argocd-server"} {
		server, err := c.client.AppsV1().Deployments("argocd").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "waybill"}, // whose standard is enforced
			Spec:       server.Spec.Template.Spec,
		}
		if _, err := c.client.CoreV1().Pods("waybill").Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
			t.Error(err)
		}
	}
}

func (c cluster) upgrade(t *testing.T) {
	before := c.snapshot(t)
	c.run(t, stock(t, changed()...), "apply", "-n", "argocd", "-f", "-")
	if diff := cmp.Diff(before, c.snapshot(t)); diff != "" {
		t.Errorf("applying the stock manifests again (-before +after):\n%s", diff)
	}
}

func (c cluster) gates(t *testing.T) {
	type call struct{ gate, user, path string }
	calls := make(chan call, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		calls <- call{r.Header.Get("Waybill-Gate-Secret"), r.Header.Get("Argocd-Username"), r.URL.Path}
	}))
	t.Cleanup(proxy.Close)
	c.run(t, []byte(`
apiVersion: v1
kind: Secret
metadata:
  name: waybill-gates
  namespace: argocd
  labels: {app.kubernetes.io/part-of: argocd}
stringData: {waybill: secret of waybill, waybill-promote: secret of waybill-promote, waybill-approve: secret of waybill-approve}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  source: {repoURL: https://git.example.com/shop.git, path: ., targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
`), "apply", "-f", "-")
	manifests, err := bundle.ArgoCD(root, bundle.Options{ProxyURL: proxy.URL, WithoutWorkloads: true})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := json.Marshal(map[string]any{"data": extensionConfig(t, manifests)})
	if err != nil {
		t.Fatal(err)
	}
	c.run(t, moved, "patch", "-n", "argocd", "configmap", "argocd-cm", "--patch-file", "/dev/stdin")
	token, err := c.Login(t.Context(), "admin", c.AdminPassword())
	if err != nil {
		t.Fatal(err)
	}
	for _, gate := range []string{"waybill", "waybill-promote", "waybill-approve"} {
		want := call{"secret of " + gate, "admin", "/api/v1/me"}
		var last any
		c.await(t, "a call through "+gate, func(ctx context.Context) (bool, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.ArgoCDURL()+"/extensions/"+gate+"/api/v1/me", http.NoBody)
			if err != nil {
				return false, err
			}
			request.Header.Set("Cookie", "argocd.token="+token)
			request.Header.Set("Argocd-Application-Name", "argocd:shop")
			request.Header.Set("Argocd-Project-Name", "default")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				last = err
				return false, nil // argocd-server may begin anew with the settings
			}
			defer response.Body.Close()
			select {
			case got := <-calls:
				last = got
				return got == want, nil
			default:
				last = response.Status
				return false, nil
			}
		})
		if last != any(want) {
			t.Errorf("through %s the proxy got %+v, want %+v", gate, last, want)
		}
	}
}

func (c cluster) remove(t *testing.T, before map[string]unstructured.Unstructured) {
	c.patch(t, "manifests/argocd/remove")
	c.run(t, nil, "delete", "-n", "argocd", "configmap/waybill-plugin", "secret/waybill-gates")
	if diff := cmp.Diff(before, c.snapshot(t)); diff != "" {
		t.Errorf("Argo CD's own objects (-before +after):\n%s", diff)
	}
	c.run(t, nil, "delete", "-k", "manifests/waybill")
	left := c.run(t, nil, "get", "role,rolebinding,configmap,secret,deployment", "-A", "-l", "app.kubernetes.io/part-of=waybill", "-o", "name")
	if want := "role.rbac.authorization.k8s.io/waybill-proxy\nrolebinding.rbac.authorization.k8s.io/waybill-proxy\n"; left != want {
		t.Errorf("left are %q, want those of team-a alone: %q", left, want)
	}
}

func (c cluster) await(t *testing.T, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 3*time.Minute, true, condition); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}
