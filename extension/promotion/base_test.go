package promotion_test

import (
	"slices"
	"testing"

	"github.com/waybill-cd/waybill/extension/promotion"
)

func TestTheBaseOfABranchIsThatOfTheNewestPromotionThatMatchesAndWroteIt(t *testing.T) {
	const repo = "https://git.example.com/shop.git"
	wrote := func(stage, freight string, serial int64, results ...promotion.Result) promotion.Promotion {
		return promotion.Promotion{Stage: stage, Freight: freight, Serial: serial, Applications: results}
	}
	all := []promotion.Promotion{
		wrote("prod", "a", 3, promotion.Result{RepoURL: repo, Base: "c3"}),
		wrote("prod", "a", 1, promotion.Result{RepoURL: repo, Base: "c1"}),
		wrote("prod", "a", 5, promotion.Result{RepoURL: repo}), // was not written
		wrote("prod", "b", 4, promotion.Result{RepoURL: "https://GIT.example.com/shop", Base: "c4"}),
		wrote("prod", "a", 6, promotion.Result{RepoURL: "https://git.example.com/books.git", Base: "b6"}),
		wrote("staging", "a", 9, promotion.Result{RepoURL: repo, Base: "s9"}),
	}
	of := func(freight string) func(promotion.Promotion) bool {
		return func(p promotion.Promotion) bool { return p.Freight == freight }
	}
	for _, test := range []struct {
		freight, want string
	}{
		{"a", "c3"},
		{"b", "c4"},
		{"c", ""},
	} {
		if got := promotion.Base(all, "prod", repo, of(test.freight)); got != test.want {
			t.Errorf("freight %s: base %q, want %q", test.freight, got, test.want)
		}
	}
	if got := promotion.Base(all, "prod", repo, func(promotion.Promotion) bool { return true }); got != "c4" {
		t.Errorf("of any freight: %q, want c4", got)
	}
}

func TestThePromotionsWhoseTreesMayBeGivenAgainAreKept(t *testing.T) {
	wrote := func(id, stage, freight string, serial int64, phase promotion.Phase, repos ...string) promotion.Promotion {
		p := promotion.Promotion{ID: id, Stage: stage, Freight: freight, Serial: serial, Phase: phase}
		for _, repo := range repos {
			p.Applications = append(p.Applications, promotion.Result{RepoURL: repo, Base: "c" + id})
		}
		return p
	}
	all := []promotion.Promotion{
		wrote("2", "prod", "a", 2, promotion.Succeeded, "https://git.example.com/shop"),
		wrote("1", "prod", "a", 1, promotion.Succeeded, "https://git.example.com/shop", "https://git.example.com/books"),
		wrote("3", "prod", "b", 3, promotion.Succeeded, "https://git.example.com/shop"),
		wrote("4", "prod", "forgotten", 4, promotion.Succeeded, "https://git.example.com/shop"),
		wrote("5", "prod", "a", 5, promotion.Failed, "https://git.example.com/shop.git"),
		wrote("6", "prod", "a", 6, promotion.Succeeded),
		wrote("7", "staging", "a", 1, promotion.Failed, "https://git.example.com/shop"),
	}
	got := promotion.Bases(all, func(freight string) bool { return freight != "forgotten" })
	if want := []string{"1", "2", "3", "5", "7"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
