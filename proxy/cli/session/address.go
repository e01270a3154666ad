package session

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

// parseAddress makes the URL of a server from what argocd calls its address:
// host or host:port, or a URL. HTTP without TLS is spoken where plainText says
// so; else an http:// URL is believed for a loopback address alone.
func parseAddress(address, rootPath string, plainText bool) (*url.URL, error) {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "https", address
		if plainText {
			scheme = "http"
		}
	}
	u, err := url.Parse(scheme + "://" + strings.TrimSuffix(rest, "/"))
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the address of a server: write host or host:port", address)
	}
	if u.Path != "" {
		return nil, fmt.Errorf("the address %q has a path: name it with --grpc-web-root-path", address)
	}
	switch u.Scheme {
	case "https":
		if plainText {
			return nil, fmt.Errorf("the address %q says https, and --plaintext says no TLS: leave one of them out", address)
		}
	case "http":
		if !plainText && !loopback.Is(u.Hostname()) {
			return nil, fmt.Errorf("the address %q would send the session's token over the network without TLS: write https://, or say --plaintext if that is what you want", address)
		}
	default:
		return nil, fmt.Errorf("the address %q is neither http nor https", address)
	}
	return u.JoinPath(strings.Trim(rootPath, "/")), nil
}

// sameServer tells whether two addresses mean one server.
func sameServer(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(address string) string {
	port := "443"
	scheme, rest, found := strings.Cut(strings.ToLower(address), "://")
	switch {
	case !found:
		rest = scheme
	case scheme == "http":
		port = "80"
	}
	rest = strings.TrimSuffix(rest, "/")
	if host, given, err := net.SplitHostPort(rest); err == nil {
		rest, port = host, given
	}
	return net.JoinHostPort(strings.Trim(rest, "[]"), port)
}
