package bundle_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	deployments := all[*appsv1.Deployment](objects)
	if len(deployments) != 1 {
		t.Fatalf("%d Deployments, want the one of argocd-repo-server", len(deployments))
	}
	pod := deployments[0].Spec.Template.Spec
	var containers []string
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range pod.Containers {
		containers = append(containers, c.Name)
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s mounts %s, which a stock Argo CD does not have", c.Name, mount.Name)
			}
		}
	}
	if diff := cmp.Diff([]string{"waybill", "argocd-repo-server"}, containers); diff != "" {
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
	ours := all[*appsv1.Deployment](decode(t, everything(t)["argocd"]))[0].Spec.Template.Spec.Containers[0]
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
`, digest)
	got := map[string]string{}
	for _, d := range all[*appsv1.Deployment](objects) {
		c := d.Spec.Template.Spec.Containers[0]
		got[c.Name] = c.Image
	}
	want := map[string]string{
		"waybill-proxy": "registry.example.com/waybill/waybill-proxy@" + digest,
		"waybill":       "registry.example.com/waybill/waybill-plugin@" + digest,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}
