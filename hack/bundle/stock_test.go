package bundle_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// stock returns the objects that a stock Argo CD is installed with, as the file
// install.yaml of its module has them, by kind and name.
func stock(t *testing.T, wanted ...string) []byte {
	t.Helper()
	var found [][]byte
	for _, document := range bytes.Split(stockFile(t), []byte("\n---\n")) {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(document, &object); err != nil {
			t.Fatal(err)
		}
		for _, name := range wanted {
			if object.Kind+" "+object.Metadata.Name == name {
				found = append(found, document)
			}
		}
	}
	if len(found) != len(wanted) {
		t.Fatalf("install.yaml has %d of %q", len(found), wanted)
	}
	return bytes.Join(found, []byte("\n---\n"))
}

func stockFile(t *testing.T) []byte {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-cd/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(string(bytes.TrimSpace(dir)), "manifests", "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// changed are the objects of a stock Argo CD that the bundle adds to.
func changed() []string {
	return []string{
		"ConfigMap argocd-cm",
		"ConfigMap argocd-cmd-params-cm",
		"ConfigMap argocd-rbac-cm",
		"Deployment argocd-repo-server",
		"Deployment argocd-server",
	}
}

// build puts a kustomization of a user's own beside the bundle and builds it.
func build(t *testing.T, format string, args ...any) []runtime.Object {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Abs(filepath.Join(root, "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	if manifests, err = filepath.Rel(dir, manifests); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"install.yaml":       stock(t, changed()...),
		"kustomization.yaml": fmt.Appendf(nil, format, append([]any{manifests}, args...)...),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return decode(t, kustomizePath(t, dir))
}

func TestAKustomizationOfArgoCDTakesTheComponent(t *testing.T) {
	objects := build(t, `
namespace: argocd
resources: [install.yaml]
components: [%s/argocd]
`)
	for _, c := range all[*corev1.ConfigMap](objects) {
		if len(c.Data) == 0 || c.Namespace != "argocd" {
			t.Errorf("%s/%s has nothing of the bundle", c.Namespace, c.Name)
		}
	}
	deployments := map[string]corev1.PodSpec{}
	for _, d := range all[*appsv1.Deployment](objects) {
		deployments[d.Name] = d.Spec.Template.Spec
	}
	containers := map[string][]string{}
	for name, pod := range deployments {
		volumes := map[string]bool{}
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
		}
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			containers[name] = append(containers[name], c.Name)
			for _, mount := range c.VolumeMounts {
				if !volumes[mount.Name] {
					t.Errorf("%s mounts %s, which a stock Argo CD does not have", c.Name, mount.Name)
				}
			}
		}
	}
	want := map[string][]string{
		"argocd-repo-server": {"copyutil", "waybill", "argocd-repo-server"},
		"argocd-server":      {"waybill-extension", "argocd-server"},
	}
	if diff := cmp.Diff(want, containers); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
}

// The sidecar runs Argo CD's own argocd-cmp-server, and shares two volumes with
// the containers of a stock repo-server: both must mean the same by them.
func TestTheSidecarFindsWhatAStockRepoServerOffers(t *testing.T) {
	var server appsv1.Deployment
	if err := yaml.UnmarshalStrict(stock(t, "Deployment argocd-repo-server"), &server); err != nil {
		t.Fatal(err)
	}
	mounts := func(c corev1.Container) map[string]string {
		paths := map[string]string{}
		for _, m := range c.VolumeMounts {
			paths[m.Name] = m.MountPath
		}
		return paths
	}
	ours := deployment(t, decode(t, everything(t)["argocd"]), "argocd-repo-server").Containers[0]
	copied := server.Spec.Template.Spec.InitContainers[0]
	if got, want := mounts(ours)["var-files"], mounts(copied)["var-files"]; got != want {
		t.Errorf("var-files is at %s in the sidecar, and the init container fills %s", got, want)
	}
	if got, want := ours.Command[0], copied.Command[len(copied.Command)-1]; got != want {
		t.Errorf("the sidecar runs %s, and the init container copies %s", got, want)
	}
	if got, want := mounts(ours)["plugins"], mounts(server.Spec.Template.Spec.Containers[0])["plugins"]; got != want {
		t.Errorf("the plugin's socket is in %s, and the repo-server looks in %s", got, want)
	}
	if mounts(ours)["tmp"] != "" || mounts(ours)["waybill-tmp"] != "/tmp" {
		t.Error("the sidecar has no /tmp of its own")
	}
}

// argocd-server serves what is below /tmp/extensions, and reads alone what the init
// container writes there.
func TestTheExtensionIsServedFromAFolderOfItsOwn(t *testing.T) {
	pod := deployment(t, decode(t, everything(t)["argocd"]), "argocd-server")
	writer, server := pod.InitContainers[0], pod.Containers[0]
	want := []corev1.VolumeMount{{Name: "waybill-extension", MountPath: "/tmp/extensions/waybill"}}
	if diff := cmp.Diff(want, writer.VolumeMounts); diff != "" {
		t.Errorf("the init container's mounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{want[0].MountPath}, writer.Args); diff != "" {
		t.Errorf("it writes elsewhere (-want +got):\n%s", diff)
	}
	want[0].ReadOnly = true
	if diff := cmp.Diff(want, server.VolumeMounts); diff != "" {
		t.Errorf("argocd-server's mounts (-want +got):\n%s", diff)
	}
}

// deployment returns the pods of one Deployment.
func deployment(t *testing.T, objects []runtime.Object, name string) corev1.PodSpec {
	t.Helper()
	for _, d := range all[*appsv1.Deployment](objects) {
		if d.Name == name {
			return d.Spec.Template.Spec
		}
	}
	t.Fatalf("no Deployment %s", name)
	return corev1.PodSpec{}
}

// Until there is a release, users put their own images in the placeholders' place.
func TestImagesAreSetInAKustomizationOfOnesOwn(t *testing.T) {
	const digest = "sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	objects := build(t, `
resources: [install.yaml, %[1]s/waybill]
components: [%[1]s/argocd]
images:
- name: ghcr.io/waybill-cd/waybill-proxy
  newName: registry.example.com/waybill/waybill-proxy
  digest: %[2]s
- name: ghcr.io/waybill-cd/waybill-plugin
  newName: registry.example.com/waybill/waybill-plugin
  digest: %[2]s
- name: ghcr.io/waybill-cd/waybill-extension
  newName: registry.example.com/waybill/waybill-extension
  digest: %[2]s
`, digest)
	got := map[string]string{}
	for _, d := range all[*appsv1.Deployment](objects) {
		pod := d.Spec.Template.Spec
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			if strings.Contains(c.Image, "waybill") {
				got[c.Name] = c.Image
			}
		}
	}
	want := map[string]string{
		"waybill-proxy":     "registry.example.com/waybill/waybill-proxy@" + digest,
		"waybill":           "registry.example.com/waybill/waybill-plugin@" + digest,
		"waybill-extension": "registry.example.com/waybill/waybill-extension@" + digest,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}
