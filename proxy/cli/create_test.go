package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// body is what the last call that made something said.
func body(t *testing.T, s *standIn) v1.Assemble {
	t.Helper()
	var said v1.Assemble
	for _, call := range s.calls() {
		if _, text, made := strings.Cut(call, "POST /pipelines/shop/warehouses/shop/freight "); made {
			if err := json.Unmarshal([]byte(text), &said); err != nil {
				t.Fatal(err)
			}
		}
	}
	return said
}

func TestFreightIsMadeOfWhatIsChosen(t *testing.T) {
	s := newStandIn(t)
	got := run(t, s, "create", "freight", "--warehouse", "shop", "--reason", "the hotfix",
		"--artifact", "web=v1.1.0", "--artifact", "worker=v1.2.0", "--artifact", "config=c0c0c0c", "--artifact", "https://charts.example.com/db=2.1.0")
	if got.code != ExitOK || got.err != "" || got.out != "made freight "+freight.Short(s.freight[1].ID)+" (brave-otter) of warehouse shop: shop:v1.1.0\n" {
		t.Errorf("got %+v", got)
	}
	want := v1.Assemble{Reason: "the hotfix", Artifacts: []freight.Choice{
		{Subscription: "web", RepoURL: "registry.example.com/shop", Version: "v1.1.0"},
		{Subscription: "worker", RepoURL: "registry.example.com/shop", Version: "v1.2.0"},
		{RepoURL: "https://git.example.com/config.git", Version: "c0c0c0c"},
		{RepoURL: "https://charts.example.com", Name: "db", Version: "2.1.0"},
	}}
	if diff := cmp.Diff(want, body(t, s)); diff != "" {
		t.Errorf("it asked for (-want +got):\n%s", diff)
	}
	last := s.calls()[len(s.calls())-1]
	if !strings.HasPrefix(last, "waybill-promote argocd:shop-dev POST ") {
		t.Errorf("it called %s", last)
	}
}

func TestFreightIsMadeOnBehalfOfAStageThatTakesIt(t *testing.T) {
	s := newStandIn(t)
	s.document.Stages[0].RequestedFreight[0].Origin.Name = "base"
	run(t, s, "create", "freight", "--warehouse", "shop", "--reason", "the hotfix",
		"--artifact", "web=v1.1.0", "--artifact", "worker=v1.2.0", "--artifact", "config=c0c0c0c", "--artifact", "https://charts.example.com/db=2.1.0")
	last := s.calls()[len(s.calls())-1]
	if !strings.HasPrefix(last, "waybill-promote argocd:shop-staging POST ") {
		t.Errorf("it called %s", last)
	}
}

func TestWhatIsNotChosenIsAsInTheFreightToBeginWith(t *testing.T) {
	s := newStandIn(t)
	s.freight[1].Artifacts = freight.Artifacts{
		Images: []freight.Image{
			{RepoURL: "registry.example.com/shop", Tag: "v1.1.0", Subscription: "web"},
			{RepoURL: "registry.example.com/shop", Tag: "v1.1.0", Subscription: "worker"},
		},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/config", ID: strings.Repeat("c0", 20)}},
		Charts:  []freight.Chart{{RepoURL: "https://charts.example.com/", Name: "db", Version: "2.1.0"}},
	}
	got := run(t, s, "create", "freight", "--warehouse", "shop", "--from", s.freight[1].ID[:8], "--artifact", "web=v1.2.0", "--dry-run")
	if got.code != ExitOK || got.out != "would make freight of warehouse shop: shop:v1.1.0 (worker), shop:v1.2.0 (web), config c0c0c0c, db 2.1.0\n" {
		t.Errorf("got %+v", got)
	}
	if said := body(t, s); said.Artifacts != nil {
		t.Errorf("a dry run asked for %+v", said)
	}
}

func TestFreightThatThereIsAlreadyIsTold(t *testing.T) {
	s := newStandIn(t)
	s.on("POST /pipelines/shop/warehouses/shop/freight", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, v1.Freight{Freight: s.freight[1], Summary: "shop:v1.1.0"})
	})
	all := []string{"create", "freight", "--warehouse", "shop", "--reason", "x", "--artifact", "web=v1.1.0", "--artifact", "worker=v1.1.0", "--artifact", "config=c0c0c0c", "--artifact", "db=2.1.0"}
	if got := run(t, s, all...); got.code != ExitOK || !strings.HasPrefix(got.out, "there is already freight ") {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, append(all, "-o", "name")...); got.out != s.freight[1].ID+"\n" {
		t.Errorf("got %+v", got)
	}
}

func TestWrongChoicesAreToldBeforeAnythingIsAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no reason":                     {[]string{"--artifact", "web=v1.1.0"}, ExitUsage, "say why with --reason"},
		"no version":                    {[]string{"--reason", "x", "--artifact", "web"}, ExitUsage, "is not <subscription or repository>=<version>"},
		"an empty version":              {[]string{"--reason", "x", "--artifact", "web="}, ExitUsage, "is not <subscription or repository>=<version>"},
		"a name of two":                 {[]string{"--reason", "x", "--artifact", "shop=v1.1.0"}, ExitUsage, "could be web or worker: write all of its name"},
		"a name of none":                {[]string{"--reason", "x", "--artifact", "other=v1.1.0"}, ExitUsage, "has no subscription other: it has web, worker, https://git.example.com/config.git, https://charts.example.com/db"},
		"one subscription twice":        {[]string{"--reason", "x", "--artifact", "web=v1.1.0", "--artifact", "web=v1.2.0"}, ExitUsage, "--artifact chooses web twice, v1.1.0 and v1.2.0: choose one version of it"},
		"too few":                       {[]string{"--reason", "x", "--artifact", "web=v1.1.0"}, ExitError, "nothing is chosen of worker"},
		"a version that is not offered": {[]string{"--reason", "x", "--artifact", "web=v9"}, ExitError, `web does not offer "v9" now: it offers v1.2.0, v1.1.0`},
	} {
		s := newStandIn(t)
		got := run(t, s, append([]string{"create", "freight", "--warehouse", "shop"}, test.args...)...)
		if got.code != test.code || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: got %+v", name, got)
		}
		if said := body(t, s); said.Artifacts != nil {
			t.Errorf("%s: it asked for %+v", name, said)
		}
	}
	// Of several warehouses, one must be named, unless freight tells it.
	if got := run(t, newStandIn(t), "create", "freight", "--reason", "x"); got.code != ExitUsage || !strings.Contains(got.err, "name the warehouse with --warehouse: pipeline shop has shop, tools") {
		t.Errorf("got %+v", got)
	}
}

func TestASubscriptionThatOffersNothingTellsWhy(t *testing.T) {
	s := newStandIn(t)
	broken := s.candidates()
	broken.Items[0].Offers, broken.Items[0].Error = nil, "subscriptions[0] (web): the registry is down"
	s.on("GET /pipelines/shop/warehouses/shop/candidates", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, broken) })
	if got := run(t, s, "get", "candidates", "--warehouse", "shop"); got.code != ExitOK || got.err != "subscriptions[0] (web): the registry is down\n" || !strings.Contains(got.out, "worker") {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, "create", "freight", "--warehouse", "shop", "--reason", "x"); got.code != ExitError || !strings.Contains(got.err, "freight cannot be made now: subscriptions[0] (web): the registry is down") {
		t.Errorf("got %+v", got)
	}
}

// tools is freight of the other warehouse, with the same version as that of shop.
func tools(tag, alias string) freight.Freight {
	f := freight.New("waybill/shop", "tools", shop(tag, 0).Artifacts, now)
	f.Alias = alias
	return f
}

// all chooses a version of each subscription, those of shop(tag) for the images.
func all(tag string) []string {
	return []string{"--artifact", "web=" + tag, "--artifact", "worker=" + tag, "--artifact", "config=c0c0c0c", "--artifact", "db=2.1.0"}
}

func TestFreightToBeginWithTellsTheWarehouse(t *testing.T) {
	for name, test := range map[string]struct {
		args      []string
		code      int
		out, want string
		// lists is how often all freight is read.
		lists int
	}{
		"without --warehouse":             {args: []string{"--from", "brave-otter"}, out: "would make freight of warehouse shop: "},
		"with the same":                   {args: []string{"--from", "brave-otter", "--warehouse", "shop"}, out: "would make freight of warehouse shop: "},
		"a version of two warehouses":     {args: []string{"--from", "v1.1.0"}, code: ExitError, want: `"v1.1.0" could be freight`},
		"that version, of one of the two": {args: []string{"--from", "v1.1.0", "--warehouse", "shop"}, out: "would make freight of warehouse shop: ", lists: 1},
		"of another warehouse": {
			args: []string{"--from", "calm-heron", "--warehouse", "shop"}, code: ExitUsage,
			want: "freight calm-heron is of warehouse tools, not of shop: leave out --warehouse, or name other freight with --from",
		},
		"of none": {args: []string{"--from", "v9", "--warehouse", "shop"}, code: ExitError, want: `warehouse shop: there is no freight "v9"`, lists: 1},
	} {
		s := newStandIn(t)
		s.freight = append(s.freight, tools("v1.1.0", "calm-heron"))
		got := run(t, s, append(append([]string{"create", "freight", "--dry-run"}, test.args...), all("v1.2.0")...)...)
		if got.code != test.code || !strings.HasPrefix(got.out, test.out) || !strings.Contains(got.err, test.want) || test.want == "" && got.err != "" {
			t.Errorf("%s: got %+v", name, got)
		}
		lists := 0
		for _, call := range s.calls() {
			if strings.Contains(call, "GET /pipelines/shop/freight?") {
				lists++
			}
		}
		if lists != test.lists {
			t.Errorf("%s: all freight was read %d times, want %d", name, lists, test.lists)
		}
	}
}

func TestASubscriptionIsCalledByAnyOfItsNames(t *testing.T) {
	offers := []freight.Offered{
		{Subscription: "shop", Kind: freight.KindImage, RepoURL: "registry.example.com/web"},
		{Kind: freight.KindImage, RepoURL: "registry.example.com/config"},
		{Kind: freight.KindCommit, RepoURL: "https://git.example.com/shop.git"},
		{Kind: freight.KindCommit, RepoURL: "git@git.example.com:team/config.git"},
		{Kind: freight.KindCommit, RepoURL: "https://git.example.com/manifests"},
		{Kind: freight.KindChart, RepoURL: "https://charts.example.com", Name: "db"},
	}
	for word, want := range map[string]any{
		"shop":                                0,
		"web":                                 0,
		"shop.git":                            2,
		"https://git.example.com/shop":        2,
		"https://git.example.com/shop.git":    2,
		"config":                              "could be registry.example.com/config or git@git.example.com:team/config.git: write all of its name",
		"config.git":                          3,
		"git@git.example.com:team/config":     3,
		"registry.example.com/config":         1,
		"manifests":                           4,
		"manifests.git":                       4,
		"https://git.example.com/manifests/":  4,
		"db":                                  5,
		"https://charts.example.com/db":       5,
		"db.git":                              "has no subscription db.git",
		"https://git.example.com/nowhere.git": "has no subscription",
	} {
		i, version, err := chosenBy(offers, word+"=v1")
		if sentence, refused := want.(string); refused {
			if err == nil || !strings.Contains(err.Error(), sentence) {
				t.Errorf("%s: %d, %v, want %q", word, i, err, sentence)
			}
			continue
		}
		if err != nil || i != want || version != "v1" {
			t.Errorf("%s: %d, %q, %v, want %v", word, i, version, err, want)
		}
	}
}

func TestADryRunTellsThatFreightExists(t *testing.T) {
	s := newStandIn(t)
	offers := offered(s.candidates())
	var best []freight.Offer
	for _, o := range offers {
		best = append(best, o.Offers[0])
	}
	artifacts, _ := freight.Assemble(best)
	there := freight.New("waybill/shop", "shop", artifacts, now)
	there.Alias = "calm-heron"
	s.freight = append(s.freight, there)
	args := append([]string{"create", "freight", "--warehouse", "shop", "--dry-run"}, all("v1.2.0")...)
	if got := run(t, s, args...); got.code != ExitOK || got.out != "there is already freight "+freight.Short(there.ID)+" (calm-heron) of warehouse shop: "+there.Summary()+"\n" {
		t.Errorf("got %+v", got)
	}
	got := run(t, s, append(args, "-o", "json")...)
	var told struct {
		ID, Alias string
		Exists    bool
	}
	if err := json.Unmarshal([]byte(got.out), &told); err != nil || told.ID != there.ID || told.Alias != "calm-heron" || !told.Exists {
		t.Errorf("got %+v, %v", got, err)
	}
	// A server that cannot tell is not one that says no.
	s.on("GET /pipelines/shop/freight/"+there.ID, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, v1.Problem{Type: v1.ProblemInternal, Status: http.StatusInternalServerError, Detail: "the store is down"})
	})
	if got := run(t, s, args...); got.code != ExitError || got.out != "" || !strings.Contains(got.err, "the store is down") {
		t.Errorf("got %+v", got)
	}
}
