// Package image finds what an image subscription selects now, by asking the
// registry for almost nothing: the list of tags, and once what each tag stands
// for. What is known survives a restart in package cache.
//
// How many requests a look takes, a sign-in aside:
//
//   - SemVer and Lexical: the list of tags, one HEAD for each of the discoveryLimit
//     best tags that was never seen before, and for each digest that was never seen
//     before its manifest and config (of an index, those of one image on it, too).
//   - NewestBuild: the list of tags, and for each tag that was never seen before
//     its manifest and config (of an index, those of one image on it, too).
//   - Digest: one HEAD.
//   - With mutableTags: a HEAD for each tag that the strategy keeps, at each look.
//
// So an unchanged look is the list of tags alone, unless tags may change. A tag that
// cannot be used, such as where the registry withholds it, is asked for again: after
// as long as that has lasted, and an hour at most.
package image

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// Credentials finds what signs in at a registry.
type Credentials interface {
	// Registry returns what a Secret of a namespace holds for a repository (its host,
	// with the port where there is one, and the path). Its errors are sentences.
	Registry(ctx context.Context, namespace, secret, host, path string) (authn.AuthConfig, error)
}

// Options tells how images are looked for.
type Options struct {
	// Registries are asked.
	Registries *registry.Registries
	// Cache keeps what is known.
	Cache *cache.Cache
	// Credentials are for subscriptions that name a Secret; nil for none.
	Credentials Credentials
	// Timeout bounds one look; 2 minutes.
	Timeout time.Duration
	// Now is the clock; time.Now unless given.
	Now func() time.Time
}

const (
	defaultTimeout = 2 * time.Minute
	// parallel is how many requests of one look are under way at a time: as many as
	// use up the pace where the registry takes a third of a second to answer.
	parallel = 16
	// maxScans bounds the repositories that turns are kept for.
	maxScans = 1000
)

// Source are the image registries. Its method may be called by several
// goroutines. Nothing of a list of tags stays in memory after a look.
type Source struct {
	options Options

	mu    sync.Mutex
	scans *lru.Cache // of cache.Scope: a channel that holds a value while somebody scans
}

// New makes a Source.
func New(o Options) *Source {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{options: o, scans: lru.New(maxScans)}
}

// content words the errors of registries.
var content = registry.Content{
	Noun:   "image",
	Remedy: "set credentials to the name of a Secret of type kubernetes.io/dockerconfigjson in the pipeline's namespace",
}

// Discover returns the images that the subscription selects now, the best first.
// A digest is what a cluster pulls: the index's for an image of several platforms.
// The repository is spelled as in the subscription.
//
// It never answers from a part of the truth: where the registry does not answer
// for any page of the list, or any tag that decides, there is an error (see
// package registry's) and no image. What it does answer for, and is broken, or
// gone, is passed over and told. Nothing is tried twice, and a host that asked for
// a pause gets no request before it ends.
func (s *Source) Discover(ctx context.Context, namespace string, subscription pipeline.Subscription) (source.Look, error) {
	sub := *subscription.Image
	rule, err := selection.ForImage(sub)
	if err != nil {
		return source.Look{}, sentence.Fail(registry.ErrInvalid, err, "the subscription to %s cannot select: %s", sub.RepoURL, err)
	}
	platform, err := parsePlatform(sub.Platform)
	if err != nil {
		return source.Look{}, sentence.Fail(registry.ErrInvalid, err, "the subscription to %s cannot select: platform %q is not os/arch or os/arch/variant", sub.RepoURL, sub.Platform)
	}
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	asLook := registry.AsLook(limited)

	repo, err := s.repository(asLook, namespace, sub)
	if err != nil {
		return source.Look{}, err
	}
	end, err := repo.SignIn()
	if err != nil {
		return source.Look{}, err
	}
	l := &look{
		repo: repo, sub: sub, rule: rule, platform: platform, limit: limit(sub),
		known: known{s.options.Cache, cache.Scope{
			Namespace: namespace, Kind: freight.KindImage, Repository: repo.Name(), Secret: sub.Credentials, Insecure: sub.InsecureSkipTLSVerify,
		}, sub.Platform, s.options.Now},
	}
	if rule.Dated() {
		// Two that read everything would read the same.
		leave, err := s.turn(asLook, l)
		if err != nil {
			end(nil)
			return source.Look{}, err
		}
		defer leave()
	}
	found, err := l.discover(asLook)
	if errors.Is(err, ErrNothing) || errors.Is(err, registry.ErrPartial) {
		end(nil) // the sign-in is as good as it was
	} else {
		end(err)
	}
	if err != nil {
		return source.Look{}, l.progress(errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil, err)
	}
	for i := range found {
		found[i].Image.Subscription, found[i].Detail.Subscription = subscription.Name, subscription.Name
	}
	return source.Look{Offers: found, Skipped: l.skipped}, nil
}

func limit(sub pipeline.ImageSubscription) int {
	if sub.DiscoveryLimit <= 0 {
		return pipeline.DefaultDiscoveryLimit
	}
	return min(sub.DiscoveryLimit, pipeline.MaxDiscoveryLimit)
}

func (s *Source) repository(ctx context.Context, namespace string, sub pipeline.ImageSubscription) (*registry.Repository, error) {
	access := registry.Access{Namespace: namespace, RepoURL: sub.RepoURL, Insecure: sub.InsecureSkipTLSVerify, Holds: content}
	host, path, err := registry.Host(access)
	if err != nil {
		return nil, err
	}
	if sub.Credentials != "" {
		if s.options.Credentials == nil {
			return nil, sentence.Fail(registry.ErrInvalid, nil, "%s names credentials, which are not read here: remove them", sub.RepoURL)
		}
		access.Secret = sub.Credentials
		if access.Credentials, err = s.options.Credentials.Registry(ctx, namespace, sub.Credentials, host, path); err != nil {
			return nil, sentence.Fail(registry.ErrUnauthorized, err, "the credentials for %s cannot be used: %s", sub.RepoURL, err)
		}
	}
	return s.options.Registries.Repository(access)
}

// turn waits until nobody else scans what a look scans.
func (s *Source) turn(ctx context.Context, l *look) (leave func(), err error) {
	turns := s.turns(l.known.scope)
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, nil
	case <-ctx.Done():
		return nil, &source.Incomplete{Err: fmt.Errorf("another warehouse still reads the tags of %s: the next look carries on", l.sub.RepoURL)}
	}
}

func (s *Source) turns(scope cache.Scope) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.scans.Get(scope); ok {
		if turns, ok := found.(chan struct{}); ok {
			return turns
		}
	}
	turns := make(chan struct{}, 1)
	s.scans.Add(scope, turns)
	return turns
}

// progress tells of a look that ran out of time how far it got, if it did.
func (l *look) progress(late bool, err error) error {
	switch {
	case !late || l.learned == 0:
		return err
	case l.unkept != nil:
		return sentence.Fail(registry.ErrUnreachable, l.unkept, "%d of %d tags of %s were read, and are lost: %s: make room in the proxy's cache folder",
			l.done, l.wanted, l.sub.RepoURL, sentence.OneLine(l.unkept.Error()))
	case l.sub.MutableTags:
		return sentence.Fail(registry.ErrUnreachable, err, "each look asks for all %d tags of %s, since mutableTags is set, which takes too long: "+
			"narrow them by allowTagsRegexes", l.wanted, l.sub.RepoURL)
	}
	return &source.Incomplete{Err: fmt.Errorf("%d of %d tags of %s are read: the next look carries on", l.done, l.wanted, l.sub.RepoURL)}
}
