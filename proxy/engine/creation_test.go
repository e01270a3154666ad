package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/source"
)

const (
	shopConfig = "https://git.example.com/config.git"
	shopCharts = "https://charts.example.com"
)

// kindsDocument subscribes to one of each kind, and to two tags of one image.
var kindsDocument = with(devDocument, "  - image: {repoURL: registry.example.com/shop}", `  - name: web
    image: {repoURL: registry.example.com/shop}
  - name: worker
    image: {repoURL: registry.example.com/shop, allowTagsRegexes: [worker]}
  - git: {repoURL: `+shopConfig+`}
  - chart: {repoURL: `+shopCharts+`, name: db}`)

// stock fills what kindsDocument subscribes to.
func (w *world) stock() {
	w.images.tags[shopImage], w.images.tags[shopConfig], w.images.tags[shopCharts] = "v2 v1", "second first", "2.1.0 2.0.0"
}

func (w *world) candidate(warehouse string) freight.Freight {
	w.t.Helper()
	f, err := w.people.FreightByID(w.t.Context(), shop, w.warehouse(warehouse).Candidate)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// eventsTell counts the events of a reason that tell something.
func (w *world) eventsTell(reason, words string) int {
	n := 0
	for _, e := range w.events.all {
		if strings.Contains(e, " "+reason+": ") && strings.Contains(e, words) {
			n++
		}
	}
	return n
}

func TestFreightHoldsTheBestOfEverySubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument, application("dev", "dev", "main"))
	w.stock()
	w.refresh("shop")
	w.until("it is verified", w.verified("dev", "v2"))
	f := w.candidate("shop")
	if got := f.Summary(); got != "shop:v2 (web), shop:v2 (worker), config "+freight.Short(madeFor("second"))+", db 2.1.0" {
		t.Errorf("it is %s", got)
	}
	if f.Images[0].Subscription != "web" || f.Images[1].Subscription != "worker" {
		t.Errorf("the images are of %q and %q", f.Images[0].Subscription, f.Images[1].Subscription)
	}
	if len(f.Details) != 4 || f.Details[2].Subject != "Change second" || f.Details[2].Author != "Ada" {
		t.Errorf("its details are %+v", f.Details)
	}
	if f.Alias == "" || w.eventsTell("FreightCreated", "warehouse shop made freight "+f.Alias) != 1 {
		t.Errorf("nobody was told of freight %q: %q", f.Alias, w.events.all)
	}
	// The waybill pins all of it.
	if got := w.git.waybill(t, "main", "dev").Freight[0]; got.Summary() != f.Summary() {
		t.Errorf("the waybill pins %s", got.Summary())
	}
}

func TestEverySubscriptionThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument)
	w.stock()
	w.images.fails[shopConfig] = errors.New("there is no Git repository " + shopConfig + ", or its account may not see it: add its credentials")
	w.images.fails[shopImage] = errors.New("the registry wants credentials: name a Secret")
	w.refresh("shop")
	w.pass(0)
	const want = "subscriptions[0] (web, registry.example.com/shop): the registry wants credentials: name a Secret; " +
		"subscriptions[1] (worker, registry.example.com/shop): the registry wants credentials: name a Secret; " +
		"subscriptions[2]: there is no Git repository " + shopConfig + ", or its account may not see it: add its credentials"
	if got := w.warehouse("shop"); got.Error != want || got.Candidate != "" {
		t.Errorf("the record is %+v", got)
	}
	w.images.fails[shopCharts] = errors.New("there is no chart db")
	w.refresh("shop")
	w.pass(0)
	if got := w.warehouse("shop").Error; got != want+"; and so for 1 more subscriptions" {
		t.Errorf("the error is %s", got)
	}
}

func TestAFaultInALookIsAnErrorOfItsSubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.images.looked = func() { panic("a fault") }
	w.release("v1")
	w.pass(0)
	if got := w.warehouse("shop").Error; !strings.HasPrefix(got, "subscriptions[0] (registry.example.com/shop): it cannot be looked at, because of a fault") {
		t.Errorf("the error is %q", got)
	}
}

func TestOffersThatCannotBePinnedAreNoFreight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.images.spoil = func(o *freight.Offer) { o.Image.Digest = "latest" }
	w.release("v1")
	w.pass(0)
	if got := w.warehouse("shop"); got.Candidate != "" || !strings.HasPrefix(got.Error, "no freight can be made of what was found: image registry.example.com/shop has the digest") {
		t.Errorf("the record is %+v", got)
	}
}

const criteria = `imageFrom("registry.example.com/shop", "web").Tag == imageFrom("registry.example.com/shop", "worker").Tag and commitFrom("` + shopConfig + `").Author == "Ada"`

var criteriaDocument = with(kindsDocument, "  interval: 5m\n", "  interval: 5m\n  freightCreationCriteria: {expression: '"+criteria+"'}\n")

func TestWhatDoesNotMeetTheCriteriaIsNoFreight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, criteriaDocument, application("dev", "dev", "main"))
	w.stock()
	w.refresh("shop")
	w.until("the first is verified", w.verified("dev", "v2"))
	before := w.warehouse("shop").Candidate

	w.rewrite(with(criteriaDocument, `"Ada"`, `"Eve"`))
	w.images.tags[shopImage] = "v3 v2"
	w.pass(time.Second)
	got := w.warehouse("shop")
	if got.Candidate != before || got.Error != "" || !strings.HasPrefix(got.Reason, "no freight is made of shop:v3 (web), shop:v3 (worker), config ") || !strings.Contains(got.Reason, "does not meet freightCreationCriteria (imageFrom") {
		t.Errorf("the record is %+v", got)
	}
	w.writes = nil
	w.pass(time.Hour)
	if len(w.writes) != 0 || w.eventsOf("FreightWithheld") != 1 {
		t.Errorf("it wrote %v, and told it %d times", w.writes, w.eventsOf("FreightWithheld"))
	}
	if all := w.freightTags(); len(all) != 1 {
		t.Errorf("there is freight of %v", all)
	}
	w.rewrite(criteriaDocument)
	w.until("v3 is verified", w.verified("dev", "v3"))
	if got := w.warehouse("shop").Reason; got != "" {
		t.Errorf("the reason stays: %s", got)
	}
}

func TestCriteriaThatCannotBeJudgedMakeNoFreight(t *testing.T) {
	t.Parallel()
	// What is computed is found out only now; the document itself is good.
	w := newWorld(t, with(criteriaDocument, `"worker"`, `lower("NOBODY")`))
	w.stock()
	w.refresh("shop")
	w.pass(0)
	if got := w.warehouse("shop"); got.Candidate != "" || !strings.Contains(got.Reason, "freightCreationCriteria cannot be judged: ") || !strings.Contains(got.Reason, "finds no image of registry.example.com/shop that is called nobody") {
		t.Errorf("the record is %+v", got)
	}
}

func TestFreightThatIsKeptSharesNoAlias(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	// Freight whose alias is the one that v1 would have.
	next := freight.New(shop.String(), "shop", freight.Artifacts{Images: []freight.Image{imageOf(shopImage, "v1")}}, noon)
	wanted := freight.Alias(next.ID, func(string) bool { return false })
	other := freight.New(shop.String(), "shop", freight.Artifacts{Images: []freight.Image{imageOf(shopImage, "v0")}}, noon)
	other.Alias = wanted
	if _, err := w.people.store.CreateFreight(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	w.release("v1")
	w.pass(0)
	if got := w.candidate("shop"); got.ID != next.ID || got.Alias == "" || got.Alias == wanted {
		t.Errorf("freight %s has the alias %q, and %q was taken", short(got.ID), got.Alias, wanted)
	}
}

func TestAFirstLookThatTakesMoreThanOneCarriesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.pass(time.Hour)
	w.images.tags[shopImage] = "v1"
	w.images.fails[shopImage] = &source.Incomplete{Err: errors.New("3,000 of 10,000 tags are read")}
	w.refresh("shop")
	w.pass(0)
	if got := w.warehouse("shop"); got.Error != "" || got.Reason != unfinished {
		t.Errorf("the record is %+v", got)
	}
	w.writes = nil
	if n := w.looksIn(time.Minute); n != 60 {
		t.Errorf("in a minute it carried on %d times", n)
	}
	if len(w.writes) != 0 || w.eventsOf("FreightWithheld") != 0 {
		t.Errorf("it wrote %v", w.writes)
	}
	look, known := w.engine.Look(t.Context(), shop, "shop")
	if !known || look.Progress != "subscriptions[0] (registry.example.com/shop): 3,000 of 10,000 tags are read" {
		t.Errorf("it tells %+v", look)
	}
	// A host that has enough meanwhile is left alone for as long as it wants.
	w.images.fails[shopImage] = &source.Incomplete{Err: &source.Busy{RetryAfter: time.Minute, Err: errors.New("3,500 of 10,000 tags are read, and the registry wants a pause")}}
	w.pass(time.Second)
	if n := w.looksIn(59 * time.Second); n != 0 {
		t.Errorf("in the pause it looked %d times", n)
	}
	delete(w.images.fails, shopImage)
	w.pass(time.Minute)
	if got := w.warehouse("shop"); got.Reason != "" || got.Candidate == "" {
		t.Errorf("the record is %+v", got)
	}
	if look, _ := w.engine.Look(t.Context(), shop, "shop"); look.Progress != "" {
		t.Errorf("it tells %+v", look)
	}
}

func TestAFailureBesideALookThatCarriesOnIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument)
	w.stock()
	w.images.fails[shopImage] = &source.Incomplete{Err: errors.New("3 of 9 tags are read")}
	w.images.fails[shopConfig] = errors.New("the host is down")
	w.refresh("shop")
	w.pass(0)
	got := w.warehouse("shop")
	if want := "subscriptions[2] (" + shopConfig + "): the host is down"; !strings.Contains(got.Error, want) || got.Reason != "" {
		t.Errorf("the record is %+v", got)
	}
}

func TestALookIsToldByTheReplicaThatMadeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument)
	w.stock()
	w.images.skipped = []string{"v3 has no image for linux/amd64"}
	w.refresh("shop")
	w.pass(0)
	at := w.clock.now
	w.pass(time.Minute)
	want := Look{At: at, Next: at.Add(5 * time.Minute), Requests: 4, Skipped: []string{
		"subscriptions[0] (web, registry.example.com/shop): v3 has no image for linux/amd64",
		"subscriptions[1] (worker, registry.example.com/shop): v3 has no image for linux/amd64",
		"subscriptions[2] (" + shopConfig + "): v3 has no image for linux/amd64",
		"subscriptions[3] (" + shopCharts + "): v3 has no image for linux/amd64",
	}}
	got, known := w.engine.Look(t.Context(), shop, "shop")
	if diff := cmp.Diff(want, got); !known || diff != "" {
		t.Errorf("the replica that looks tells (-want +got):\n%s", diff)
	}
	// The others do not know it, unless they are told.
	if _, known := w.people.Look(t.Context(), shop, "shop"); known {
		t.Error("the other replica knows of it")
	}
	w.elsewhere = w.engine.Looks
	if got, known := w.people.Look(t.Context(), shop, "shop"); !known || !got.At.Equal(at) {
		t.Errorf("the other replica tells %+v", got)
	}
}

func TestTheSeriesOfAWarehouseEndWithIt(t *testing.T) {
	w := newWorld(t, with(devDocument, "stages:", baseWarehouse+"stages:"))
	w.release("v1")
	w.pass(0)
	if _, known := w.engine.Look(t.Context(), shop, "base"); !known {
		t.Fatal("nobody has looked")
	}
	w.rewrite(devDocument)
	w.pass(time.Hour)
	if _, known := w.engine.Look(t.Context(), shop, "base"); known {
		t.Error("the look of a warehouse that is no more is told")
	}
}
