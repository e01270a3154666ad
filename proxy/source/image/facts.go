package image

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// facts is what matters of the content of a digest. Content never changes: what
// is known once is known for good.
type facts struct {
	// Created is when the image was built; zero where nothing tells.
	Created  time.Time `json:"c,omitzero"`
	Source   string    `json:"s,omitempty"`
	Revision string    `json:"r,omitempty"`
	// Elsewhere tells that it does not run on the subscription's platform.
	Elsewhere bool `json:"e,omitempty"`
	// Broken tells why it is no image that could be offered.
	Broken string `json:"b,omitempty"`
}

// The annotations, and labels, of the OCI image specification.
const (
	createdKey  = "org.opencontainers.image.created"
	sourceKey   = "org.opencontainers.image.source"
	revisionKey = "org.opencontainers.image.revision"
)

const maxConfig = 4 << 20 // bytes of an image's configuration

// read finds the facts of a manifest. What tells of a build is, in this order: the
// annotations of the index, those of the manifest, the labels of the config; and
// for the date in the end the config's own. Of an index, one image is read: the
// first that runs on the subscription's platform; without one, that for
// linux/amd64, or else the first.
func (l *look) read(ctx context.Context, m registry.Manifest) (facts, error) {
	switch kindOf(m) {
	case index:
		return l.readIndex(ctx, m)
	case single:
		return l.readImage(ctx, m, nil, l.platform)
	case neither:
	}
	return facts{Broken: fmt.Sprintf("its media type %q is not that of an image", sentence.OneLine(string(m.MediaType)))}, nil
}

type kind int

const (
	neither kind = iota
	index
	single
)

// kindOf tells what a manifest is: by what the registry says, or else by what it
// says itself, or else by its form.
func kindOf(m registry.Manifest) kind {
	var body struct {
		MediaType types.MediaType `json:"mediaType"`
		Manifests json.RawMessage `json:"manifests"`
		Layers    json.RawMessage `json:"layers"`
	}
	_ = json.Unmarshal(m.Raw, &body) // or it says nothing
	for _, said := range []types.MediaType{m.MediaType, body.MediaType} {
		switch {
		case said.IsIndex():
			return index
		case said.IsImage():
			return single
		}
	}
	switch {
	case body.MediaType != "":
		return neither
	case body.Manifests != nil:
		return index
	case body.Layers != nil:
		return single
	}
	return neither
}

func (l *look) readIndex(ctx context.Context, m registry.Manifest) (facts, error) {
	parsed, err := v1.ParseIndexManifest(bytes.NewReader(m.Raw))
	if err != nil {
		return facts{Broken: "its index cannot be read"}, nil //nolint:nilerr // it is what people are told
	}
	child, images := choose(parsed.Manifests, l.platform)
	switch {
	case images == 0:
		return facts{Broken: "its index lists no image"}, nil
	case child == nil:
		return facts{Elsewhere: true}, nil
	case child.Digest.Algorithm != "sha256":
		return facts{Broken: "its index names an image by a digest that is no SHA-256"}, nil
	}
	manifest, err := l.repo.Manifest(ctx, child.Digest.String())
	if errors.Is(err, registry.ErrGone) {
		return facts{}, fmt.Errorf("an image on its index: %w", err)
	}
	if err != nil {
		return facts{}, err
	}
	if kindOf(manifest) != single {
		return facts{Broken: "what its index lists is no image"}, nil
	}
	// Where it runs is what the index says, as it is for who pulls it.
	return l.readImage(ctx, manifest, parsed.Annotations, nil)
}

// choose picks the image of an index that is read, and counts the images there.
func choose(children []v1.Descriptor, want *v1.Platform) (chosen *v1.Descriptor, images int) {
	for i := range children {
		child := &children[i]
		if !child.MediaType.IsImage() || isAttestation(child) {
			continue
		}
		images++
		switch {
		case want != nil && (chosen != nil || child.Platform == nil || !runsOn(*child.Platform, *want)):
		case want == nil && chosen != nil && !isUsual(child.Platform):
		case want == nil && chosen != nil && isUsual(chosen.Platform):
		default:
			chosen = child
		}
	}
	return chosen, images
}

func isUsual(p *v1.Platform) bool { return p != nil && p.OS == "linux" && p.Architecture == "amd64" }

// isAttestation tells what BuildKit puts beside the images.
func isAttestation(child *v1.Descriptor) bool {
	return child.Annotations["vnd.docker.reference.type"] == "attestation-manifest" ||
		child.Platform != nil && child.Platform.OS == "unknown"
}

// config is what is read of an image's configuration.
type config struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
	Created      string `json:"created"`
	Config       struct {
		Labels map[string]string
	} `json:"config"`
}

func (l *look) readImage(ctx context.Context, m registry.Manifest, above map[string]string, on *v1.Platform) (facts, error) {
	parsed, err := v1.ParseManifest(bytes.NewReader(m.Raw))
	if err != nil {
		return facts{Broken: "its manifest cannot be read"}, nil //nolint:nilerr // it is what people are told
	}
	if t := parsed.Config.MediaType; t != types.OCIConfigJSON && t != types.DockerConfigJSON {
		return facts{Broken: fmt.Sprintf("it is no image, but %q", sentence.OneLine(string(t)))}, nil
	}
	raw, err := l.repo.Blob(ctx, parsed.Config.Digest.String(), maxConfig)
	switch {
	case errors.Is(err, registry.ErrInvalid):
		return facts{Broken: "its manifest names its config by what is no digest"}, nil
	case errors.Is(err, registry.ErrTooLarge):
		return facts{Broken: fmt.Sprintf("its config is larger than %d MiB", maxConfig>>20)}, nil
	case err != nil:
		return facts{}, err
	}
	var c config
	if err := json.Unmarshal(raw, &c); err != nil {
		return facts{Broken: "its config cannot be read"}, nil //nolint:nilerr // it is what people are told
	}
	if on != nil && !runsOn(v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}, *on) {
		return facts{Elsewhere: true}, nil
	}
	tell := func(key string) string {
		return sentence.OneLine(cmp.Or(above[key], parsed.Annotations[key], c.Config.Labels[key]))
	}
	return facts{
		Created: firstDate(above[createdKey], parsed.Annotations[createdKey], c.Config.Labels[createdKey], c.Created),
		Source:  tell(sourceKey), Revision: tell(revisionKey),
	}, nil
}

// firstDate is the first of them that is a date.
func firstDate(written ...string) time.Time {
	for _, w := range written {
		if at, err := time.Parse(time.RFC3339, w); err == nil && at.Year() > 0 && at.Year() < 10_000 {
			return at.UTC()
		}
	}
	return time.Time{}
}

func parsePlatform(written string) (*v1.Platform, error) {
	if written == "" {
		return nil, nil //nolint:nilnil // any platform
	}
	p, err := v1.ParsePlatform(written)
	if err == nil && (p.OS == "" || p.Architecture == "") {
		err = errors.New("incomplete")
	}
	return p, err
}

// runsOn tells whether an image of one platform is what a subscription wants. A
// variant counts where it wants one; arm without one is v7, and arm64 v8, as
// container runtimes read them.
func runsOn(p, want v1.Platform) bool {
	return p.OS == want.OS && p.Architecture == want.Architecture &&
		(want.Variant == "" || variant(p) == want.Variant)
}

func variant(p v1.Platform) string {
	usual := map[string]string{"arm": "v7", "arm64": "v8"}
	return cmp.Or(p.Variant, usual[p.Architecture])
}
