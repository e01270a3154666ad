package registry

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

const (
	maxBody  = 16 << 20 // bytes of an answer: a page of a hundred thousand tags
	maxDrain = 4 << 10  // bytes of an answer that are read to keep the connection
)

var (
	errPlain  = errors.New("plain HTTP leaves the machine")
	errInward = errors.New("another host leads to the proxy's own machine")
	errMoved  = errors.New("what signs in is sent on to another host")
)

// guard stands before the network, for whoever asks one host: nothing is sent over
// plain HTTP, unless that host is this machine, nor to this machine because another
// host says so, nor to a host that asked for a pause; no credentials follow a
// redirect to another host; and no answer is read without a bound.
type guard struct {
	base     http.RoundTripper
	pace     Pace
	holds    *holds // shared by all guards
	asked    string // the host, with its port
	party    string // who asks
	local    bool   // the host is this machine
	insecure bool   // any certificate will do
	maxBody  int64  // bounds an answer, in bytes
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	switch local := loopback.Is(req.URL.Hostname()); {
	case req.URL.Scheme != "https" && (!g.local || !local):
		return nil, errPlain
	case local && !g.local:
		return nil, errInward
	}
	req, err := withoutSecrets(req)
	if err != nil {
		return nil, err
	}
	host := req.URL.Host
	if left := g.holds.left(host, g.insecure); left > 0 {
		return nil, &held{left}
	}
	if g.pace != nil {
		if err := g.pace.Wait(req.Context(), strings.ToLower(host), party(req.Context(), g.party)); err != nil {
			return nil, err
		}
		// While this one waited, another may have been told to stop.
		if left := g.holds.left(host, g.insecure); left > 0 {
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
		g.holds.add(host, g.insecure, res.Header.Get("Retry-After"))
	}
	res.Body = drained{http.MaxBytesReader(nil, res.Body, g.maxBody)}
	if res.StatusCode == http.StatusOK && strings.HasSuffix(req.URL.Path, "/tags/list") {
		res.Request = asLinked(req)
		if err := doubted(req, res); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// withoutSecrets returns the request without credentials that are another host's:
// an earlier request of its chain of redirects has carried them to one, whoever
// puts them into this one. Credentials in a body cannot be taken out: such a
// request stays on its host.
func withoutSecrets(req *http.Request) (*http.Request, error) {
	foreign := false
	for r := req; r.Response != nil && r.Response.Request != nil; {
		r = r.Response.Request
		if r.URL.Scheme == req.URL.Scheme && r.URL.Host == req.URL.Host {
			continue
		}
		if req.Body != nil && req.Body != http.NoBody {
			return nil, errMoved
		}
		foreign = foreign || r.Header.Get("Authorization") == req.Header.Get("Authorization")
	}
	if !foreign || req.Header.Get("Authorization") == "" {
		return req, nil
	}
	clean := req.Clone(req.Context())
	clean.Header.Del("Authorization")
	return clean, nil
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

// drained is a body whose connection can be used again when it was read but for
// a few bytes.
type drained struct{ io.ReadCloser }

// Close implements io.Closer.
func (d drained) Close() error {
	_, _ = io.CopyN(io.Discard, d.ReadCloser, maxDrain)
	return d.ReadCloser.Close()
}
