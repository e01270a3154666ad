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
	if got.code != ExitOK || got.out != "would make freight of warehouse shop: shop:v1.2.0 (web), shop:v1.1.0 (worker), config c0c0c0c, db 2.1.0\n" {
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
	// Of several warehouses, one must be named.
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
