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
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/image"
)

// crowded is a registry whose repositories have so many tags each, in pages. Each
// tag is the tiny image, whatever the repository is called.
func crowded(t testing.TB, tags int, manifest func(w http.ResponseWriter, r *http.Request)) *httptest.Server {
	t.Helper()
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
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if manifest != nil && strings.Contains(r.URL.Path, "/manifests/") {
			manifest(w, r)
		}
		// All repositories are the same one.
		if parts := strings.Split(r.URL.Path, "/"); len(parts) > 3 {
			parts[2] = "shop"
			r.URL.Path = strings.Join(parts, "/")
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// A look that is cut off must lose nothing, over a restart, too.
func TestAScanThatTakesMoreThanOneLookCarriesOn(t *testing.T) {
	t.Parallel() // it waits for the end of a look
	const tags, served = 500, 300
	var mu sync.Mutex
	asked := map[string]int{}
	var stalled atomic.Bool
	stalled.Store(true)
	server := crowded(t, tags, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		n := len(asked)
		mu.Unlock()
		if n > served && stalled.Load() {
			<-r.Context().Done()
		}
	})
	sub := of(server)
	sub.ImageSelectionStrategy = pipeline.StrategyNewestBuild
	known := openCache(t, t.TempDir())
	defer known.Close()

	found, err := sourceOver(known, image.Options{Timeout: 3 * time.Second}).Discover(t.Context(), "waybill", pipeline.Subscription{Image: &sub})
	var incomplete *source.Incomplete
	if !errors.As(err, &incomplete) || found.Offers != nil {
		t.Fatalf("%d offers, error %v, want an incomplete look", len(found.Offers), err)
	}
	var done int
	if _, scanErr := fmt.Sscanf(err.Error(), "%d of 500 tags of", &done); scanErr != nil || !strings.HasSuffix(err.Error(), "are read: the next look carries on") {
		t.Fatalf("it tells %q", err)
	}
	if done < served-20 || done > served {
		t.Errorf("%d tags were read, want the %d that were served, but for those under way", done, served)
	}
	stalled.Store(false)
	before := len(asked)
	clear(asked)
	look, err := sourceOver(known, image.Options{}).Discover(t.Context(), "waybill", pipeline.Subscription{Image: &sub})
	if err != nil || len(look.Offers) != pipeline.DefaultDiscoveryLimit || look.Offers[0].Image.Tag != "v1.99.0" {
		t.Fatalf("the next look offers %d, error %v", len(look.Offers), err)
	}
	if len(asked) != tags-done {
		t.Errorf("%d tags were asked for after %d of %d, want the %d that were not read", len(asked), before, tags, tags-done)
	}
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
	server := crowded(t, tags, nil)
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
