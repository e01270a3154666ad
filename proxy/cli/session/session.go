// Package session finds the Argo CD session that the command line uses:
// argocd's own, from its config file, its environment variables and its flags.
package session

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/argoproj/argo-cd/v2/util/localconfig"
)

// Session is a server and how to authenticate there.
type Session struct {
	// URL is the server's, with the path below which it is served.
	URL   *url.URL
	Token Token
	// Header goes with each request.
	Header http.Header
	TLS    *tls.Config
	// Renew tells how to get another token when this one has expired.
	Renew string
}

// Token is a bearer token. It does not print.
type Token string

// String hides the token.
func (Token) String() string { return "[token]" }

// GoString hides the token.
func (Token) GoString() string { return "[token]" }

// The variables that argocd reads.
const (
	envServer = "ARGOCD_SERVER"
	envToken  = "ARGOCD_AUTH_TOKEN"
)

// portForwardServer is what argocd writes for a server that it reaches by a
// forwarded port.
const portForwardServer = "port-forward"

var (
	errCore = errors.New("argocd's core mode has no argocd-server, and Waybill is reached through it: use a context with a server (--argocd-context, --server)")

	errPortForward = errors.New("a session over argocd's own port-forward cannot be shared: forward the port yourself (kubectl port-forward svc/argocd-server -n argocd 8080:443), then argocd login localhost:8080")
)

// Resolve finds the session. A flag goes before ARGOCD_OPTS, that before the
// other variables, and those before the config file. A token of the config file
// is sent only to the server that it belongs to.
func (f Flags) Resolve() (Session, error) {
	f, err := f.withDefaults()
	if err != nil {
		return Session{}, err
	}
	if f.core {
		return Session{}, errCore
	}
	if f.portForward {
		return Session{}, errPortForward
	}
	file, err := readConfig(f.Config)
	if err != nil {
		return Session{}, err
	}
	address := cmp.Or(f.Server, os.Getenv(envServer))
	context, found, err := contextFor(file, f.Context, address)
	if err != nil {
		return Session{}, err
	}
	switch {
	case context.Server.Core:
		return Session{}, errCore
	case cmp.Or(address, context.Server.Server) == portForwardServer:
		return Session{}, errPortForward
	case address == "" && !found:
		return Session{}, errors.New("no Argo CD server is known: log in with argocd login, or name one with --server or ARGOCD_SERVER")
	}
	return f.session(cmp.Or(address, context.Server.Server), context)
}

func (f Flags) session(address string, context localconfig.Context) (Session, error) {
	server := context.Server
	plainText := f.PlainText || server.PlainText
	rootPath := cmp.Or(f.RootPath, server.GRPCWebRootPath)
	at, err := parseAddress(address, rootPath, plainText)
	if err != nil {
		return Session{}, err
	}
	s := Session{URL: at}
	login := loginCommand(address, rootPath, plainText, f.Insecure || server.Insecure, context.User.RefreshToken != "")
	if s.Token, s.Renew, err = f.token(address, login, context.User); err != nil {
		return Session{}, err
	}
	if s.Header, err = parseHeaders(f.Headers); err != nil {
		return Session{}, err
	}
	if s.TLS, err = f.tls(server); err != nil {
		return Session{}, err
	}
	return s, nil
}

func (f Flags) token(address, login string, user localconfig.User) (Token, string, error) {
	var token, renew string
	switch given, env := strings.TrimSpace(f.AuthToken), strings.TrimSpace(os.Getenv(envToken)); {
	case given != "":
		token, renew = given, "give another token with --auth-token"
	case env != "":
		token, renew = env, "set another token in "+envToken
	case user.AuthToken != "":
		token, renew = user.AuthToken, "log in again: "+login
	default:
		return "", "", fmt.Errorf("you are not logged in at %s: %s", address, login)
	}
	// What a cookie cannot carry, net/http would drop, and log.
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`",;\`, r) }) {
		return "", "", fmt.Errorf("the token holds characters that no token of Argo CD has: %s", renew)
	}
	return Token(token), renew, nil
}

func loginCommand(address, rootPath string, plainText, insecure, sso bool) string {
	command := "argocd login " + address
	for _, option := range []struct {
		flag string
		set  bool
	}{
		{"--sso", sso},
		{"--plaintext", plainText},
		{"--insecure", insecure && !plainText},
		{"--grpc-web-root-path " + rootPath, rootPath != ""},
	} {
		if option.set {
			command += " " + option.flag
		}
	}
	return command
}

// parseHeaders reads "Name: value". The value is never shown: it is often a
// credential for what stands in front of the server.
func parseHeaders(lines []string) (http.Header, error) {
	header := http.Header{}
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			return nil, errors.New(`a --header is not of the form "Name: value"`)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

func (f Flags) tls(server localconfig.Server) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		//nolint:gosec // the user asked for it, as argocd lets them
		InsecureSkipVerify: f.Insecure || server.Insecure,
	}
	roots, err := material(f.ServerCert, server.CACertificateAuthorityData, "the server's certificate")
	if err != nil {
		return nil, err
	}
	if len(roots) > 0 {
		if config.RootCAs, err = x509.SystemCertPool(); err != nil {
			config.RootCAs = x509.NewCertPool()
		}
		if !config.RootCAs.AppendCertsFromPEM(roots) {
			return nil, errors.New("--server-crt (or certificate-authority-data of argocd's config file) holds no certificate in PEM form")
		}
	}
	if f.ClientCert != "" || f.ClientKey != "" {
		// As a pair: the flags replace both halves of the file's.
		server.ClientCertificateData, server.ClientCertificateKeyData = "", ""
	}
	cert, err := material(f.ClientCert, server.ClientCertificateData, "the client's certificate")
	if err != nil {
		return nil, err
	}
	key, err := material(f.ClientKey, server.ClientCertificateKeyData, "the key of the client's certificate")
	if err != nil {
		return nil, err
	}
	switch {
	case len(cert) == 0 && len(key) == 0:
		return config, nil
	case len(cert) == 0 || len(key) == 0:
		return nil, errors.New("the client's certificate and its key go together: give both --client-crt and --client-crt-key")
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the client's certificate cannot be used: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// material reads PEM from the file that a flag names, else from the base64 of
// the config file.
func material(file, encoded, what string) ([]byte, error) {
	if file != "" {
		text, err := readBounded(file)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read from %s: %w", what, file, err)
		}
		return text, nil
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%s in argocd's config file is not base64: log in again with argocd login", what)
	}
	return text, nil
}
