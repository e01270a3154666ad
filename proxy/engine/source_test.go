package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
)

// registry stands in for all that warehouses look at. tags has what a repository
// offers, the best first and separated by spaces: tags of images, versions of
// charts, or the words that commits are made for.
type registry struct {
	mu      sync.Mutex
	tags    map[string]string
	fails   map[string]error
	skipped []string
	// spoil changes each offer.
	spoil func(*freight.Offer)
	looks int
	// looked is called at each look.
	looked func()
}

func (l *link) Discover(ctx context.Context, _ string, s pipeline.Subscription) (source.Look, error) {
	l.images.mu.Lock()
	defer l.images.mu.Unlock()
	if l.killed {
		return source.Look{}, errKilled
	}
	of := s.Offered()
	source.Count(ctx)
	l.images.looks++
	l.images.looked()
	if err := l.images.fails[of.RepoURL]; err != nil {
		return source.Look{}, err
	}
	look := source.Look{Skipped: l.images.skipped}
	for _, version := range strings.Fields(l.images.tags[of.RepoURL]) {
		look.Offers = append(look.Offers, offerOf(of, version))
	}
	for i := range look.Offers {
		l.images.spoil(&look.Offers[i])
	}
	if len(look.Offers) == 0 {
		return source.Look{}, fmt.Errorf("%s has no tags: push an image", of.RepoURL)
	}
	return look, nil
}

func offerOf(of freight.Offered, version string) freight.Offer {
	offer := freight.Offer{Detail: freight.Detail{Kind: of.Kind, RepoURL: of.RepoURL, Subscription: of.Subscription, Name: of.Name}}
	switch of.Kind {
	case freight.KindCommit:
		offer.Commit = &freight.Commit{RepoURL: of.RepoURL, ID: madeFor(version), Subscription: of.Subscription}
		offer.Detail.Subject, offer.Detail.Author = "Change "+version, "Ada"
	case freight.KindChart:
		offer.Chart = &freight.Chart{RepoURL: of.RepoURL, Name: of.Name, Version: version, Digest: "sha256:" + hash(of.RepoURL+version), Subscription: of.Subscription}
	default:
		found := imageOf(of.RepoURL, version)
		found.Subscription = of.Subscription
		offer.Image = &found
	}
	return offer
}

// madeFor is the ID of the commit that is made for a word.
func madeFor(word string) string { return hash(word)[:40] }

func imageOf(repoURL, tag string) freight.Image {
	return freight.Image{RepoURL: repoURL, Tag: tag, Digest: "sha256:" + hash(repoURL+tag)}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
