package image_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	sources "github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/image"
)

// asks looks and checks what that asked, the list of tags first, what is asked at
// a time in order.
func asks(t *testing.T, what string, server *registry.Server, names map[string]string, source *image.Source, sub pipeline.ImageSubscription, want ...string) {
	t.Helper()
	server.Traffic.Reset()
	ctx, counted := sources.Counted(t.Context())
	if _, err := source.Discover(ctx, "waybill", pipeline.Subscription{Image: &sub}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got := server.Traffic.Count(nil); int(counted()) != got {
		t.Errorf("%s: %d requests are told, the registry got %d", what, counted(), got)
	}
	if diff := cmp.Diff(unordered(want), unordered(requests(&server.Traffic, names))); diff != "" {
		t.Errorf("requests of %s (-want +got):\n%s", what, diff)
	}
}

func TestSemVerAndLexicalAskForWhatTheyOfferAlone(t *testing.T) {
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyLexical} {
		t.Run(strategy, func(t *testing.T) {
			server, digests := serve(t, registry.Config{}, "v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0")
			dir := t.TempDir()
			source, sub := restarted(t, dir, image.Options{}), subscription(server)
			sub.ImageSelectionStrategy, sub.DiscoveryLimit = strategy, 2
			asks(t, "the first look", server, digests, source, sub, ping, list,
				"HEAD manifests/v1.3.0", "GET manifests/digest-of-v1.3.0", "GET config",
				"HEAD manifests/v1.2.0", "GET manifests/digest-of-v1.2.0", "GET config")
			asks(t, "an unchanged look", server, digests, source, sub, list)

			digests["v1.4.0"] = push(t, server, "v1.4.0", registry.Image{})
			asks(t, "a look at a new tag", server, digests, source, sub, list,
				"HEAD manifests/v1.4.0", "GET manifests/digest-of-v1.4.0", "GET config")
			sub.DiscoveryLimit = 4
			asks(t, "a look that offers more", server, digests, source, sub, list,
				"HEAD manifests/v1.1.0", "GET manifests/digest-of-v1.1.0", "GET config")
		})
	}
}

func TestADigestThatIsKnownIsNotReadForAnotherTag(t *testing.T) {
	server, digests := serve(t, registry.Config{})
	sub := subscription(server)
	image1 := built(t, registry.Image{})
	digests["v1.0.0"] = push(t, server, "v1.0.0", registry.Image{From: image1})
	source := newSource(t, image.Options{})
	discover(t, source, sub)
	push(t, server, "v1.1.0", registry.Image{From: image1})
	asks(t, "a look at a known digest", server, digests, source, sub, list, "HEAD manifests/v1.1.0")
}

func TestADigestOfSeveralNewTagsIsReadOnce(t *testing.T) {
	server, digests := serve(t, registry.Config{})
	same := registry.Image{From: built(t, registry.Image{})}
	for _, tag := range []string{"v1", "v1.0", "v1.0.0"} {
		digests["it"] = push(t, server, tag, same)
	}
	sub, no := subscription(server), false
	sub.StrictSemvers = &no
	asks(t, "the first look", server, digests, newSource(t, image.Options{}), sub, ping, list,
		"HEAD manifests/v1", "HEAD manifests/v1.0", "HEAD manifests/v1.0.0", "GET manifests/digest-of-it", "GET config")
}

func TestARepositoryWithoutWhatIsWantedIsTheListAlone(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "latest")
	source, sub := newSource(t, image.Options{}), subscription(server)
	for _, want := range [][]string{{ping, list}, {list}} {
		if got, err := look(t.Context(), source, sub); !errors.Is(err, image.ErrNothing) {
			t.Errorf("%v, error %v, want %v", got, err, image.ErrNothing)
		}
		if diff := cmp.Diff(want, requests(&server.Traffic, nil)); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

func TestNewestBuildReadsEachTagOnce(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "a", "b", "c")
	dir := t.TempDir()
	source, sub := restarted(t, dir, image.Options{}), subscription(server)
	sub.ImageSelectionStrategy, sub.DiscoveryLimit = pipeline.StrategyNewestBuild, 1
	asks(t, "the first look", server, digests, source, sub, ping, list,
		"GET manifests/a", "GET config", "GET manifests/b", "GET config", "GET manifests/c", "GET config")
	asks(t, "an unchanged look", server, digests, source, sub, list)

	digests["d"] = push(t, server, "d", registry.Image{})
	asks(t, "a look at a new tag", server, digests, source, sub, list, "GET manifests/d", "GET config")

	digests["e"], digests["child"] = pushIndex(t, server, "e", child{platform: "linux/amd64"}, child{platform: "linux/arm64"})
	asks(t, "a look at an index", server, digests, source, sub, list, "GET manifests/e", "GET manifests/digest-of-child", "GET config")
	asks(t, "an unchanged look at an index", server, digests, source, sub, list)
}

func TestAnUnchangedLookAfterARestartIsTheListAlone(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0", "v1.1.0")
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
		dir, sub := t.TempDir(), subscription(server)
		sub.ImageSelectionStrategy = strategy
		known := openCache(t, dir)
		want := discover(t, sourceOver(known, image.Options{}), sub)
		if err := known.Close(); err != nil {
			t.Fatal(err)
		}
		source := restarted(t, dir, image.Options{})
		asks(t, strategy+" after a restart", server, digests, source, sub, ping, list)
		if got := discover(t, source, sub); got != want {
			t.Errorf("%s: %v after a restart, want %v", strategy, got, want)
		}
	}
}

func TestMutableTagsGetAHeadAtEachLook(t *testing.T) {
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
		t.Run(strategy, func(t *testing.T) {
			old := registry.Image{Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			server, digests := serve(t, registry.Config{})
			for _, tag := range []string{"v1.0.0", "v1.1.0"} {
				digests[tag] = push(t, server, tag, old)
			}
			source, sub := newSource(t, image.Options{}), subscription(server)
			sub.ImageSelectionStrategy, sub.MutableTags = strategy, true
			discover(t, source, sub)
			asks(t, "an unchanged look", server, digests, source, sub, list, "HEAD manifests/v1.0.0", "HEAD manifests/v1.1.0")

			digests["v1.1.0"] = push(t, server, "v1.1.0", registry.Image{Created: old.Created.Add(time.Hour)})
			asks(t, "a look at a tag that was pushed again", server, digests, source, sub, list,
				"HEAD manifests/v1.0.0", "HEAD manifests/v1.1.0", "GET manifests/digest-of-v1.1.0", "GET config")
			if got := discover(t, source, sub); got.Digest != digests["v1.1.0"] {
				t.Errorf("digest %s, want %s as it was pushed again", got.Digest, digests["v1.1.0"])
			}
		})
	}
}

func TestATagIsTakenAsFixedUnlessItIsSaidToMove(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0")
	source, sub := newSource(t, image.Options{}), subscription(server)
	discover(t, source, sub)
	push(t, server, "v1.0.0", registry.Image{})
	if got := discover(t, source, sub); got.Digest != digests["v1.0.0"] {
		t.Errorf("digest %s, want %s as it was first read", got.Digest, digests["v1.0.0"])
	}
}

func TestDigestFollowsOneTagAtOneRequest(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "latest", "v1.0.0")
	source, sub := newSource(t, image.Options{}), subscription(server)
	sub.ImageSelectionStrategy, sub.Constraint = pipeline.StrategyDigest, "latest"
	asks(t, "the first look", server, digests, source, sub, ping, "HEAD manifests/latest", "GET manifests/digest-of-latest", "GET config")
	asks(t, "an unchanged look", server, digests, source, sub, "HEAD manifests/latest")
	digests["latest"] = push(t, server, "latest", registry.Image{})
	asks(t, "a look at another digest", server, digests, source, sub, "HEAD manifests/latest", "GET manifests/digest-of-latest", "GET config")
	if got := discover(t, source, sub); got.Digest != digests["latest"] || got.Tag != "latest" {
		t.Errorf("image %v, want digest %s", got, digests["latest"])
	}
}

func TestATagThatWasRemovedCostsOneRequest(t *testing.T) {
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
		t.Run(strategy, func(t *testing.T) {
			server, digests := serve(t, registry.Config{}, "v1.0.0", "v1.1.0")
			source, sub := newSource(t, image.Options{}), subscription(server)
			sub.ImageSelectionStrategy = strategy
			discover(t, source, sub)
			remove(t, server, "v1.1.0")
			asks(t, "a look at what is left", server, digests, source, sub, list, "HEAD manifests/v1.1.0")
			asks(t, "an unchanged look then", server, digests, source, sub, list)
			if got := discover(t, source, sub); got.Tag != "v1.0.0" {
				t.Errorf("image %v, want v1.0.0", got)
			}
		})
	}
}

func TestWhatOneNamespaceKnowsIsAskedAnewForAnother(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0")
	source, sub := newSource(t, image.Options{}), subscription(server)
	discover(t, source, sub)
	server.Traffic.Reset()
	if _, err := source.Discover(t.Context(), "other", pipeline.Subscription{Image: &sub}); err != nil {
		t.Fatal(err)
	}
	want := []string{ping, list, "HEAD manifests/v1.0.0", "GET manifests/digest-of-v1.0.0", "GET config"}
	if diff := cmp.Diff(want, requests(&server.Traffic, digests)); diff != "" {
		t.Errorf("requests for another namespace (-want +got):\n%s", diff)
	}
}

func TestAPlatformThatNothingRunsOnIsFoundOutOnce(t *testing.T) {
	server, digests := serve(t, registry.Config{})
	for n := range 5 {
		tag := fmt.Sprintf("v1.%d.0", n)
		platform := v1.Platform{OS: "linux", Architecture: "arm64"}
		if n == 1 {
			platform.Architecture = "amd64"
		}
		digests[tag] = push(t, server, tag, registry.Image{Platform: platform})
	}
	source, sub := newSource(t, image.Options{}), subscription(server)
	sub.Platform, sub.DiscoveryLimit = "linux/amd64", 1
	if got := discover(t, source, sub); got.Tag != "v1.1.0" {
		t.Errorf("image %v, want v1.1.0, which alone runs on amd64", got)
	}
	asks(t, "an unchanged look", server, digests, source, sub, list)
}
