package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

// kubernetes is a cluster with a few objects, in which nobody may read pods.
func kubernetes(t *testing.T) *fake.FakeDynamicClient {
	t.Helper()
	object := func(version, kind, namespace, name string, fields map[string]any) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind}}
		o.SetNamespace(namespace)
		o.SetName(name)
		for k, v := range fields {
			o.Object[k] = v
		}
		return o
	}
	app := func(name string) *unstructured.Unstructured {
		a := object("argoproj.io/v1alpha1", "Application", "argocd", name, map[string]any{"spec": map[string]any{
			"project": "shop",
			"source":  map[string]any{"repoURL": "https://git.example.com/shop.git", "targetRevision": "main", "plugin": map[string]any{"name": "waybill"}},
		}})
		a.SetAnnotations(map[string]string{"waybill.dev/stage": "shop/dev"})
		return a
	}
	argo := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: resource}
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		{Version: "v1", Resource: "configmaps"}:                 "ConfigMapList",
		{Version: "v1", Resource: "secrets"}:                    "SecretList",
		{Version: "v1", Resource: "pods"}:                       "PodList",
		{Group: "apps", Version: "v1", Resource: "deployments"}: "DeploymentList",
		argo("applications"):                                    "ApplicationList", argo("applicationsets"): "ApplicationSetList", argo("appprojects"): "AppProjectList",
	}, object("v1", "ConfigMap", "argocd", "argocd-cmd-params-cm", map[string]any{"data": map[string]any{"server.enable.proxy.extension": "true"}}),
		app("shop-a"), app("shop-b"))
	client.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", errors.New(`User "carol" cannot list them`))
	})
	return client
}

func runDoctor(t *testing.T, s *standIn, client dynamic.Interface, fails error, args ...string) ran {
	t.Helper()
	server := ""
	if s != nil {
		server = s.http.URL
	}
	at(t, server)
	var out, errs bytes.Buffer
	code := Run(t.Context(), Program{
		Args: append([]string{"doctor"}, args...), Version: "v0.0.0-test", In: &bytes.Buffer{}, Out: &out, Err: &errs,
		Now:        func() time.Time { return now },
		Kubernetes: func(string, string) (dynamic.Interface, error) { return client, fails },
	})
	return ran{code: code, out: out.String(), err: errs.String()}
}

func TestDoctorTellsFactsAndRemediesBelowTheirChecks(t *testing.T) {
	got := runDoctor(t, newStandIn(t), kubernetes(t), nil)
	if got.code != ExitError || !strings.HasPrefix(got.err, "argocd-waybill: doctor has found ") {
		t.Errorf("the exit code is %d, and this is on standard error: %s", got.code, got.err)
	}
	golden(t, "doctor.txt", got.out)
	wide := runDoctor(t, newStandIn(t), kubernetes(t), nil, "-o", "wide", "--only", "applications")
	golden(t, "doctor-wide.txt", wide.out)
}

func TestProgramsReadDoctorsFindings(t *testing.T) {
	got := runDoctor(t, nil, kubernetes(t), nil, "-o", "json", "--only", "parameters,access")
	var answer struct {
		Findings []finding.Finding `json:"findings"`
	}
	if err := json.Unmarshal([]byte(got.out), &answer); err != nil || len(answer.Findings) != 4 {
		t.Errorf("%v: %s", err, got.out)
	}
	if yaml := runDoctor(t, nil, kubernetes(t), nil, "-o", "yaml", "--only", "parameters"); !strings.HasPrefix(yaml.out, "findings:\n- check: parameters\n") {
		t.Errorf("%s", yaml.out)
	}
	none := runDoctor(t, nil, kubernetes(t), nil, "-o", "json", "--only", "applicationsets")
	if none.code != ExitOK || strings.TrimSpace(none.out) != "{\n  \"findings\": []\n}" {
		t.Errorf("%d %s", none.code, none.out)
	}
}

func TestDoctorsExitCodeIsTheWorstFindings(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"an error":                     {[]string{"--only", "gates"}, ExitError, "doctor has found"},
		"warnings alone":               {[]string{"--only", "parameters"}, ExitOK, ""},
		"warnings that count":          {[]string{"--only", "parameters", "--fail-on", "warning"}, ExitError, "doctor has found 0 errors and 1 warning\n"},
		"a check that there is not":    {[]string{"--only", "weather"}, ExitUsage, `there is no check "weather": use access, version`},
		"a severity that there is not": {[]string{"--fail-on", "ok"}, ExitUsage, `--fail-on: "ok" is not known: use error or warning`},
		"an argument":                  {[]string{"now"}, ExitUsage, "takes flags alone"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runDoctor(t, nil, kubernetes(t), nil, test.args...)
			if got.code != test.code || !strings.Contains(got.err, test.err) || (got.err == "") != (test.err == "") {
				t.Errorf("the exit code is %d, want %d, and this is on standard error: %s", got.code, test.code, got.err)
			}
		})
	}
}

func TestWithoutKubernetesDoctorSaysSo(t *testing.T) {
	client := kubernetes(t)
	client.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	if got := runDoctor(t, nil, client, nil); got.code != ExitError || got.err != "argocd-waybill: Kubernetes cannot be read: connection refused: check the kubeconfig with kubectl version\n" {
		t.Errorf("%d %s", got.code, got.err)
	}
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	at(t, "")
	var out, errs bytes.Buffer
	code := Run(t.Context(), Program{Args: []string{"doctor"}, In: &bytes.Buffer{}, Out: &out, Err: &errs})
	if code != ExitError || !strings.Contains(errs.String(), "there is no way to Kubernetes") {
		t.Errorf("%d %s", code, errs.String())
	}
}

// isList is the path of all objects of a kind in a namespace.
var isList = regexp.MustCompile(`/namespaces/[^/]+/[a-z]+$`)

// With a kubeconfig, doctor asks the API server as kubectl does.
func TestDoctorReadsThroughAKubeconfig(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	// With TLS, because no token is sent without.
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		mu.Unlock()
		status := func(code int, reason metav1.StatusReason, message string) {
			reply(w, code, metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
			})
		}
		switch {
		case r.Header.Get("Authorization") != "Bearer token-of-carol":
			status(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
		case strings.HasSuffix(r.URL.Path, "/configmaps/argocd-cmd-params-cm"):
			reply(w, http.StatusOK, map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "argocd-cmd-params-cm", "namespace": "cd"},
				"data": map[string]any{"server.enable.proxy.extension": "true"},
			})
		case strings.Contains(r.URL.Path, "/secrets"):
			status(http.StatusForbidden, metav1.StatusReasonForbidden, "secrets is forbidden")
		case isList.MatchString(r.URL.Path):
			reply(w, http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": []any{}})
		default:
			status(http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "config")
	config := "apiVersion: v1\nkind: Config\ncurrent-context: other\nclusters: [{name: c, cluster: {insecure-skip-tls-verify: true, server: " + server.URL + "}}]\n" +
		"users: [{name: carol, user: {token: token-of-carol}}, {name: mallory, user: {token: x}}]\n" +
		"contexts: [{name: carol, context: {cluster: c, user: carol}}, {name: other, context: {cluster: c, user: mallory}}]\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	doctor := func(args ...string) ran {
		return runWith(t, t.Context(), nil, "", append([]string{"doctor", "--kubeconfig", file, "--argocd-namespace", "cd"}, args...)...)
	}
	if got := doctor(); got.code != ExitError || !strings.Contains(got.err, "Kubernetes cannot be read: ") || !strings.Contains(got.err, "nauthorized") {
		t.Errorf("%d %s", got.code, got.err)
	}
	got := doctor("--context", "carol", "--only", "access,parameters")
	if got.code != ExitOK || !strings.Contains(got.out, `server.enable.proxy.extension is "true"`) ||
		strings.Count(got.out, "not looked at: secrets ") != 3 || strings.Count(got.out, "not looked at: ") != 3 {
		t.Errorf("%d %s%s", got.code, got.out, got.err)
	}
	for _, want := range []string{"GET /apis/argoproj.io/v1alpha1/namespaces/cd/applications", "GET /apis/coordination.k8s.io/v1/namespaces/waybill/leases/waybill-proxy", "GET /api/v1/namespaces/waybill/configmaps"} {
		if !slices.Contains(asked, want) {
			t.Errorf("%s was not asked: %q", want, asked)
		}
	}
}
