package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
)

var manualDocument = with(kindsDocument, "  interval: 5m\n", "  interval: 5m\n  freightCreationPolicy: Manual\n")

// chosen are choices of kindsDocument: a tag of each image, a commit, a version.
func chosen(web, worker, commit, db string) Assembly {
	return Assembly{By: "alice", Reason: "to try it", Choices: []freight.Choice{
		{Subscription: "worker", Version: worker}, {Subscription: "web", Version: web},
		{RepoURL: shopConfig, Version: madeFor(commit)[:7]}, {RepoURL: shopCharts, Name: "db", Version: db},
	}}
}

func (w *world) assemble(ask Assembly) (freight.Freight, bool) {
	w.t.Helper()
	w.pass(time.Minute)
	f, created, err := w.people.Assemble(w.t.Context(), w.pipeline(), "shop", ask)
	if err != nil {
		w.t.Fatal(err)
	}
	return f, created
}

func TestUnderTheManualPolicyPeopleMakeTheFreight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manualDocument, application("dev", "dev", "main"))
	w.stock()
	w.refresh("shop")
	w.pass(time.Hour)
	if got := w.warehouse("shop"); got.Candidate != "" || got.Error != "" || got.Reason != "" || len(w.freightTags()) != 0 {
		t.Errorf("the record is %+v, and there is freight of %v", got, w.freightTags())
	}
	old, created := w.assemble(chosen("v1", "v2", "first", "2.0.0"))
	if !created || old.CreatedBy != "alice" || old.Reason != "to try it" || old.Alias == "" || old.Summary() != "shop:v1 (web), shop:v2 (worker), config "+freight.Short(madeFor("first"))+", db 2.0.0" {
		t.Errorf("it is %+v", old)
	}
	if w.eventsTell("FreightCreated", "alice assembled freight "+old.Alias) != 1 {
		t.Errorf("nobody was told: %q", w.events.all)
	}
	// A stage that promotes by itself takes what was assembled last.
	w.until("it is verified", w.verified("dev", "v1"))
	w.assemble(chosen("v2", "v2", "first", "2.0.0"))
	w.until("the newer is verified", w.verified("dev", "v2"))
	again, created := w.assemble(chosen("v1", "v2", "first", "2.0.0"))
	if created {
		t.Error("the same content is new freight")
	}
	if diff := cmp.Diff(old, again); diff != "" {
		t.Errorf("the same content (-first +again):\n%s", diff)
	}
	w.until("the older is back", w.verified("dev", "v1"))
	w.writes = nil
	w.pass(24 * time.Hour)
	if len(w.writes) != 0 {
		t.Errorf("looking, it wrote %v", w.writes)
	}
}

func TestWhatIsAssembledBesideTheWarehouseIsNotItsCandidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument, application("dev", "dev", "main"))
	w.stock()
	w.refresh("shop")
	w.until("the candidate is verified", w.verified("dev", "v2"))
	f, created := w.assemble(chosen("v1", "v1", "second", "2.1.0"))
	w.pass(time.Hour)
	if !created || w.candidate("shop").ID == f.ID || w.holds("dev") != "v2" {
		t.Errorf("the candidate is %s, and dev holds %s", w.candidate("shop").Summary(), w.holds("dev"))
	}
	// A person promotes it, and automation leaves the stage alone from then on.
	w.promote("bob", "dev", f.ID)
	w.until("it is verified", w.verified("dev", "v1"))
	w.images.tags[shopImage] = "v3 v2 v1"
	w.refresh("shop")
	w.pass(time.Hour)
	if holds := w.stage("dev").Holds; w.holds("dev") != "v1" || len(holds) != 1 || holds[0].By != "bob" {
		t.Errorf("dev holds %s, and is held by %+v", w.holds("dev"), holds)
	}
	// The same choice is the freight that there is, whoever made that.
	same, created := w.assemble(chosen("v3", "v3", "second", "2.1.0"))
	if created || same.ID != w.candidate("shop").ID || same.CreatedBy != "" {
		t.Errorf("it is %+v", same)
	}
}

func TestOnlyWhatIsOfferedIsAssembled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kindsDocument)
	w.stock()
	w.refresh("shop")
	w.pass(0)
	with := func(change func(*Assembly)) Assembly {
		ask := chosen("v1", "v1", "first", "2.0.0")
		change(&ask)
		return ask
	}
	for name, test := range map[string]struct {
		ask   Assembly
		tells string
	}{
		"a tag that is not offered":          {chosen("v9", "v1", "first", "2.0.0"), `web does not offer "v9" now: it offers v2, v1`},
		"a commit that is not offered":       {chosen("v1", "v1", "third", "2.0.0"), shopConfig + " does not offer "},
		"a subscription left out":            {with(func(a *Assembly) { a.Choices = a.Choices[1:] }), "nothing is chosen of worker"},
		"a subscription twice":               {with(func(a *Assembly) { a.Choices[0].Subscription = "web" }), "web is chosen twice"},
		"a repository of two subscriptions":  {with(func(a *Assembly) { a.Choices[0] = freight.Choice{RepoURL: shopImage, Version: "v1"} }), "could be web or worker: name the subscription"},
		"a repository of no subscription":    {with(func(a *Assembly) { a.Choices[2].RepoURL = "https://git.example.com/other" }), "does not subscribe to https://git.example.com/other"},
		"a choice of nothing":                {with(func(a *Assembly) { a.Choices[2].RepoURL = "" }), "names neither a subscription nor a repository"},
		"the short end of a commit's digits": {with(func(a *Assembly) { a.Choices[2].Version = madeFor("first")[:6] }), "does not offer"},
		"no version":                         {with(func(a *Assembly) { a.Choices[0].Version = "" }), "no version of worker is named"},
		"no reason":                          {with(func(a *Assembly) { a.Reason = "\n" }), "needs a reason"},
	} {
		before := len(w.freightTags())
		_, _, err := w.people.Assemble(t.Context(), w.pipeline(), "shop", test.ask)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.tells) {
			t.Errorf("%s: %v", name, err)
		}
		if len(w.freightTags()) != before {
			t.Errorf("%s: freight was made", name)
		}
	}
}

// The record may be written by the loops meanwhile, and a request may end between
// its two writes: asked again, it is carried out once.
func TestAnAssemblyThatIsAskedForAgainIsOne(t *testing.T) {
	t.Parallel()
	for _, breaks := range faults {
		w := newWorld(t, manualDocument)
		w.stock()
		w.refresh("shop")
		w.pass(0)
		link := newLink(w, w.seen, func(string) fault { return none })
		failed := 0
		link.breaks = func(what string) fault {
			if strings.Contains(what, ".warehouse.") && failed == 0 {
				failed++
				return breaks
			}
			return none
		}
		replica := w.replica(link)
		ask := chosen("v1", "v1", "first", "2.0.0")
		f, _, err := replica.Assemble(t.Context(), w.pipeline(), "shop", ask)
		if failed != 1 {
			t.Fatalf("%s: there was nothing to fail", breaks)
		}
		if err != nil {
			var created bool
			if f, created, err = w.people.Assemble(t.Context(), w.pipeline(), "shop", ask); created {
				t.Errorf("%s: it was made twice", breaks)
			}
		}
		if err != nil || w.warehouse("shop").Candidate != f.ID || len(w.freightTags()) != 1 {
			t.Errorf("%s: the candidate is %s, %v", breaks, w.warehouse("shop").Candidate, err)
		}
	}
}

func TestThoseWhoAskForCandidatesAtATimeShareOneLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.images.tags[shopImage] = "v2 v1"
	w.pass(time.Hour)
	w.images.looks = 0
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			c, err := w.people.Candidates(t.Context(), w.pipeline(), "shop")
			if err != nil || len(c.Subscriptions) != 1 || len(c.Subscriptions[0].Offers) != 2 {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	}
	group.Wait()
	if w.images.looks != 1 {
		t.Errorf("it looked %d times", w.images.looks)
	}
	w.clock.now = w.clock.now.Add(candidatesKept)
	if _, err := w.people.Candidates(t.Context(), w.pipeline(), "shop"); err != nil || w.images.looks != 2 {
		t.Errorf("later it looked %d times, %v", w.images.looks, err)
	}
	if _, err := w.people.Candidates(t.Context(), w.pipeline(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a warehouse that there is not: %v", err)
	}
}

func TestCandidatesThatTakeLongAreToldToTheNextWhoAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.images.tags[shopImage] = "v2 v1"
	w.pass(time.Hour)
	entered, leave := make(chan struct{}), make(chan struct{})
	w.images.looks, w.images.looked = 0, func() { close(entered); <-leave }
	gone, goAway := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := w.people.Candidates(gone, w.pipeline(), "shop")
		failed <- err
	}()
	<-entered
	goAway()
	if err := <-failed; !errors.Is(err, ErrUnavailable) {
		t.Errorf("it says %v", err)
	}
	close(leave)
	c, err := w.people.Candidates(t.Context(), w.pipeline(), "shop")
	if err != nil || len(c.Subscriptions[0].Offers) != 2 || w.images.looks != 1 {
		t.Errorf("got %+v, %v, after %d looks", c, err, w.images.looks)
	}
}

func TestFreightThatIsMadeByHandIsSweptAsAnyOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slow(manualDocument), application("dev", "dev", "main"))
	w.stock()
	w.refresh("shop")
	w.assemble(chosen("v1", "v1", "first", "2.0.0"))
	w.until("it is verified", w.verified("dev", "v1"))
	w.rewrite(with(slow(manualDocument), "autoPromotion: true", ""))
	w.pass(0)
	w.images.tags[shopImage] = "v4 v3"
	w.assemble(chosen("v3", "v3", "first", "2.0.0"))
	w.assemble(chosen("v4", "v4", "first", "2.0.0"))
	w.pass(retention + time.Hour)
	w.sweep()
	// What a stage holds, and what was assembled last.
	if diff := cmp.Diff([]string{"v1", "v4"}, slices.Compact(w.freightTags())); diff != "" {
		t.Errorf("freight (-want +got):\n%s", diff)
	}
	if got := w.last("dev"); got.Phase != promotion.Succeeded {
		t.Errorf("the last promotion is %s", got.Phase)
	}
}
