package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// imageValue is one entry of the parameter imageValues: a place in a chart's
// values, and what of an image of the freight goes there. It is for charts that
// make images of values where no pin of a container reaches: in arguments, in
// custom resources, in configuration.
type imageValue struct {
	path  string // in Helm's notation, as for --set
	image string // a repository as the entry writes it, maybe with a subscription's name as the tag
	part  string // one of imageParts
}

// imageParts are the parts of an image that a value can take, as the tooltip and
// errors list them.
var imageParts = []string{"repository", "tag", "digest", "version", "reference"}

// parseImageValues reads the entries, in the order of their places.
func parseImageValues(given map[string]string) ([]imageValue, error) {
	var all []imageValue
	for _, path := range slices.Sorted(maps.Keys(given)) {
		image, part, _ := strings.Cut(given[path], "#")
		if image == "" || !slices.Contains(imageParts, part) {
			return nil, refusal.New(fmt.Sprintf("its plugin parameter %s sets %s to %q, which names no part of an image", parameters.ImageValues, path, given[path]),
				"write <image repository>#<part>, part one of "+strings.Join(imageParts, ", "))
		}
		if path == "" || strings.ContainsAny(path, ",=") {
			return nil, refusal.New(fmt.Sprintf("its plugin parameter %s sets %q, which is no place in the values", parameters.ImageValues, path),
				"name one as image.tag or containers[0].image")
		}
		all = append(all, imageValue{path: path, image: image, part: part})
	}
	return all, nil
}

// of returns the text of the value.
//
// The tag is tag@digest, because charts put it after a colon: repository:tag is
// exact then. The version is the bare tag, for labels.
func (v imageValue) of(pins pin.Pins) (string, error) {
	image, found, err := pins.Lookup(v.image)
	if err != nil {
		cause, remedy := refusal.Split(err)
		return "", refusal.New(fmt.Sprintf("%s, and its plugin parameter %s takes %s from it", cause, parameters.ImageValues, v.path), remedy)
	}
	if !found {
		return "", refusal.New(fmt.Sprintf("its plugin parameter %s takes %s from %s, which no freight pins", parameters.ImageValues, v.path, v.image),
			"subscribe to it in a warehouse, or remove the entry")
	}
	if image.Tag == "" && (v.part == "tag" || v.part == "version") {
		return "", refusal.New(fmt.Sprintf("its plugin parameter %s takes the %s of %s for %s, and its freight pins it without a tag", parameters.ImageValues, v.part, v.image, v.path),
			"take its digest or its reference")
	}
	switch v.part {
	case "repository":
		return image.RepoURL, nil
	case "tag":
		return image.Tag + "@" + image.Digest, nil
	case "version":
		return image.Tag, nil
	case "digest":
		return image.Digest, nil
	}
	if image.Tag == "" {
		return image.RepoURL + "@" + image.Digest, nil
	}
	return image.RepoURL + ":" + image.Tag + "@" + image.Digest, nil
}
