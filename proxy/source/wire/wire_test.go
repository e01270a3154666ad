package wire_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// reset breaks each connection where an answer is due.
func reset(t *testing.T) *net.TCPAddr {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.SetLinger(0) // the end is told as a reset
			_ = conn.Close()
		}
	}()
	return listener.Addr().(*net.TCPAddr)
}

func TestTheSameTroubleIsToldTheSame(t *testing.T) {
	address := reset(t)
	told := map[string]int{}
	for range 3 {
		client := http.Client{Transport: wire.New()}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/shop?token=secret", address), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			t.Fatal("a reset is no error")
		}
		told[wire.Reason(err).Error()]++
	}
	for text := range told {
		if len(told) != 1 || strings.Contains(text, address.IP.String()) || strings.Contains(text, "secret") {
			t.Errorf("a reset is told as %q, of %v", text, told)
		}
	}
}

func TestANameThatCannotBeLookedUpTellsNoAddresses(t *testing.T) {
	err := fmt.Errorf("ping: %w", &net.OpError{Op: "dial", Err: &net.DNSError{
		Err: "read udp 10.0.0.2:40001->10.0.0.10:53: i/o timeout", Name: "git.example.com", Server: "10.0.0.10:53", IsTimeout: true,
	}})
	if got, want := wire.Reason(err).Error(), "its name cannot be looked up"; got != want {
		t.Errorf("it is told as %q, want %q", got, want)
	}
	if err := errors.New("something else"); !errors.Is(wire.Reason(err), err) {
		t.Errorf("it is told as %q, want as it is", wire.Reason(err))
	}
}

// Of HTTP/2, each request of a connection has another number.
func TestAStreamThatBreaksIsToldWithoutItsNumber(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	told := map[string]bool{}
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := server.Client().Do(req)
		if err == nil {
			_ = res.Body.Close()
			t.Fatal("a stream that breaks is no error")
		}
		told[wire.Reason(err).Error()] = true
	}
	if len(told) != 1 {
		t.Errorf("it is told as %v", told)
	}
}
