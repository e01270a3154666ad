package image

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// pushed is a repository with one manifest, which is also what every index there
// lists, and one config.
type pushed struct {
	repository
	manifest registry.Manifest
	config   []byte
}

func (p pushed) Manifest(context.Context, string) (registry.Manifest, error) { return p.manifest, nil }

func (p pushed) Blob(_ context.Context, _ string, maxBytes int64) ([]byte, error) {
	if int64(len(p.config)) > maxBytes {
		return nil, sentence.Fail(registry.ErrTooLarge, nil, "too large")
	}
	return p.config, nil
}

// Manifest and config are what anybody may push.
func FuzzContent(f *testing.F) {
	const (
		oci      = "application/vnd.oci.image.manifest.v1+json"
		index    = "application/vnd.oci.image.index.v1+json"
		manifest = `{"schemaVersion":2,"mediaType":"` + oci + `","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:abababababababababababababababababababababababababababababababab"},"layers":[]}`
		config   = `{"os":"linux","architecture":"amd64","created":"2026-01-02T03:04:05Z","config":{"Labels":{"org.opencontainers.image.revision":"4b1c27c"}}}`
	)
	f.Add(oci, manifest, config, "linux/amd64")
	f.Add(index, `{"schemaVersion":2,"manifests":[{"mediaType":"`+oci+`","size":2,"digest":"sha256:`+strings.Repeat("ab", 32)+`","platform":{"os":"linux","architecture":"amd64"}}]}`, config, "linux/amd64")
	f.Add("text/html", "<html>", "", "")
	f.Add(oci, `{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:../x"}}`, "{}", "")
	f.Add("", strings.Replace(manifest, `"layers":[]`, `"layers":[],"annotations":{"org.opencontainers.image.source":"a\nb\u0000","org.opencontainers.image.created":"9999-12-31T23:59:59Z"}`, 1), config, "linux/arm/v7")
	f.Fuzz(func(t *testing.T, mediaType, body, configuration, written string) {
		platform, err := parsePlatform(written)
		if err != nil {
			return
		}
		top := registry.Manifest{MediaType: types.MediaType(mediaType), Raw: []byte(body)}
		child := registry.Manifest{MediaType: oci, Raw: []byte(manifest)}
		found, err := (&look{repo: pushed{manifest: child, config: []byte(configuration)}, platform: platform}).read(t.Context(), top)
		if err != nil {
			t.Fatalf("what was pushed is told as an error of the registry: %v", err)
		}
		for _, told := range []string{found.Broken, found.Source, found.Revision} {
			if len(told) > 450 || strings.ContainsFunc(told, unicode.IsControl) {
				t.Errorf("people are told %q, of %d bytes", told, len(told))
			}
		}
		kept, err := json.Marshal(found)
		if err != nil {
			t.Fatalf("%+v cannot be kept: %v", found, err)
		}
		if read, ok := decode(kept); !ok || !reflect.DeepEqual(read, found) {
			t.Errorf("%+v is kept as %s and read as %+v", found, kept, read)
		}
	})
}
