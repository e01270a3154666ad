// Package image finds what an image subscription selects now, by asking the
// registry for almost nothing: the list of tags, and the digest of the winner
// where it is not known yet.
package image

import (
	"context"
	"errors"
	"time"

	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// Options tells how images are looked for. The zero value stands for the
// defaults.
type Options struct {
	// Registries are asked; registries with their defaults.
	Registries *registry.Registries
	// Timeout bounds one look; 2 minutes.
	Timeout time.Duration
	// MaxKnown is how many digests of tags are remembered; 10,000.
	MaxKnown int
}

const (
	defaultTimeout  = 2 * time.Minute
	defaultMaxKnown = 10_000
)

// Source are the image registries. Its method may be called by several
// goroutines; looks at one repository wait for each other.
//
// A tag whose digest was read once is taken as fixed while this Source lives:
// a later look at it costs the list of tags alone, and a tag that is pushed
// again with another content is not noticed.
type Source struct {
	options Options
	known   *lru.Cache
}

// New makes a Source.
func New(o Options) *Source {
	if o.Registries == nil {
		o.Registries = registry.New(registry.Options{})
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxKnown <= 0 {
		o.MaxKnown = defaultMaxKnown
	}
	return &Source{options: o, known: lru.New(o.MaxKnown)}
}

// tagOf is a tag of a repository as it is reached: what was read without checking
// a certificate is of no use to a subscription that checks it.
type tagOf struct {
	namespace, repository string
	insecure              bool
	tag                   string
}

// content words the errors of registries.
var content = registry.Content{
	Noun:   "image",
	Remedy: "set credentials to the name of a Secret of type kubernetes.io/dockerconfigjson in the pipeline's namespace",
}

// Discover returns the image that the subscription selects now. Its digest is
// what a cluster pulls: the index's for an image of several platforms. Its
// repository is spelled as in the subscription.
//
// It never answers from a part of the truth: where any page of the list, or the
// digest, cannot be had, there is an error (see package registry's) and no image.
// Nothing is tried twice, and a host that asked for a pause gets no request
// before it ends.
func (s *Source) Discover(ctx context.Context, namespace string, subscription pipeline.Subscription) (source.Look, error) {
	found, err := s.discover(ctx, namespace, *subscription.Image)
	if err != nil {
		return source.Look{}, err
	}
	found.Subscription = subscription.Name
	return source.Look{Offers: []freight.Offer{{
		Image:  &found,
		Detail: freight.Detail{Kind: freight.KindImage, RepoURL: found.RepoURL, Subscription: subscription.Name},
	}}}, nil
}

func (s *Source) discover(ctx context.Context, namespace string, sub pipeline.ImageSubscription) (_ freight.Image, err error) {
	repo, err := s.options.Registries.Repository(registry.Access{
		Namespace: namespace, RepoURL: sub.RepoURL, Insecure: sub.InsecureSkipTLSVerify, Holds: content,
	})
	if err != nil {
		return freight.Image{}, err
	}
	rule, err := selection.ForImage(sub)
	if err != nil {
		return freight.Image{}, registry.Fail(registry.ErrInvalid, err, "the subscription to %s cannot select: %s", sub.RepoURL, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	end, err := repo.Turn(ctx)
	if err != nil {
		return freight.Image{}, err
	}
	defer func() { end(err) }()

	tags, err := repo.Tags(ctx)
	if err != nil {
		return freight.Image{}, err
	}
	winners := rule.Select(tags)
	if len(winners) == 0 {
		return freight.Image{}, nothing(sub, len(tags))
	}
	tag := tagOf{namespace, repo.Name(), sub.InsecureSkipTLSVerify, winners[0]}
	if found, ok := s.known.Get(tag); ok {
		if digest, ok := found.(string); ok {
			return freight.Image{RepoURL: sub.RepoURL, Tag: tag.tag, Digest: digest}, nil
		}
	}
	digest, err := repo.Head(ctx, tag.tag)
	if errors.Is(err, registry.ErrGone) {
		return freight.Image{}, registry.Fail(ErrStale, err, "the tag %s of %s went away while it was looked at: the next look takes the list as it is then", tag.tag, sub.RepoURL)
	}
	if err != nil {
		return freight.Image{}, err
	}
	s.known.Add(tag, digest)
	return freight.Image{RepoURL: sub.RepoURL, Tag: tag.tag, Digest: digest}, nil
}
