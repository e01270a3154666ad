package render

import "slices"

// Kind is what an Application's path holds. It decides how the path is rendered
// and which parameters mean something for it.
type Kind string

// The kinds of source, as errors name them.
const (
	Kustomization Kind = "kustomization"
	Chart         Kind = "chart"
	Plain         Kind = "plain"
)

// Kind tells what the Application's path holds. A kustomization comes first,
// because Argo CD too prefers it where there is a chart beside it: of the files
// of one folder, the last in the order of names decides (argo-cd,
// util/app/discovery, Discover).
func (c *Checkout) Kind() (Kind, error) {
	names, err := c.Names()
	switch {
	case err != nil:
		return "", err
	case slices.ContainsFunc(names, isKustomization):
		return Kustomization, nil
	case slices.Contains(names, "Chart.yaml"):
		return Chart, nil
	}
	return Plain, nil
}
