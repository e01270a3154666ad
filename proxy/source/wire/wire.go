// Package wire is the way to the hosts that are asked, registries and Git servers
// alike: connections that are kept, of which a dead one is found, and what people
// are told where one fails.
package wire

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http2"
)

// New makes a transport with keep-alive and the proxy settings of the environment.
func New() *http.Transport {
	const dial, header, idle, silent, perHost = 10 * time.Second, 30 * time.Second, 90 * time.Second, 10 * time.Second, 16
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dial}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   perHost,
		IdleConnTimeout:       idle,
		TLSHandshakeTimeout:   dial,
		ResponseHeaderTimeout: header,
		// One connection of HTTP/2 serves all requests: a dead one is found before
		// the next of them waits for it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: silent, PingTimeout: silent},
	}
}

var errLookup = errors.New("its name cannot be looked up")

// Reason is what went wrong on the way to a host, without the URL that was asked
// for, and without the addresses of a connection and the number of a stream, of
// which each has others: what is told of the same trouble must be the same, or each
// try would change the record that keeps it.
func Reason(err error) error {
	for {
		var (
			request    *url.Error
			connection *net.OpError
			stream     http2.StreamError // which net/http's own turns into
		)
		switch {
		case errors.As(err, new(*net.DNSError)): // which tells addresses in a text
			return errLookup
		case errors.As(err, &connection):
			err = connection.Err
		case errors.As(err, &stream):
			return fmt.Errorf("the server broke the request off: %s", stream.Code)
		case errors.As(err, &request):
			err = request.Err
		default:
			return err
		}
	}
}
