// Command bench measures what Waybill promises to cost, each figure as a ratio
// from one run on one machine, or against a bound. It exits with 1 where one is
// missed.
//
//	go run ./hack/bench             measures everything
//	go run ./hack/bench kustomize   measures what has that word in its name
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// measurements are all of them, in the order of the report. Each stands in a
// file of its own, and reports every figure that it has a promise for.
var measurements = []measurement{
	{"the UI extension", uiExtension},
	{"a small kustomization", smallKustomization},
	{"a kustomization with a patch", patchedKustomization},
	{"a small chart", smallChart},
	{"a chart with 200 workloads", largeChart},
	{"50 renders at once", fiftyRenders},
	{"a preview of 200 resources", largePreview},
	{"64 Applications of a large repository", largeRepository},
	{"a warehouse by SemVer, 10,000 tags", greatestOfMany},
	{"a warehouse by NewestBuild, 2,000 tags", newestOfMany},
}

// measurement is one thing that is measured.
type measurement struct {
	name string
	run  func(context.Context, *workshop) ([]figure, error)
}

// errMissed is the outcome when a figure is beyond its limit.
var errMissed = errors.New("a promise is missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words []string, out io.Writer) (err error) {
	chosen, err := choose(words)
	if err != nil {
		return err
	}
	shop, err := openWorkshop(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	var all []figure
	for _, m := range chosen {
		fmt.Fprintf(os.Stderr, "measuring %s\n", m.name)
		figures, err := m.run(ctx, shop)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		for _, f := range figures {
			f.what = m.name + ": " + f.what
			all = append(all, f)
		}
	}
	return report(out, all)
}

// choose returns the measurements that the words name. None is an error: nothing
// measured is no promise kept.
func choose(words []string) ([]measurement, error) {
	var (
		chosen []measurement
		names  []string
	)
	for _, m := range measurements {
		names = append(names, m.name)
		if wanted(m.name, words) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no measurement has %q in its name: there are %s", strings.Join(words, " "), strings.Join(names, ", "))
	}
	return chosen, nil
}

func wanted(name string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(name, word) {
			return false
		}
	}
	return true
}
