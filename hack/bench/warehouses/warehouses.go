// Package warehouses measures what looks at a registry cost: requests, seconds,
// and how long another warehouse waits meanwhile.
package warehouses

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/waybill-cd/waybill/extension/pipeline"
	stackregistry "github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	"github.com/waybill-cd/waybill/proxy/source/pace"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// Scene is a registry, and a subscription to it.
type Scene struct {
	// Tags is how many tags the repository has, each of an image of its own.
	Tags     int
	Strategy string
	// Latency delays every answer of the registry.
	Latency time.Duration
}

// Cost is what looks cost.
type Cost struct {
	// First and Next are the look that knows nothing, and the one after.
	First, Next Look
	// Waited is the longest that a look of another warehouse on that registry took
	// in the meantime.
	Waited time.Duration
}

// Look is what one look costs. A first one that takes more than a single look may
// is the sum of them.
type Look struct {
	Requests int
	Took     time.Duration
}

const (
	scanned, small = "scanned", "small"
	// between is the pause between two looks of the other warehouse.
	between = time.Second
)

// Measure measures the looks of a scene.
func Measure(ctx context.Context, s Scene) (cost Cost, err error) {
	server := stackregistry.New(stackregistry.Config{})
	if err := server.Start(ctx); err != nil {
		return Cost{}, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	if err := fill(ctx, server, s.Tags); err != nil {
		return Cost{}, err
	}
	dir, err := os.MkdirTemp("", "waybill-bench-")
	if err != nil {
		return Cost{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	known, err := cache.Open(dir, cache.Options{})
	if err != nil {
		return Cost{}, err
	}
	defer func() { err = errors.Join(err, known.Close()) }()
	images := image.New(image.Options{Registries: registry.New(registry.Options{Pace: pace.New(0)}), Cache: known})
	server.Traffic.SetLatency(s.Latency)

	scanning, stop := context.WithCancel(ctx)
	waited := make(chan waiting, 1)
	go func() { waited <- another(scanning, images, server.Repository(small)) }()
	sub := pipeline.ImageSubscription{RepoURL: server.Repository(scanned), ImageSelectionStrategy: s.Strategy}
	cost.First, err = look(ctx, images, sub)
	stop()
	other := <-waited
	if err = errors.Join(err, other.err); err != nil {
		return Cost{}, err
	}
	cost.Waited = other.longest
	cost.Next, err = look(ctx, images, sub)
	return cost, err
}

// fill pushes images, the tags of the scanned repository and one of another.
func fill(ctx context.Context, server *stackregistry.Server, tags int) error {
	base, err := random.Image(1, 1)
	if err != nil {
		return err
	}
	start := time.Now().Add(-time.Duration(tags) * time.Minute)
	for n := range tags {
		built := stackregistry.Image{From: base, Created: start.Add(time.Duration(n) * time.Minute)}
		if _, err := server.PushImage(ctx, scanned, fmt.Sprintf("v1.%d.0", n), built); err != nil {
			return err
		}
	}
	_, err = server.PushImage(ctx, small, "v1.0.0", stackregistry.Image{From: base})
	return err
}

// look looks until there is an outcome.
func look(ctx context.Context, images *image.Source, sub pipeline.ImageSubscription) (Look, error) {
	counted, requests := source.Counted(ctx)
	start := time.Now()
	for {
		_, err := images.Discover(counted, "waybill", pipeline.Subscription{Image: &sub})
		if errors.As(err, new(*source.Incomplete)) {
			continue
		}
		return Look{Requests: int(requests()), Took: time.Since(start)}, err
	}
}

type waiting struct {
	longest time.Duration
	err     error
}

// another looks at a repository of the same registry, first for the first time,
// until the context ends.
func another(ctx context.Context, images *image.Source, repoURL string) (w waiting) {
	tick := time.NewTicker(between)
	defer tick.Stop()
	sub := pipeline.ImageSubscription{RepoURL: repoURL, ImageSelectionStrategy: pipeline.StrategySemVer}
	for ctx.Err() == nil {
		// It ends by itself, also where the scan does before.
		one, err := look(context.WithoutCancel(ctx), images, sub)
		if err != nil {
			return waiting{err: err}
		}
		w.longest = max(w.longest, one.Took)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return w
}
