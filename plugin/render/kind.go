package render

import (
	"slices"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// Kind tells what the Application's path holds, which decides how it is rendered
// and which parameters mean something for it. A kustomization comes first,
// because Argo CD too prefers it where there is a chart beside it: of the files
// of one folder, the last in the order of names decides (argo-cd,
// util/app/discovery, Discover).
func (c *Checkout) Kind() (parameters.Kind, error) {
	names, err := c.Names()
	switch {
	case err != nil:
		return "", err
	case slices.ContainsFunc(names, isKustomization):
		return parameters.Kustomization, nil
	case slices.Contains(names, "Chart.yaml"):
		return parameters.Chart, nil
	}
	return parameters.Plain, nil
}
