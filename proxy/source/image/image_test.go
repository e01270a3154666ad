package image_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

func TestTheGreatestVersionIsDiscoveredWithItsDigest(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.9.0", "v1.10.0", "v2.0.0", "latest")
	sub := subscription(server)
	sub.Constraint = "^1.0.0"
	got := discover(t, newSource(t, image.Options{}), sub)
	want := freight.Image{RepoURL: sub.RepoURL, Tag: "v1.10.0", Digest: digests["v1.10.0"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
}

func TestTheDigestOfAnImageOfSeveralPlatformsIsTheIndexs(t *testing.T) {
	server, _ := serve(t, registry.Config{})
	index, err := random.Index(64, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(server.Repository("shop") + ":v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(tag, index, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got := discover(t, newSource(t, image.Options{}), subscription(server)); got.Digest != want.String() {
		t.Errorf("digest %s, want %s", got.Digest, want)
	}
}

func TestLooksAtOnceAgree(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0")
	source, sub := newSource(t, image.Options{}), subscription(server)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			got, err := look(t.Context(), source, sub)
			if err != nil || got.Digest != digests["v1.0.0"] {
				t.Errorf("image %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if pings := server.Traffic.Count(func(r fault.Request) bool { return r.Path == "/v2/" }); pings != 1 {
		t.Errorf("%d pings, want 1", pings)
	}
}

func TestErrorsTellTheRepositoryTheCauseAndTheRemedy(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0", "latest", "2.0")
	private, _ := serve(t, registry.Config{User: "ci", Password: "secret"}, "v1.0.0")
	gone, _ := serve(t, registry.Config{})
	if err := gone.Kill(); err != nil {
		t.Fatal(err)
	}
	nowhere := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host == "registry.invalid" {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	with := func(f func(*pipeline.ImageSubscription)) pipeline.ImageSubscription {
		sub := subscription(server)
		f(&sub)
		return sub
	}
	for what, test := range map[string]struct {
		sub  pipeline.ImageSubscription
		want error
		told string
	}{
		"no tag qualifies": {
			with(func(s *pipeline.ImageSubscription) { s.Constraint = "^3.0.0"; s.IgnoreTagsRegexes = []string{"x"} }),
			image.ErrNothing,
			"none of the 3 tags of " + server.Repository("shop") + " qualifies, wanted is a full semantic version within ^3.0.0 " +
				"that allowTagsRegexes and ignoreTagsRegexes let through: push one, or change the subscription",
		},
		"no repository": {
			with(func(s *pipeline.ImageSubscription) { s.RepoURL = server.Repository("cart") }),
			registries.ErrNotFound, "there is no image repository " + server.Repository("cart") + ": check repoURL",
		},
		"a private repository": {
			subscription(private), registries.ErrUnauthorized,
			"the registry asks for credentials for " + private.Repository("shop"),
		},
		"no registry": {
			subscription(gone), registries.ErrUnreachable,
			"the registry of " + gone.Repository("shop") + " cannot be read (",
		},
		"an unknown host": {
			with(func(s *pipeline.ImageSubscription) { s.RepoURL = "registry.invalid/shop" }),
			registries.ErrUnreachable, "the host registry.invalid of registry.invalid/shop is unknown: check repoURL",
		},
		"no name": {
			with(func(s *pipeline.ImageSubscription) { s.RepoURL = "https://registry.example.com/shop:v1" }),
			registries.ErrInvalid, `"https://registry.example.com/shop:v1" is not a repository of images: write host/path`,
		},
		"a constraint that is none": {
			with(func(s *pipeline.ImageSubscription) { s.Constraint = "about 1" }),
			registries.ErrInvalid, `"about 1" is not a version range`,
		},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := look(t.Context(), newSource(t, image.Options{Registries: registries.New(registries.Options{Transport: nowhere})}), test.sub)
			if !errors.Is(err, test.want) || got != (freight.Image{}) {
				t.Fatalf("%v, error %v, want %v", got, err, test.want)
			}
			if !strings.Contains(err.Error(), test.told) || strings.Contains(err.Error(), "\n") {
				t.Errorf("it tells %q, want %q in it", err, test.told)
			}
		})
	}
}

func TestARegistryWithoutHEADIsReadByGET(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0")
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		if r.Method == http.MethodHead {
			return &fault.Fault{Status: http.StatusMethodNotAllowed}
		}
		return nil
	})
	if got := discover(t, newSource(t, image.Options{}), subscription(server)); got.Digest != digests["v1.0.0"] {
		t.Errorf("digest %s, want %s", got.Digest, digests["v1.0.0"])
	}
}

func TestALookEndsWithItsContext(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0")
	ctx, cancel := context.WithCancel(t.Context())
	server.Traffic.SetFault(func(*http.Request) *fault.Fault {
		cancel()
		return &fault.Fault{Drop: true}
	})
	if _, err := look(ctx, newSource(t, image.Options{}), subscription(server)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestTheLimiterIsAskedBeforeEachRequest(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0")
	limiter := &counter{}
	source := newSource(t, image.Options{Registries: registries.New(registries.Options{Pace: limiter})})
	sub := subscription(server)
	discover(t, source, sub)
	limiter.hosts = nil
	discover(t, source, sub)
	if diff := cmp.Diff([]string{server.Host()}, limiter.hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	limiter.err = errors.New("not now")
	server.Traffic.Reset()
	if _, err := look(t.Context(), source, sub); !errors.Is(err, limiter.err) {
		t.Errorf("error %v, want %v", err, limiter.err)
	}
	if n := server.Traffic.Count(nil); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

type counter struct {
	mu    sync.Mutex
	hosts []string
	err   error
}

func (c *counter) Wait(_ context.Context, host, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts = append(c.hosts, host)
	return c.err
}

func ExampleSource_Discover() {
	server := registry.New(registry.Config{})
	ctx := context.Background()
	if err := server.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Kill() }()
	for _, tag := range []string{"v1.4.1", "v1.4.2", "nightly"} {
		if _, err := server.PushImage(ctx, "shop", tag, registry.Image{}); err != nil {
			fmt.Println(err)
			return
		}
	}
	dir, err := os.MkdirTemp("", "cache")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	known, err := cache.Open(dir, cache.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer known.Close()
	source := image.New(image.Options{Registries: registries.New(registries.Options{}), Cache: known})
	found, err := look(ctx, source, pipeline.ImageSubscription{
		RepoURL: server.Repository("shop"), Constraint: "^1.0.0",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found.Tag, len(found.Digest))
	// Output: v1.4.2 71
}
