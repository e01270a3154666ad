// Package chart decides what becomes of a Helm chart in Git when freight pins
// what it depends on: the version in Chart.yaml, the entry in Chart.lock, and the
// archive in charts/.
//
// The package is pure, and knows no Helm: what it writes is what Helm itself
// would, and is tested against it.
package chart

import (
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Identity is the one name of a chart in a repository, however it is written: a
// pin of a chart in an OCI registry names it in its URL, a dependency beside it.
func Identity(repository, name string) string {
	if name == "" {
		return freight.ChartRepository(repository)
	}
	// The name goes first: a registry without a path is no repository yet, and
	// would be taken for one of Docker Hub.
	return freight.ChartRepository(strings.TrimRight(repository, "/") + "/" + name)
}

// SameVersion compares versions as they are written, in a chart or as the tag of
// a registry, which can hold no plus sign (helm, pkg/registry).
func SameVersion(a, b string) bool { return Version(a) == Version(b) }

// Version is the version that the tag of a registry stands for.
func Version(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

// IsAlias tells whether a repository is one of those that `helm repo add` named
// on somebody's machine, which nothing in Git resolves.
func IsAlias(repository string) bool {
	return strings.HasPrefix(repository, "@") || strings.HasPrefix(repository, "alias:")
}
