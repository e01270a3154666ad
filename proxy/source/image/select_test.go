package image_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

func TestEachStrategyOffersInItsOrder(t *testing.T) {
	server, _ := serve(t, registry.Config{})
	for tag, built := range map[string]int{"v1.0.0": 3, "v1.1.0": 2, "v2.0.0": 1, "main": 4, "nightly": 4} {
		push(t, server, tag, registry.Image{Created: day(built)})
	}
	// What signs an image is none.
	push(t, server, "sha256-"+strings.Repeat("ab", 32)+".sig", registry.Image{Created: day(9)})
	for strategy, test := range map[string]struct {
		constraint string
		limit      int
		want       []string
	}{
		pipeline.StrategySemVer:      {"^1.0.0", 0, []string{"v1.1.0", "v1.0.0"}},
		pipeline.StrategyLexical:     {"", 3, []string{"v2.0.0", "v1.1.0", "v1.0.0"}},
		pipeline.StrategyNewestBuild: {"", 4, []string{"nightly", "main", "v1.0.0", "v1.1.0"}},
		pipeline.StrategyDigest:      {"main", 0, []string{"main"}},
	} {
		sub := subscription(server)
		sub.ImageSelectionStrategy, sub.Constraint, sub.DiscoveryLimit = strategy, test.constraint, test.limit
		if got, _ := offered(t, newSource(t, image.Options{}), sub); !cmp.Equal(test.want, got) {
			t.Errorf("%s offers %v, want %v", strategy, got, test.want)
		}
	}
}

func TestAnOfferTellsWhatItsImageTells(t *testing.T) {
	const created, source, revision = "org.opencontainers.image.created", "org.opencontainers.image.source", "org.opencontainers.image.revision"
	one := func(n int) string { return day(n).Format(time.RFC3339) }
	server, _ := serve(t, registry.Config{})
	labels := map[string]string{created: one(3), source: "label", revision: "label"}
	push(t, server, "config", registry.Image{Created: day(4)})
	push(t, server, "label", registry.Image{Created: day(4), Labels: labels})
	annotated := registry.Image{Created: day(4), Labels: labels, Annotations: map[string]string{created: one(2), source: "manifest"}}
	push(t, server, "manifest", annotated)
	pushAnnotated(t, server, "index", map[string]string{created: one(1)}, child{platform: "linux/amd64", image: annotated})
	push(t, server, "nonsense", registry.Image{Created: day(4), Labels: map[string]string{created: "yesterday"}})
	push(t, server, "undated", registry.Image{})
	for tag, want := range map[string]struct {
		created          int
		source, revision string
	}{
		"config": {4, "", ""}, "label": {3, "label", "label"}, "manifest": {2, "manifest", "label"}, "index": {1, "manifest", "label"},
		"nonsense": {4, "", ""}, "undated": {0, "", ""},
	} {
		sub := subscription(server)
		sub.ImageSelectionStrategy, sub.Constraint = pipeline.StrategyDigest, tag
		found, err := newSource(t, image.Options{}).Discover(t.Context(), "waybill", pipeline.Subscription{Name: "app", Image: &sub})
		if err != nil {
			t.Fatal(err)
		}
		detail := freight.Detail{Kind: freight.KindImage, RepoURL: sub.RepoURL, Subscription: "app", Source: want.source, Revision: want.revision}
		if want.created > 0 {
			at := day(want.created)
			detail.CreatedAt = &at
		}
		if diff := cmp.Diff(detail, found.Offers[0].Detail); diff != "" {
			t.Errorf("detail of %s (-want +got):\n%s", tag, diff)
		}
		if found.Offers[0].Image.Subscription != "app" {
			t.Errorf("the offer of %s is for the subscription %q", tag, found.Offers[0].Image.Subscription)
		}
	}
}

func TestAPlatformPassesOverWhatDoesNotRunThere(t *testing.T) {
	server, _ := serve(t, registry.Config{})
	on := func(arch, variant string) registry.Image {
		return registry.Image{Platform: v1.Platform{OS: "linux", Architecture: arch, Variant: variant}}
	}
	push(t, server, "amd64", on("amd64", ""))
	push(t, server, "arm64", on("arm64", ""))
	push(t, server, "armv6", on("arm", "v6"))
	pushIndex(t, server, "both", child{platform: "linux/amd64", image: on("amd64", "")}, child{platform: "linux/arm64/v8", image: on("arm64", "v8")})
	pushIndex(t, server, "attested", child{platform: "linux/amd64", image: on("amd64", "")}, child{platform: "unknown/unknown", attestation: true, image: on("arm64", "")})
	pushIndex(t, server, "untold", child{image: on("arm64", "")})
	for platform, want := range map[string][]string{
		"":                {"untold", "both", "attested", "armv6", "arm64", "amd64"},
		"linux/amd64":     {"both", "attested", "amd64"},
		"linux/arm64":     {"both", "arm64"},
		"linux/arm64/v8":  {"both", "arm64"},
		"linux/arm/v6":    {"armv6"},
		"linux/arm":       {"armv6"},
		"linux/arm/v7":    nil,
		"windows/amd64":   nil,
		"unknown/unknown": nil,
	} {
		for _, strategy := range []string{pipeline.StrategyLexical, pipeline.StrategyNewestBuild} {
			sub := subscription(server)
			sub.ImageSelectionStrategy, sub.Platform = strategy, platform
			source := newSource(t, image.Options{})
			if want == nil {
				if got, err := look(t.Context(), source, sub); !errors.Is(err, image.ErrNothing) || !strings.Contains(err.Error(), "runs on "+platform) {
					t.Errorf("%s on %q: %v, error %v, want %v", strategy, platform, got, err, image.ErrNothing)
				}
				continue
			}
			if got, _ := offered(t, source, sub); !cmp.Equal(want, got) {
				t.Errorf("%s on %q offers %v, want %v", strategy, platform, got, want)
			}
		}
	}
}

func TestTheDigestOfAnIndexIsRecordedWhateverThePlatform(t *testing.T) {
	server, _ := serve(t, registry.Config{})
	digest, _ := pushIndex(t, server, "v1.0.0", child{platform: "linux/amd64"}, child{platform: "linux/arm64"})
	sub := subscription(server)
	for _, sub.Platform = range []string{"", "linux/arm64"} {
		sub.ImageSelectionStrategy = pipeline.StrategyLexical
		if got := discover(t, newSource(t, image.Options{}), sub); got.Digest != digest {
			t.Errorf("digest %s for the platform %q, want %s", got.Digest, sub.Platform, digest)
		}
	}
}

func TestOneBadTagDoesNotBlockTheRest(t *testing.T) {
	const tag = "v1.2.0"
	type answer = func(r *http.Request) *fault.Fault
	manifest := func(f fault.Fault) answer {
		return func(r *http.Request) *fault.Fault {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
				return &f
			}
			return nil
		}
	}
	typed := func(mediaType, body string) fault.Fault {
		return fault.Fault{Status: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {mediaType}}}
	}
	for what, test := range map[string]struct {
		body string // of the manifest that the tag stands for
		kind string // its media type
		gone func(r *http.Request) bool
		told string
	}{
		"gone":               {gone: func(*http.Request) bool { return true }, told: "it went away while it was looked at"},
		"gone after HEAD":    {gone: func(r *http.Request) bool { return r.Method == http.MethodGet }, told: "it went away while it was looked at"},
		"of no image":        {`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"},"layers":[]}`, ociManifest, nil, `it is no image, but "application/vnd.cncf.helm.config.v1+json"`},
		"of an unknown kind": {`{"mediaType":"application/vnd.example.thing"}`, "application/vnd.example.thing", nil, `its media type "application/vnd.example.thing" is not that of an image`},
		"of a broken kind":   {`{"schemaVersion":2,"config":[]}`, ociManifest, nil, "its manifest cannot be read"},
		"of an empty index":  {`{"schemaVersion":2,"manifests":[]}`, "application/vnd.oci.image.index.v1+json", nil, "its index lists no image"},
		"of a broken index":  {`{"schemaVersion":2,"manifests":7}`, "application/vnd.oci.image.index.v1+json", nil, "its index cannot be read"},
	} {
		for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
			t.Run(what+" by "+strategy, func(t *testing.T) {
				server, _ := serve(t, registry.Config{})
				push(t, server, "v1.0.0", registry.Image{Created: day(1)})
				push(t, server, "v1.1.0", registry.Image{Created: day(2)})
				digest := push(t, server, tag, registry.Image{Created: day(3)})
				server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
					ours := strings.HasSuffix(r.URL.Path, "/manifests/"+tag) || strings.HasSuffix(r.URL.Path, "/manifests/"+digest) ||
						strings.HasSuffix(r.URL.Path, "/manifests/"+sum(test.body))
					switch {
					case !ours:
						return nil
					case test.gone != nil && test.gone(r):
						return &fault.Fault{Status: http.StatusNotFound}
					case test.gone != nil:
						return nil
					case r.Method == http.MethodHead:
						return &fault.Fault{Status: http.StatusOK, Header: http.Header{
							"Content-Type": {test.kind}, "Content-Length": {"10"}, "Docker-Content-Digest": {sum(test.body)},
						}}
					}
					return manifest(typed(test.kind, test.body))(r)
				})
				source, sub := newSource(t, image.Options{}), subscription(server)
				sub.ImageSelectionStrategy, sub.DiscoveryLimit = strategy, 2
				for range 2 {
					tags, skipped := offered(t, source, sub)
					if diff := cmp.Diff([]string{"v1.1.0", "v1.0.0"}, tags); diff != "" {
						t.Errorf("tags (-want +got):\n%s", diff)
					}
					want := []string{"the tag " + tag + " of " + sub.RepoURL + " is passed over: " + test.told}
					if diff := cmp.Diff(want, skipped); diff != "" {
						t.Errorf("skipped (-want +got):\n%s", diff)
					}
				}
				if test.gone != nil {
					return
				}
				server.Traffic.Reset()
				offered(t, source, sub)
				if diff := cmp.Diff([]string{list}, requests(&server.Traffic, nil)); diff != "" {
					t.Errorf("requests once it is known (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestWhatIsSkippedIsBounded(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v0.1.0")
	for n := range 30 {
		push(t, server, "v1."+string(rune('a'+n%26))+strings.Repeat("x", n/26), registry.Image{})
	}
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		if strings.Contains(r.URL.Path, "/manifests/v1.") {
			return &fault.Fault{Status: http.StatusNotFound}
		}
		return nil
	})
	sub := subscription(server)
	sub.ImageSelectionStrategy = pipeline.StrategyLexical
	tags, skipped := offered(t, newSource(t, image.Options{}), sub)
	if len(tags) != 1 || len(skipped) != 10 {
		t.Errorf("%v offered and %d skipped, want one and 10", tags, len(skipped))
	}
}

func TestAListThatLacksWhatIsThereOffersNothing(t *testing.T) {
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
		for what, body := range map[string]string{"shorter": `{"tags":["v1.0.0"]}`, "empty": `{"tags":null}`} {
			server, digests := serve(t, registry.Config{}, "v1.0.0")
			digests["v1.1.0"] = push(t, server, "v1.1.0", registry.Image{Created: day(9)})
			source, sub := newSource(t, image.Options{}), subscription(server)
			sub.ImageSelectionStrategy = strategy
			discover(t, source, sub)
			server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
				if strings.HasSuffix(r.URL.Path, "/tags/list") {
					return &fault.Fault{Status: http.StatusOK, Body: body}
				}
				return nil
			})
			for range 2 { // it is not believed because it says so twice
				got, err := look(t.Context(), source, sub)
				if !errors.Is(err, registries.ErrPartial) || !strings.Contains(err.Error(), "is not whole: the tag v1.") {
					t.Errorf("%s list by %s: %v, error %v, want %v", what, strategy, got, err, registries.ErrPartial)
				}
			}
			server.Traffic.SetFault(nil)
			if got := discover(t, source, sub); got.Digest != digests["v1.1.0"] {
				t.Errorf("%s list by %s: the next look finds %v", what, strategy, got)
			}
		}
	}
}

func TestARepositoryThatWasEmptiedHasNothing(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0", "keep")
	source, sub := newSource(t, image.Options{}), subscription(server)
	discover(t, source, sub)
	remove(t, server, "v1.0.0")
	if got, err := look(t.Context(), source, sub); !errors.Is(err, image.ErrNothing) {
		t.Errorf("%v, error %v, want %v", got, err, image.ErrNothing)
	}
}
