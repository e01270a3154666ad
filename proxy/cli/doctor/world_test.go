package doctor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

const root = "../../.." // of the repository

var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// world are the objects of a cluster: a stock Argo CD 2.14.21 with the very
// manifests of this repository beside it, and the shop of the demo.
type world []*unstructured.Unstructured

var built = sync.OnceValues(build)

// good is an installation as the README makes it, that has run for an hour.
func good(t *testing.T) *world {
	t.Helper()
	base, err := built()
	if err != nil {
		t.Fatal(err)
	}
	w := world{}
	for _, o := range base {
		w = append(w, o.DeepCopy())
	}
	w.add(t, gateObject("argocd", "argocd"), gateObject("waybill", "waybill"), `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: waybill-proxy, namespace: waybill}
spec: {holderIdentity: waybill-proxy-1, leaseDurationSeconds: 15, renewTime: "2026-03-01T11:59:58.000000Z"}
`)
	w.add(t, pod("argocd", serverName, "11:00"), pod("argocd", repoServerName, "11:00"), pod("waybill", proxyName, "11:00"))
	for _, name := range []string{serverName, repoServerName, proxyName} {
		namespace := "argocd"
		if name == proxyName {
			namespace = "waybill"
		}
		w.set(t, "Deployment "+namespace+"/"+name, int64(2), "status", "readyReplicas")
	}
	text, _, err := unstructured.NestedString(w.object(t, "ConfigMap waybill/shop").Object, "data", pipeline.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.add(t, acceptedRecord(t, text, ""))
	return &w
}

func acceptedRecord(t *testing.T, text, refused string) string {
	t.Helper()
	record, err := yaml.Marshal(map[string]any{"pipeline": "waybill/shop", "hash": pipeline.Hash(text), "document": text, "refused": refused})
	if err != nil {
		t.Fatal(err)
	}
	object, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "waybill.shop.accepted", "namespace": "waybill", "labels": map[string]any{labelKind: kindAccepted}},
		"data":     map[string]any{keyAccepted: string(record)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(object)
}

func gateObject(namespace, partOf string) string {
	text := "apiVersion: v1\nkind: Secret\nmetadata: {name: waybill-gates, namespace: " + namespace + ", labels: {app.kubernetes.io/part-of: " + partOf + "}}\ndata:\n"
	for _, gate := range []string{pipeline.GateRead, pipeline.GatePromote, pipeline.GateApprove} {
		text += "  " + gate + ": " + encoded("secret-of-"+gate) + "\n"
	}
	return text
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func pod(namespace, of, started string) string {
	container := of
	extra := ""
	if of == repoServerName {
		extra = "  - {name: waybill, ready: true, state: {running: {startedAt: '2026-03-01T" + started + ":00Z'}}}\n"
	}
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + of + "-1, namespace: " + namespace + ", labels: {app.kubernetes.io/name: " + of + "}, creationTimestamp: '2026-03-01T" + started + ":00Z'}\n" +
		"status:\n  containerStatuses:\n  - {name: " + container + ", ready: true, state: {running: {startedAt: '2026-03-01T" + started + ":00Z'}}}\n" + extra
}

// build makes the objects that do not change from test to test.
func build() (world, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-cd/v2").Output()
	if err != nil {
		return nil, err
	}
	stock, err := os.ReadFile(filepath.Join(string(bytes.TrimSpace(dir)), "manifests", "install.yaml"))
	if err != nil {
		return nil, err
	}
	kept := ""
	for _, document := range strings.Split(string(stock), "\n---\n") {
		for _, kind := range []string{"\nkind: ConfigMap\n", "\nkind: Deployment\n"} {
			if strings.Contains("\n"+document, kind) {
				kept += "---\n" + document + "\n"
			}
		}
	}
	folder, err := os.MkdirTemp("", "doctor-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	manifests, err := relative(folder, filepath.Join(root, "manifests"))
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"kustomization.yaml": `
resources: [argocd, ` + manifests + `/waybill]
images:
- {name: ghcr.io/waybill-cd/waybill-plugin, newTag: v1.2.0}
- {name: ghcr.io/waybill-cd/waybill-proxy, newTag: v1.2.0}
- {name: ghcr.io/waybill-cd/waybill-extension, newTag: v1.2.0}
`,
		"argocd/install.yaml": kept,
		"argocd/kustomization.yaml": `
namespace: argocd
resources: [install.yaml]
components: [../` + manifests + `/argocd]
`,
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, err
	}
	text, err := made.AsYaml()
	if err != nil {
		return nil, err
	}
	all := string(text)
	for _, name := range []string{"applications", "pipeline", "project", "credentials"} {
		text, err := os.ReadFile(filepath.Join(root, "hack/shop/manifests", name+".yaml"))
		if err != nil {
			return nil, err
		}
		all += "\n---\n" + string(text)
	}
	all = strings.NewReplacer("[[ .RepoURL ]]", "https://git.example.com/shop.git", "[[ .Image ]]", "registry.example.com/shop",
		"[[ .User ]]", encoded("waybill"), "[[ .Password ]]", encoded("password-of-git"), "stringData:", "data:").Replace(all)
	all = strings.ReplaceAll(all, "  type: git\n  url: https://git.example.com/shop.git", "  url: "+encoded("https://git.example.com/shop.git"))
	w, err := parse(all)
	if err != nil {
		return nil, err
	}
	access, err := os.ReadFile(filepath.Join(root, "hack/shop/manifests/access.yaml"))
	if err != nil {
		return nil, err
	}
	rights, err := parse(string(access))
	if err != nil {
		return nil, err
	}
	policy, _, err := unstructured.NestedString(rights[0].Object, "data", keyPolicy)
	if err != nil {
		return nil, err
	}
	// The demo's people are local accounts.
	for _, field := range [][2]string{{"argocd-rbac-cm", keyPolicy}, {"argocd-cm", "accounts.alice"}, {"argocd-cm", "accounts.bob"}} {
		value := "login"
		if field[1] == keyPolicy {
			value = policy
		}
		for _, o := range w {
			if o.GetName() == field[0] {
				err = errors.Join(err, unstructured.SetNestedField(o.Object, value, "data", field[1]))
			}
		}
	}
	return w, err
}

// relative returns the way from a folder to another, as a kustomization wants it.
func relative(from, to string) (string, error) {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return "", err
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	if to, err = filepath.EvalSymlinks(to); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

func parse(text string) (world, error) {
	var w world
	for _, document := range strings.Split(text, "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return nil, err
		}
		if len(object) > 0 {
			w = append(w, &unstructured.Unstructured{Object: object})
		}
	}
	return w, nil
}

func (w *world) add(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		more, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		*w = append(*w, more...)
	}
}

// object finds one by "Kind namespace/name".
func (w *world) object(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range *w {
		if o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func (w *world) remove(t *testing.T, name string) {
	t.Helper()
	gone := w.object(t, name)
	for i, o := range *w {
		if o == gone {
			*w = append((*w)[:i], (*w)[i+1:]...)
			return
		}
	}
}

// set writes a field of an object; nil removes it.
func (w *world) set(t *testing.T, name string, value any, fields ...string) {
	t.Helper()
	o := w.object(t, name)
	if value == nil {
		unstructured.RemoveNestedField(o.Object, fields...)
		return
	}
	if err := unstructured.SetNestedField(o.Object, value, fields...); err != nil {
		t.Fatal(err)
	}
}

// replace changes a text in the data of a ConfigMap.
func (w *world) replace(t *testing.T, name, key, from, to string) {
	t.Helper()
	text, _, err := unstructured.NestedString(w.object(t, name).Object, "data", key)
	if err != nil || !strings.Contains(text, from) {
		t.Fatalf("%s, %s does not have %q: %v", name, key, from, err)
	}
	w.set(t, name, strings.ReplaceAll(text, from, to), "data", key)
}

// edit changes a container of a Deployment.
func (w *world) edit(t *testing.T, name, container string, change func(map[string]any)) {
	t.Helper()
	o := w.object(t, name)
	containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		if c, ok := c.(map[string]any); ok && c["name"] == container {
			change(c)
		}
	}
	w.set(t, name, containers, "spec", "template", "spec", "containers")
}

// changedAt dates who wrote keys of an object's data.
func (w *world) changedAt(t *testing.T, name, at string, keys ...string) {
	t.Helper()
	data := map[string]any{}
	for _, key := range keys {
		data["f:"+key] = map[string]any{}
	}
	w.set(t, name, []any{map[string]any{
		"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
		"time": "2026-03-01T" + at + ":00Z", "fieldsV1": map[string]any{"f:data": data},
	}}, "metadata", "managedFields")
}

var listKinds = map[schema.GroupVersionResource]string{
	configMaps: "ConfigMapList", secretObjects: "SecretList", podObjects: "PodList", deploymentsOf: "DeploymentList", leases: "LeaseList",
	applicationsOf: "ApplicationList", applicationSetsOf: "ApplicationSetList", projects: "AppProjectList",
}

func (w *world) client() *fake.FakeDynamicClient {
	var objects []runtime.Object
	for _, o := range *w {
		objects = append(objects, o)
	}
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), listKinds, objects...)
}

func options() Options {
	return Options{ArgoCDNamespace: "argocd", Namespace: "waybill", Now: now, CLIVersion: "v1.2.0"}
}

// read reads the world through the fake of Kubernetes' client.
func (w *world) read(t *testing.T) Installation {
	t.Helper()
	in, err := Read(t.Context(), w.client(), options())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// expect finds a finding by its beginning, and checks that it has a remedy where
// it needs one.
func expect(t *testing.T, all []finding.Finding, check string, severity finding.Severity, fact, remedy string) {
	t.Helper()
	for _, f := range all {
		if f.Check != check || f.Severity != severity || !strings.Contains(f.Fact, fact) {
			continue
		}
		if !strings.Contains(f.Remedy, remedy) || (f.Remedy == "") != (severity == finding.OK) {
			t.Errorf("the remedy is %q, want one with %q", f.Remedy, remedy)
		}
		return
	}
	t.Errorf("there is no finding %s %s with %q in:", severity, check, fact)
	for _, f := range all {
		t.Logf("%s %s: %s → %s", f.Severity, f.Check, f.Fact, f.Remedy)
	}
}
