package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/finding"
)

// unwell returns what a doctor has found that is not as it should be, each as
// "severity check: fact", with which the exit code has to agree.
func unwell(t *testing.T, out string, code int) []string {
	t.Helper()
	var told struct{ Findings []finding.Finding }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&told); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	var lines []string
	for _, f := range told.Findings {
		if f.Severity != finding.OK {
			lines = append(lines, string(f.Severity)+" "+f.Check+": "+f.Fact)
			if f.Remedy == "" {
				t.Errorf("there is no remedy for %q", f.Fact)
			}
		}
	}
	if failed := finding.Worst(told.Findings) == finding.Error; failed != (code == 1) {
		t.Errorf("the exit code is %d for\n%s", code, strings.Join(lines, "\n"))
	}
	return lines
}

func doctor(t *testing.T) []string {
	t.Helper()
	out, code := cli(t, alice, "doctor", "--kubeconfig", theStack.Kubeconfig(), "-o", "json")
	return unwell(t, out, code)
}

// wellStack is what the doctor has to say of a stack to which nothing was done:
// that it is Argo CD 2.14, and that there is no kubelet, so that the repo-server
// and the proxy are processes and no Deployments.
var wellStack = []string{
	"warning version: Argo CD before 3.0 sets no username for an SSO user without the claim email, and hands on what the client sent, so that such a user may call themselves anybody",
	"warning sidecar: there is no Deployment argocd-repo-server in namespace argocd",
	"error waybill: there is no Deployment waybill-proxy in namespace waybill",
}

const pausedApplication = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: paused
  namespace: argocd
  annotations: {waybill.dev/stage: broken/live, argocd.argoproj.io/manifest-generate-paths: /deploy}
spec:
  project: shop
  source: {repoURL: REPO, targetRevision: main, path: deploy/base, plugin: {name: waybill}}
  destination: {server: https://kubernetes.default.svc, namespace: shop-dev}
`

const brokenPipeline = `
apiVersion: v1
kind: ConfigMap
metadata: {name: broken, namespace: waybill, labels: {waybill.dev/kind: pipeline}}
data:
  pipeline.yaml: |
    apiVersion: waybill.dev/v1
    project: shop
    warehouses: [{name: broken, subscriptions: [{image: {repoURL: example.com/broken}}]}]
    stages: [{name: live, requestedFreight: [{origin: another, sources: {direct: true}}]}]
`

// patched changes an object, and returns what puts it back. null takes a field
// away, as in every merge patch.
func patched(t *testing.T, namespace, kind, name, patch, back string) (putBack func()) {
	t.Helper()
	kubectl(t, "patch", kind, name, "-n", namespace, "--type=merge", "-p", patch)
	return func() { kubectl(t, "patch", kind, name, "-n", namespace, "--type=merge", "-p", back) }
}

// field returns one of an object, as JSON.
func field(t *testing.T, namespace, kind, name string, path ...string) string {
	t.Helper()
	var object any
	if err := json.Unmarshal([]byte(kubectl(t, "get", kind, name, "-n", namespace, "-o", "json")), &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range path {
		object = object.(map[string]any)[key]
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheDoctorTellsEachFault runs after the flow, when all Applications have a
// waybill. Nothing that it breaks is read while argocd-server and the proxy run,
// but for the policy.
func TestTheDoctorTellsEachFault(t *testing.T) {
	if diff := cmp.Diff(wellStack, doctor(t)); diff != "" {
		t.Fatalf("of a stack to which nothing was done (-want +got):\n%s", diff)
	}

	t.Run("broken", func(t *testing.T) {
		const paths = "argocd.argoproj.io/manifest-generate-paths"
		defer patched(t, "argocd", "configmap", "argocd-cmd-params-cm",
			`{"data":{"server.enable.proxy.extension":"false"}}`, `{"data":{"server.enable.proxy.extension":"true"}}`)()
		secret := field(t, "waybill", "secret", "waybill-gates", "data", "waybill-promote")
		defer patched(t, "waybill", "secret", "waybill-gates",
			`{"data":{"waybill-promote":""}}`, `{"data":{"waybill-promote":`+secret+`}}`)()
		plugin := field(t, "argocd", "configmap", "waybill-plugin", "data", "plugin.yaml")
		defer patched(t, "argocd", "configmap", "waybill-plugin",
			`{"data":{"plugin.yaml":"kind: ConfigManagementPlugin\n"}}`, `{"data":{"plugin.yaml":`+plugin+`}}`)()
		defer patched(t, "argocd", "application", "shop-dev",
			`{"metadata":{"annotations":{"`+paths+`":null}}}`, `{"metadata":{"annotations":{"`+paths+`":"/deploy"}}}`)()
		access, err := theShop.Manifest("access.yaml")
		if err != nil {
			t.Fatal(err)
		}
		apply(t, strings.Replace(access, "    p, role:shop-approver, extensions, invoke, waybill-approve, allow\n", "", 1))
		defer apply(t, access)
		apply(t, brokenPipeline)
		defer kubectl(t, "delete", "configmap", "broken", "-n", "waybill")
		apply(t, strings.Replace(pausedApplication, "REPO", theShop.RepoURL, 1))
		defer kubectl(t, "delete", "application", "paused", "-n", "argocd")
		eventually(t, "the repo-server pauses after its third failure", func() (string, bool) {
			kubectl(t, "annotate", "application", "paused", "-n", "argocd", "--overwrite", "argocd.argoproj.io/refresh=normal")
			said := kubectl(t, "get", "application", "paused", "-n", "argocd", "-o", "jsonpath={.status.conditions[*].message}")
			return said, strings.Contains(said, "Manifest generation error (cached)")
		})

		want := append([]string{
			`error parameters: server.enable.proxy.extension is "false": argocd-server serves no proxy extension, so that nobody reaches Waybill`,
			"error gates: Secret waybill/waybill-gates: gate waybill-promote: its secret is shorter than 16 characters: make one with `argocd-waybill gate-secrets`",
			"error gates: the secret of gate waybill-promote is one in argocd and another in waybill, so that the proxy refuses every call",
			"warning policy: they may approve, but do not pass gate waybill-approve: role:shop-approver",
			"warning sidecar: plugin.yaml of ConfigMap waybill-plugin is not the one of this version",
			"warning applications: the annotation " + paths + " is missing, so that each render packs the whole checkout with .git: argocd/shop-dev",
			"error applications: pipeline broken, which they are bound to, does not exist or is not valid: argocd/paused",
			"error applications: rendering is paused after failures (Application paused: it has no waybill: promote freight into its stage, or set the parameter unpinned: allow until then): argocd/paused",
			"error waybill: pipeline broken has problems, and nothing is promoted: ConfigMap waybill/broken, pipeline.yaml: stages[0].requestedFreight[0].origin: there is no warehouse \"another\"",
		}, wellStack...)
		got := doctor(t)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})

	t.Run("mended", func(t *testing.T) {
		eventually(t, "nothing is left of it", func() (string, bool) {
			diff := cmp.Diff(wellStack, doctor(t))
			return diff, diff == ""
		})
	})
}

// TestTheSidecarLooksAtItself runs the plugin's doctor with the environment of
// argocd-cmp-server. It runs on this machine and in no container, which is what
// the errors say.
func TestTheSidecarLooksAtItself(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), binaries.Plugin, "doctor", "-o", "json")
	var err error
	if cmd.Env, err = theStack.SidecarEnvironment(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"argocd-cmp-server answers at the socket waybill.sock",
		"waybill-plugin-chart runs, and has the same version, dev",
	} {
		if !strings.Contains(string(out), `"fact": "`+want+`"`) {
			t.Errorf("it does not say %q", want)
		}
	}
	var failures []string
	for _, line := range unwell(t, string(out), cmd.ProcessState.ExitCode()) {
		if check, ok := strings.CutPrefix(line, "error "); ok {
			check, _, _ = strings.Cut(check, ":")
			failures = append(failures, check)
		}
	}
	want := []string{"socket", "configuration", "process"}
	if os.Getuid() == 999 { // the user of the sidecar
		want = []string{"configuration"}
	}
	if diff := cmp.Diff(want, failures); diff != "" {
		t.Errorf("errors (-want +got):\n%s\n%s", diff, out)
	}
}
