// Package silent has connections without a network that may fall silent, for the
// tests of those who ask hosts.
package silent

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Lines are connections to a server whose listener they are.
type Lines struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
	dialed atomic.Int64
	last   atomic.Pointer[line]
}

// New makes Lines without a connection yet.
func New() *Lines { return &Lines{calls: make(chan net.Conn), closed: make(chan struct{})} }

// line is a connection. Where it is dead, what is sent gets lost, and nobody says
// so: as where a router has forgotten it.
type line struct {
	net.Conn
	dead atomic.Bool
}

// Write implements net.Conn.
func (l *line) Write(p []byte) (int, error) {
	if l.dead.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// Dial makes a connection, wherever to.
func (l *Lines) Dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	made := &line{Conn: ours}
	l.last.Store(made)
	l.dialed.Add(1)
	l.calls <- theirs
	return made, nil
}

// Silence has the last connection fall silent.
func (l *Lines) Silence() { l.last.Load().dead.Store(true) }

// Dialed is how many connections were made.
func (l *Lines) Dialed() int { return int(l.dialed.Load()) }

// Accept implements net.Listener.
func (l *Lines) Accept() (net.Conn, error) {
	select {
	case conn := <-l.calls:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Lines) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *Lines) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
