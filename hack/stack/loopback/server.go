package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves HTTP on a loopback port. It can be stopped and started again,
// on the same port and with what its handler holds.
type Server struct {
	name    string
	handler http.Handler

	mu     sync.Mutex
	port   int
	server *http.Server
	done   chan struct{} // closed when the running server has ended
}

// NewServer makes a server that does not run yet. Port 0 stands for a free one,
// chosen at the first start. The name is for errors.
func NewServer(name string, port int, handler http.Handler) *Server {
	return &Server{name: name, handler: handler, port: port}
}

// Start listens and serves; when it returns, the server can be used.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("%s:%d", Address, s.port))
	if err != nil {
		return fmt.Errorf("the server %s cannot listen: %w", s.name, err)
	}
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		s.port = address.Port
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with ErrServerClosed
	}()
	s.server, s.done = server, done
	return nil
}

// Stop lets requests end, until ctx does.
func (s *Server) Stop(ctx context.Context) error {
	server, done := s.take()
	if server == nil {
		return nil
	}
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
		<-done
		return fmt.Errorf("stopping the server %s: %w", s.name, err)
	}
	<-done
	return nil
}

// Kill breaks all connections.
func (s *Server) Kill() error {
	server, done := s.take()
	if server == nil {
		return nil
	}
	err := server.Close()
	<-done
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("ending the server %s: %w", s.name, err)
	}
	return nil
}

func (s *Server) take() (*http.Server, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server, done := s.server, s.done
	s.server, s.done = nil, nil
	return server, done
}

// Running tells whether the server has been started and not stopped.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server != nil
}

// Host is 127.0.0.1 with the port; the port is 0 while none has been chosen.
func (s *Server) Host() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s:%d", Address, s.port)
}
