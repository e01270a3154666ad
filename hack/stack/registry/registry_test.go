package registry_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
)

func start(t *testing.T, c registry.Config) *registry.Server {
	t.Helper()
	server := registry.New(c)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

func tag(t *testing.T, server *registry.Server, repository, tag string) name.Tag {
	t.Helper()
	parsed, err := name.NewTag(server.Repository(repository) + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestPushedImageIsReadOverHTTPWithItsMetadata(t *testing.T) {
	server := start(t, registry.Config{})
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	digest, err := server.PushImage(t.Context(), "shop", "v1.0.0", registry.Image{
		Labels:      map[string]string{"org.opencontainers.image.revision": "4b1c27c"},
		Annotations: map[string]string{"team": "shop"},
		Created:     created,
	})
	if err != nil {
		t.Fatal(err)
	}

	image, err := remote.Image(tag(t, server, "shop", "v1.0.0"), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	got, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	type metadata struct {
		Digest, OS, Architecture string
		Created                  time.Time
		Labels, Annotations      map[string]string
	}
	want := metadata{
		digest, "linux", "amd64", created,
		map[string]string{"org.opencontainers.image.revision": "4b1c27c"}, map[string]string{"team": "shop"},
	}
	have := metadata{
		got.String(), config.OS, config.Architecture, config.Created.Time, config.Config.Labels, manifest.Annotations,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
}

func TestImagesWithoutContentOfTheirOwnDiffer(t *testing.T) {
	server := registry.New(registry.Config{})
	first, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := server.PushImage(t.Context(), "shop", "v2", registry.Image{})
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("both have the digest %s", first)
	}
}

func TestGivenImageKeepsItsDigest(t *testing.T) {
	server := registry.New(registry.Config{})
	given, err := random.Image(16, 1)
	if err != nil {
		t.Fatal(err)
	}
	want, err := given.Digest()
	if err != nil {
		t.Fatal(err)
	}
	got, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{From: given})
	if err != nil {
		t.Fatal(err)
	}
	if got != want.String() {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestPlatformIsSetOnTheImage(t *testing.T) {
	server := start(t, registry.Config{})
	if _, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"},
	}); err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(tag(t, server, "shop", "v1"), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Architecture != "arm64" {
		t.Errorf("architecture %s, want arm64", config.Architecture)
	}
}

func TestClientsPassTheTrafficAndPushImageDoesNot(t *testing.T) {
	server := start(t, registry.Config{})
	server.Traffic.SetFault(func(*http.Request) *fault.Fault {
		return &fault.Fault{Status: http.StatusForbidden}
	})
	digest, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{})
	if err != nil {
		t.Fatal(err)
	}
	if got := server.Traffic.Count(nil); got != 0 {
		t.Errorf("%d requests were counted, want none", got)
	}
	if _, err := remote.Head(tag(t, server, "shop", "v1"), remote.WithContext(t.Context())); err == nil {
		t.Error("a client got past the fault")
	}
	server.Traffic.SetFault(nil)
	server.Traffic.Reset()
	got, err := remote.Head(tag(t, server, "shop", "v1"), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest.String() != digest {
		t.Errorf("digest %s, want %s", got.Digest, digest)
	}
	heads := server.Traffic.Count(func(r fault.Request) bool { return r.Method == http.MethodHead })
	if heads != 1 {
		t.Errorf("%d HEAD requests were counted, want 1", heads)
	}
}

func TestCredentialsAreRequiredWhereTheyAreSet(t *testing.T) {
	server := start(t, registry.Config{User: "ci", Password: "secret"})
	digest, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{})
	if err != nil {
		t.Fatal(err)
	}
	reference := tag(t, server, "shop", "v1")
	if _, err := remote.Head(reference, remote.WithContext(t.Context())); err == nil {
		t.Error("a client without credentials was let in")
	}
	got, err := remote.Head(reference, remote.WithContext(t.Context()),
		remote.WithAuth(&authn.Basic{Username: "ci", Password: "secret"}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest.String() != digest {
		t.Errorf("digest %s, want %s", got.Digest, digest)
	}
}

func TestPushGoesOverHTTPAsCIDoes(t *testing.T) {
	server := start(t, registry.Config{})
	pushed, err := registry.Push(t.Context(), server.Repository("shop")+":v1", registry.Image{})
	if err != nil {
		t.Fatal(err)
	}
	if server.Traffic.Count(nil) == 0 {
		t.Error("the push was not seen by the server")
	}
	digest, err := server.Digest(t.Context(), "shop", "v1")
	if err != nil {
		t.Fatal(err)
	}
	if pushed != digest {
		t.Errorf("digest %s, want %s", digest, pushed)
	}
}

func TestImagesOutliveARestart(t *testing.T) {
	server := start(t, registry.Config{})
	if _, err := server.PushImage(t.Context(), "shop", "v1", registry.Image{}); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	tags, err := remote.List(tag(t, server, "shop", "v1").Context(), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"v1"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}
