package gitrepo

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/waybill-cd/waybill/proxy/source/wire/silent"
)

// nobody has no credentials.
type nobody struct{}

func (nobody) Git(context.Context, string) (user, password string, err error) { return "", "", nil }

func (nobody) GitOf(context.Context, string, string) (user, password string, err error) {
	return "", "", nil
}

// advertise answers with the references of a repository of one branch.
func advertise(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
	line := func(text string) string { return fmt.Sprintf("%04x%s\n", len(text)+5, text) }
	_, _ = fmt.Fprint(w, line("# service=git-upload-pack"), "0000", line(strings.Repeat("1f", 20)+" refs/heads/main\x00agent=git"), "0000")
}

// Of HTTP/2, one connection serves all requests: where it is dead, none would get an
// answer until the system gives it up, a quarter of an hour later.
func TestADeadConnectionFailsOneLookAlone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		lines := silent.New()
		server := httptest.NewUnstartedServer(http.HandlerFunc(advertise))
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2 = lines, true
		server.StartTLS()
		defer server.Close()
		var o Options
		o.setDefaults()
		for _, transport := range []http.RoundTripper{o.Transport, o.Untrusting} {
			untrusting := transport.(*http.Transport).Clone()
			untrusting.DialContext = lines.Dial
			untrusting.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			untrusting.TLSClientConfig.InsecureSkipVerify = true
			repositories, err := New(nobody{}, Options{Dir: dir, Untrusting: untrusting})
			if err != nil {
				t.Fatal(err)
			}
			before := lines.Dialed()
			look := func() error {
				shop := Place{RepoURL: "https://git.example.com/shop.git", Namespace: "waybill", InsecureSkipTLSVerify: true}
				return repositories.Look(t.Context(), shop, func(context.Context, *Look) error { return nil })
			}
			if err := look(); err != nil {
				t.Fatal(err)
			}
			lines.Silence()
			if err := look(); err == nil {
				t.Error("a look over a dead connection is no error")
			}
			if err := look(); err != nil || lines.Dialed()-before != 2 {
				t.Errorf("the next look, over %d connections: %v", lines.Dialed()-before, err)
			}
			untrusting.CloseIdleConnections()
		}
	})
}
