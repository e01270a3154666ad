package gitrepo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

const (
	maxRefs  = 32 << 20 // bytes of a list of references: some 400,000
	maxError = 64 << 10 // bytes that are read of an error's page
	fetchURL = "/git-upload-pack"
)

var (
	errPlain    = errors.New("plain HTTP leaves the machine")
	errRedirect = errors.New("the server redirects to another host")
)

// guard stands before the network: whatever a server asks for, nothing is sent
// over plain HTTP, loopback aside, nor for an account whose host asked for a
// pause, and no answer is read without a bound.
type guard struct {
	base     http.RoundTripper
	maxFetch int64
	holds    *holds

	requested func(context.Context)
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return nil, errPlain
	}
	asks := accountOf(req)
	if left := g.holds.left(asks); left > 0 {
		return nil, &Busy{left}
	}
	g.requested(req.Context())
	res, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := g.holds.note(asks, res); err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest { // of a page for people, the beginning will do
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxError), res.Body}
		return res, nil
	}
	limit := int64(maxRefs)
	if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, fetchURL) {
		limit = g.maxFetch
	}
	res.Body = http.MaxBytesReader(nil, res.Body, limit)
	return res, nil
}

// stayOnHost is the policy for redirects: a repository may have moved on its
// host (renamed, with or without .git), credentials stay where they belong.
func stayOnHost(req *http.Request, via []*http.Request) error {
	if from := via[0].URL; req.URL.Host != from.Host || req.URL.Scheme != from.Scheme {
		return errRedirect
	}
	return nil
}
