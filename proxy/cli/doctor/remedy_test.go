package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/finding"
)

// pasted runs a remedy in a shell and returns the arguments of each command in it,
// one on a line. What is applied stands before the arguments of that.
func pasted(t *testing.T, remedy string) []string {
	t.Helper()
	functions := `tell() { printf '%s\n' "$@"; }; argocd-waybill() { tell "$@"; }; kubectl() { if [ "$1" = apply ]; then cat; fi; tell "$@"; }; `
	out, err := exec.Command("bash", "-euc", functions+remedy).Output()
	if err != nil {
		t.Fatalf("%s: %v", remedy, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// remedyOf returns the remedy of the first thing that a check finds wrong.
func remedyOf(t *testing.T, in Installation, check string) string {
	t.Helper()
	for _, f := range Examine(in, []string{check}) {
		if f.Severity != finding.OK {
			return f.Remedy
		}
	}
	t.Fatalf("%s finds nothing wrong", check)
	return ""
}

func TestWhatThePastedRemedyOfAConfigMapSetsIsAsItShouldBe(t *testing.T) {
	for _, test := range []struct{ object, key, check string }{
		{settings, "extension.config.waybill", CheckGates},
		{settings, "extension.config.waybill-promote", CheckGates},
		{settings, "extension.config.waybill-approve", CheckGates},
		{params, keyExtensions, CheckParameters},
		{params, keyPaths, CheckParameters},
	} {
		w := good(t)
		w.set(t, test.object, nil, "data", test.key)
		var patch struct{ Data map[string]string }
		for _, argument := range pasted(t, remedyOf(t, w.read(t), test.check)) {
			if strings.HasPrefix(argument, "{") {
				if err := json.Unmarshal([]byte(argument), &patch); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.set(t, test.object, patch.Data[test.key], "data", test.key)
		for _, f := range Examine(w.read(t), []string{test.check}) {
			if f.Severity != finding.OK {
				t.Errorf("after the remedy of %s: %s", test.key, f.Fact)
			}
		}
	}
}

func TestTheRemedyOfSecretsMakesOneForEachGate(t *testing.T) {
	w := good(t)
	shopSays(t, w, "project: shop\n", "project: shop\ngates: {approve: qa}\n")
	w.set(t, settings, "services: [{url: 'http://waybill-proxy.waybill.svc:8080', headers: [{name: Waybill-Gate-Secret, value: '$waybill-gates:qa'}]}]", "data", "extension.config.qa")
	got := strings.Join(pasted(t, remedyOf(t, w.read(t), CheckGates)), " ")
	want := "gate-secrets --gate qa apply --server-side -f - rollout restart -n argocd deployment/argocd-server rollout restart -n waybill deployment/waybill-proxy"
	if got != want {
		t.Errorf("it runs %q, want %q", got, want)
	}
}

func TestTheManifestsHaveTheImageThatARemedyReplaces(t *testing.T) {
	for patch, image := range map[string]string{"argocd-repo-server.yaml": pluginImage, "argocd-server.yaml": extensionImage} {
		text, err := os.ReadFile(filepath.Join(root, "manifests", "argocd", patch))
		if err != nil || !strings.Contains(string(text), "image: "+image+"\n") {
			t.Errorf("the patch has no image %s: %v", image, err)
		}
	}
}

func TestTheRemedyOfTheUIExtensionNamesTheContainerThatIsThere(t *testing.T) {
	for _, container := range []string{serverName, serverChart} {
		w := good(t)
		set(server, nil, "spec", "template", "spec", "initContainers")(t, w)
		both(in(server, serverName, "volumeMounts", nil), in(server, serverName, "name", container))(t, w)
		_, remedy, _ := strings.Cut(remedyOf(t, w.read(t), CheckExtension), ": ")
		shell := exec.Command("bash", "-euo", "pipefail", "-c", `kubectl() { cat; }; EXTENSION=registry.example.com/waybill-extension:v1; `+remedy)
		shell.Dir = root
		out, err := shell.Output()
		if err != nil {
			t.Fatalf("%s: %v", remedy, err)
		}
		var patch Deployment
		if err := yaml.Unmarshal(out, &patch); err != nil {
			t.Fatal(err)
		}
		spec := patch.Spec.Template.Spec
		if len(spec.Containers) != 1 || spec.Containers[0].Name != container || spec.InitContainers[0].Image != "registry.example.com/waybill-extension:v1" || patch.Meta.Name != serverName {
			t.Errorf("it patches %s with\n%s", container, out)
		}
	}
}

func TestTheRemedyOfTheSidecarKeepsAnImageThatAShellTakesAsItIs(t *testing.T) {
	for image, want := range map[string]string{
		"registry.example.com/waybill-plugin@sha256:00": `|registry.example.com/waybill-plugin@sha256:00|" manifests/argocd/argocd-repo-server.yaml | kubectl patch -n argocd deployment argocd-repo-server --patch-file /dev/stdin`,
		pluginImage: `with PLUGIN as the image that make images prints: sed "s|` + pluginImage + "|$PLUGIN|",
		"x$(id)":    "|$PLUGIN|",
	} {
		w := good(t)
		in(repoServer, "waybill", "image", image)(t, w)
		if got := patchRepoServer(w.read(t)); !strings.Contains(got, want) {
			t.Errorf("of %s: %s", image, got)
		}
	}
}
