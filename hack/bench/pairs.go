package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/waybill-cd/waybill/hack/bench/pair"
)

// paired runs two commands in turn, from a small process.
func (w *workshop) paired(ctx context.Context, ours, theirs pair.Invocation) ([]pair.Pair, error) {
	program, err := w.build(ctx, "pairs", "./hack/bench/pairs")
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal([2]pair.Invocation{ours, theirs})
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	runner := exec.CommandContext(ctx, program)
	runner.Stdin, runner.Stdout, runner.Stderr = bytes.NewReader(request), &stdout, &stderr
	if err := runner.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var all []pair.Pair
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	return all, nil
}

// compare makes figures of pairs: of the ratios in each pair the median, because
// one pair that was disturbed must not count.
func compare(all []pair.Pair, wallLimit, peakLimit float64) []figure {
	wall := func(c pair.Cost) float64 { return float64(c.Wall) / float64(time.Millisecond) }
	peak := func(c pair.Cost) float64 { return float64(c.Peak) / (1 << 20) }
	return []figure{
		ratio("wall time", "ms", all, wall, wallLimit),
		ratio("peak memory", "MiB", all, peak, peakLimit),
	}
}

func ratio(what, unit string, all []pair.Pair, of func(pair.Cost) float64, limit float64) figure {
	var ours, theirs, ratios []float64
	for _, p := range all {
		ours, theirs = append(ours, of(p.Ours)), append(theirs, of(p.Theirs))
		ratios = append(ratios, of(p.Ours)/of(p.Theirs))
	}
	return figure{
		what:   what,
		ours:   fmt.Sprintf("%.3g %s", median(ours), unit),
		theirs: fmt.Sprintf("%.3g %s", median(theirs), unit),
		value:  median(ratios),
		limit:  limit,
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
