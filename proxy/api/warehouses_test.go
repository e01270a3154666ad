package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/source"
)

// fakeSources stand in for registries: they offer the shop's versions.
type fakeSources struct {
	mu    sync.Mutex
	looks int
	fail  error
}

func (f *fakeSources) Discover(_ context.Context, _ string, s pipeline.Subscription) (source.Look, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	look := source.Look{Skipped: []string{"v1.3.0 has no image for linux/arm64"}}
	for _, tag := range []string{"v1.2.0", "v1.1.5"} {
		made := noon.Add(-time.Hour)
		look.Offers = append(look.Offers, freight.Offer{
			Image:  &freight.Image{RepoURL: s.Image.RepoURL, Tag: tag, Digest: "sha256:" + strings.Repeat(tag[3:4], 64)},
			Detail: freight.Detail{Kind: freight.KindImage, RepoURL: s.Image.RepoURL, Revision: "4b1c27c", CreatedAt: &made},
		})
	}
	return look, f.fail
}

func assembling(version string) call {
	return call{method: http.MethodPost, gate: "waybill-promote", path: "/pipelines/shop/warehouses/shop/freight", body: v1.Assemble{
		Reason: "the hotfix", Artifacts: []freight.Choice{{RepoURL: "registry.example.com/shop", Version: version}},
	}}
}

func TestTheCandidatesAreWhatEachSubscriptionOffers(t *testing.T) {
	w := newWorld(t)
	read := call{path: "/pipelines/shop/warehouses/shop/candidates"}
	got := ask[v1.Candidates](w, http.StatusOK, read)
	if got.Warehouse != "shop" || !got.At.Equal(noon) || len(got.Items) != 1 {
		t.Fatalf("got %+v", got)
	}
	one := got.Items[0]
	if one.Kind != freight.KindImage || one.RepoURL != "registry.example.com/shop" || one.Error != "" || len(one.Skipped) != 1 || len(one.Offers) != 2 {
		t.Errorf("got %+v", one)
	}
	if o := one.Offers[1]; o.Version != "v1.1.5" || o.Image.Tag != "v1.1.5" || o.Detail.Revision != "4b1c27c" {
		t.Errorf("the second offer is %+v", o)
	}
	// Who looks again soon gets the same answer, and the registry no request.
	ask[v1.Candidates](w, http.StatusOK, read)
	if w.sources.looks != 1 {
		t.Errorf("it looked %d times", w.sources.looks)
	}
	read.path = "/pipelines/shop/warehouses/other/candidates"
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline shop has no warehouse "other": it has shop`, read)
}

func TestASubscriptionThatCannotBeLookedAtTellsWhy(t *testing.T) {
	w := newWorld(t)
	w.sources.fail = errors.New("the registry is down")
	got := ask[v1.Candidates](w, http.StatusOK, call{path: "/pipelines/shop/warehouses/shop/candidates"})
	if one := got.Items[0]; one.Error != "subscriptions[0] (registry.example.com/shop): the registry is down" {
		t.Errorf("got %+v", one)
	}
	w.refused(http.StatusServiceUnavailable, v1.ProblemUnavailable, "freight cannot be assembled now: subscriptions[0] (registry.example.com/shop): the registry is down", assembling("v1.1.5"))
}

func TestFreightIsAssembledOnce(t *testing.T) {
	w := newWorld(t)
	f := ask[v1.Freight](w, http.StatusCreated, assembling("v1.1.5"))
	if f.Summary != "shop:v1.1.5" || f.CreatedBy != "alice" || f.Reason != "the hotfix" || f.Alias == "" || f.Origin != "shop" || len(f.Details) != 1 {
		t.Errorf("got %+v", f)
	}
	again := ask[v1.Freight](w, http.StatusOK, assembling("v1.1.5"))
	if diff := cmp.Diff(f, again); diff != "" {
		t.Errorf("the second answer (-first +second):\n%s", diff)
	}
	if got := ask[v1.Pipeline](w, http.StatusOK, call{path: "/pipelines/shop"}).Warehouses[0].Candidate; got != w.new.ID {
		t.Error("it became what the warehouse selects")
	}
	// What the warehouse had made stays what it is.
	if got := ask[v1.Freight](w, http.StatusOK, assembling("v1.2.0")); got.ID != w.new.ID || got.CreatedBy != "" {
		t.Errorf("got %+v", got)
	}
}

func TestAWrongAssemblyIsRefused(t *testing.T) {
	w := newWorld(t)
	with := func(change func(*call)) call {
		c := assembling("v1.1.5")
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		call   call
		status int
		kind   string
		tells  string
	}{
		"a version that is not offered": {assembling("v9"), 400, v1.ProblemInvalid, `registry.example.com/shop does not offer "v9" now: it offers v1.2.0, v1.1.5`},
		"nothing chosen":                {with(func(c *call) { c.body = v1.Assemble{Reason: "x"} }), 400, v1.ProblemInvalid, "nothing is chosen of registry.example.com/shop"},
		"no reason":                     {with(func(c *call) { c.body = v1.Assemble{Reason: " "} }), 400, v1.ProblemInvalid, "needs a reason"},
		"another warehouse":             {with(func(c *call) { c.path = "/pipelines/shop/warehouses/other/freight" }), 404, v1.ProblemNotFound, `no warehouse "other"`},
		"the gate of reads":             {with(func(c *call) { c.gate = "waybill" }), 403, v1.ProblemGate, "goes through the gate waybill-promote"},
		"somebody without the right":    {with(func(c *call) { c.user = "bob" }), 403, v1.ProblemForbidden, "bob may not assemble in stage shop/dev"},
		"an Application of another":     {with(func(c *call) { c.app = "books-dev" }), 403, v1.ProblemNotBound, "is bound to pipeline books, not to shop"},
		"a field that there is not":     {with(func(c *call) { c.body = `{"id":"x"}` }), 400, v1.ProblemInvalid, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.writes = nil
			w.refused(test.status, test.kind, test.tells, test.call)
			if len(w.writes) > 0 {
				t.Errorf("it wrote %q", w.writes)
			}
		})
	}
}

func TestFreightIsMadeOnBehalfOfAStageThatTakesIt(t *testing.T) {
	w := newWorld(t)
	text := strings.Replace(shopDocument, "stages:\n", "- name: base\n  subscriptions:\n  - image: {repoURL: registry.example.com/base}\nstages:\n", 1)
	w.accept("shop", text)
	made := assembling("v1.1.5")
	made.path = "/pipelines/shop/warehouses/base/freight"
	w.writes = nil
	w.refused(http.StatusForbidden, v1.ProblemNotBound, "stage shop/dev takes no freight of warehouse base: make freight of it on behalf of an Application of a stage that does", made)
	if len(w.writes) > 0 || w.sources.looks > 0 {
		t.Errorf("it wrote %q and looked %d times", w.writes, w.sources.looks)
	}
}

func TestAWarehouseTellsOfItsLastLookWhereThatIsKnown(t *testing.T) {
	w := newWorld(t)
	read := call{path: "/pipelines/shop"}
	if got := ask[v1.Pipeline](w, http.StatusOK, read).Warehouses[0]; got.LookedAt != nil || got.NextLookAt != nil || got.Requests != nil {
		t.Errorf("nobody has looked, and it tells %+v", got)
	}
	w.elsewhere = map[string]engine.Look{"waybill/shop/shop": {
		At: noon, Next: noon.Add(5 * time.Minute), Requests: 0, Skipped: []string{"v1 is broken"}, Progress: "3 of 9 tags are read",
	}}
	got := ask[v1.Pipeline](w, http.StatusOK, read).Warehouses[0]
	if got.LookedAt == nil || !got.LookedAt.Equal(noon) || !got.NextLookAt.Equal(noon.Add(5*time.Minute)) || got.Requests == nil || *got.Requests != 0 || len(got.Skipped) != 1 || got.Reason != "" {
		t.Errorf("it tells %+v", got)
	}
	record, err := w.store.Warehouse(t.Context(), shop, "shop")
	w.must(err)
	record.Value.Reason, record.Value.Error = "it is not complete yet", "the registry is down"
	w.must(w.store.PutWarehouse(t.Context(), shop, &record))
	if got := ask[v1.Pipeline](w, http.StatusOK, read).Warehouses[0]; got.Reason != "it is not complete yet: 3 of 9 tags are read" || got.Error != "the registry is down" {
		t.Errorf("it tells %+v", got)
	}
}
