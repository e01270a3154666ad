package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body is an answer's, which tells whether it was closed.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

func TestAPageThatBreaksOffLetsItsConnectionGo(t *testing.T) {
	page := &body{Reader: io.MultiReader(strings.NewReader(`{"tags":["v1.0.0",`), iotest.ErrReader(io.ErrUnexpectedEOF))}
	registries := New(Options{})
	registries.secure = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/v2/" {
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: page, Request: r}, nil
	})
	if found, err := tags(t, registries, Access{RepoURL: "registry.example.com/shop"}); err == nil {
		t.Errorf("tags %v of a page that breaks off", found)
	}
	if !page.closed {
		t.Error("the page is left open")
	}
}

func TestPlainHTTPStaysOnTheMachine(t *testing.T) {
	var sent []string
	registries := New(Options{})
	registries.secure = roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.String())
		return httptest.NewRecorder().Result(), nil
	})
	for raw, allowed := range map[string]bool{
		"https://registry.example.com/v2/": true,
		"http://127.0.0.1:5000/v2/":        true,
		"http://[::1]:5000/v2/":            true,
		"http://localhost:5000/v2/":        true,
		"http://registry.localhost/v2/":    false,
		// These go-containerregistry itself would ask.
		"http://10.0.0.1:5000/v2/":         false,
		"http://192.168.1.1/v2/":           false,
		"http://registry.example.com/v2/":  false,
		"http://localhost.example.com/v2/": false,
		"https://localhost:5000/v2/":       true,
	} {
		sent = nil
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := registries.Host(req.URL.Host, "shop", false, maxBody).RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != allowed || (len(sent) == 1) != allowed {
			t.Errorf("%s: sent %v, error %v", raw, sent, err)
		}
		// Nobody else leads there.
		sent = nil
		res, err = registries.Host("other.example.com", "shop", false, maxBody).RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if secure := req.URL.Scheme == "https" && !loopback.Is(req.URL.Hostname()); (err == nil) != secure || (len(sent) == 1) != secure {
			t.Errorf("%s for another host: sent %v, error %v", raw, sent, err)
		}
	}
}
