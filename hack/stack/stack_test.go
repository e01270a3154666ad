package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/fault"
)

const manifests = `
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting}
data: {text: hello}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example.com/web:v1}]}
`

const application = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: %s, namespace: argocd}
spec:
  project: default
  source: {repoURL: %q, path: deploy, targetRevision: main, %s}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  syncPolicy: {automated: {}, syncOptions: [CreateNamespace=true]}
`

const pluginConfig = `
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: print}
spec:
  generate: {command: [print-plugin, generate]}
`

// plugin is a plugin that prints its arguments and environment as a ConfigMap.
func plugin(t *testing.T) *stack.Plugin {
	t.Helper()
	dir := t.TempDir()
	p := &stack.Plugin{
		Binary: filepath.Join(dir, "print-plugin"),
		Config: filepath.Join(dir, "any.yaml"),
		Env:    []string{"PLUGIN_SETTING=strict"},
	}
	const script = `#!/bin/sh
echo '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "printed"}, "data":'
echo "{\"text\": \"$1 $ARGOCD_APP_NAME $PLUGIN_SETTING\"}}"
`
	if err := os.WriteFile(p.Binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Config, []byte(pluginConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// The parts share one stack, because it is the start that takes time, and run in
// order.
func TestStack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole stack")
	}
	s, err := stack.Start(t.Context(), stack.Config{Log: t.Output(), Plugin: plugin(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	processes := processesIn(t, s.Dir())
	if len(processes) < 8 {
		t.Errorf("only %d processes run: %v", len(processes), processes)
	}

	t.Run("deploys an Application from its Git host until it is healthy", func(t *testing.T) { deploy(t, s) })
	t.Run("renders through the plugin that it is given", func(t *testing.T) { render(t, s) })
	t.Run("lets a component be killed and started again", func(t *testing.T) { killRepoServer(t, s) })
	t.Run("gives accounts of Argo CD a token", func(t *testing.T) { logIn(t, s) })
	t.Run("gives the rights of a ServiceAccount and no others", func(t *testing.T) { actAsServiceAccount(t, s) })
	t.Run("has argocd-server serve a UI extension", func(t *testing.T) { serveExtension(t, s) })
	t.Run("reports a component that dies by itself", func(t *testing.T) { noticeDeath(t, s) })

	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	awaitNoProcesses(t, s.Dir())
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left (%v)", err)
	}
	if left := extensionsOf(t, s); len(left) > 0 {
		t.Errorf("UI extensions are left: %v", left)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestStartSaysWhichPortIsTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a stack")
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	_, err = stack.Start(t.Context(), stack.Config{Log: t.Output(), ArgoCDPort: number})
	if err == nil || !strings.Contains(err.Error(), "port "+port+" on 127.0.0.1 is taken") {
		t.Errorf("error %v", err)
	}
}

// canceling cancels when it reads of etcd: in the middle of the start.
type canceling struct{ cancel context.CancelFunc }

func (c canceling) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "etcd is ready") {
		c.cancel()
	}
	return len(b), nil
}

func TestCanceledStartLeavesNothingRunning(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a stack")
	}
	dir, err := os.MkdirTemp("", "waybill-") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := stack.Start(ctx, stack.Config{Dir: dir, Log: canceling{cancel}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	awaitNoProcesses(t, dir)
}

func deploy(t *testing.T, s *stack.Stack) {
	url, err := s.Git().Create(t.Context(), "web", map[string]string{"deploy/web.yaml": manifests})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ConnectRepository(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), fmt.Appendf(nil, application, "web", url, "directory: {recurse: true}")); err != nil {
		t.Fatal(err)
	}
	awaitHealthy(t, s, "web")
	ready := kubectl(t, s, "get", "deployment", "web", "-n", "shop", "-o", "jsonpath={.status.readyReplicas}")
	if ready != "2" {
		t.Errorf("%s Pods are Ready, want 2", ready)
	}
	if s.Git().Traffic.Count(func(r fault.Request) bool { return r.Path == "/web.git/git-upload-pack" }) == 0 {
		t.Error("the Git host has served nothing to Argo CD")
	}
}

func render(t *testing.T, s *stack.Stack) {
	if err := s.Apply(t.Context(), fmt.Appendf(nil, application, "printed", s.Git().URL("web"), "plugin: {name: print}")); err != nil {
		t.Fatal(err)
	}
	awaitHealthy(t, s, "printed")
	text := kubectl(t, s, "get", "configmap", "printed", "-n", "shop", "-o", "jsonpath={.data.text}")
	if want := "generate printed strict"; text != want {
		t.Errorf("the plugin rendered %q, want %q", text, want)
	}
}

func killRepoServer(t *testing.T, s *stack.Stack) {
	if err := s.Kill(stack.ArgoCDRepoServer); err != nil {
		t.Fatal(err)
	}
	s.Git().Traffic.Reset()
	if err := s.StartComponent(t.Context(), stack.ArgoCDRepoServer); err != nil {
		t.Fatal(err)
	}
	kubectl(t, s, "annotate", "application", "web", "-n", stack.ArgoCDNamespace, "argocd.argoproj.io/refresh=hard")
	await(t, "the new repo-server to ask for the branch", func(context.Context) (bool, error) {
		return s.Git().Traffic.Count(func(r fault.Request) bool { return r.Path == "/web.git/info/refs" }) > 0, nil
	})
	awaitHealthy(t, s, "web")
	log, err := s.Log(stack.ArgoCDRepoServer)
	if err != nil {
		t.Fatal(err)
	}
	if starts := strings.Count(string(log), "is listening on"); starts != 2 {
		t.Errorf("the log tells of %d starts, want 2", starts)
	}
}

func logIn(t *testing.T, s *stack.Stack) {
	if err := s.CreateAccount(t.Context(), "alice", "alice-secret"); err != nil {
		t.Fatal(err)
	}
	for user, password := range map[string]string{"alice": "alice-secret", "admin": s.AdminPassword()} {
		token, err := s.Login(t.Context(), user, password)
		if err != nil {
			t.Fatal(err)
		}
		var who struct{ Username string }
		if err := json.Unmarshal([]byte(get(t, s.ArgoCDURL()+"/api/v1/session/userinfo", token)), &who); err != nil {
			t.Fatal(err)
		}
		if who.Username != user {
			t.Errorf("the token of %s is that of %q", user, who.Username)
		}
	}
	if _, err := s.Login(t.Context(), "alice", "wrong"); !errors.Is(err, stack.ErrLogin) {
		t.Errorf("a wrong password: %v, want %v", err, stack.ErrLogin)
	}
}

func actAsServiceAccount(t *testing.T, s *stack.Stack) {
	if err := s.Apply(t.Context(), []byte(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`)); err != nil {
		t.Fatal(err)
	}
	config, err := s.ServiceAccountKubeconfig(t.Context(), "default", "reader")
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the right to list ConfigMaps", func(ctx context.Context) (bool, error) {
		_, err := s.Kubectl(ctx, nil, "--kubeconfig", config, "get", "configmaps")
		return err == nil, nil
	})
	_, err = s.Kubectl(t.Context(), nil, "--kubeconfig", config, "get", "secrets")
	if err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("listing Secrets: %v, want Forbidden", err)
	}
}

func serveExtension(t *testing.T, s *stack.Stack) {
	file := filepath.Join(t.TempDir(), "any.js")
	for _, version := range []string{"first", "second"} {
		content := "// " + version + " of " + s.Dir() + "\n"
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.UIExtension("test", file); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s.ArgoCDURL()+"/extensions.js", ""); !strings.Contains(got, content) {
			t.Errorf("argocd-server does not serve %q", content)
		}
	}
	if files := extensionsOf(t, s); len(files) != 1 {
		t.Errorf("there are the files %v, want one", files)
	}
}

func noticeDeath(t *testing.T, s *stack.Stack) {
	for pid, command := range processesIn(t, s.Dir()) {
		if strings.Contains(command, "/kwok ") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Wait(ctx); err == nil || !strings.Contains(err.Error(), "kwok ended by itself (signal: killed)") {
		t.Errorf("error %v", err)
	}
	if err := s.StartComponent(t.Context(), stack.Kwok); err != nil {
		t.Error(err)
	}
}

func awaitHealthy(t *testing.T, s *stack.Stack, application string) {
	t.Helper()
	var last string
	await(t, "the Application "+application+" to be healthy", func(ctx context.Context) (bool, error) {
		// A refresh that was asked for is over when its annotation is gone.
		out, err := s.Kubectl(ctx, nil, "get", "application", application, "-n", stack.ArgoCDNamespace, "-o",
			"jsonpath={.status.sync.status} {.status.health.status}{.metadata.annotations.argocd\\.argoproj\\.io/refresh}")
		if string(out) != last {
			last = string(out)
			t.Logf("the Application %s is %q", application, last)
		}
		return last == "Synced Healthy", err
	})
}

func await(t *testing.T, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, 3*time.Minute, true, condition); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// awaitNoProcesses waits until a stack's processes are gone: those that its
// components have started are killed with them, and end a moment later.
func awaitNoProcesses(t *testing.T, folder string) {
	t.Helper()
	var left map[int]string
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		left = processesIn(t, folder)
		return len(left) == 0, nil
	}); err != nil {
		t.Errorf("processes are left: %v", left)
	}
}

func kubectl(t *testing.T, s *stack.Stack, args ...string) string {
	t.Helper()
	out, err := s.Kubectl(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func get(t *testing.T, url, token string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s", url, response.Status, body)
	}
	return string(body)
}

// extensionsOf finds the UI extensions that serveExtension has installed; other
// stacks may have theirs in the same place.
func extensionsOf(t *testing.T, s *stack.Stack) []string {
	t.Helper()
	files, err := filepath.Glob("/tmp/extensions/*/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		content, err := os.ReadFile(file)
		return err != nil || !strings.Contains(string(content), s.Dir())
	})
}
