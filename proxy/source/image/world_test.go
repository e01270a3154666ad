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
	known, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = known.Close() })
	o.Cache = known
	if o.Registries == nil {
		o.Registries = registries.New(registries.Options{})
	}
	return image.New(o)
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
