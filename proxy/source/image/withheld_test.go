package image_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// withhold has a registry answer as Harbor does where a project's policy wants
// images otherwise: for some references, be it HEAD or GET.
func withhold(server *registry.Server, references ...string) {
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		for _, reference := range references {
			if strings.HasSuffix(r.URL.Path, "/manifests/"+reference) {
				return &fault.Fault{Status: http.StatusPreconditionFailed, Header: http.Header{"Content-Type": {"application/json"}},
					Body: `{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image without vulnerability scanning cannot be pulled"}]}`}
			}
		}
		return nil
	})
}

func TestAWithheldTagBlocksNoOther(t *testing.T) {
	for what, change := range map[string]func(*pipeline.ImageSubscription){
		"SemVer":      func(*pipeline.ImageSubscription) {},
		"Lexical":     func(s *pipeline.ImageSubscription) { s.ImageSelectionStrategy = pipeline.StrategyLexical },
		"NewestBuild": func(s *pipeline.ImageSubscription) { s.ImageSelectionStrategy = pipeline.StrategyNewestBuild },
		"mutable":     func(s *pipeline.ImageSubscription) { s.MutableTags = true },
		"of a limit":  func(s *pipeline.ImageSubscription) { s.DiscoveryLimit = 1 },
	} {
		t.Run(what, func(t *testing.T) {
			server, _ := serve(t, registry.Config{}, "v1.0.0", "v1.1.0")
			withhold(server, "v1.1.0")
			sub := subscription(server)
			change(&sub)
			source := newSource(t, image.Options{})
			for range 3 {
				tags, skipped := offered(t, source, sub)
				want := []string{"the tag v1.1.0 of " + sub.RepoURL + " is passed over: the registry withholds v1.1.0 of " + sub.RepoURL +
					" by a policy (status 412 Precondition Failed), as of what is vulnerable, or not scanned or signed yet"}
				if diff := cmp.Diff([]string{"v1.0.0"}, tags) + cmp.Diff(want, skipped); diff != "" {
					t.Errorf("what is offered, and skipped (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A registry may withhold what a tag stands for, and tell its digest; or one of the
// images on an index alone.
func TestATagOfAWithheldDigestBlocksNoOther(t *testing.T) {
	server, digests := serve(t, registry.Config{}, "v1.0.0", "v1.1.0")
	_, child := pushIndex(t, server, "v1.2.0", child{platform: "linux/amd64"})
	withhold(server, digests["v1.1.0"], child)
	tags, skipped := offered(t, newSource(t, image.Options{}), subscription(server))
	if diff := cmp.Diff([]string{"v1.0.0"}, tags); diff != "" || len(skipped) != 2 {
		t.Errorf("skipped is %q, tags (-want +got):\n%s", skipped, diff)
	}
}

func TestATagThatIsFollowedAndWithheldIsTold(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "latest")
	withhold(server, "latest")
	sub := subscription(server)
	sub.ImageSelectionStrategy, sub.Constraint = pipeline.StrategyDigest, "latest"
	if _, err := look(t.Context(), newSource(t, image.Options{}), sub); !errors.Is(err, image.ErrNothing) || !strings.Contains(err.Error(), "withholds latest of") {
		t.Errorf("error %v, want %v", err, image.ErrNothing)
	}
}

func TestWithheldTagsAreAskedForMoreSeldomTheLongerItLasts(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "a", "b", "c")
	withhold(server, "b", "c")
	now, dir := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), t.TempDir()
	clock := image.Options{Now: func() time.Time { return now }}
	sub := subscription(server)
	sub.ImageSelectionStrategy = pipeline.StrategyNewestBuild
	asked := func() int {
		return server.Traffic.Count(func(r fault.Request) bool { return strings.HasSuffix(r.Path, "/manifests/b") })
	}
	known := openCache(t, dir)
	source := sourceOver(known, clock)
	var after []string
	for range 12 * 4 { // four hours of a look in five minutes
		before := asked()
		tags, skipped := offered(t, source, sub)
		if diff := cmp.Diff([]string{"a"}, tags); diff != "" || len(skipped) != 2 {
			t.Errorf("after %s, skipped is %q, tags (-want +got):\n%s", now.Format("15:04"), skipped, diff)
		}
		if asked() > before {
			after = append(after, now.Format("15:04"))
		}
		now = now.Add(5 * time.Minute)
		// It is known after a restart, too.
		if err := known.Close(); err != nil {
			t.Fatal(err)
		}
		known = openCache(t, dir)
		source = sourceOver(known, clock)
	}
	defer known.Close()
	if diff := cmp.Diff([]string{"00:00", "00:05", "00:10", "00:20", "00:40", "01:20", "02:20", "03:20"}, after); diff != "" {
		t.Errorf("times at which it is asked for (-want +got):\n%s", diff)
	}

	// Once it is let go, it is offered within an hour, and a tag like any other.
	server.Traffic.SetFault(nil)
	now = now.Add(time.Hour)
	if tags, skipped := offered(t, source, sub); len(tags) != 3 || len(skipped) != 0 {
		t.Errorf("tags %v are offered, skipped is %q", tags, skipped)
	}
	asks(t, "a look then", server, nil, source, sub, list)
	scope := cache.Scope{Namespace: "waybill", Kind: freight.KindImage, Repository: server.Repository("shop")}
	if left := refusals(known, scope); len(left) != 0 {
		t.Errorf("%v is kept of it", left)
	}
}

// refusals are the keys of what is known of tags that cannot be used.
func refusals(known *cache.Cache, scope cache.Scope) (keys []string) {
	known.Each(scope, "refusal/", func(key string, _ []byte) { keys = append(keys, key) })
	return keys
}

func TestOfWithheldTagsThatAreRemovedNothingIsKept(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0", "v1.1.0", "v1.2.0")
	withhold(server, "v1.1.0", "v1.2.0")
	known := openCache(t, t.TempDir())
	defer known.Close()
	source, sub := sourceOver(known, image.Options{}), subscription(server)
	offered(t, source, sub)
	server.Traffic.SetFault(nil)
	remove(t, server, "v1.2.0")
	withhold(server, "v1.1.0")
	offered(t, source, sub)
	scope := cache.Scope{Namespace: "waybill", Kind: freight.KindImage, Repository: server.Repository("shop")}
	if diff := cmp.Diff([]string{"refusal/v1.1.0/"}, refusals(known, scope)); diff != "" {
		t.Errorf("what is kept (-want +got):\n%s", diff)
	}
}

// A tag that is withheld is there: a list without it is not whole.
func TestAListWithoutATagThatIsWithheldIsNotWhole(t *testing.T) {
	server, _ := serve(t, registry.Config{}, "v1.0.0", "v1.1.0")
	source, sub := newSource(t, image.Options{}), subscription(server)
	discover(t, source, sub)
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		switch {
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			return &fault.Fault{Status: http.StatusOK, Body: fmt.Sprintf(`{"name":"shop","tags":[%q]}`, "v1.0.0")}
		case strings.HasSuffix(r.URL.Path, "/manifests/v1.1.0"):
			return &fault.Fault{Status: http.StatusPreconditionFailed}
		}
		return nil
	})
	if got, err := look(t.Context(), source, sub); !errors.Is(err, registries.ErrPartial) {
		t.Errorf("%v, error %v, want %v", got, err, registries.ErrPartial)
	}
}
