package registry

import (
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/waybill-cd/waybill/proxy/source/wire/silent"
)

// Of HTTP/2, one connection serves all requests: where it is dead, none would get an
// answer until the system gives it up, a quarter of an hour later.
func TestADeadConnectionFailsOneLookAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := silent.New()
		server := httptest.NewUnstartedServer(says(`{"tags":["v1.0.0"]}`))
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2 = lines, true
		server.StartTLS()
		defer server.Close()
		var o Options
		o.setDefaults()
		transport := o.Transport.Clone()
		transport.DialContext = lines.Dial
		registries := New(Options{Transport: transport})
		shop := Access{RepoURL: "registry.example.com/shop", Insecure: true}
		if _, err := tags(t, registries, shop); err != nil {
			t.Fatal(err)
		}
		lines.Silence()
		if found, err := tags(t, registries, shop); !errors.Is(err, ErrUnreachable) {
			t.Errorf("tags %v over a dead connection, error %v", found, err)
		}
		if _, err := tags(t, registries, shop); err != nil || lines.Dialed() != 2 {
			t.Errorf("the next look, over %d connections: %v", lines.Dialed(), err)
		}
	})
}
