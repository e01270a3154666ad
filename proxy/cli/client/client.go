// Package client calls argocd-server: its own API to find Applications, and its
// proxy extensions, behind which Waybill's API stands.
package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/proxy/cli/session"
)

const (
	// requestTimeout bounds one request with its answer.
	requestTimeout = 30 * time.Second
	// maxRedirects on one and the same server.
	maxRedirects = 5
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 16 << 20
	// maxApplications bounds the list of all Applications, which is read as a
	// stream: annotations of ten thousand take about this much.
	maxApplications = 128 << 20
	// maxProblem bounds the answer that tells of an error.
	maxProblem = 1 << 20
)

// Client talks to one argocd-server as one user. It is safe for concurrent use.
type Client struct {
	session session.Session
	http    *http.Client
	agent   string
}

// New makes a client. agent is what it calls itself to the server.
func New(s session.Session, agent string) *Client {
	// argocd-server hands only HTTP/1 to what is not gRPC.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	c := &Client{session: s, agent: agent}
	c.http = &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     s.TLS,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     time.Minute,
			Protocols:           &protocols,
		},
		CheckRedirect: c.redirect,
	}
	return c
}

// RedirectError is an answer that sends the client where it must not take the
// token.
type RedirectError struct {
	To   string
	Hint string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the server sends the request on to %s, where the session's token must not go: %s", e.To, e.Hint)
}

// redirect lets a reading request move within the server that the token belongs
// to, and nowhere else.
func (c *Client) redirect(request *http.Request, via []*http.Request) error {
	to, home := request.URL, c.session.URL
	switch {
	case to.Scheme != home.Scheme && to.Hostname() == home.Hostname():
		return &RedirectError{To: to.Scheme + "://" + to.Host, Hint: "the server wants " + to.Scheme + ", so log in again with or without --plaintext accordingly"}
	case to.Scheme != home.Scheme || !strings.EqualFold(to.Host, home.Host):
		return &RedirectError{To: to.Scheme + "://" + to.Host, Hint: "if a login page stands in front of Argo CD, pass what it wants with --header, or use the address behind it"}
	case via[0].Method != http.MethodGet:
		return &RedirectError{To: to.Path, Hint: "a change is asked for once, at one address: correct --server or --grpc-web-root-path"}
	case len(via) >= maxRedirects:
		return errors.New("the server redirects in a circle")
	}
	return nil
}

// UnreachableError tells that no answer came from where one was expected. The
// same request may succeed later.
type UnreachableError struct {
	What  string
	Cause string
	Err   error
}

func (e *UnreachableError) Error() string { return e.What + " cannot be reached: " + e.Cause }

func (e *UnreachableError) Unwrap() error { return e.Err }

// send makes a request. path are escaped segments below the server's URL. The
// caller closes the body, which is bounded.
func (c *Client) send(ctx context.Context, method string, path []string, query url.Values, body []byte, prepare func(http.Header), limit int64) (*http.Response, error) {
	at := c.session.URL.JoinPath(path...)
	at.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the request cannot be made: %w", err)
	}
	for name, values := range c.session.Header {
		request.Header[name] = append([]string(nil), values...)
	}
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set("Accept", "application/json")
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	prepare(request.Header)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	response.Body = http.MaxBytesReader(nil, response.Body, limit)
	return response, nil
}

func (c *Client) transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if redirected := (*RedirectError)(nil); errors.As(err, &redirected) {
		return redirected
	}
	// The URL in it says nothing that the sentence does not.
	if at := (*url.Error)(nil); errors.As(err, &at) {
		err = at.Err
	}
	cause := err.Error()
	dialled := (*net.OpError)(nil)
	switch {
	case errors.As(err, &dialled) && dialled.Op == "dial":
		cause += ": correct its address (--server, or argocd login), or see whether it runs"
	case strings.Contains(cause, "server gave HTTP response to HTTPS client"):
		cause = "it speaks no TLS: say --plaintext if that is meant so"
	case strings.Contains(cause, "certificate"):
		cause += ": name the certificates to trust with --server-crt"
	}
	return &UnreachableError{What: "argocd-server at " + c.session.URL.Host, Cause: cause, Err: err}
}

// read takes a whole answer.
func read(response *http.Response) ([]byte, error) {
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return text, nil
}

func bodyError(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return fmt.Errorf("the answer is larger than %d MiB: ask for less (--limit)", large.Limit>>20)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &UnreachableError{What: "the whole answer", Cause: err.Error(), Err: err}
}
