package main

import (
	"context"

	"github.com/waybill-cd/waybill/hack/bench/pair"
)

// What generate may cost, as a share of what `kustomize build` costs.
const (
	kustomizeWall = 0.95
	kustomizePeak = 1.2
)

// smallKustomization is pinned freight in an overlay of a deployment and a
// service, without a patch.
func smallKustomization(ctx context.Context, w *workshop) ([]figure, error) {
	return w.againstKustomize(ctx, "small", map[string]string{shopPath + "/kustomization.yaml": `resources: [../../base]
namespace: shop-prod
namePrefix: eu-
labels:
- {pairs: {env: prod}, includeSelectors: true}
configMapGenerator:
- {name: settings, literals: [LOG=info], files: [banner.txt]}
replicas:
- {name: shop, count: 3}
`})
}

// patchedKustomization has a strategic merge patch besides, for which kustomize
// reads the schemas of Kubernetes.
func patchedKustomization(ctx context.Context, w *workshop) ([]figure, error) {
	return w.againstKustomize(ctx, "patched", nil)
}

func (w *workshop) againstKustomize(ctx context.Context, name string, over map[string]string) ([]figure, error) {
	path, err := w.checkout(name, over)
	if err != nil {
		return nil, err
	}
	all, err := w.paired(ctx,
		pair.Invocation{Program: w.plugin, Args: []string{"generate"}, Dir: path, Env: w.environment()},
		pair.Invocation{Program: w.kustomize, Args: []string{"build", "."}, Dir: path, Env: w.environment()})
	if err != nil {
		return nil, err
	}
	return compare(all, kustomizeWall, kustomizePeak), nil
}
