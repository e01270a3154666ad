// Package registry asks OCI registries, for images and charts alike: with one
// sign-in for each repository, over connections that are kept, at a pace that is
// fair to all who ask the same host, and never faster than the host wants.
//
// Every error of it is a sentence for people, and one of the kinds below
// (errors.Is) or a *source.Busy.
package registry

import (
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// Pace says when a request may be sent; *pace.Pace is one.
type Pace interface {
	// Wait returns when a request of a party (a look at a repository) may go to the
	// host (with its port), or an error when ctx ends before.
	Wait(ctx context.Context, host, party string) error
}

// Options tells how registries are asked. The zero value stands for the
// defaults.
type Options struct {
	// UserAgent is sent with each request; "waybill".
	UserAgent string
	// MaxTags is the length of the longest list of tags that is read; 100,000.
	MaxTags int
	// Pace paces the requests; nil for no pace.
	Pace Pace
	// Transport is copied for the connections; one with keep-alive and the proxy
	// settings of the environment unless given.
	Transport *http.Transport
	// Keychain signs in at the registries of KeychainHosts, where a repository is
	// asked without credentials of its own; nil for none.
	Keychain authn.Keychain
	// KeychainHosts are the registries that the installation trusts Keychain with,
	// with their port where they have one.
	KeychainHosts []string
}

const (
	defaultMaxTags = 100_000
	maxSessions    = 1000 // that sign-ins are kept for
)

func (o *Options) setDefaults() {
	if o.UserAgent == "" {
		o.UserAgent = "waybill"
	}
	if o.MaxTags <= 0 {
		o.MaxTags = defaultMaxTags
	}
	if o.Transport == nil {
		o.Transport = wire.New()
	}
}

// Registries are all registries. They may be used by several goroutines at a
// time.
type Registries struct {
	options  Options
	secure   http.RoundTripper
	insecure http.RoundTripper // trusts any certificate
	holds    *holds

	mu       sync.Mutex
	sessions *lru.Cache
}

// New makes Registries.
func New(o Options) *Registries {
	o.setDefaults()
	secure, insecure := o.Transport.Clone(), o.Transport.Clone()
	if insecure.TLSClientConfig == nil {
		insecure.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	insecure.TLSClientConfig.InsecureSkipVerify = true // for subscriptions that say so
	return &Registries{options: o, secure: secure, insecure: insecure, holds: newHolds(), sessions: lru.New(maxSessions)}
}

// Access says who asks for which repository, and how.
type Access struct {
	// Namespace is the pipeline's: no sign-in is used for two namespaces.
	Namespace string
	// RepoURL is the repository, host/path; a name without a host is one of Docker
	// Hub.
	RepoURL string
	// Insecure trusts any certificate of the registry.
	Insecure bool
	// Secret names where Credentials are from; empty for none.
	Secret string
	// Credentials sign in. Others than at the last look sign in anew.
	Credentials authn.AuthConfig
	// Holds words the errors: what the repository is of.
	Holds Content
}

// Content is what a repository holds, in the words of an error.
type Content struct {
	// Noun is "image" or "chart".
	Noun string
	// Remedy tells how credentials are given: "set credentials to …".
	Remedy string
}

// session is a sign-in at one repository, of one namespace with one Secret. What
// a certificate that was not checked vouches for is of no use where it is checked.
type session struct {
	namespace, secret, repository string
	insecure                      bool
}

// Host returns the registry of a repository, with its port where it has one, and
// the path there. What is no repository is [ErrInvalid].
func Host(a Access) (host, path string, err error) {
	repo, err := parse(a.RepoURL, a.Holds.Noun)
	if err != nil {
		return "", "", err
	}
	return repo.RegistryStr(), repo.RepositoryStr(), nil
}

// Repository returns a repository. A name that is none is [ErrInvalid].
func (r *Registries) Repository(a Access) (*Repository, error) {
	repo, err := parse(a.RepoURL, a.Holds.Noun)
	if err != nil {
		return nil, err
	}
	s := r.session(session{a.Namespace, a.Secret, repo.Name(), a.Insecure})
	return &Repository{registries: r, access: a, name: repo, signIn: s}, nil
}

func (r *Registries) session(key session) *signIn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.sessions.Get(key); ok {
		if s, ok := found.(*signIn); ok {
			return s
		}
	}
	s := &signIn{}
	r.sessions.Add(key, s)
	return s
}

// keychain tells whether a repository without credentials is signed in at by the
// installation's own.
func (r *Registries) keychain(repo name.Repository) bool {
	return r.options.Keychain != nil && slices.Contains(r.options.KeychainHosts, repo.RegistryStr())
}
