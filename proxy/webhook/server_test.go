package webhook

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

const secret = "a secret of some length"

var shop = engine.WarehouseName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Warehouse: "shop"}

// warehouses has one, shop, that subscribes to images of registries.
type warehouses struct {
	mu     sync.Mutex
	fails  error
	asked  chan engine.WarehouseName
	pushes []selection.Push
}

func (w *warehouses) Concerned(_ context.Context, namespace string, pushes []selection.Push) ([]engine.WarehouseName, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if namespace != "waybill" {
		return nil, errors.New("another namespace")
	}
	w.pushes = append(w.pushes, pushes...)
	for _, p := range pushes {
		if strings.Contains(p.RepoURLs[0], "shop") {
			return []engine.WarehouseName{shop}, w.fails
		}
	}
	return nil, w.fails
}

// read is how many pushes were read.
func (w *warehouses) read() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pushes)
}

func (w *warehouses) RefreshNamed(_ context.Context, name engine.WarehouseName) error {
	w.asked <- name
	return nil
}

// hooks is a server on a socket, its log and its warehouses.
type hooks struct {
	*warehouses
	server    *Server
	url       string
	receivers *Receivers

	logged sync.Mutex
	lines  []string
}

func secretOf(name, kind string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "waybill", Name: name, ResourceVersion: "1", Labels: map[string]string{receiver.Label: kind}}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

// serve starts a server, with a receiver of each kind, named as it is and the test.
func serve(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{warehouses: &warehouses{asked: make(chan engine.WarehouseName, 100)}}
	log := funcr.New(func(_, line string) {
		h.logged.Lock()
		defer h.logged.Unlock()
		h.lines = append(h.lines, line)
	}, funcr.Options{})
	h.receivers = NewReceivers(log)
	for _, kind := range receiver.Kinds() {
		data := map[string]string{"secret": secret}
		if kind == receiver.Generic {
			data["expression"] = "request.body.repository"
		}
		h.receivers.OnAdd(secretOf(h.name(t, kind), string(kind), data), true)
	}
	h.server = New("waybill", h.receivers, h.warehouses, log)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.server.Start(ctx)
	}()
	web := httptest.NewServer(h.server)
	h.url = web.URL
	t.Cleanup(func() {
		web.Close()
		stop()
		<-ended
		for name := range maps.Clone(h.receivers.byName) { // with their metrics, which are the process's
			h.receivers.OnDelete(secretOf(name, "", nil))
		}
	})
	return h
}

// name makes the metrics of a test its own.
func (h *hooks) name(t *testing.T, kind receiver.Kind) string {
	return strings.ToLower(string(kind) + "-" + strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
}

func (h *hooks) log() string {
	h.logged.Lock()
	defer h.logged.Unlock()
	return strings.Join(h.lines, "\n")
}

func (h *hooks) calls(t *testing.T, name string, o outcome) int {
	t.Helper()
	return int(metric(t, "waybill_webhook_calls_total", name, string(o)))
}

// metric returns the value of a metric with these labels, -1 where there is none.
func metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			slices.Sort(values)
			if family.GetName() == name && slices.Equal(values, slices.Sorted(slices.Values(labels))) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func sign(body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// call makes a call on a connection of its own, and returns status and answer.
func (h *hooks) call(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func file(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile("receiver/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestACallOfEachKindHasItsWarehouseLook(t *testing.T) {
	t.Parallel()
	for kind, c := range map[receiver.Kind]struct {
		body   string
		header []string
	}{
		receiver.GitHub:    {"github/push.json", []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "SIGNED"}},
		receiver.GitLab:    {"gitlab/push.json", []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", secret}},
		receiver.Gitea:     {"gitea/push.json", []string{"X-Gitea-Event", "push", "X-Gitea-Signature", "SIGNED"}},
		receiver.DockerHub: {"dockerhub/push.json", nil},
		receiver.Harbor:    {"harbor/push-artifact.json", []string{"Authorization", secret}},
		receiver.Quay:      {"quay/push.json", nil},
		receiver.Generic:   {"", []string{"Authorization", "Bearer " + secret}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := serve(t)
			name := h.name(t, kind)
			body := `{"repository": "registry.example.com/shop"}`
			if c.body != "" {
				body = file(t, c.body)
			}
			for i, value := range c.header {
				if value == "SIGNED" {
					c.header[i] = sign(body)
				}
			}
			k, _ := h.receivers.get(name)
			if status, answer := h.call(t, http.MethodPost, k.Path(), body, c.header...); status != http.StatusAccepted || answer != "warehouses that look now: 1\n" {
				t.Fatalf("it answers %d %q", status, answer)
			}
			if got := <-h.asked; got != shop {
				t.Errorf("%v was asked", got)
			}
			if n := h.calls(t, name, asked); n != 1 {
				t.Errorf("%d calls are counted", n)
			}
		})
	}
}

func TestWhoIsRefusedIsToldNothing(t *testing.T) {
	t.Parallel()
	h := serve(t)
	body := file(t, "github/push.json")
	github, quay := h.name(t, receiver.GitHub), h.name(t, receiver.Quay)
	broken := h.name(t, "broken")
	h.receivers.OnAdd(secretOf(broken, "github", map[string]string{"secret": "short"}), false)
	unknown := h.calls(t, "", refused)
	for what, c := range map[string]struct {
		path   string
		header []string
	}{
		"an unknown receiver":           {"/webhooks/none", []string{"X-Hub-Signature-256", sign(body)}},
		"a receiver without a proof":    {"/webhooks/" + github, nil},
		"a wrong signature":             {"/webhooks/" + github, []string{"X-Hub-Signature-256", sign("x")}},
		"two signatures":                {"/webhooks/" + github, []string{"X-Hub-Signature-256", sign(body), "X-Hub-Signature-256", sign(body)}},
		"a token where one signs":       {"/webhooks/" + github + "/x", []string{"X-Hub-Signature-256", sign(body)}},
		"a wrong token":                 {"/webhooks/" + quay + "/" + strings.Repeat("0", 64), nil},
		"no token":                      {"/webhooks/" + quay, nil},
		"a receiver without its secret": {"/webhooks/" + broken, []string{"X-Hub-Signature-256", sign(body)}},
	} {
		status, answer := h.call(t, http.MethodPost, c.path, body, append(c.header, "X-GitHub-Event", "push")...)
		if status != http.StatusUnauthorized || answer != "" {
			t.Errorf("%s: it answers %d %q", what, status, answer)
		}
	}
	if n := h.calls(t, github, refused); n != 4 {
		t.Errorf("%d refusals are counted", n)
	}
	if n := h.calls(t, broken, refused); n != 1 {
		t.Errorf("%d refusals of the broken one are counted", n)
	}
	if n := h.calls(t, "", refused); n <= unknown {
		t.Error("calls to unknown receivers are not counted")
	}
	if h.read() != 0 || len(h.asked) != 0 {
		t.Error("a refused call was read")
	}
	log := h.log()
	for _, want := range []string{"there is no receiver of that name", "shorter than 16 bytes", "its signature is not that of its payload", "127.0.0.1"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	for _, never := range []string{secret, "Example/shop", sign(body), sign("x"), "alice"} {
		if strings.Contains(log, never) {
			t.Errorf("the log holds %q:\n%s", never, log)
		}
	}
}

func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	h := serve(t)
	h.server.refusals.SetLimit(0) // no time passes in which more might be told
	for range 50 {
		h.call(t, http.MethodPost, "/webhooks/none", "")
	}
	if n := strings.Count(h.log(), "is refused"); n != 10 {
		t.Errorf("fifty refusals at once are %d lines", n)
	}
}

func TestACallThatIsNoPushDoesNothing(t *testing.T) {
	t.Parallel()
	h := serve(t)
	name := h.name(t, receiver.GitHub)
	ping := file(t, "github/ping.json")
	status, answer := h.call(t, http.MethodPost, "/webhooks/"+name, ping, "X-GitHub-Event", "ping", "X-Hub-Signature-256", sign(ping))
	if status != http.StatusOK || answer != "no warehouse is concerned\n" || len(h.asked) != 0 {
		t.Errorf("a ping: %d %q", status, answer)
	}
	if n := h.calls(t, name, nothing); n != 1 {
		t.Errorf("%d are counted", n)
	}
	// The sender is told what is wrong, and the log tells nothing of the payload.
	status, answer = h.call(t, http.MethodPost, "/webhooks/"+name, "[confidential]", "X-GitHub-Event", "push", "X-Hub-Signature-256", sign("[confidential]"))
	if status != http.StatusUnprocessableEntity || !strings.Contains(answer, "not of the form") || strings.Contains(h.log(), "confidential") {
		t.Errorf("a broken payload: %d %q\n%s", status, answer, h.log())
	}
	generic := h.name(t, receiver.Generic)
	status, answer = h.call(t, http.MethodPost, "/webhooks/"+generic, `{"repository": {"confidential": 1}}`, "Authorization", "Bearer "+secret)
	if status != http.StatusUnprocessableEntity || !strings.Contains(answer, "not the URL of a repository") || strings.Contains(h.log(), "confidential") {
		t.Errorf("an expression that fails: %d %q\n%s", status, answer, h.log())
	}
	h.mu.Lock()
	h.fails = errors.New("the state cannot be read")
	h.mu.Unlock()
	if status, answer = h.call(t, http.MethodPost, "/webhooks/"+generic, `{"repository": "x"}`, "Authorization", "Bearer "+secret); status != http.StatusInternalServerError || answer != "" {
		t.Errorf("without the state: %d %q", status, answer)
	}
}

func TestOnlyPostIsAnswered(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		if status, _ := h.call(t, method, "/webhooks/"+h.name(t, receiver.GitHub), ""); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, status)
		}
	}
	for _, path := range []string{"/", "/webhooks", "/webhooks/", "/webhooks/a/b/c", "/api/v1/me"} {
		if status, _ := h.call(t, http.MethodPost, path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// raw writes to a connection, and returns the status line of the answer and how
// much more could be written before the server had enough.
func (h *hooks) raw(t *testing.T, head string, more io.Reader) (status string, written int64) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	// Once the server has closed, writing fails.
	written, _ = io.Copy(conn, more)
	status, err = bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(status), written
}

func TestABodyThatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	h := serve(t)
	name := h.name(t, receiver.GitLab)
	head := "POST /webhooks/" + name + " HTTP/1.1\r\nHost: hooks\r\nX-Gitlab-Token: " + secret + "\r\n"
	// It says so itself: the answer comes though nothing of it was sent.
	status, _ := h.raw(t, head+fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody+1), strings.NewReader(""))
	if status != "HTTP/1.1 413 Request Entity Too Large" {
		t.Errorf("announced: %s", status)
	}
	// It does not say so: one byte too many is enough.
	chunk := fmt.Sprintf("%x\r\n%s\r\n", maxBody+1, strings.Repeat("x", maxBody+1))
	status, _ = h.raw(t, head+"Transfer-Encoding: chunked\r\n\r\n", strings.NewReader(chunk))
	if status != "HTTP/1.1 413 Request Entity Too Large" {
		t.Errorf("in chunks: %s", status)
	}
	if n := h.calls(t, name, tooLarge); n != 2 {
		t.Errorf("%d are counted", n)
	}
	// As large as may be is read: this one is no JSON.
	if status, _ := h.call(t, http.MethodPost, "/webhooks/"+name, strings.Repeat("x", maxBody), "X-Gitlab-Token", secret); status != http.StatusUnprocessableEntity {
		t.Errorf("of 1 MiB: %d", status)
	}
	// Who proves nothing is refused before a byte of the body is read.
	status, _ = h.raw(t, "POST /webhooks/"+name+" HTTP/1.1\r\nHost: hooks\r\nContent-Length: 100\r\n\r\n", strings.NewReader(""))
	if status != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("without a proof: %s", status)
	}
}

func TestASlowBodyTimesOut(t *testing.T) {
	t.Parallel()
	h := serve(t)
	h.server.bodyTimeout = 20 * time.Millisecond
	name := h.name(t, receiver.GitLab)
	status, _ := h.raw(t, "POST /webhooks/"+name+" HTTP/1.1\r\nHost: hooks\r\nContent-Length: 100\r\nX-Gitlab-Token: "+secret+"\r\n\r\n{", strings.NewReader(""))
	if status != "HTTP/1.1 408 Request Timeout" {
		t.Errorf("it answers %s", status)
	}
	if n := h.calls(t, name, unread); n != 1 {
		t.Errorf("%d are counted", n)
	}
}

func TestTooManyCallsAtATimeAreToldToComeAgain(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for range maxCalls {
		h.server.places <- struct{}{}
	}
	name := h.name(t, receiver.Quay)
	if status, answer := h.call(t, http.MethodPost, "/webhooks/"+name, ""); status != http.StatusServiceUnavailable || answer != "" {
		t.Errorf("it answers %d %q", status, answer)
	}
	<-h.server.places
	if status, _ := h.call(t, http.MethodPost, "/webhooks/"+name, ""); status != http.StatusUnauthorized {
		t.Errorf("then it answers %d", status)
	}
}

func TestAReceiverIsAsItsSecretIsNow(t *testing.T) {
	t.Parallel()
	h := serve(t)
	name := h.name(t, "new")
	calls := func(want int) {
		t.Helper()
		if status, _ := h.call(t, http.MethodPost, "/webhooks/"+name, `{}`, "X-Gitlab-Token", "another secret of some length"); status != want {
			t.Errorf("it answers %d", status)
		}
	}
	calls(http.StatusUnauthorized)
	was := secretOf(name, "gitlab", map[string]string{"secret": secret})
	h.receivers.OnAdd(was, false)
	calls(http.StatusUnauthorized)
	is := secretOf(name, "gitlab", map[string]string{"secret": "another secret of some length\n"})
	h.receivers.OnUpdate(was, is)
	calls(http.StatusUnauthorized) // the informer tells the same again
	is.ResourceVersion = "2"
	h.receivers.OnUpdate(was, is)
	calls(http.StatusOK)
	if got := metric(t, "waybill_webhook_receiver_ready", name); got != 1 {
		t.Errorf("the metric tells %v", got)
	}
	broken := secretOf(name, "gitlab", nil)
	broken.ResourceVersion = "3"
	h.receivers.OnUpdate(is, broken)
	calls(http.StatusUnauthorized)
	if got := metric(t, "waybill_webhook_receiver_ready", name); got != 0 {
		t.Errorf("of a broken one the metric tells %v", got)
	}
	h.receivers.OnUpdate(broken, is)
	h.receivers.OnDelete(cache.DeletedFinalStateUnknown{Obj: is})
	calls(http.StatusUnauthorized)
	if got := metric(t, "waybill_webhook_receiver_ready", name); got != -1 {
		t.Errorf("of one that is gone the metric tells %v", got)
	}
	if n := h.calls(t, name, refused); n != -1 {
		t.Errorf("of one that is gone the metric tells %d refused calls", n)
	}
}
