package registry

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// lines are connections to a registry without a network, which may fall silent.
type lines struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
	dialed atomic.Int64
	last   *line
}

// line is a connection. Where it is dead, what is sent gets lost, and nobody says
// so: as where a router has forgotten it.
type line struct {
	net.Conn
	dead atomic.Bool
}

func (l *line) Write(p []byte) (int, error) {
	if l.dead.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

func (l *lines) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	l.last = &line{Conn: ours}
	l.dialed.Add(1)
	l.calls <- theirs
	return l.last, nil
}

func (l *lines) Accept() (net.Conn, error) {
	select {
	case conn := <-l.calls:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *lines) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *lines) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// Of HTTP/2, one connection serves all requests: where it is dead, none would get an
// answer until the system gives it up, a quarter of an hour later.
func TestADeadConnectionFailsOneLookAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wires := &lines{calls: make(chan net.Conn), closed: make(chan struct{})}
		server := httptest.NewUnstartedServer(says(`{"tags":["v1.0.0"]}`))
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2 = wires, true
		server.StartTLS()
		defer server.Close()
		var o Options
		o.setDefaults()
		transport := o.Transport.Clone()
		transport.DialContext = wires.dial
		registries := New(Options{Transport: transport})
		shop := Access{RepoURL: "registry.example.com/shop", Insecure: true}
		if _, err := tags(t, registries, shop); err != nil {
			t.Fatal(err)
		}
		wires.last.dead.Store(true)
		if found, err := tags(t, registries, shop); !errors.Is(err, ErrUnreachable) {
			t.Errorf("tags %v over a dead connection, error %v", found, err)
		}
		if _, err := tags(t, registries, shop); err != nil || wires.dialed.Load() != 2 {
			t.Errorf("the next look, over %d connections: %v", wires.dialed.Load(), err)
		}
	})
}
