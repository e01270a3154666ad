// Package identity tells who calls, and through which gate.
//
// Argo CD authenticates the caller, checks that they may invoke the proxy
// extension (the gate), and sets headers. The proxy believes those headers for
// one reason alone: the call carries the secret that only Argo CD's own
// configuration of that gate injects. Groups and the user's ID can be forged by a
// client and are not read. The username cannot, but for one case that only the
// identity provider can close: Argo CD 2.14 sets no username for an SSO user
// without an e-mail claim, and passes on what the client sent.
package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waybill-cd/waybill/extension/promotion"
)

// HeaderSecret carries the secret of the gate. Argo CD injects it
// (extension.config, services[].headers) and overwrites what a client sends.
const HeaderSecret = "Waybill-Gate-Secret"

// The headers that Argo CD sets or has validated
// (argo-cd, server/extension/extension.go).
const (
	headerUsername    = "Argocd-Username"
	headerApplication = "Argocd-Application-Name"
	headerProject     = "Argocd-Project-Name"
	headerPrefix      = "Argocd-"
)

// Caller is who calls, and on behalf of which Application.
type Caller struct {
	Username string
	// Gate is the proxy extension through which the call came.
	Gate string
	// Namespace and Name are the Application's; Project is its AppProject as
	// Argo CD has checked it.
	Namespace string
	Name      string
	Project   string
}

// Gates know the gates' secrets.
type Gates struct {
	names  []string
	hashes [][sha256.Size]byte
}

const (
	minSecret   = 16      // bytes; shorter ones can be guessed
	maxSecret   = 4 << 10 // bytes; longer ones are no secrets
	maxUsername = 512     // bytes; records keep usernames
)

// ReadGates reads the gates from a folder: a file for each, named as the
// extension is, that holds its secret. It refuses a secret that is empty, that
// Argo CD did not resolve (it begins with "$"), that can be guessed, or that two
// gates share.
func ReadGates(folder string) (*Gates, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot read the gates' secrets: %w: make them with `argocd-waybill gate-secrets`", err)
	}
	secrets := map[string]string{}
	for _, entry := range entries {
		// A mounted Secret holds its own bookkeeping in names with two dots.
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		secret, err := readSecret(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("gate %s: %w", entry.Name(), err)
		}
		secrets[entry.Name()] = secret
	}
	return NewGates(secrets)
}

// Token returns a secret for a purpose that only who knows all the gates' secrets
// can tell: the replicas of the proxy.
func (g *Gates) Token(purpose string) string {
	var key []byte
	for i, name := range g.names {
		key = append(append(key, name...), g.hashes[i][:]...)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return hex.EncodeToString(mac.Sum(nil))
}

func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", errors.New("its secret cannot be opened")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil || len(data) > maxSecret {
		return "", errors.New("its secret cannot be read")
	}
	return strings.TrimSpace(string(data)), nil
}

// NewGates makes gates of their secrets by name, see [ReadGates].
func NewGates(secrets map[string]string) (*Gates, error) {
	g := &Gates{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		switch {
		case strings.HasPrefix(secret, "$"):
			return nil, fmt.Errorf("gate %s: its secret is a reference that was never resolved: make the Secret waybill-gates in both namespaces", name)
		case len(secret) < minSecret:
			return nil, fmt.Errorf("gate %s: its secret is shorter than %d characters: make one with `argocd-waybill gate-secrets`", name, minSecret)
		}
		hash := sha256.Sum256([]byte(secret))
		if i := slices.Index(g.hashes, hash); i >= 0 {
			return nil, fmt.Errorf("gate %s shares its secret with %s: each gate needs its own", name, g.names[i])
		}
		g.names, g.hashes = append(g.names, name), append(g.hashes, hash)
	}
	if len(g.names) == 0 {
		return nil, errors.New("there are no gates: make their secrets with `argocd-waybill gate-secrets`")
	}
	return g, nil
}

// ErrUnauthenticated is the error of a call that did not come through Argo CD.
var ErrUnauthenticated = errors.New("the call did not come through Argo CD")

func unauthenticated(cause string) error { return fmt.Errorf("%w: %s", ErrUnauthenticated, cause) }

// Identify returns the caller. It fails closed: a client can delete headers on
// their way through Argo CD, and can send several values of one.
func (g *Gates) Identify(h http.Header) (Caller, error) {
	gate, ok := g.gate(h.Values(HeaderSecret))
	if !ok {
		return Caller{}, unauthenticated("it carries no gate's secret")
	}
	for name, values := range h {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), headerPrefix) && len(values) != 1 {
			return Caller{}, unauthenticated("it carries several values of the header " + http.CanonicalHeaderKey(name))
		}
	}
	caller := Caller{Username: h.Get(headerUsername), Gate: gate, Project: h.Get(headerProject)}
	switch {
	case strings.TrimSpace(caller.Username) == "":
		return Caller{}, unauthenticated("it carries no username")
	case len(caller.Username) > maxUsername:
		return Caller{}, unauthenticated(fmt.Sprintf("its username is longer than %d bytes", maxUsername))
	case !utf8.ValidString(caller.Username) || strings.ContainsFunc(caller.Username, unicode.IsControl):
		// A record could not hold it as it is, and would name somebody else.
		return Caller{}, unauthenticated("its username is no text")
	case caller.Username == promotion.System:
		return Caller{}, unauthenticated("its username is Waybill's own")
	}
	var found bool
	if caller.Namespace, caller.Name, found = strings.Cut(h.Get(headerApplication), ":"); !found || caller.Namespace == "" || caller.Name == "" {
		return Caller{}, unauthenticated("it names no Application")
	}
	if caller.Project == "" {
		return Caller{}, unauthenticated("it names no AppProject")
	}
	return caller, nil
}

// gate returns the gate of a secret. It compares with every gate's, in a time
// that does not depend on the secret.
func (g *Gates) gate(values []string) (name string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	hash := sha256.Sum256([]byte(values[0]))
	for i := range g.hashes {
		if subtle.ConstantTimeCompare(hash[:], g.hashes[i][:]) == 1 {
			name, ok = g.names[i], true
		}
	}
	return name, ok
}
