package registry

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

const (
	maxBody  = 16 << 20 // bytes of an answer: a page of a hundred thousand tags
	maxDrain = 4 << 10  // bytes of an answer that are read to keep the connection
)

var errPlain = errors.New("plain HTTP leaves the machine")

// guard stands before the network, for whoever asks one host: nothing is
// sent over plain HTTP, unless that host is this machine, nor to a host that asked
// for a pause; no credentials follow a redirect to another host; and no answer is
// read without a bound.
type guard struct {
	base  http.RoundTripper
	pace  Pace
	holds *holds // shared by all guards
	asked string // the host, with its port
	party string // who asks
	local bool   // the host is this machine
	// maxBody bounds an answer, in bytes, where that is not [maxBody].
	maxBody int64
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if local := g.local && loopback(req.URL.Hostname()); req.URL.Scheme != "https" && !local {
		return nil, errPlain
	}
	req = withoutSecrets(req)
	host := req.URL.Host
	if left := g.holds.left(host); left > 0 {
		return nil, &held{left}
	}
	if g.pace != nil {
		if err := g.pace.Wait(req.Context(), host, party(req.Context(), g.party)); err != nil {
			return nil, err
		}
		// While this one waited, another may have been told to stop.
		if left := g.holds.left(host); left > 0 {
			return nil, &held{left}
		}
	}
	res, err := g.base.RoundTrip(req)
	if !errors.As(err, new(tls.RecordHeaderError)) { // of plain HTTP, where nothing was asked yet
		count(req.Context(), g.asked)
	}
	if err != nil {
		return nil, err
	}
	if busy(res.StatusCode) {
		g.holds.add(host, res.Header.Get("Retry-After"))
	}
	res.Body = drained{http.MaxBytesReader(nil, res.Body, cmp.Or(g.maxBody, maxBody))}
	if strings.HasSuffix(req.URL.Path, "/tags/list") {
		res.Request = asLinked(req)
		if err := doubted(req, res); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// withoutSecrets returns the request, without credentials where another host than
// the one that was asked has sent it on.
func withoutSecrets(req *http.Request) *http.Request {
	if req.Response == nil || req.Response.Request == nil || req.Response.Request.URL.Host == req.URL.Host || req.Header.Get("Authorization") == "" {
		return req
	}
	clean := req.Clone(req.Context())
	clean.Header.Del("Authorization")
	return clean
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

// hostname takes the port off a host.
func hostname(host string) string {
	u := url.URL{Host: host}
	return u.Hostname()
}

// drained is a body whose connection can be used again when it was read but for
// a few bytes.
type drained struct{ io.ReadCloser }

// Close implements io.Closer.
func (d drained) Close() error {
	_, _ = io.CopyN(io.Discard, d.ReadCloser, maxDrain)
	return d.ReadCloser.Close()
}
