package image_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// Manifest and config are what anybody may push.
func FuzzContent(f *testing.F) {
	f.Add(ociManifest, tiny.manifest, tiny.config, "linux/amd64")
	f.Add("application/vnd.oci.image.index.v1+json", `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"sha256:`+strings.Repeat("ab", 32)+`","platform":{"os":"linux","architecture":"amd64"}}]}`, "", "linux/amd64")
	f.Add("text/html", "<html>", "", "")
	f.Add(ociManifest, `{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:../x"}}`, "{}", "")
	f.Add(ociManifest, strings.Replace(tiny.manifest, `"layers":[]`, `"layers":[],"annotations":{"org.opencontainers.image.source":"a\nb\u0000","org.opencontainers.image.created":"9999-12-31T23:59:59Z"}`, 1), tiny.config, "linux/arm/v7")

	var mu sync.Mutex
	var mediaType, manifest, config string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v2/shop/tags/list", func(w http.ResponseWriter, _ *http.Request) { page(w, "", "v1.0.0") })
	mux.HandleFunc("GET /v2/shop/manifests/{reference}", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header()["Content-Type"] = []string{mediaType}
		w.Header().Set("Docker-Content-Digest", sum(manifest))
		_, _ = w.Write([]byte(manifest))
	})
	mux.HandleFunc("GET /v2/shop/blobs/{digest}", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = w.Write([]byte(config))
	})
	server := httptest.NewServer(mux)
	f.Cleanup(server.Close)
	known, err := cache.Open(f.TempDir(), cache.Options{MaxEntries: 100})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = known.Close() })
	source, n := image.New(image.Options{Registries: registries.New(registries.Options{}), Cache: known}), 0

	f.Fuzz(func(t *testing.T, kind, body, configuration, platform string) {
		mu.Lock()
		mediaType, manifest, config = kind, body, configuration
		mu.Unlock()
		n++
		for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
			sub := of(server)
			sub.Platform, sub.ImageSelectionStrategy = platform, strategy
			found, err := source.Discover(t.Context(), fmt.Sprint(strategy, n), pipeline.Subscription{Image: &sub})
			if (err == nil) != (len(found.Offers) == 1) {
				t.Fatalf("%d offers, error %v", len(found.Offers), err)
			}
			if err != nil {
				checkText(t, err.Error(), 2000)
				continue
			}
			o := found.Offers[0]
			if o.Image.Digest != sum(body) {
				t.Errorf("digest %s, want %s", o.Image.Digest, sum(body))
			}
			checkText(t, o.Detail.Source, 310)
			checkText(t, o.Detail.Revision, 310)
			if at := o.Detail.CreatedAt; at != nil && (at.Year() < 1 || at.Year() > 9999) {
				t.Errorf("it was made %s", at)
			}
		}
	})
}

func checkText(t *testing.T, text string, longest int) {
	t.Helper()
	if len(text) > longest || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("people are told %q, of %d bytes", text, len(text))
	}
}
