// Package render turns an Application's path into manifests: a kustomization, a
// Helm chart, or a directory of plain YAML and JSON.
//
// It is a pure function of the files of the checkout. It runs no program,
// reaches no network and reads nothing outside of the checkout; a source that
// needs any of these is refused, by name, before anything is built.
package render

import (
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Options are what an Application sets for its kustomization or directory. Those
// of another kind than its path's are not looked at.
type Options struct {
	Kustomize KustomizeOptions
	Directory DirectoryOptions
}

// Manifests renders the Application's path. There is always at least one
// object: what renders to nothing is refused, because Argo CD would take it for
// the wish to delete everything. chart renders a Helm chart: its engine is not
// linked here, because most renders need none.
func (c *Checkout) Manifests(options Options, chart func(*Checkout) ([]manifest.Object, error)) ([]manifest.Object, error) {
	kind, err := c.Kind()
	if err != nil {
		return nil, err
	}
	var objects []manifest.Object
	switch kind {
	case parameters.Kustomization:
		objects, err = c.kustomization(options.Kustomize)
	case parameters.Chart:
		objects, err = chart(c)
	case parameters.Plain:
		objects, err = c.plain(options.Directory)
	}
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, refusal.New("its path "+c.tell(c.path)+" renders to no manifest at all, which would delete what runs",
			"add manifests, or delete the Application instead")
	}
	return objects, nil
}

func isKustomization(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), name)
}
