// Package pin puts the images of freight into manifests.
//
// An image is pinned where it stands in a container of any kind of object, and
// at paths that the user names. Only the pins decide: what tag or digest the
// manifest had does not matter, its repository does.
package pin

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Pins are the images of the freight in a waybill, by repository.
type Pins struct {
	images map[string]freight.Image
}

// New collects the image pins of all the freight. It refuses two digests for
// one repository (several warehouses may watch the same one), because nothing
// says which of them a container means.
func New(all []waybill.Freight) (Pins, error) {
	images := map[string]freight.Image{}
	for _, f := range all {
		for _, image := range f.Images {
			repository := freight.ImageRepository(image.RepoURL)
			known, found := images[repository]
			if found && known.Digest != image.Digest {
				return Pins{}, refusal.New(
					fmt.Sprintf("its waybill pins %s twice, to %s and to %s", repository, describe(known), describe(image)),
					"subscribe to the image in one warehouse of the stage only")
			}
			if !found || known.Tag == "" {
				images[repository] = image
			}
		}
	}
	return Pins{images: images}, nil
}

func describe(image freight.Image) string {
	if image.Tag != "" {
		return image.Tag
	}
	return image.Digest
}

// Result is what was found in the manifests.
type Result struct {
	// Pinned is the number of image references that the freight pins.
	Pinned int
	// Unpinned are the other images, each once, sorted.
	Unpinned []string
}

// Apply pins the images of the objects in place: in the containers of every
// object, and at the paths. It fails when a path leads to something that is no
// text.
func (p Pins) Apply(objects []manifest.Object, paths []Path) (Result, error) {
	var result Result
	unpinned := map[string]bool{}
	rewrite := func(reference string) string {
		pinned, found := p.Image(reference)
		if found {
			result.Pinned++
		} else {
			unpinned[reference] = true
		}
		return pinned
	}
	for _, o := range objects {
		containers(o, rewrite)
		for _, path := range paths {
			if err := path.apply(o, rewrite); err != nil {
				return Result{}, err
			}
		}
	}
	for reference := range unpinned {
		result.Unpinned = append(result.Unpinned, reference)
	}
	slices.Sort(result.Unpinned)
	return result, nil
}

// Lookup returns the pin of an image repository, however it is written, and
// whether there is one.
func (p Pins) Lookup(repository string) (freight.Image, bool) {
	image, found := p.images[freight.ImageRepository(repository)]
	return image, found
}

// Image returns an image reference as the freight pins it, and whether it does.
//
// The pinned form is repository:tag@digest, with the repository as the manifest
// writes it: the container runtime pulls by the digest alone, and people read
// the tag in kubectl and in Argo CD. A pin without a tag gives
// repository@digest.
func (p Pins) Image(reference string) (string, bool) {
	repository, tag, digest := freight.SplitImage(reference)
	if repository == "" || !isTag(tag) || !isDigest(digest) {
		// Policies write patterns where workloads write images: "shop:*".
		return reference, false
	}
	image, found := p.images[freight.ImageRepository(repository)]
	if !found {
		return reference, false
	}
	pinned := repository
	if image.Tag != "" {
		pinned += ":" + image.Tag
	}
	return pinned + "@" + image.Digest, true
}

// The grammar of references is that of github.com/distribution/reference; tag
// and digest may be missing.
var (
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	digestPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+.-]*:[0-9a-fA-F]+$`)
)

const maxTag = 128

func isTag(tag string) bool {
	return tag == "" || len(tag) <= maxTag && tagPattern.MatchString(tag)
}

func isDigest(digest string) bool {
	return digest == "" || digestPattern.MatchString(digest)
}
