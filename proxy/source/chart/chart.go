// Package chart finds what a chart subscription selects now, in classic
// repositories (an index.yaml over HTTP) and in registries, and gets the archives
// of charts.
//
// A version that was seen once is taken as fixed: an unchanged look is one
// conditional request for the index, or the registry's list of tags alone. What is
// known survives a restart.
//
// The digest of a version is the SHA-256 of its archive. In a registry it is that
// of the chart's layer; a classic repository names it in its index, where it is
// worth as much as the index itself: whoever may write there decides it. Where the
// index names none, the archive is read once. Either way an archive is handed out
// only if it has the digest that freight pins.
package chart

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/chart/published"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// Credentials tells how to sign in to chart repositories.
type Credentials interface {
	// Chart returns the user and the password for a chart repository, https://… or
	// oci://…, and the name of the Secret that holds them; all empty for anonymous.
	// It looks at no other namespace's Secrets.
	Chart(ctx context.Context, namespace, repoURL string) (secret, user, password string, err error)
}

// Options tells how charts are looked for. The zero value of each field stands for
// its default, where it has one.
type Options struct {
	// Registries make the requests, those to classic repositories too.
	Registries *registry.Registries
	// Credentials sign in.
	Credentials Credentials
	// Known keeps what is known.
	Known *cache.Cache
	// Dir is the folder for archives, which is made where it is missing.
	Dir string
	// MaxArchives is how much of archives is kept there, in bytes; 256 MiB.
	MaxArchives int64
	// Timeout bounds one look, and one archive; 2 minutes.
	Timeout time.Duration
}

const (
	defaultMaxArchives = 256 << 20
	defaultTimeout     = 2 * time.Minute
	maxPlaces          = 1000 // repositories that turns are kept for
	maxAtOnce          = 4    // requests of one look at a time
)

// Source are the chart repositories. Its methods may be called by several
// goroutines; those for one repository wait for each other.
type Source struct {
	options  Options
	archives *archives

	mu     sync.Mutex
	places *lru.Cache
}

// New makes a Source.
func New(o Options) (*Source, error) {
	if o.MaxArchives <= 0 {
		o.MaxArchives = defaultMaxArchives
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	kept, err := openArchives(o.Dir, o.MaxArchives)
	if err != nil {
		return nil, err
	}
	return &Source{options: o, archives: kept, places: lru.New(maxPlaces)}, nil
}

// Discover implements [source.Source] for charts.
func (s *Source) Discover(ctx context.Context, namespace string, subscription pipeline.Subscription) (source.Look, error) {
	sub := *subscription.Chart
	rule, err := selection.ForChart(sub)
	if err != nil {
		return source.Look{}, sentence.Fail(registry.ErrInvalid, err, "the subscription to chart %s cannot select: %s", nameOf(sub.RepoURL, sub.Name), err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	ctx = registry.AsLook(ctx)
	at, err := s.place(ctx, namespace, sub.RepoURL, sub.InsecureSkipTLSVerify)
	if err != nil {
		return source.Look{}, err
	}
	var look source.Look
	var found []published.Version
	if isOCI(sub.RepoURL) {
		found, look.Skipped, err = s.discoverOCI(ctx, at, sub, rule)
	} else {
		found, look.Skipped, err = s.discoverClassic(ctx, at, sub, rule)
	}
	if err != nil {
		return source.Look{}, err
	}
	look.Skipped = look.Skipped[:min(len(look.Skipped), source.MaxSkipped)]
	if len(found) == 0 {
		return source.Look{}, sentence.Fail(ErrNothing, nil, "no version of chart %s can be used, of those that qualify: %s", nameOf(sub.RepoURL, sub.Name), strings.Join(look.Skipped, "; "))
	}
	for _, v := range found {
		look.Offers = append(look.Offers, offerOf(v, sub, subscription.Name))
	}
	return look, nil
}

func offerOf(v published.Version, sub pipeline.ChartSubscription, subscription string) freight.Offer {
	return freight.Offer{
		Chart: &freight.Chart{RepoURL: sub.RepoURL, Name: sub.Name, Version: v.Version, Digest: v.Digest, Subscription: subscription},
		Detail: freight.Detail{
			Kind: freight.KindChart, RepoURL: sub.RepoURL, Name: sub.Name, Subscription: subscription,
			CreatedAt: v.Created, Source: v.Source, AppVersion: v.AppVersion,
		},
	}
}

// place is a repository as one namespace reaches it.
type place struct {
	scope cache.Scope
	// repoURL is as the subscription writes it.
	repoURL        string
	user, password string
	*shared
}

// shared is what all looks at a place have in common.
type shared struct {
	turn chan struct{} // holds a value while somebody looks
	// wanted are the charts of a classic repository that are asked for, which are
	// all read from an index at once. They belong to whoever has the turn.
	wanted map[string]bool
}

func (s *Source) place(ctx context.Context, namespace, repoURL string, insecure bool) (place, error) {
	secret, user, password, err := s.options.Credentials.Chart(ctx, namespace, repoURL)
	if err != nil {
		return place{}, sentence.Fail(registry.ErrUnreachable, err, "the credentials of the chart repository %s cannot be read: %s", repoURL, err)
	}
	scope := cache.Scope{Namespace: namespace, Kind: "chart", Repository: freight.ChartRepository(repoURL), Secret: secret, Insecure: insecure}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.places.Get(scope); ok {
		if known, ok := found.(*shared); ok {
			return place{scope, repoURL, user, password, known}, nil
		}
	}
	fresh := &shared{turn: make(chan struct{}, 1), wanted: map[string]bool{}}
	s.places.Add(scope, fresh)
	return place{scope, repoURL, user, password, fresh}, nil
}

// keep keeps what was read. What cannot be kept is asked for again.
func (s *Source) keep(at place, values map[string][]byte) {
	_ = s.options.Known.Write(at.scope, values)
}

// take waits for the turn at a place.
func (p place) take(ctx context.Context) (end func(), err error) {
	select {
	case p.turn <- struct{}{}:
		return func() { <-p.turn }, nil
	case <-ctx.Done():
		return nil, sentence.Fail(registry.ErrUnreachable, ctx.Err(), "the chart repository %s was busy with other looks for too long: the next look tries again", p.repoURL)
	}
}

const schemeOCI = "oci://"

func isOCI(repoURL string) bool {
	return strings.HasPrefix(freight.ChartRepository(repoURL), schemeOCI)
}

// nameOf names a chart to people.
func nameOf(repoURL, name string) string {
	if name == "" {
		return repoURL
	}
	return name + " of " + repoURL
}

// ErrNothing is an error of a repository that was read, where nothing qualifies.
var ErrNothing = errors.New("nothing qualifies")
