package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// repository is what a look asks: a *registry.Repository.
type repository interface {
	Tags(ctx context.Context) ([]string, error)
	Gone(ctx context.Context, tags []string) error
	Head(ctx context.Context, tag string) (digest string, err error)
	Manifest(ctx context.Context, reference string) (registry.Manifest, error)
	Blob(ctx context.Context, digest string, maxBytes int64) ([]byte, error)
}

// look is one look at a repository.
type look struct {
	repo     repository
	sub      pipeline.ImageSubscription
	rule     selection.Rule
	platform *v1.Platform // nil for any
	limit    int
	known    known
	skipped  []string

	mu      sync.Mutex // guards what follows
	flights map[string]*flight
	batch   map[string][]byte // what was learned and is not kept yet
	learned int               // tags that were asked for in this look
	done    int               // tags that are known by now
	wanted  int               // tags that have to be
	moved   bool              // a tag stands for something else than before
	unkept  error             // why something could not be kept
}

// result is what a tag stands for.
type result struct {
	digest string
	facts  facts
	// gone tells that the tag is not there any more, and why.
	gone error
	// unusable tells why the tag, which is there, cannot be used; empty where it can.
	unusable string
	// refusal is what was known of that before; nil for nothing.
	refusal *refusal
}

func (l *look) discover(ctx context.Context) ([]freight.Offer, error) {
	tags := []string{l.sub.Constraint}
	if !l.followsOne() {
		var err error
		if tags, err = l.repo.Tags(ctx); err != nil {
			return nil, err
		}
		tags = slices.DeleteFunc(tags, isReferrer)
		if err := l.checkVanished(ctx, tags); err != nil {
			return nil, err
		}
	}
	winners := l.rule.Select(tags)
	offers, err := l.offer(ctx, winners)
	l.keep()
	if l.moved {
		l.forget(nil)
	}
	switch {
	case err != nil:
		return nil, err
	case len(offers) == 0:
		return nil, l.nothing(len(tags), len(winners))
	}
	return offers, nil
}

func (l *look) offer(ctx context.Context, winners []string) ([]freight.Offer, error) {
	if l.rule.Dated() {
		return l.newest(ctx, winners)
	}
	return l.best(ctx, winners)
}

// best offers the first tags that can be had, in the order of the strategy.
func (l *look) best(ctx context.Context, winners []string) ([]freight.Offer, error) {
	var offers []freight.Offer
	l.wanted = min(len(winners), l.limit)
	for len(offers) < l.limit && len(winners) > 0 {
		next := winners[:min(len(winners), l.limit-len(offers))]
		winners = winners[len(next):]
		results, err := l.resolveAll(ctx, next)
		if err != nil {
			return nil, err
		}
		for i, tag := range next {
			if l.takes(tag, results[i]) {
				offers = append(offers, l.offerOf(tag, results[i]))
			}
		}
		l.wanted += min(len(winners), l.limit-len(offers))
	}
	return offers, nil
}

// newest offers the tags whose images were built last, for which it needs the
// date of all.
func (l *look) newest(ctx context.Context, tags []string) ([]freight.Offer, error) {
	l.wanted = len(tags)
	results, err := l.resolveAll(ctx, tags)
	if err != nil {
		return nil, err
	}
	dated := make([]selection.Dated, 0, len(tags))
	byTag := make(map[string]result, len(tags))
	for i, tag := range tags {
		if l.takes(tag, results[i]) {
			dated = append(dated, selection.Dated{Tag: tag, At: results[i].facts.Created})
			byTag[tag] = results[i]
		}
	}
	selection.Newest(dated)
	dated = dated[:min(len(dated), l.limit)]
	offers := make([]freight.Offer, len(dated))
	for i, d := range dated {
		offers[i] = l.offerOf(d.Tag, byTag[d.Tag])
	}
	return offers, nil
}

// takes tells whether a tag is offered, and tells people why not.
func (l *look) takes(tag string, r result) bool {
	why := r.facts.Broken
	switch {
	case r.gone != nil && l.followsOne():
		why = "there is no such tag"
	case r.gone != nil:
		why = "it went away while it was looked at"
	case r.unusable != "":
		why = r.unusable
	}
	if why == "" {
		return !r.facts.Elsewhere
	}
	if len(l.skipped) < source.MaxSkipped {
		l.skipped = append(l.skipped, fmt.Sprintf("the tag %s of %s is passed over: %s", tag, l.sub.RepoURL, why))
	}
	return false
}

func (l *look) offerOf(tag string, r result) freight.Offer {
	detail := freight.Detail{Kind: freight.KindImage, RepoURL: l.sub.RepoURL, Source: r.facts.Source, Revision: r.facts.Revision}
	if !r.facts.Created.IsZero() {
		detail.CreatedAt = &r.facts.Created
	}
	return freight.Offer{Image: &freight.Image{RepoURL: l.sub.RepoURL, Tag: tag, Digest: r.digest}, Detail: detail}
}

// resolveAll finds out what tags stand for: those that are known at no request,
// the others some at a time.
func (l *look) resolveAll(ctx context.Context, tags []string) ([]result, error) {
	results := make([]result, len(tags))
	unknown := l.known.fill(tags, results, l.moving())
	l.done += len(tags) - len(unknown)
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, i := range unknown {
		if each.Err() != nil {
			break
		}
		group.Go(func() error {
			before := results[i]
			r, err := l.resolve(each, tags[i], before.digest)
			if err != nil {
				return err
			}
			results[i] = r
			l.learn(tags[i], before, r)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, sentence.Fail(registry.ErrUnreachable, ctx.Err(), "the look at %s was broken off", l.sub.RepoURL)
	}
	return results, nil
}

// followsOne tells that the subscription is to one tag, whatever others there are.
func (l *look) followsOne() bool { return l.sub.ImageSelectionStrategy == pipeline.StrategyDigest }

// moving tells that a tag may stand for something else at each look.
func (l *look) moving() bool {
	return l.sub.MutableTags || l.followsOne()
}

// resolve asks what a tag stands for.
func (l *look) resolve(ctx context.Context, tag, digest string) (result, error) {
	var r result
	var err error
	switch {
	case digest == "" && l.rule.Dated() && !l.moving():
		r, err = l.readTag(ctx, tag)
	default:
		r, err = l.readDigest(ctx, tag, digest)
	}
	switch {
	case errors.Is(err, registry.ErrGone):
		return result{gone: err}, nil
	case errors.Is(err, registry.ErrUnusable):
		return result{unusable: err.Error()}, nil
	}
	return r, err
}

// readTag reads the manifest of a tag, which tells its digest.
func (l *look) readTag(ctx context.Context, tag string) (result, error) {
	m, err := l.repo.Manifest(ctx, tag)
	if err != nil {
		return result{}, err
	}
	f, err := l.read(ctx, m)
	if err != nil {
		return result{}, err
	}
	if f.Broken != "" {
		// Nobody vouches for an answer to a tag: it may be a page that stands in for
		// the registry for a moment. Only the registry's own digest tells that it is
		// the tag that is broken.
		digest, err := l.repo.Head(ctx, tag)
		if err != nil {
			return result{}, err
		}
		if digest != m.Digest {
			return result{}, sentence.Fail(registry.ErrUnreachable, nil, "the registry of %s answers for the tag %s with what is not its manifest: check the registry", l.sub.RepoURL, tag)
		}
	}
	return result{digest: m.Digest, facts: f}, nil
}

// readDigest asks for a tag's digest, unless that is known and fixed, and reads
// what is not known of it.
func (l *look) readDigest(ctx context.Context, tag, digest string) (result, error) {
	if digest == "" || l.moving() {
		var err error
		if digest, err = l.repo.Head(ctx, tag); err != nil {
			return result{}, err
		}
	}
	f, err := l.factsOf(ctx, digest)
	return result{digest: digest, facts: f}, err
}

// flight is the reading of a digest.
type flight struct {
	once  sync.Once
	facts facts
	err   error
}

// factsOf reads a digest that is not known, once, however many tags stand for it.
func (l *look) factsOf(ctx context.Context, digest string) (facts, error) {
	l.mu.Lock()
	if l.flights == nil {
		l.flights = map[string]*flight{}
	}
	f, ok := l.flights[digest]
	if !ok {
		f = &flight{}
		l.flights[digest] = f
	}
	l.mu.Unlock()
	f.once.Do(func() {
		if f.facts, ok = l.known.facts(digest); ok {
			return
		}
		var m registry.Manifest
		if m, f.err = l.repo.Manifest(ctx, digest); f.err == nil {
			f.facts, f.err = l.read(ctx, m)
		}
	})
	return f.facts, f.err
}

// checkVanished finds out whether tags that were known, and are not on the list
// any more, were removed, or are missing on a list that is not whole: what would
// be offered without them is a part of the truth. It asks for those alone that
// would be offered.
func (l *look) checkVanished(ctx context.Context, listed []string) error {
	missing, refusals := l.known.without(listed)
	l.drop(refusals)
	vanished := l.rule.Select(missing)
	if len(vanished) == 0 {
		return nil
	}
	first := slices.Clone(vanished)
	if l.rule.Dated() {
		first = l.known.byDate(first)
	}
	if err := l.repo.Gone(ctx, first[:min(len(first), l.limit)]); err != nil {
		return err
	}
	l.forget(vanished)
	return nil
}

// keepEvery is how many keys are kept at once: a scan that is broken off by the
// end of the process loses no more.
const keepEvery = 200

// learn remembers what a tag stands for, in place of what it stood for before.
func (l *look) learn(tag string, before, r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.learned++
	l.done++
	if l.batch == nil {
		l.batch = map[string][]byte{}
	}
	l.note(tag, before, r)
	if len(l.batch) >= keepEvery {
		l.keep()
	}
}

// note adds what a tag stands for to the batch.
func (l *look) note(tag string, before, r result) {
	if r.unusable != "" {
		if !l.moving() { // else it is asked for at each look anyway
			l.known.encodeRefusal(l.batch, tag, r.unusable, before.refusal)
		}
		return
	}
	l.moved = l.moved || before.digest != "" && before.digest != r.digest
	if before.refusal != nil {
		l.batch[l.known.refusalKey(tag)] = nil
	}
	if r.gone == nil && (r.digest != before.digest || !l.known.has(r.digest)) {
		l.known.encode(l.batch, tag, r)
	}
}

// keep writes what was learned. What cannot be kept is asked for again.
func (l *look) keep() {
	if err := l.known.write(l.batch); err != nil {
		l.unkept = err
	}
	l.batch = nil
}

// drop drops keys.
func (l *look) drop(keys []string) {
	batch := make(map[string][]byte, len(keys))
	for _, key := range keys {
		batch[key] = nil
	}
	if err := l.known.write(batch); err != nil {
		l.unkept = err
	}
}

// forget drops tags, and what nothing stands for any more.
func (l *look) forget(tags []string) {
	if err := l.known.forget(tags); err != nil {
		l.unkept = err
	}
}
