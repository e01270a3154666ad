package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/waybill-cd/waybill/hack/bench/pair"
	"github.com/waybill-cd/waybill/hack/monorepo"
	"github.com/waybill-cd/waybill/hack/stack"
)

const (
	// hardRefresh is what the plugin may cost through the repo-server, as a share
	// of Argo CD's own kustomize.
	hardRefresh = 1.1
	// refreshes of each renderer, in turn.
	refreshes = 7
)

// largeRepository has Argo CD render 64 Applications of one repository anew, by
// the plugin and by its own kustomize in turn, both with the annotation
// manifest-generate-paths. Without it Argo CD packs the whole checkout for each
// render of a plugin: that figure is told too, and promises nothing.
func largeRepository(ctx context.Context, w *workshop) (figures []figure, err error) {
	// The repo-server finds kustomize in its PATH.
	if err := os.Setenv("PATH", filepath.Dir(w.kustomize)+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		return nil, err
	}
	s, err := stack.Start(ctx, stack.Config{Log: os.Stderr, Plugin: &stack.Plugin{
		Binary: w.plugin, Config: filepath.Join(w.root, "manifests", "sidecar", "plugin.yaml"),
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	var (
		native = monorepo.Renderer{Name: "native", Paths: true}
		plugin = monorepo.Renderer{Name: "plugin", Plugin: true, Paths: true}
		naive  = monorepo.Renderer{Name: "naive", Plugin: true}
	)
	m, err := monorepo.New(ctx, s, monorepo.Size{Applications: 64, Files: 6000, Commits: 3000}, native, plugin, naive)
	if err != nil {
		return nil, err
	}
	theirs, err := m.Apply(ctx, native)
	if err != nil {
		return nil, err
	}
	ours, err := m.Apply(ctx, plugin)
	if err != nil {
		return nil, err
	}
	f, err := inTurn(ctx, ours, theirs)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "measuring without manifest-generate-paths, which takes minutes")
	all, err := m.Apply(ctx, naive)
	if err != nil {
		return nil, err
	}
	took, err := all.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{f, {what: "without manifest-generate-paths", value: took.Seconds(), unit: " s"}}, nil
}

// inTurn refreshes two sets of Applications in turn, each first every other time.
func inTurn(ctx context.Context, ours, theirs *monorepo.Applications) (figure, error) {
	all := make([]pair.Pair, 0, refreshes)
	for i := range refreshes {
		var took [2]time.Duration
		for j := range took {
			which := (i + j) % len(took)
			var err error
			if took[which], err = [2]*monorepo.Applications{ours, theirs}[which].Refresh(ctx); err != nil {
				return figure{}, err
			}
		}
		all = append(all, pair.Pair{Ours: pair.Cost{Wall: took[0]}, Theirs: pair.Cost{Wall: took[1]}})
	}
	return ratio("hard refresh", "s", all, func(c pair.Cost) float64 { return c.Wall.Seconds() }, hardRefresh), nil
}
