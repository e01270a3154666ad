package gitrepo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/waybill-cd/waybill/proxy/loopback"
	"github.com/waybill-cd/waybill/proxy/source/pace"
)

// Pace says when a request may be sent; *pace.Pace is one.
type Pace interface {
	// Wait returns when a request of a party (a repository) may go to the host (with
	// its port), or an error when ctx ends before.
	Wait(ctx context.Context, host, party string) error
}

const (
	maxRefs      = 32 << 20 // bytes of a list of references: some 400,000
	maxError     = 64 << 10 // bytes that are read of an error's page
	maxRedirects = 10       // as net/http's own
	fetchURL     = "/git-upload-pack"
	pushURL      = "/git-receive-pack"
	refsURL      = "/info/refs"
)

var (
	errPlain    = errors.New("plain HTTP leaves the machine")
	errRedirect = errors.New("the server redirects to another host")
	errCircle   = errors.New("the server redirects without end")
)

// guard stands before the network: whatever a server asks for, nothing is sent
// over plain HTTP, loopback aside, nor for an account whose host asked for a
// pause, nor faster than the pace, and no answer is read without a bound.
type guard struct {
	base     http.RoundTripper
	maxFetch int64
	pace     Pace
	holds    *pace.Holds[account]

	requested func(context.Context)
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback.Is(req.URL.Hostname()) {
		return nil, errPlain
	}
	asks := accountOf(req)
	if left := g.holds.Left(asks); left > 0 {
		return nil, &Busy{left}
	}
	if g.pace != nil {
		if err := g.pace.Wait(req.Context(), asks.host, repositoryOf(req)); err != nil {
			return nil, err
		}
		// While this one waited, another may have been told to stop.
		if left := g.holds.Left(asks); left > 0 {
			return nil, &Busy{left}
		}
	}
	g.requested(req.Context())
	res, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := enough(g.holds, asks, res); err != nil {
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

// repositoryOf is the repository of a request, of its host, as it is written.
func repositoryOf(req *http.Request) string {
	path := req.URL.Path
	for _, service := range []string{refsURL, fetchURL, pushURL} {
		path = strings.TrimSuffix(path, service)
	}
	return strings.TrimSuffix(path, ".git")
}

// stayOnHost is the policy for redirects: a repository may have moved on its
// host (renamed, with or without .git), credentials stay where they belong.
func stayOnHost(req *http.Request, via []*http.Request) error {
	if from := via[0].URL; !strings.EqualFold(req.URL.Host, from.Host) || req.URL.Scheme != from.Scheme {
		return errRedirect
	}
	if len(via) >= maxRedirects {
		return errCircle
	}
	return nil
}
