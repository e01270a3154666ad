package preview

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Image is a repository whose versions among the manifests change.
type Image struct {
	Repository string
	// Before and After are tags, digests, or both (v1@sha256:…), each once.
	Before, After []string
}

const (
	maxDepth = 64   // of nested values that images are looked for in
	maxShown = 1000 // versions of one image
)

// images returns what changes of the images of all containers.
func images(before, after []*unstructured.Unstructured) []Image {
	was, is := versions(before), versions(after)
	repositories := map[string]bool{}
	for r := range was {
		repositories[r] = true
	}
	for r := range is {
		repositories[r] = true
	}
	var changed []Image
	for _, r := range slices.Sorted(maps.Keys(repositories)) {
		old, younger := slices.Sorted(maps.Keys(was[r])), slices.Sorted(maps.Keys(is[r]))
		if !slices.Equal(old, younger) {
			changed = append(changed, Image{Repository: r, Before: first(old), After: first(younger)})
		}
	}
	return changed[:min(len(changed), maxListed)]
}

func first(all []string) []string { return all[:min(len(all), maxShown)] }

// versions are the images of the objects, by repository.
func versions(all []*unstructured.Unstructured) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, o := range all {
		gather(o.Object, maxDepth, func(image string) {
			repository, version := split(image)
			if found[repository] == nil {
				found[repository] = map[string]bool{}
			}
			found[repository][version] = true
		})
	}
	return found
}

// gather calls found with the image of each container, wherever a list of
// containers stands: in pods, their templates, and custom resources that hold
// such.
func gather(value any, depth int, found func(string)) {
	if depth == 0 {
		return
	}
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			gather(v, depth-1, found)
		}
	case map[string]any:
		for name, v := range value {
			if list, ok := v.([]any); ok && (name == "containers" || name == "initContainers" || name == "ephemeralContainers") {
				for _, c := range list {
					container, _ := c.(map[string]any)
					if image, _ := container["image"].(string); image != "" {
						found(image)
					}
				}
			}
			gather(v, depth-1, found)
		}
	}
}

// split takes a reference apart: repository, and tag and digest.
func split(image string) (repository, version string) {
	name, digest, pinned := strings.Cut(image, "@")
	tag := ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	if pinned {
		tag += "@" + digest
	}
	return freight.ImageRepository(name), tag
}
