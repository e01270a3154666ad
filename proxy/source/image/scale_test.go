package image_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// crowded is a registry whose repositories have so many tags each, in pages. Each
// tag is the tiny image, whatever the repository is called.
func crowded(tags int) http.Handler {
	inner := script(func(w http.ResponseWriter, r *http.Request) {
		first, _ := strconv.Atoi(r.URL.Query().Get("last"))
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		end := min(first+n, tags)
		if end < tags {
			w.Header().Set("Link", fmt.Sprintf(`</v2/shop/tags/list?n=%d&last=%d>; rel="next"`, n, end))
		}
		names := make([]string, 0, n)
		for i := first; i < end; i++ {
			names = append(names, fmt.Sprintf("v1.%d.0", i))
		}
		page(w, "", names...)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All repositories are the same one.
		if parts := strings.Split(r.URL.Path, "/"); len(parts) > 3 {
			parts[2] = "shop"
			r.URL.Path = strings.Join(parts, "/")
		}
		inner.ServeHTTP(w, r)
	})
}

// stalling is a registry that answers for so many tags, and lets whoever asks for
// another wait until it has recovered.
type stalling struct {
	http.Handler
	mu        sync.Mutex
	left      int
	recovered bool
	asked     map[string]bool // the tags, since the last time that they were asked for
}

func (s *stalling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/manifests/") && !s.serves(r.URL.Path) {
		<-r.Context().Done()
		return
	}
	s.Handler.ServeHTTP(w, r)
}

func (s *stalling) serves(tag string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[tag] = true
	s.left--
	return s.recovered || s.left >= 0
}

// recover has it answer again, and returns how many tags it was asked for.
func (s *stalling) recover() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asked)
	s.recovered, s.asked = true, map[string]bool{}
	return n
}

// A look that is cut off must lose nothing. It is cut off when nothing moves any
// more, however long that takes.
func TestAScanThatTakesMoreThanOneLookCarriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tags, served, atOnce = 500, 300, 16
		server := &stalling{Handler: crowded(tags), left: served, asked: map[string]bool{}}
		registries := registries.New(registries.Options{Transport: unwired(t, server)})
		sub := pipeline.ImageSubscription{RepoURL: "127.0.0.1:5000/shop", ImageSelectionStrategy: pipeline.StrategyNewestBuild}
		known := openCache(t, t.TempDir())
		defer known.Close()

		found, err := sourceOver(known, image.Options{Registries: registries, Timeout: 20 * time.Second}).Discover(t.Context(), "waybill", pipeline.Subscription{Image: &sub})
		var incomplete *source.Incomplete
		if !errors.As(err, &incomplete) || found.Offers != nil {
			t.Fatalf("%d offers, error %v, want an incomplete look", len(found.Offers), err)
		}
		if want := "300 of 500 tags of 127.0.0.1:5000/shop are read: the next look carries on"; err.Error() != want {
			t.Errorf("it tells %q, want %q", err, want)
		}
		if asked := server.recover(); asked != served+atOnce {
			t.Errorf("%d tags were asked for, want the %d that were served and %d under way", asked, served, atOnce)
		}
		look, err := sourceOver(known, image.Options{Registries: registries}).Discover(t.Context(), "waybill", pipeline.Subscription{Image: &sub})
		if err != nil || len(look.Offers) != pipeline.DefaultDiscoveryLimit || look.Offers[0].Image.Tag != "v1.99.0" {
			t.Fatalf("the next look offers %d, error %v", len(look.Offers), err)
		}
		if asked := server.recover(); asked != tags-served {
			t.Errorf("the next look asked for %d tags, want the %d that were not read", asked, tags-served)
		}
	})
}

func TestHundredWarehousesOfTenThousandTagsTakeLittleMemory(t *testing.T) {
	warehouses := 100
	if raceDetected {
		warehouses = 20 // as many as there are at once would do to find a race
	}
	const (
		atOnce  = 8
		tags    = 10_000
		maxKept = 20 << 20  // bytes that are kept between looks
		maxHeap = 200 << 20 // bytes of heap while they look, those of the registry here included
	)
	server := httptest.NewServer(crowded(tags))
	t.Cleanup(server.Close)
	source := newSource(t, image.Options{})
	before := heap()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for n := range warehouses {
		group.Go(func() error {
			sub := of(server)
			sub.RepoURL = strings.TrimSuffix(sub.RepoURL, "shop") + fmt.Sprintf("shop-%d", n)
			found, err := look(t.Context(), source, sub)
			if err == nil && found.Tag != "v1.9999.0" {
				err = fmt.Errorf("%v is found", found)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	kept := int64(heap()) - int64(before)
	if kept > maxKept || stats.HeapSys > maxHeap {
		t.Errorf("%d KiB are kept, and the heap grew to %d KiB, want at most %d and %d", kept>>10, stats.HeapSys>>10, maxKept>>10, maxHeap>>10)
	}
	t.Logf("%d KiB are kept, the heap grew to %d KiB", kept>>10, stats.HeapSys>>10)
	runtime.KeepAlive(source)
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool holds goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
