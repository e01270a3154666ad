package render

import (
	_ "embed"

	"sigs.k8s.io/kustomize/kyaml/openapi/kubernetesapi"
)

// schema is the Kubernetes schema that kustomize has built in, without the paths
// of the API and without what is written for people. Kustomize needs neither:
// which kinds are namespaced stands in a table of its own. It reads this one in a
// fifth of the time and a quarter of the memory, and every strategic merge patch
// makes it read one.
//
// A new version of kustomize may bring a new schema: go test -run Schema -update.
//
//go:embed schema.pb
var schema []byte

func init() {
	kubernetesapi.OpenAPIMustAsset[kubernetesapi.DefaultOpenAPI] = func(string) []byte { return schema }
}
