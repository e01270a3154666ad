package preview

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/images"
)

// Image is a repository whose versions among the manifests change.
type Image struct {
	Repository string
	// Before and After are tags, digests, or both (v1@sha256:…), each once.
	Before, After []string
}

const maxShown = 1000 // versions of one image

// compareImages tells what changes of the images of all pods.
func (a *Application) compareImages(before, after []*unstructured.Unstructured) {
	was, is := versions(before), versions(after)
	repositories := map[string]bool{}
	for r := range was {
		repositories[r] = true
	}
	for r := range is {
		repositories[r] = true
	}
	for _, r := range slices.Sorted(maps.Keys(repositories)) {
		old, younger := slices.Sorted(maps.Keys(was[r])), slices.Sorted(maps.Keys(is[r]))
		if slices.Equal(old, younger) {
			continue
		}
		a.Clipped = a.Clipped || len(old) > maxShown || len(younger) > maxShown
		a.Images = listed(a, a.Images, Image{Repository: r, Before: first(old), After: first(younger)})
	}
}

func first(all []string) []string { return all[:min(len(all), maxShown)] }

// versions are the images of the objects, by repository.
func versions(all []*unstructured.Unstructured) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, o := range all {
		images.Visit(o.Object, func(image string) string {
			repository, version := split(image)
			if found[repository] == nil {
				found[repository] = map[string]bool{}
			}
			found[repository][version] = true
			return image
		})
	}
	return found
}

// split takes a reference apart: repository, and tag and digest.
func split(image string) (repository, version string) {
	name, version, digest := freight.SplitImage(image)
	if digest != "" {
		version += "@" + digest
	}
	return freight.ImageRepository(name), version
}
