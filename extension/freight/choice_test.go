package freight_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
)

const (
	webID   = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
	twinID  = "c0ffee01c0ffee00c0ffee00c0ffee00c0ffee00"
	config  = "https://git.example.com/config.git"
	release = "https://git.example.com/release.git"
)

// shelves are what a warehouse offers: two subscriptions to one image, commits of a
// branch, tags of a repository, a chart of an index and one in a registry.
func shelves() []freight.Offered {
	images := func(name string) freight.Offered {
		o := freight.Offered{Subscription: name, Kind: freight.KindImage, RepoURL: "registry.example.com/shop"}
		for _, tag := range []string{"v2", "v1"} {
			o.Offers = append(o.Offers, freight.Offer{Image: &freight.Image{RepoURL: o.RepoURL, Tag: tag, Subscription: name}})
		}
		return o
	}
	commit := func(repoURL, id, tag string) freight.Offer {
		return freight.Offer{Commit: &freight.Commit{RepoURL: repoURL, ID: id, Tag: tag}}
	}
	chart := func(repoURL, name, version string) freight.Offer {
		return freight.Offer{Chart: &freight.Chart{RepoURL: repoURL, Name: name, Version: version}}
	}
	return []freight.Offered{
		images("web"), images("worker"),
		{Kind: freight.KindCommit, RepoURL: config, Offers: []freight.Offer{commit(config, webID, ""), commit(config, twinID, "")}},
		{Kind: freight.KindCommit, RepoURL: release, Offers: []freight.Offer{commit(release, webID, "r2"), commit(release, webID, "r1")}},
		{Kind: freight.KindChart, RepoURL: "https://charts.example.com", Name: "db", Offers: []freight.Offer{chart("https://charts.example.com", "db", "2.1.0")}},
		{Kind: freight.KindChart, RepoURL: "oci://registry.example.com/charts/cache", Offers: []freight.Offer{chart("oci://registry.example.com/charts/cache", "", "1.0.0")}},
	}
}

func choices() []freight.Choice {
	return []freight.Choice{
		{RepoURL: "oci://Registry.example.com/charts/cache/", Version: "1.0.0"}, // repositories in any spelling, in any order
		{RepoURL: "https://charts.example.com/", Name: "db", Version: "2.1.0"},
		{RepoURL: "https://git.example.com/release", Version: "r1"},
		{RepoURL: config, Version: webID[:8]},
		{Subscription: "worker", RepoURL: "registry.example.com/shop", Version: "v1"},
		{Subscription: "web", Version: "v2"},
	}
}

func TestOneVersionOfEachSubscriptionIsChosen(t *testing.T) {
	offers, err := freight.Choose(shelves(), choices())
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for _, o := range offers {
		versions = append(versions, o.Version())
	}
	if diff := cmp.Diff([]string{"v2", "v1", "c0ffee0", "r1", "2.1.0", "1.0.0"}, versions); diff != "" {
		t.Errorf("chosen in the order of the subscriptions (-want +got):\n%s", diff)
	}
	artifacts, _ := freight.Assemble(offers)
	if artifacts.Images[1].Subscription != "worker" || artifacts.Commits[0].ID != webID {
		t.Errorf("the artifacts are %+v", artifacts)
	}
	// What was chosen is what the freight says of each subscription.
	for i, o := range shelves() {
		want := map[int]string{2: webID}[i]
		if want == "" {
			want = versions[i]
		}
		if got := o.VersionIn(artifacts); got != want {
			t.Errorf("of %s the freight holds %q, want %q", o, got, want)
		}
		if got := o.VersionIn(freight.Artifacts{}); got != "" {
			t.Errorf("of %s freight of nothing holds %q", o, got)
		}
	}
}

func TestAChoiceThatIsNotClearIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func([]freight.Choice) []freight.Choice
		want   string
	}{
		"one left out": {func(c []freight.Choice) []freight.Choice { return c[1:] },
			"nothing is chosen of oci://registry.example.com/charts/cache: freight holds one version of each subscription"},
		"one twice": {func(c []freight.Choice) []freight.Choice { return append(c, c[5]) }, "web is chosen twice: choose one version of it"},
		"a repository of two": {func(c []freight.Choice) []freight.Choice { c[4].Subscription = ""; return c },
			"registry.example.com/shop could be web or worker: name the subscription"},
		"a subscription of another repository": {func(c []freight.Choice) []freight.Choice { c[4].RepoURL = config; return c },
			"the warehouse does not subscribe to worker: name one of web, worker, " + config + ", " + release + ", https://charts.example.com/db, 1 more"},
		"a chart of another name": {func(c []freight.Choice) []freight.Choice { c[1].Name = "cache"; return c }, "the warehouse does not subscribe to https://charts.example.com"},
		"neither":                 {func(c []freight.Choice) []freight.Choice { c[5].Subscription = ""; return c }, "a choice names neither a subscription nor a repository"},
		"no version":              {func(c []freight.Choice) []freight.Choice { c[5].Version = ""; return c }, "no version of web is named"},
		"a version of another":    {func(c []freight.Choice) []freight.Choice { c[5].Version = "v3"; return c }, `web does not offer "v3" now: it offers v2, v1`},
		"digits of two commits": {func(c []freight.Choice) []freight.Choice { c[3].Version = "c0ffee0"; return c },
			`"c0ffee0" could be ` + webID + " or " + twinID + " of " + config + ": name the tag, or more digits"},
		"six digits":           {func(c []freight.Choice) []freight.Choice { c[3].Version = twinID[:6]; return c }, `does not offer "c0ffee"`},
		"a commit of two tags": {func(c []freight.Choice) []freight.Choice { c[2].Version = webID; return c }, "could be r2 or r1 of " + release},
	} {
		_, err := freight.Choose(shelves(), test.change(choices()))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if _, err := freight.Choose([]freight.Offered{{Kind: freight.KindImage, RepoURL: "r/shop"}}, []freight.Choice{{RepoURL: "r/shop", Version: "v1"}}); err == nil || !strings.Contains(err.Error(), "it offers nothing") {
		t.Errorf("of nothing: %v", err)
	}
}

func TestASubscriptionIsCalledByItsNameItsRepositoryOrTheEndOfThat(t *testing.T) {
	for word, want := range map[string][]string{
		"web": {"web"}, "shop": {"web", "worker"}, "registry.example.com/shop": {"web", "worker"}, "Registry.Example.com/shop/": {"web", "worker"},
		"config": {config}, "https://git.example.com/config": {config}, "release": {release},
		"config.git": {config}, "https://git.example.com/config.git": {config}, "shop.git": nil, ".git": nil,
		"db": {"https://charts.example.com/db"}, "https://charts.example.com/db": {"https://charts.example.com/db"}, "cache": {"oci://registry.example.com/charts/cache"},
		"": nil, "git": nil, "https://charts.example.com": nil,
	} {
		var called []string
		for _, o := range shelves() {
			if o.Called(word) {
				called = append(called, o.String())
			}
		}
		if diff := cmp.Diff(want, called); diff != "" {
			t.Errorf("%q calls (-want +got):\n%s", word, diff)
		}
	}
}
