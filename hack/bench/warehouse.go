package main

import (
	"context"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/bench/warehouses"
)

const (
	registryLatency = 20 * time.Millisecond
	// maxWait is how long a warehouse may wait, its own requests included, while
	// another reads all of a repository of the same registry.
	maxWait = time.Second
	// page is how many tags the registry lists at a time, and offered how many tags
	// a subscription offers.
	page, offered = 1000, pipeline.DefaultDiscoveryLimit
)

// greatestOfMany is a subscription that goes by the tags alone. Kargo's figures
// were measured on two cores: for 20 tags that are kept, about 60 requests a look,
// changed or not.
func greatestOfMany(ctx context.Context, _ *workshop) ([]figure, error) {
	const tags = 10_000
	// A ping, the pages (of which the last is empty), and a HEAD, a manifest and a
	// config for each tag that is offered.
	return looks(ctx, warehouses.Scene{Tags: tags, Strategy: pipeline.StrategySemVer, Latency: registryLatency},
		1+tags/page+1+3*offered, "about 60 a look (Kargo 1.11.2)", "")
}

// newestOfMany is a subscription that needs the date of every image. Kargo took
// 200 s and about three requests a tag on two cores, and held another warehouse up
// for three minutes.
func newestOfMany(ctx context.Context, _ *workshop) ([]figure, error) {
	const tags = 2000
	// A ping, the pages, and a manifest and a config for each tag.
	return looks(ctx, warehouses.Scene{Tags: tags, Strategy: pipeline.StrategyNewestBuild, Latency: registryLatency},
		1+tags/page+1+2*tags, "about 6000 (Kargo 1.11.2)", "200 s (Kargo 1.11.2)")
}

func looks(ctx context.Context, s warehouses.Scene, first int, theirRequests, theirTime string) ([]figure, error) {
	cost, err := warehouses.Measure(ctx, s)
	if err != nil {
		return nil, err
	}
	return []figure{
		{what: "requests of the first look", theirs: theirRequests, value: float64(cost.First.Requests), limit: float64(first)},
		{what: "time of the first look", theirs: theirTime, value: cost.First.Took.Seconds(), unit: " s"},
		{what: "requests of the next look", theirs: theirRequests, value: float64(cost.Next.Requests), limit: float64(s.Tags/page + 1)},
		{what: "time of the next look", value: cost.Next.Took.Seconds(), unit: " s"},
		{what: "longest look of another warehouse meanwhile", value: cost.Waited.Seconds(), limit: maxWait.Seconds(), unit: " s"},
	}, nil
}
