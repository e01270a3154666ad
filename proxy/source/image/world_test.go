package image_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

func serve(t testing.TB, c registry.Config, tags ...string) (*registry.Server, map[string]string) {
	t.Helper()
	server := registry.New(c)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	digests := map[string]string{}
	for _, tag := range tags {
		digests[tag] = push(t, server, tag, registry.Image{})
	}
	return server, digests
}

func push(t testing.TB, server *registry.Server, tag string, i registry.Image) string {
	t.Helper()
	digest, err := server.PushImage(t.Context(), "shop", tag, i)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// newSource makes a Source that knows nothing yet.
func newSource(t testing.TB, o image.Options) *image.Source {
	t.Helper()
	return restarted(t, t.TempDir(), o)
}

// restarted makes a Source that knows what the folder holds.
func restarted(t testing.TB, dir string, o image.Options) *image.Source {
	t.Helper()
	known := openCache(t, dir)
	t.Cleanup(func() { _ = known.Close() })
	return sourceOver(known, o)
}

func subscription(server *registry.Server) pipeline.ImageSubscription {
	return pipeline.ImageSubscription{RepoURL: server.Repository("shop"), ImageSelectionStrategy: pipeline.StrategySemVer}
}

// look returns what the subscription selects first.
func look(ctx context.Context, source *image.Source, sub pipeline.ImageSubscription) (freight.Image, error) {
	found, err := source.Discover(ctx, "waybill", pipeline.Subscription{Image: &sub})
	if err != nil {
		return freight.Image{}, err
	}
	return *found.Offers[0].Image, nil
}

func discover(t testing.TB, source *image.Source, sub pipeline.ImageSubscription) freight.Image {
	t.Helper()
	found, err := look(t.Context(), source, sub)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// offered returns the tags that a subscription offers, and what is skipped.
func offered(t testing.TB, source *image.Source, sub pipeline.ImageSubscription) (tags, skipped []string) {
	t.Helper()
	found, err := source.Discover(t.Context(), "waybill", pipeline.Subscription{Image: &sub})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range found.Offers {
		tags = append(tags, o.Image.Tag)
	}
	return tags, found.Skipped
}

// requests lists what a server got, "GET /v2/", and forgets it. Digests are
// written by what they are of.
func requests(traffic *fault.Traffic, names map[string]string) []string {
	lines := []string{}
	for _, r := range traffic.Requests() {
		line := r.Method + " " + strings.TrimPrefix(r.Path, "/v2/shop/")
		if r.Query != "" {
			line += "?" + r.Query
		}
		for tag, digest := range names {
			line = strings.ReplaceAll(line, digest, "digest-of-"+tag)
		}
		if strings.Contains(line, "blobs/sha256:") {
			line = "GET config"
		}
		lines = append(lines, line)
	}
	traffic.Reset()
	return lines
}

// unordered sorts what is asked at a time.
func unordered(lines []string) []string {
	slices.Sort(lines)
	return lines
}

const (
	ping = "GET /v2/"
	list = "GET tags/list?n=1000"
)

// tiny is an image that the scripted registries serve for each tag.
var tiny = func() (i struct{ config, manifest, digest string }) {
	i.config = `{"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z","config":{}}`
	i.manifest = fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":%q},"layers":[]}`,
		ociManifest, len(i.config), sum(i.config))
	i.digest = sum(i.manifest)
	return i
}()

const ociManifest = "application/vnd.oci.image.manifest.v1+json"

func sum(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// script is a registry whose list of tags does what those of real ones do when
// they are not well. Whatever the tag, it is the tiny image.
func script(tags http.HandlerFunc) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v2/shop/tags/list", tags)
	mux.HandleFunc("GET /v2/shop/manifests/{reference}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ociManifest)
		w.Header().Set("Docker-Content-Digest", tiny.digest)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(tiny.manifest)) // HEAD, too
	})
	mux.HandleFunc("GET /v2/shop/blobs/{digest}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(tiny.config))
	})
	return mux
}

func openCache(t testing.TB, dir string) *cache.Cache {
	t.Helper()
	known, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func sourceOver(known *cache.Cache, o image.Options) *image.Source {
	o.Cache = known
	if o.Registries == nil {
		o.Registries = registries.New(registries.Options{})
	}
	return image.New(o)
}

// built makes an image without pushing it.
func built(t testing.TB, i registry.Image) v1.Image {
	t.Helper()
	made, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	if i.Platform.OS == "" {
		i.Platform = v1.Platform{OS: "linux", Architecture: "amd64"}
	}
	config := v1.ConfigFile{OS: i.Platform.OS, Architecture: i.Platform.Architecture, Variant: i.Platform.Variant, Created: v1.Time{Time: i.Created}}
	config.Config.Labels = i.Labels
	if made, err = mutate.ConfigFile(made, &config); err != nil {
		t.Fatal(err)
	}
	if len(i.Annotations) > 0 {
		made = mutate.Annotations(made, i.Annotations).(v1.Image)
	}
	return made
}

// child is an image of an index.
type child struct {
	platform    string // as the index tells it; empty for not
	image       registry.Image
	attestation bool
}

// pushIndex pushes an index of images, and returns its digest and that of the
// first.
func pushIndex(t testing.TB, server *registry.Server, tag string, children ...child) (digest, first string) {
	t.Helper()
	return pushAnnotated(t, server, tag, nil, children...)
}

func pushAnnotated(t testing.TB, server *registry.Server, tag string, annotations map[string]string, children ...child) (digest, first string) {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, c := range children {
		add := mutate.IndexAddendum{Add: built(t, c.image)}
		if c.platform != "" {
			p, err := v1.ParsePlatform(c.platform)
			if err != nil {
				t.Fatal(err)
			}
			add.Platform = p
		}
		if c.attestation {
			add.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
		}
		index = mutate.AppendManifests(index, add)
	}
	if annotations != nil {
		index = mutate.Annotations(index, annotations).(v1.ImageIndex)
	}
	ref, err := name.NewTag(server.Repository("shop") + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	hash, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) > 0 {
		first = manifest.Manifests[0].Digest.String()
	}
	return hash.String(), first
}

// remove deletes a tag.
func remove(t testing.TB, server *registry.Server, tag string) {
	t.Helper()
	ref, err := name.NewTag(server.Repository("shop") + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(ref, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}
