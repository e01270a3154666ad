package freight_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
)

func TestOffersOfEachSubscriptionMakeFreight(t *testing.T) {
	built := time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	image := freight.Image{RepoURL: "registry.example.com/shop", Tag: "v1", Digest: digestA, Subscription: "web"}
	other := freight.Image{RepoURL: "registry.example.com/shop", Tag: "v2", Digest: digestB, Subscription: "worker"}
	commit := freight.Commit{RepoURL: "https://git.example.com/shop.git", ID: commitID}
	chart := freight.Chart{RepoURL: "oci://registry.example.com/charts/db", Version: "2.1.0", Digest: digestC}
	details := []freight.Detail{
		{Kind: freight.KindCommit, RepoURL: commit.RepoURL, Subject: "Sell more", Author: "Alice <alice@example.com>"},
		{Kind: freight.KindImage, RepoURL: image.RepoURL, Subscription: "web", CreatedAt: &built, Source: "https://git.example.com/shop", Revision: commitID},
		{Kind: freight.KindChart, RepoURL: chart.RepoURL, AppVersion: "16"},
		{Kind: freight.KindImage, RepoURL: image.RepoURL, Subscription: "worker"},
	}
	artifacts, got := freight.Assemble([]freight.Offer{
		{Commit: &commit, Detail: details[0]}, {Image: &image, Detail: details[1]}, {Chart: &chart, Detail: details[2]}, {Image: &other, Detail: details[3]},
	})
	want := freight.Artifacts{Images: []freight.Image{image, other}, Commits: []freight.Commit{commit}, Charts: []freight.Chart{chart}}
	if diff := cmp.Diff(want, artifacts); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(details, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	if err := artifacts.Check(); err != nil {
		t.Errorf("what was assembled cannot be pinned: %v", err)
	}
}

// Whoever may push a commit writes what people see of it.
func TestWhatIsToldOfAnArtifactIsOneShortLine(t *testing.T) {
	for text, want := range map[string]string{
		"Sell more":                      "Sell more",
		" Sell\tmore\r\nand more\n ":     "Sell more and more",
		"\x1b[31mred\x00\u202e\u2028":    "[31mred",
		"\xffü":                          "ü",
		strings.Repeat("a", 256):         strings.Repeat("a", 256),
		strings.Repeat("a", 257):         strings.Repeat("a", 253) + "…",
		"a" + strings.Repeat("ü", 1<<20): "a" + strings.Repeat("ü", 126) + "…",
		"":                               "",
	} {
		d := freight.Detail{Subject: text, Author: text, Source: text, Revision: text, AppVersion: text, RepoURL: text}.Bounded()
		for _, got := range []string{d.Subject, d.Author, d.Source, d.Revision, d.AppVersion} {
			if got != want {
				t.Errorf("%.40q is told as %q, want %q", text, got, want)
			}
		}
		if d.RepoURL != text {
			t.Errorf("the repository is changed to %q", d.RepoURL)
		}
		commit := freight.Commit{ID: commitID}
		if _, details := freight.Assemble([]freight.Offer{{Commit: &commit, Detail: freight.Detail{Subject: text}}}); details[0].Subject != want {
			t.Errorf("freight tells %.40q as %q", text, details[0].Subject)
		}
	}
}

func FuzzWhatIsToldOfAnArtifactIsBounded(f *testing.F) {
	for _, s := range []string{"", "Sell more", "\n\t", "\xff\xfe", strings.Repeat("ü", 300), "\u202e\x1b[0m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := freight.Detail{Subject: text}.Bounded()
		if len(d.Subject) > 256 || !utf8.ValidString(d.Subject) || strings.ContainsAny(d.Subject, "\n\r\x1b\x00") {
			t.Errorf("%q is told as %q", text, d.Subject)
		}
		if again := d.Bounded(); again != d {
			t.Errorf("bounded once %q, and twice %q", d.Subject, again.Subject)
		}
	})
}

func TestNoOffersMakeNoFreight(t *testing.T) {
	artifacts, details := freight.Assemble(nil)
	if artifacts.Len() != 0 || len(details) != 0 {
		t.Errorf("Assemble(nil) = %v, %v", artifacts, details)
	}
	if artifacts.Check() == nil {
		t.Error("freight of nothing can be pinned")
	}
}

func TestAnOfferIsNamedAsPeopleDo(t *testing.T) {
	for want, offer := range map[string]freight.Offer{
		"v1.4.2":  {Image: &freight.Image{Tag: "v1.4.2", Digest: digestA}},
		"aaaaaaa": {Image: &freight.Image{Digest: digestA}},
		"4b1c27c": {Commit: &freight.Commit{ID: commitID}},
		"v2":      {Commit: &freight.Commit{ID: commitID, Tag: "v2"}},
		"2.1.0":   {Chart: &freight.Chart{Version: "2.1.0", Digest: digestC}},
		"":        {},
	} {
		if got := offer.Version(); got != want {
			t.Errorf("Version = %q, want %q", got, want)
		}
	}
}

func TestTheCommitOfARepositoryIsTheOneThatTheFreightPins(t *testing.T) {
	const repo = "https://git.example.com/shop"
	other := strings.Repeat("0", 40)
	load := func(origin string, commits ...freight.Commit) freight.Freight {
		return freight.Freight{Origin: origin, Artifacts: freight.Artifacts{Commits: commits}}
	}
	commit := func(id, subscription string) freight.Commit {
		return freight.Commit{RepoURL: repo + ".git", ID: id, Subscription: subscription}
	}
	const remedy = ", and an Application is rendered from one: keep one of these subscriptions in what the stage requests"
	for name, tt := range map[string]struct {
		all  []freight.Freight
		want string
		err  string
	}{
		"none":                      {nil, "", ""},
		"one of another repository": {[]freight.Freight{load("shop", freight.Commit{RepoURL: repo + "s", ID: other})}, "", ""},
		"one":                       {[]freight.Freight{load("base"), load("shop", commit(commitID, ""))}, commitID, ""},
		"one, by two subscriptions": {[]freight.Freight{load("shop", commit(commitID, "main"), commit(commitID, "released"))}, commitID, ""},
		"two of one warehouse": {[]freight.Freight{load("shop", commit(commitID, "main"), commit(other, "released"))}, "",
			"the freight pins two commits of " + repo + ", 4b1c27c (subscription main of warehouse shop) and 0000000 (subscription released of warehouse shop)" + remedy},
		"two of two warehouses, without names": {[]freight.Freight{load("shop", commit(commitID, "")), load("base", commit(commitID, ""), commit(other, ""))}, "",
			"the freight pins two commits of " + repo + ", 4b1c27c (a subscription of warehouse shop) and 0000000 (a subscription of warehouse base)" + remedy},
	} {
		got, found, err := freight.CommitOf(tt.all, repo)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if got.ID != tt.want || found != (tt.want != "") || message != tt.err {
			t.Errorf("%s: CommitOf = %q, %t, %q, want %q, %q", name, got.ID, found, message, tt.want, tt.err)
		}
	}
}

func ExampleAssemble() {
	artifacts, _ := freight.Assemble([]freight.Offer{
		{Image: &freight.Image{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: digestA}},
		{Commit: &freight.Commit{RepoURL: "https://git.example.com/shop.git", ID: commitID}},
	})
	fmt.Println(artifacts.Summary())
	// Output: shop:v1.4.2, shop 4b1c27c
}
