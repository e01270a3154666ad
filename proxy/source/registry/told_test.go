package registry

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// Each look has a connection of its own, from another port: were that told, each
// would change the record of the warehouse.
func TestTheSameTroubleIsToldTheSame(t *testing.T) {
	told := map[string]bool{}
	for port := range 3 {
		transport := wire.New()
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 40001 + port}, Addr: &net.TCPAddr{Port: 443}, Err: errors.New("connection reset by peer")}
		}
		_, err := tags(t, New(Options{Transport: transport}), Access{RepoURL: "registry.example.com/shop"})
		if !errors.Is(err, ErrUnreachable) {
			t.Fatalf("a reset is the error %v, want %v", err, ErrUnreachable)
		}
		told[err.Error()] = true
	}
	if len(told) != 1 {
		t.Errorf("one trouble is told as %v", told)
	}
}
