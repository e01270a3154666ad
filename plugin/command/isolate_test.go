package command

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asVariable makes the test binary something else, so that tests can start the
// plugin as Argo CD does, in a process of its own.
const asVariable = "WAYBILL_PLUGIN_TEST_AS"

func TestMain(m *testing.M) {
	switch as := os.Getenv(asVariable); {
	case as == "plugin", as == "plugin with little memory":
		call := New("test", nil)
		if as != "plugin" {
			call.renderMemory, call.renderTime = littleMemory, time.Hour // however slow the machine
		}
		Isolate()
		os.Exit(call.Run())
	case strings.HasPrefix(as, "http"):
		Isolate()
		os.Exit(reachOut(as))
	}
	os.Exit(m.Run())
}

// reachOut tries what kustomize would, and tells what it could.
func reachOut(url string) int {
	var could []string
	if response, err := (&http.Client{}).Get(url); err == nil {
		response.Body.Close()
		could = append(could, "get a file")
	}
	if _, err := exec.LookPath("git"); err == nil {
		could = append(could, "find git")
	}
	if environment := os.Environ(); len(environment) > 0 {
		could = append(could, "see the environment")
	}
	fmt.Fprintln(os.Stdout, strings.Join(could, ", "))
	fmt.Fprintln(os.Stderr, "a warning")
	return 0
}

func child(t *testing.T, dir, as string, env map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	command := exec.CommandContext(t.Context(), self, args...)
	command.Dir, command.Stdout, command.Stderr = dir, &out, &errs
	command.Env = append(os.Environ(), asVariable+"="+as)
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

func TestAnIsolatedProcessReachesNothing(t *testing.T) {
	server, requests := countingServer(t)
	stdout, stderr, _ := child(t, t.TempDir(), server.URL, nil)
	if diff := cmp.Diff("\n", stdout); diff != "" {
		t.Errorf("it could %s", stdout)
	}
	if stderr != "" {
		t.Errorf("a library writes to our standard error: %s", stderr)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestThePluginRunsAsAProcess(t *testing.T) {
	server, requests := countingServer(t)
	for _, tt := range []struct {
		name, kustomization string
		code                int
		stdout, stderr      string // what they begin with
	}{
		{
			name: "and writes manifests alone to standard output", kustomization: "resources: [pod.yaml]\ncommonLabels: {a: b}\n",
			stdout: "apiVersion: v1\nkind: Pod\n",
		},
		{
			name: "and its error comes before kustomize's warnings", kustomization: "bases: [gone]\ncommonLabels: {a: b}\n",
			code: 1, stderr: "Application shop-prod (stage shop/prod, freight ",
		},
		{
			name: "and fetches nothing", kustomization: "resources: ['" + server.URL + "/pod.yaml']\n",
			code: 1, stderr: "Application shop-prod (stage shop/prod, freight ",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "_cmp_server", "0c9e", "apps", "shop")
			write(t, path, map[string]string{"kustomization.yaml": tt.kustomization, "pod.yaml": pod})
			promote(t, path, shopFreight)
			stdout, stderr, code := child(t, path, "plugin", map[string]string{envApplication: "shop-prod", envSourcePath: "apps/shop"}, "generate")
			if code != tt.code || !strings.HasPrefix(stdout, tt.stdout) || !strings.HasPrefix(stderr, tt.stderr) {
				t.Errorf("exit code %d\n%s\n%s", code, stdout, stderr)
			}
			if code == 0 && stderr != "" {
				t.Errorf("on standard error: %s", stderr)
			}
		})
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestAnUnknownCommandIsToldFromARefusal(t *testing.T) {
	_, stderr, code := child(t, t.TempDir(), "plugin", nil, "render")
	if code != 2 || !strings.Contains(stderr, `no command "render"`) || !strings.Contains(stderr, "waybill-plugin generate") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, command := range []string{"help", "--help", "version"} {
		if stdout, stderr, code := child(t, t.TempDir(), "plugin", nil, command); code != 0 || stdout == "" || stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", command, code, stdout, stderr)
		}
	}
}

func countingServer(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(server.Close)
	return server, &requests
}
