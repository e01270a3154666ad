package chart

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// maxIndex is the size of an index, in bytes. The largest public ones take half of
// it.
const maxIndex = 32 << 20

var errNotFound = errors.New("not found")

// answer is a server's.
type answer struct {
	status int // 200 or 304
	header http.Header
	body   []byte
}

// get makes one request, at the pace and with the pauses that hold for registries.
// The error is a sentence; errNotFound where there is nothing at that URL.
func (s *Source) get(ctx context.Context, at place, from string, maxBytes int64, header http.Header) (answer, error) {
	target, err := url.Parse(from)
	if err != nil || target.Host == "" {
		return answer{}, sentence.Fail(registry.ErrInvalid, err, "%s is not the URL of a chart repository: write https://host/path, or oci://host/path/chart", sentence.OneLine(from))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return answer{}, sentence.Fail(registry.ErrInvalid, err, "%s cannot be asked for: check repoURL", sentence.OneLine(from))
	}
	if header != nil {
		req.Header = header.Clone()
	}
	if maxBytes == maxArchive {
		// An archive is hashed as it is: nothing must be unpacked on the way.
		req.Header.Set("Accept-Encoding", "identity")
	}
	req.Header.Set("User-Agent", "waybill")
	client := &http.Client{Transport: signed{
		RoundTripper: s.options.Registries.Host(target.Host, at.scope.Namespace+"/"+at.scope.Repository, at.scope.Insecure, maxBytes),
		place:        at,
	}}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, s.describe(ctx, at, target.Host, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return answer{status: res.StatusCode}, nil
	case http.StatusNotFound, http.StatusGone:
		return answer{}, errNotFound
	default:
		return answer{}, s.describeStatus(at, res)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, s.describe(ctx, at, target.Host, err)
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

// signed adds the credentials of a place to requests to its very host, and to no
// other: neither where the index names archives elsewhere, nor on a redirect.
type signed struct {
	http.RoundTripper
	place place
}

// RoundTrip implements http.RoundTripper.
func (s signed) RoundTrip(req *http.Request) (*http.Response, error) {
	own, err := url.Parse(s.place.scope.Repository)
	if err == nil && s.place.user+s.place.password != "" && req.URL.Scheme == own.Scheme && hostOf(req.URL) == hostOf(own) {
		req = req.Clone(req.Context())
		req.SetBasicAuth(s.place.user, s.place.password)
	}
	return s.RoundTripper.RoundTrip(req)
}

// hostOf is a URL's host in small letters, with its port, which may go without
// saying.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}
