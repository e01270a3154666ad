package registry

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// Image says what to push. The zero value is a tiny image for linux/amd64 with
// random content, so that no two have the same digest.
type Image struct {
	// Labels stand in the image's configuration.
	Labels map[string]string
	// Annotations stand in its manifest.
	Annotations map[string]string
	Created     time.Time
	Platform    v1.Platform
	// From is taken instead of random content. What else is set here is set on
	// a copy of it; its own platform stays where Platform is the zero value.
	From v1.Image
}

const randomBytes = 64

func (i Image) build() (v1.Image, error) {
	image, platform := i.From, i.Platform
	if image == nil {
		made, err := random.Image(randomBytes, 1)
		if err != nil {
			return nil, err
		}
		image = made
		if platform.OS == "" {
			platform = v1.Platform{OS: "linux", Architecture: "amd64"}
		}
	}
	image, err := i.configure(image, platform)
	if err != nil {
		return nil, err
	}
	if len(i.Annotations) == 0 {
		return image, nil
	}
	if annotated, ok := mutate.Annotations(image, i.Annotations).(v1.Image); ok {
		image = annotated
	}
	return image, nil
}

// configure leaves the image as it is, with its digest, where nothing is set.
func (i Image) configure(image v1.Image, platform v1.Platform) (v1.Image, error) {
	if platform.OS == "" && i.Created.IsZero() && len(i.Labels) == 0 {
		return image, nil
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	if platform.OS != "" {
		config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	}
	if !i.Created.IsZero() {
		config.Created = v1.Time{Time: i.Created.UTC()}
	}
	for key, value := range i.Labels {
		if config.Config.Labels == nil {
			config.Config.Labels = map[string]string{}
		}
		config.Config.Labels[key] = value
	}
	return mutate.ConfigFile(image, config)
}
