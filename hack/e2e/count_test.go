package e2e

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// apiCounter stands between the proxy and the API server and notes the writes.
type apiCounter struct {
	server *httptest.Server

	mu     sync.Mutex
	writes []string
}

func countAPI(config *rest.Config) (*apiCounter, error) {
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	// The calls carry the proxy's own token; only the transport is the admin's.
	transport, err := rest.TransportFor(&rest.Config{Host: config.Host, TLSClientConfig: rest.TLSClientConfig{CAData: config.CAData, CAFile: config.CAFile, Insecure: config.Insecure}})
	if err != nil {
		return nil, err
	}
	c := &apiCounter{}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // watches stream
	}
	c.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			c.note(r.Method + " " + r.URL.Path)
		}
		proxy.ServeHTTP(w, r)
	}))
	return c, nil
}

func (c *apiCounter) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
}

func (c *apiCounter) close() { c.server.Close() }

func (c *apiCounter) note(write string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = append(c.writes, write)
}

func (c *apiCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = nil
}

// written returns the writes since the reset, Lease renewals aside.
func (c *apiCounter) written() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.writes), func(w string) bool { return strings.Contains(w, "/leases/") })
}
