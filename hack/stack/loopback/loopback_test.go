package loopback_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

func TestPortsTakenAtTheSameTimeDiffer(t *testing.T) {
	const stacks, each = 8, 12
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[int]bool{}
	)
	for range stacks {
		var ports loopback.Ports
		defer ports.Release()
		wg.Go(func() {
			for range each {
				port, err := ports.Take()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[port] {
					t.Errorf("port %d was given twice", port)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestTakenPortCanBeListenedOn(t *testing.T) {
	var ports loopback.Ports
	defer ports.Release()
	port, err := ports.Take()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", loopback.Address, port))
	if err != nil {
		t.Fatalf("a reserved port is not free: %v", err)
	}
	defer listener.Close()
	if err := ports.Fix(port); err == nil {
		t.Errorf("port %d was given although somebody listens there", port)
	}
}

func TestReleasedPortCanBeFixedAgain(t *testing.T) {
	var first, second loopback.Ports
	defer second.Release()
	port, err := first.Take()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Fix(port); err == nil {
		t.Fatalf("port %d was given to two", port)
	}
	first.Release()
	if err := second.Fix(port); err != nil {
		t.Error(err)
	}
}

func TestServerKeepsItsPortOverARestart(t *testing.T) {
	server := loopback.NewServer("test", 0, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	}))
	t.Cleanup(func() { _ = server.Kill() })
	get := func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.Host(), http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	host := server.Host()
	if err := get(); err != nil {
		t.Fatal(err)
	}

	for name, end := range map[string]func() error{
		"stop": func() error { return server.Stop(context.Background()) },
		"kill": server.Kill,
	} {
		if err := end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := get(); err == nil || server.Running() {
			t.Fatalf("after a %s the server still answers", name)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if server.Host() != host {
			t.Fatalf("the server moved from %s to %s", host, server.Host())
		}
		if err := get(); err != nil {
			t.Fatalf("after a %s and a start: %v", name, err)
		}
	}
}
