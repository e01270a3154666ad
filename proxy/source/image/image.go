// Package image finds what an image subscription selects now, by asking the
// registry for almost nothing: the list of tags, and the digest of the winner
// where it is not known yet.
package image

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/source"
)

// Limiter says when a request may be sent. It is asked before each one.
type Limiter interface {
	// Wait returns when a request may go to the host (with its port), or an
	// error when ctx ends before.
	Wait(ctx context.Context, host string) error
}

// Options tells how registries are asked. The zero value stands for the
// defaults.
type Options struct {
	// UserAgent is sent with each request; "waybill".
	UserAgent string
	// Timeout bounds one look; 2 minutes.
	Timeout time.Duration
	// MaxTags is the length of the longest list of tags that is read; 100,000.
	MaxTags int
	// MaxKnown is how many digests of tags are remembered; 10,000.
	MaxKnown int
	// Limiter paces the requests; nil for no pace.
	Limiter Limiter
	// Transport is copied for the connections; one with keep-alive and the proxy
	// settings of the environment unless given.
	Transport *http.Transport
}

const (
	defaultTimeout  = 2 * time.Minute
	defaultMaxTags  = 100_000
	defaultMaxKnown = 10_000

	maxRepositories = 1000 // that sign-ins are kept for
	// pageSize is as large as every registry takes: Amazon's refuses more.
	pageSize = 1000
	// maxPages bounds a list whose pages are small, or lead in a circle.
	maxPages = 2000
)

func (o *Options) setDefaults() {
	if o.UserAgent == "" {
		o.UserAgent = "waybill"
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxTags <= 0 {
		o.MaxTags = defaultMaxTags
	}
	if o.MaxKnown <= 0 {
		o.MaxKnown = defaultMaxKnown
	}
	if o.Transport == nil {
		const dial, header, idle, perHost = 10 * time.Second, 30 * time.Second, 90 * time.Second, 8
		o.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dial}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   perHost,
			IdleConnTimeout:       idle,
			TLSHandshakeTimeout:   dial,
			ResponseHeaderTimeout: header,
		}
	}
}

// Source are the image registries. Its method may be called by several
// goroutines; looks at one repository wait for each other.
//
// A tag whose digest was read once is taken as fixed while this Source lives:
// a later look at it costs the list of tags alone, and a tag that is pushed
// again with another content is not noticed.
type Source struct {
	options  Options
	secure   *guard
	insecure *guard // trusts any certificate
	known    *lru.Cache

	mu           sync.Mutex
	repositories *lru.Cache
}

// New makes a Source.
func New(o Options) *Source {
	o.setDefaults()
	secure, insecure := o.Transport.Clone(), o.Transport.Clone()
	if insecure.TLSClientConfig == nil {
		insecure.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	insecure.TLSClientConfig.InsecureSkipVerify = true // for subscriptions that say so
	holds := newHolds()
	return &Source{
		options:      o,
		secure:       &guard{base: secure, limiter: o.Limiter, holds: holds},
		insecure:     &guard{base: insecure, limiter: o.Limiter, holds: holds},
		known:        lru.New(o.MaxKnown),
		repositories: lru.New(maxRepositories),
	}
}

// place names a repository as it is reached: what was read without checking a
// certificate is of no use to a subscription that checks it.
type place struct {
	repository string
	insecure   bool
}

// tagOf is a tag of a place.
type tagOf struct {
	place
	tag string
}

// repository is a sign-in at one repository.
type repository struct {
	name   name.Repository
	turn   chan struct{}  // holds a value while somebody looks
	puller *remote.Puller // nil until needed; belongs to whoever has the turn
}

// Discover returns the image that the subscription selects now. Its digest is
// what a cluster pulls: the index's for an image of several platforms. Its
// repository is spelled as in the subscription.
//
// It never answers from a part of the truth: where any page of the list, or the
// digest, cannot be had, there is an error (see this package's) and no image.
// Nothing is tried twice, and a host that asked for a pause gets no request
// before it ends.
func (s *Source) Discover(ctx context.Context, _ string, subscription pipeline.Subscription) (source.Look, error) {
	found, err := s.discover(ctx, *subscription.Image)
	if err != nil {
		return source.Look{}, err
	}
	found.Subscription = subscription.Name
	return source.Look{Offers: []freight.Offer{{
		Image:  &found,
		Detail: freight.Detail{Kind: freight.KindImage, RepoURL: found.RepoURL, Subscription: subscription.Name},
	}}}, nil
}

func (s *Source) discover(ctx context.Context, sub pipeline.ImageSubscription) (freight.Image, error) {
	repo, err := parse(sub.RepoURL)
	if err != nil {
		return freight.Image{}, err
	}
	rule, err := selection.ForImage(sub)
	if err != nil {
		return freight.Image{}, fail(ErrInvalid, err, "the subscription to %s cannot select: %s", sub.RepoURL, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()

	at := place{repo.Name(), sub.InsecureSkipTLSVerify}
	visited := s.repository(at, repo)
	select {
	case visited.turn <- struct{}{}:
		defer func() { <-visited.turn }()
	case <-ctx.Done():
		return freight.Image{}, s.describe(ctx, sub.RepoURL, ctx.Err())
	}
	tag, digest, err := s.look(ctx, visited, at, sub, rule)
	if err != nil {
		// How the registry wants to be signed in to may have changed.
		visited.puller = nil
		return freight.Image{}, s.describe(ctx, sub.RepoURL, err)
	}
	return freight.Image{RepoURL: sub.RepoURL, Tag: tag, Digest: digest}, nil
}

func (s *Source) repository(at place, repo name.Repository) *repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.repositories.Get(at); ok {
		if r, ok := found.(*repository); ok {
			return r
		}
	}
	r := &repository{name: repo, turn: make(chan struct{}, 1)}
	s.repositories.Add(at, r)
	return r
}

func (s *Source) look(
	ctx context.Context, r *repository, at place, sub pipeline.ImageSubscription, rule selection.Rule,
) (tag, digest string, err error) {
	if r.puller == nil {
		if r.puller, err = s.puller(at.insecure); err != nil {
			return "", "", err
		}
	}
	tags, err := s.list(ctx, r)
	if err != nil {
		return "", "", err
	}
	winners := rule.Select(tags)
	if len(winners) == 0 {
		return "", "", nothing(sub, len(tags))
	}
	tag = winners[0]
	if found, ok := s.known.Get(tagOf{at, tag}); ok {
		if digest, ok := found.(string); ok {
			return tag, digest, nil
		}
	}
	digest, err = r.digest(ctx, tag)
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return "", "", fail(ErrStale, err, "the tag %s of %s went away while it was looked at: the next look takes the list as it is then", tag, sub.RepoURL)
	}
	if err != nil {
		return "", "", err
	}
	s.known.Add(tagOf{at, tag}, digest)
	return tag, digest, nil
}

func (s *Source) puller(insecure bool) (*remote.Puller, error) {
	through := s.secure
	if insecure {
		through = s.insecure
	}
	return remote.NewPuller(
		remote.WithTransport(through),
		remote.WithUserAgent(s.options.UserAgent),
		remote.WithPageSize(pageSize),
		// A registry that has enough of requests gets no second one.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithRetryPredicate(func(error) bool { return false }),
		remote.WithRetryStatusCodes(),
	)
}

// tagPattern is the grammar of the OCI distribution specification.
var tagPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// list returns all tags. What is no tag is left out.
func (s *Source) list(ctx context.Context, r *repository) ([]string, error) {
	pages, err := r.puller.Lister(ctx, r.name)
	if err != nil {
		return nil, err
	}
	var tags []string
	for n := 1; pages.HasNext(); n++ {
		page, err := pages.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(tags)+len(page.Tags) > s.options.MaxTags || n > maxPages {
			return nil, errTooMany
		}
		for _, tag := range page.Tags {
			if tagPattern.MatchString(tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags, nil
}

// digest reads what a tag stands for.
func (r *repository) digest(ctx context.Context, tag string) (string, error) {
	reference := r.name.Tag(tag)
	found, err := r.puller.Head(ctx, reference)
	if err == nil {
		return checkDigest(found.Digest.String())
	}
	var answer *transport.Error
	answered := errors.As(err, &answer)
	if answered && answer.StatusCode != http.StatusMethodNotAllowed || !answered && onTheWay(err) {
		return "", err
	}
	// The registry knows no HEAD, or tells no digest with it.
	whole, err := r.puller.Get(ctx, reference)
	if err != nil {
		return "", err
	}
	return checkDigest(whole.Digest.String())
}

func checkDigest(digest string) (string, error) {
	if !strings.HasPrefix(digest, "sha256:") {
		return "", fmt.Errorf("the digest %s is no SHA-256", oneLine(digest))
	}
	return digest, nil
}
