package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/pkg/util"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// keep stands for the value that the kustomization has.
const keep = "*"

// setImages does what `kustomize edit set image` does.
func (o KustomizeOptions) setImages(k *types.Kustomization) error {
	if len(o.Images) == 0 {
		return nil
	}
	byName := map[string]types.Image{}
	for _, text := range o.Images {
		image, err := parseImage(text)
		if err != nil {
			return err
		}
		byName[image.Name] = image
	}
	for _, image := range k.Images {
		if given, found := byName[image.Name]; found {
			image = over(given, image)
		}
		byName[image.Name] = image
	}
	k.Images = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		k.Images = append(k.Images, over(byName[name], types.Image{}))
	}
	return nil
}

// over returns an image whose parts are those of another where it says keep.
func over(given, there types.Image) types.Image {
	if given.NewName == keep {
		given.NewName = there.NewName
	}
	if given.NewTag == keep {
		given.NewTag = there.NewTag
	}
	if given.Digest == keep {
		given.Digest = there.Digest
	}
	return given
}

// parseImage reads name=new, where new is an image with what is to change; or
// the image itself, whose name stays.
func parseImage(text string) (types.Image, error) {
	if err := noOption(parameters.Images, text); err != nil {
		return types.Image{}, err
	}
	key, value, renamed := strings.Cut(text, "=")
	if !renamed {
		key, value = "", text
	}
	name, tag, digest := util.SplitImageName(value)
	if name == text {
		return types.Image{}, refusal.New(fmt.Sprintf("its plugin parameter %s holds %q, which changes nothing of an image", parameters.Images, text),
			"write name=new:tag, name:tag or name@digest")
	}
	image := types.Image{Name: name, NewTag: tag, Digest: digest}
	if key != "" {
		image.Name, image.NewName = key, name
	}
	return image, nil
}
