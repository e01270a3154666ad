// Package pin puts the images of freight into manifests.
//
// An image is pinned where it stands in a container of any kind of object, and
// at paths that the user names. Only the pins decide: what tag or digest the
// manifest had does not matter, its repository does. Where the freight pins one
// repository several times, the tag is the name of the subscription that is meant.
package pin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/images"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Pins are the images of the freight in a waybill, by repository.
type Pins struct {
	images map[string][]pinned
}

// pinned is an image, and where it is pulled from: empty for where the manifest
// says.
type pinned struct {
	freight.Image
	mirror string
}

// New collects the image pins of a waybill. It refuses two digests for one
// repository (several warehouses may watch the same one, or a mirror make two
// one) that no names of subscriptions tell apart, because nothing could say which
// of them a container means.
//
// A manifest may name the repository that the freight names or, since overlays
// differ by environment, the mirror that the stage pulls from.
func New(w waybill.Waybill) (Pins, error) {
	p := Pins{images: map[string][]pinned{}}
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
	all := p.images[repository]
	i := slices.IndexFunc(all, func(known pinned) bool { return known.Subscription == image.Subscription })
	switch {
	case i < 0:
		p.images[repository] = append(all, image)
	case all[i].Digest != image.Digest:
		as, remedy := "", "subscribe to the image in one warehouse of the stage only"
		if image.Subscription != "" {
			as, remedy = " as "+image.Subscription, "give each subscription a name of its own"
		}
		return refusal.New(fmt.Sprintf("its waybill pins %s twice%s, to %s and to %s", repository, as, describe(all[i].Image), describe(image.Image)), remedy)
	case all[i].Tag == "":
		all[i] = image
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
// text, and when it is not clear which of several pins an image means.
func (p Pins) Apply(objects []manifest.Object, paths []Path) (Result, error) {
	var result Result
	unpinned, unclear := map[string]bool{}, map[string]error{}
	rewrite := func(reference string) string {
		pinned, found, err := p.Image(reference)
		switch {
		case err != nil:
			unclear[reference] = err
		case found:
			result.Pinned++
		default:
			unpinned[reference] = true
		}
		return pinned
	}
	for _, o := range objects {
		images.Visit(o, rewrite)
		for _, path := range paths {
			if err := path.apply(o, rewrite); err != nil {
				return Result{}, err
			}
		}
	}
	// The same manifests are always refused with the same words.
	if references := slices.Sorted(maps.Keys(unclear)); len(references) > 0 {
		return Result{}, unclear[references[0]]
	}
	result.Unpinned = slices.Sorted(maps.Keys(unpinned))
	return result, nil
}

// Lookup returns what the freight pins in an image repository, and whether it
// does. Its RepoURL is the repository as written, or the mirror that the stage has
// for it. A tag of the reference is the name of a subscription; it fails where
// none is called so, or where there are several and none is named.
func (p Pins) Lookup(reference string) (freight.Image, bool, error) {
	repository, name, _ := freight.SplitImage(reference)
	all := p.images[freight.ImageRepository(repository)]
	if len(all) == 0 {
		return freight.Image{}, false, nil
	}
	image, found := named(all, name)
	if !found && (name != "" || len(all) > 1) {
		return freight.Image{}, true, unclear(repository, name, all)
	}
	if !found {
		image = all[0]
	}
	image.RepoURL = image.place(repository)
	return image.Image, true, nil
}

// Image returns an image reference as the freight pins it, and whether it does. It
// fails where the freight pins the repository several times, and the reference
// does not say which of the pins it means; see [choose].
//
// The pinned form is repository:tag@digest, with the repository as the manifest
// writes it, or the mirror that the stage has for it: the container runtime pulls
// by the digest alone, and people read the tag in kubectl and in Argo CD. A pin
// without a tag gives repository@digest.
func (p Pins) Image(reference string) (string, bool, error) {
	repository, tag, digest := freight.SplitImage(reference)
	if repository == "" || !isTag(tag) || !isDigest(digest) {
		// Policies write patterns where workloads write images: "shop:*".
		return reference, false, nil
	}
	all := p.images[freight.ImageRepository(repository)]
	if len(all) == 0 {
		return reference, false, nil
	}
	image, found := choose(all, tag, digest)
	if !found {
		return reference, false, unclear(repository, tag, all)
	}
	pinned := image.place(repository)
	if image.Tag != "" {
		pinned += ":" + image.Tag
	}
	return pinned + "@" + image.Digest, true, nil
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
