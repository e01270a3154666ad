// Package pin puts the images of freight into manifests.
//
// An image is pinned where it stands in a container of any kind of object, and
// at paths that the user names. Only the pins decide: what tag or digest the
// manifest had does not matter, its repository does.
package pin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Pins are the images of the freight in a waybill, by repository.
type Pins struct {
	images map[string]pinned
}

// pinned is an image, and where it is pulled from: empty for where the manifest
// says.
type pinned struct {
	freight.Image
	mirror string
}

// New collects the image pins of a waybill. It refuses two digests for one
// repository (several warehouses may watch the same one, or a mirror make two
// one), because nothing says which of them a container means.
//
// A manifest may name the repository that the freight names or, since overlays
// differ by environment, the mirror that the stage pulls from.
func New(w waybill.Waybill) (Pins, error) {
	p := Pins{images: map[string]pinned{}}
	for _, f := range w.Freight {
		for _, image := range f.Images {
			mirror, mirrored := freight.Mirrored(image.RepoURL, w.Mirrors)
			if !mirrored {
				mirror = ""
			}
			if err := p.add(freight.ImageRepository(image.RepoURL), pinned{image, mirror}); err != nil {
				return Pins{}, err
			}
			if mirrored {
				if err := p.add(mirror, pinned{image, mirror}); err != nil {
					return Pins{}, err
				}
			}
		}
	}
	return p, nil
}

func (p Pins) add(repository string, image pinned) error {
	known, found := p.images[repository]
	if found && known.Digest != image.Digest {
		return refusal.New(
			fmt.Sprintf("its waybill pins %s twice, to %s and to %s", repository, describe(known.Image), describe(image.Image)),
			"subscribe to the image in one warehouse of the stage only")
	}
	if !found || known.Tag == "" {
		p.images[repository] = image
	}
	return nil
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

// Lookup returns what the freight pins in an image repository, and whether it
// does. Its RepoURL is the repository as written, or the mirror that the stage has
// for it.
func (p Pins) Lookup(repository string) (freight.Image, bool) {
	image, found := p.images[freight.ImageRepository(repository)]
	image.RepoURL = repository
	if image.mirror != "" {
		image.RepoURL = image.mirror
	}
	return image.Image, found
}

// Image returns an image reference as the freight pins it, and whether it does.
//
// The pinned form is repository:tag@digest, with the repository as the manifest
// writes it, or the mirror that the stage has for it: the container runtime pulls by the digest alone, and people read
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
	if image.mirror != "" {
		pinned = image.mirror
	}
	if image.Tag != "" {
		pinned += ":" + image.Tag
	}
	return pinned + "@" + image.Digest, true
}

// The grammar of references is that of github.com/distribution/reference; tag
// and digest may be missing. It is checked by hand, because every render does.
const (
	maxTag  = 128
	digits  = "0123456789"
	hex     = digits + "abcdefABCDEF"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	word    = letters + digits + "_"
)

func isTag(tag string) bool {
	return tag == "" || len(tag) <= maxTag && begins(tag, word) && consists(tag, word+".-")
}

func isDigest(digest string) bool {
	if digest == "" {
		return true
	}
	algorithm, sum, found := strings.Cut(digest, ":")
	return found && begins(algorithm, letters) && consists(algorithm, word+"+.-") && sum != "" && consists(sum, hex)
}

func begins(text, characters string) bool {
	return text != "" && strings.IndexByte(characters, text[0]) >= 0
}

func consists(text, characters string) bool { return strings.Trim(text, characters) == "" }
