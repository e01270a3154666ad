package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Repository is one repository, as one look asks it. Once signed in, its methods
// may be called by several goroutines at a time.
type Repository struct {
	registries *Registries
	access     Access
	name       name.Repository
	signIn     *signIn
	puller     *remote.Puller
}

// signIn is what a repository is asked with, by all looks of one session.
type signIn struct {
	mu          sync.Mutex
	puller      *remote.Puller
	credentials authn.AuthConfig
	since       time.Time
}

// maxSignIn bounds how long a keychain's credentials are used, which end by
// themselves: after 12 hours at Amazon, after an hour at Google.
const maxSignIn = 30 * time.Minute

// Name is the repository in full, with its host.
func (r *Repository) Name() string { return r.name.Name() }

// SignIn comes before all else. It takes the sign-in of earlier looks where there
// is one; a new one asks nothing before the first request. What is returned ends
// the look: an error that is told to it ends the sign-in, too, since how the
// registry wants to be signed in to may have changed.
func (r *Repository) SignIn() (end func(error), err error) {
	s, byKeychain := r.signIn, r.access.Credentials == authn.AuthConfig{} && r.registries.keychain(r.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.puller == nil || s.credentials != r.access.Credentials || byKeychain && time.Since(s.since) > maxSignIn {
		puller, err := r.newPuller(byKeychain)
		if err != nil {
			return nil, sentence.Fail(ErrInvalid, err, "%s cannot be signed in to (%s): check its credentials", r.access.RepoURL, sentence.OneLine(err.Error()))
		}
		s.puller, s.credentials, s.since = puller, r.access.Credentials, time.Now()
	}
	r.puller = s.puller
	return func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil && s.puller == r.puller {
			s.puller = nil
		}
	}, nil
}

func (r *Repository) newPuller(byKeychain bool) (*remote.Puller, error) {
	auth := remote.WithAuth(authn.FromConfig(r.access.Credentials))
	switch {
	case byKeychain:
		auth = remote.WithAuthFromKeychain(told{r.registries.options.Keychain, r.access.RepoURL})
	case r.access.Credentials == authn.AuthConfig{}:
		auth = remote.WithAuth(authn.Anonymous)
	}
	return remote.NewPuller(auth,
		remote.WithTransport(r.registries.Host(r.name.RegistryStr(), r.access.Namespace+"/"+r.name.Name(), r.access.Insecure, maxBody)),
		remote.WithUserAgent(r.registries.options.UserAgent),
		remote.WithPageSize(pageSize),
		// A registry that has enough of requests gets no second one.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithRetryPredicate(func(error) bool { return false }),
		remote.WithRetryStatusCodes(),
	)
}

// told is a keychain whose errors are sentences.
type told struct {
	authn.Keychain
	repoURL string
}

// ResolveContext implements authn.ContextKeychain.
func (k told) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	auth, err := authn.Resolve(ctx, k.Keychain, target)
	if err != nil {
		return nil, sentence.Fail(ErrUnauthorized, err, "%s cannot be signed in to: %s", k.repoURL, sentence.OneLine(err.Error()))
	}
	return auth, nil
}

// Head returns the digest that a tag stands for, by a request for the headers
// alone where the registry can do that. A tag that is not there is [ErrGone], and
// one that cannot be pinned [ErrUnusable].
func (r *Repository) Head(ctx context.Context, tag string) (digest string, err error) {
	if !tagPattern.MatchString(tag) {
		return "", sentence.Fail(ErrInvalid, nil, "%q is no tag: correct the subscription to %s", sentence.OneLine(tag), r.access.RepoURL)
	}
	found, err := r.puller.Head(ctx, r.name.Tag(tag))
	if err == nil {
		return r.sha256(tag, found.Digest.String())
	}
	var answer *transport.Error
	answered := errors.As(err, &answer)
	if answered && answer.StatusCode != http.StatusMethodNotAllowed || !answered && onTheWay(err) {
		return "", r.describeTag(ctx, tag, err)
	}
	// The registry knows no HEAD, or tells no digest with it.
	whole, err := r.Manifest(ctx, tag)
	if err != nil {
		return "", err
	}
	if !whole.MediaType.IsImage() && !whole.MediaType.IsIndex() {
		// The digest would be that of whatever page stands in for the registry.
		return "", sentence.Fail(ErrUnreachable, nil, "the registry of %s answers for the tag %s with %s, which is no manifest: check the registry",
			r.access.RepoURL, tag, sentence.OneLine(string(whole.MediaType)))
	}
	return whole.Digest, nil
}

// Manifest is what a tag or a digest stands for, as the registry sent it.
type Manifest struct {
	// Digest is the SHA-256 of Raw, "sha256:…".
	Digest string
	// MediaType is what the registry calls it.
	MediaType types.MediaType
	Raw       []byte
}

// Manifest reads a manifest, of a tag or of a digest. What a digest stands for is
// verified. One that is not there is [ErrGone], and one that cannot be pinned
// [ErrUnusable].
func (r *Repository) Manifest(ctx context.Context, reference string) (Manifest, error) {
	var of name.Reference
	switch _, err := v1.NewHash(reference); {
	case err == nil:
		of = r.name.Digest(reference)
	case tagPattern.MatchString(reference):
		of = r.name.Tag(reference)
	default:
		return Manifest{}, sentence.Fail(ErrInvalid, nil, "%q is neither a tag nor a digest: correct the subscription to %s", sentence.OneLine(reference), r.access.RepoURL)
	}
	found, err := r.puller.Get(ctx, of)
	if err != nil {
		return Manifest{}, r.describeTag(ctx, reference, err)
	}
	digest, err := r.sha256(reference, found.Digest.String())
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{Digest: digest, MediaType: found.MediaType, Raw: found.Manifest}, nil
}

// Blob reads a blob of at most so many bytes, and verifies it. One that is not
// there is [ErrGone], and one that is larger [ErrTooLarge].
func (r *Repository) Blob(ctx context.Context, digest string, maxBytes int64) ([]byte, error) {
	if _, err := v1.NewHash(digest); err != nil {
		return nil, sentence.Fail(ErrInvalid, err, "%s of %s is no digest: push it again", sentence.OneLine(digest), r.access.RepoURL)
	}
	layer, err := r.puller.Layer(ctx, r.name.Digest(digest))
	if err != nil {
		return nil, r.describeTag(ctx, digest, err)
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, r.describeTag(ctx, digest, err)
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, maxBytes+1))
	switch {
	case err != nil:
		return nil, r.describe(ctx, err)
	case int64(len(raw)) > maxBytes:
		return nil, sentence.Fail(ErrTooLarge, nil, "%s of %s is larger than %d KiB, more than is read: check what was pushed", digest, r.access.RepoURL, maxBytes>>10)
	}
	return raw, nil
}

func (r *Repository) sha256(reference, digest string) (string, error) {
	if !strings.HasPrefix(digest, "sha256:") {
		return "", sentence.Fail(ErrUnusable, nil, "the registry tells of %s of %s the digest %s, which is no SHA-256", reference, r.access.RepoURL, sentence.OneLine(digest))
	}
	return digest, nil
}
