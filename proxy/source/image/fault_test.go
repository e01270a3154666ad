package image_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// misfortunes are what may happen to any request. A harmless one may pass
// unnoticed where nothing is read of the answer.
var misfortunes = map[string]struct {
	fault      func(*http.Request) *fault.Fault
	harmless   bool
	lasting    bool // it happens to all later requests, too
	unanswered bool // the look is broken off when it happens
}{
	"an error of the server": {fault: always(fault.Fault{Status: http.StatusInternalServerError, Body: "secret internals"})},
	"too many requests":      {fault: always(fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"90"}}})},
	"no service":             {fault: always(fault.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"90"}}})},
	// A single one is not noticed: HTTP clients ask again where a connection that was
	// kept breaks before any answer.
	"connections reset": {lasting: true, fault: always(fault.Fault{Drop: true})},
	"a refusal":         {fault: always(fault.Fault{Status: http.StatusForbidden})},
	"no answer": {fault: func(r *http.Request) *fault.Fault {
		<-r.Context().Done()
		return &fault.Fault{Drop: true}
	}, unanswered: true},
	"a body that breaks off": {harmless: true, fault: always(fault.Fault{
		Status: http.StatusOK, Body: `{"tags":["v1.0.0"`, Header: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"4000"}},
	})},
	"another page": {harmless: true, fault: always(fault.Fault{
		Status: http.StatusOK, Body: "<html>Sign in to the network</html>", Header: http.Header{"Content-Type": {"text/html"}},
	})},
}

func always(f fault.Fault) func(*http.Request) *fault.Fault {
	return func(*http.Request) *fault.Fault { return &f }
}

// marked makes registries whose requests the server can tell from others: those of
// a look that was broken off may arrive when it has long returned.
func marked(mark string) *registries.Registries {
	return registries.New(registries.Options{UserAgent: mark})
}

// at has a misfortune happen to one request of many that bear a mark, the first
// being 0. The context is that of the look which it happens to; struck tells whether
// it did.
func at(ctx context.Context, n int, what, mark string) (_ context.Context, happens func(*http.Request) *fault.Fault, struck func() bool) {
	var count atomic.Int64
	ctx, lose := context.WithCancel(ctx)
	m := misfortunes[what]
	return ctx, func(r *http.Request) *fault.Fault {
		if !strings.HasPrefix(r.UserAgent(), mark+" ") {
			return nil
		}
		if i := int(count.Add(1)) - 1; i != n && (i < n || !m.lasting) {
			return nil
		}
		if m.unanswered {
			lose()
		}
		return m.fault(r)
	}, func() bool { return int(count.Load()) > n }
}

// offers looks for a namespace, which knows nothing of what another does.
func offers(ctx context.Context, s *image.Source, namespace string, sub pipeline.ImageSubscription) ([]freight.Offer, error) {
	found, err := s.Discover(ctx, namespace, pipeline.Subscription{Image: &sub})
	return found.Offers, err
}

func TestAFaultAtAnyRequestOffersNothingOrAll(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, registry.Config{})
	push(t, server, "v1.0.0", registry.Image{Created: day(1)})
	pushIndex(t, server, "v1.1.0", child{platform: "linux/amd64", image: registry.Image{Created: day(2)}})
	push(t, server, "v1.2.0", registry.Image{Created: day(3)})
	for what, change := range map[string]func(*pipeline.ImageSubscription){
		"SemVer":      func(*pipeline.ImageSubscription) {},
		"NewestBuild": func(s *pipeline.ImageSubscription) { s.ImageSelectionStrategy = pipeline.StrategyNewestBuild },
		"Digest": func(s *pipeline.ImageSubscription) {
			s.ImageSelectionStrategy, s.Constraint = pipeline.StrategyDigest, "v1.1.0"
		},
		"SemVer, mutable":     func(s *pipeline.ImageSubscription) { s.MutableTags = true },
		"a platform's newest": func(s *pipeline.ImageSubscription) { s.Platform = "linux/amd64" },
	} {
		t.Run(what, func(t *testing.T) {
			sub := subscription(server)
			change(&sub)
			server.Traffic.Reset()
			known := openCache(t, t.TempDir())
			defer known.Close()
			want, err := offers(t.Context(), sourceOver(known, image.Options{}), "untroubled", sub)
			if err != nil {
				t.Fatal(err)
			}
			n := server.Traffic.Count(nil)
			for name := range misfortunes {
				for i := range n {
					strike(t, server, known, sub, name, i, want)
				}
			}
		})
	}
}

// strike has a misfortune happen to the request i of a first look, and checks
// what is offered then and afterwards.
func strike(t *testing.T, server *registry.Server, known *cache.Cache, sub pipeline.ImageSubscription, what string, i int, want []freight.Offer) {
	t.Helper()
	m, namespace, mark := misfortunes[what], fmt.Sprintf("%s at %d", what, i), rand.Text()
	ctx, fault, _ := at(t.Context(), i, what, mark)
	server.Traffic.SetFault(fault)
	defer server.Traffic.SetFault(nil)
	got, err := offers(ctx, sourceOver(known, image.Options{Registries: marked(mark)}), namespace, sub)
	switch {
	case err == nil && m.harmless && cmp.Equal(want, got):
	case err == nil || len(got) > 0:
		t.Errorf("%s at request %d: %d offers, error %v", what, i, len(got), err)
	default:
		checkSentence(t, what, sub, err)
	}
	server.Traffic.SetFault(nil)
	// The host's pause has ended.
	if got, err = offers(t.Context(), sourceOver(known, image.Options{}), namespace, sub); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%s at request %d: the next look offers (-want +got, error %v):\n%s", what, i, err, cmp.Diff(want, got))
	}
}

func checkSentence(t *testing.T, what string, sub pipeline.ImageSubscription, err error) {
	t.Helper()
	told := err.Error()
	if !strings.Contains(told, sub.RepoURL) || strings.ContainsAny(told, "\n") || strings.Contains(told, "internals") || strings.Contains(told, "<html>") {
		t.Errorf("%s is told as %q", what, told)
	}
	var busy *source.Busy
	isBusy := errors.As(err, &busy)
	if isBusy && busy.RetryAfter < time.Minute {
		t.Errorf("%s: to be left alone for %s, want what is left of 90s", what, busy.RetryAfter)
	}
	if wants := what == "too many requests" || what == "no service"; wants != isBusy {
		t.Errorf("%s: busy is %v, want %v: %v", what, isBusy, wants, err)
	}
	kinds := []error{registries.ErrUnreachable, registries.ErrUnauthorized}
	if !isBusy && !slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }) {
		t.Errorf("%s is the error %v of no kind", what, err)
	}
}

// A later look sees a tag that is new, and one that went.
func TestAFaultAtAnyRequestOfALaterLookOffersNothingOrAll(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, registry.Config{})
	push(t, server, "v1.0.0", registry.Image{Created: day(1)})
	push(t, server, "v1.1.0", registry.Image{Created: day(2)})
	for _, strategy := range []string{pipeline.StrategySemVer, pipeline.StrategyNewestBuild} {
		sub := subscription(server)
		sub.ImageSelectionStrategy = strategy
		for name, m := range misfortunes {
			for i := 0; ; i++ {
				push(t, server, "v1.2.0", registry.Image{Created: day(3)})
				mark := rand.Text()
				source := newSource(t, image.Options{Registries: marked(mark)})
				discover(t, source, sub)
				remove(t, server, "v1.2.0")
				push(t, server, "v1.3.0", registry.Image{Created: day(4)})
				ctx, fault, happened := at(t.Context(), i, name, mark)
				server.Traffic.SetFault(fault)
				got, err := look(ctx, source, sub)
				server.Traffic.SetFault(nil)
				struck := happened()
				if err == nil && got.Tag != "v1.3.0" || err != nil && got != (freight.Image{}) || err == nil && struck && !m.harmless {
					t.Errorf("%s at request %d of %s: %v, error %v", name, i, strategy, got, err)
				}
				remove(t, server, "v1.3.0")
				if !struck {
					break
				}
			}
		}
	}
}
