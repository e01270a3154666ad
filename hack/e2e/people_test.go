package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

const (
	alice = "alice" // may promote
	bob   = "bob"   // may approve
	admin = "admin" // Argo CD's own, may everything
)

// patience bounds every wait of the tests. Nothing takes a tenth of it on a
// machine that does nothing else.
const patience = 3 * time.Minute

// eventually waits until a condition holds. The condition returns what it sees,
// which is what a failure shows.
func eventually(t *testing.T, what string, condition func() (seen string, ok bool)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		seen, ok := condition()
		if ok {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("still not after %s: %s; last seen: %s\n%s", patience, what, seen, proxyLog())
		case <-tick.C:
		}
	}
}

func proxyLog() string {
	log, err := theStack.Log("waybill-proxy")
	if err != nil {
		return ""
	}
	const shown = 4000
	return "the proxy's log ends:\n" + string(log[max(0, len(log)-shown):])
}

func token(t *testing.T, person string) string {
	t.Helper()
	if sessions[person] == "" {
		password := person
		if person == admin {
			password = theStack.AdminPassword()
		}
		session, err := theStack.Login(t.Context(), person, password)
		if err != nil {
			t.Fatal(err)
		}
		sessions[person] = session
	}
	return sessions[person]
}

// cli runs argocd-waybill as a person and returns what it printed and its exit
// code.
func cli(t *testing.T, person string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binaries.CLI, args...)
	cmd.Env = append(os.Environ(),
		"ARGOCD_CONFIG_DIR="+t.TempDir(), "ARGOCD_OPTS=--plaintext",
		"ARGOCD_SERVER="+strings.TrimPrefix(theStack.ArgoCDURL(), "http://"), "ARGOCD_AUTH_TOKEN="+token(t, person))
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// must runs argocd-waybill and wants exit code 0.
func must(t *testing.T, person string, args ...string) string {
	t.Helper()
	out, code := cli(t, person, args...)
	if code != 0 {
		t.Fatalf("argocd-waybill %s as %s ended with %d:\n%s\n%s", strings.Join(args, " "), person, code, out, proxyLog())
	}
	return out
}

// call is one call of the API through argocd-server.
func call(t *testing.T, person, gate, app, method, path string, body any) (status int, answer []byte) {
	t.Helper()
	return do(t, request(t, person, gate, app, method, path, body))
}

// request is a request through argocd-server, with the login cookie, as curl
// would make it.
func request(t *testing.T, person, gate, app, method, path string, body any) *http.Request {
	t.Helper()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, theStack.ArgoCDURL()+"/extensions/"+gate+v1.Prefix+path, content)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "argocd.token="+token(t, person))
	r.Header.Set("Argocd-Application-Name", "argocd:"+app)
	r.Header.Set("Argocd-Project-Name", "shop")
	r.Header.Set("Content-Type", "application/json")
	return r
}

func do(t *testing.T, r *http.Request) (int, []byte) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// get reads a document of the API as alice, on behalf of an Application.
func get[T any](t *testing.T, app, path string) T {
	t.Helper()
	status, answer := call(t, alice, "waybill", app, http.MethodGet, path, nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, answer)
	}
	var document T
	if err := json.Unmarshal(answer, &document); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return document
}

func problem(t *testing.T, answer []byte) v1.Problem {
	t.Helper()
	var p v1.Problem
	if err := json.Unmarshal(answer, &p); err != nil {
		t.Fatalf("no problem document: %s", answer)
	}
	return p
}
