package image

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

const (
	maxBody  = 16 << 20 // bytes of an answer: a page of a hundred thousand tags
	maxDrain = 4 << 10  // bytes of an answer that are read to keep the connection
)

var errPlain = errors.New("plain HTTP leaves the machine")

// guard stands before the network: nothing is sent over plain HTTP, loopback
// aside, nor to a host that asked for a pause, and no answer is read without a
// bound.
type guard struct {
	base    http.RoundTripper
	limiter Limiter
	holds   *holds // shared by all guards
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return nil, errPlain
	}
	host := req.URL.Host
	if left := g.holds.left(host); left > 0 {
		return nil, &held{left}
	}
	if g.limiter != nil {
		if err := g.limiter.Wait(req.Context(), host); err != nil {
			return nil, err
		}
	}
	res, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if busy(res.StatusCode) {
		g.holds.add(host, res.Header.Get("Retry-After"))
	}
	res.Body = drained{http.MaxBytesReader(nil, res.Body, maxBody)}
	if strings.HasSuffix(req.URL.Path, "/tags/list") {
		res.Request = asLinked(req)
	}
	return res, nil
}

// asLinked returns the request as go-containerregistry compares it with the
// link to the next page: it expects plain HTTP of every host of a private
// network, also where it has itself found out that the host speaks HTTPS.
func asLinked(req *http.Request) *http.Request {
	registry, err := name.NewRegistry(req.URL.Host)
	if err != nil || registry.Scheme() == req.URL.Scheme {
		return req
	}
	linked := req.Clone(req.Context())
	linked.URL.Scheme = registry.Scheme()
	return linked
}

func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// loopback tells whether a host is this machine. Names below localhost are, by
// RFC 6761.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// drained is a body whose connection can be used again when it was read but for
// a few bytes.
type drained struct{ io.ReadCloser }

// Close implements io.Closer.
func (d drained) Close() error {
	_, _ = io.CopyN(io.Discard, d.ReadCloser, maxDrain)
	return d.ReadCloser.Close()
}
