package promotion_test

import (
	"testing"

	"github.com/waybill-cd/waybill/extension/promotion"
)

func TestTheBaseOfABranchIsThatOfTheNewestPromotionThatMatchesAndWroteIt(t *testing.T) {
	const repo, branch = "https://git.example.com/shop.git", "env/prod"
	wrote := func(stage, freight string, serial int64, results ...promotion.Result) promotion.Promotion {
		return promotion.Promotion{Stage: stage, Freight: freight, Serial: serial, Applications: results}
	}
	all := []promotion.Promotion{
		wrote("prod", "a", 3, promotion.Result{RepoURL: repo, Branch: branch, Base: "c3"}),
		wrote("prod", "a", 1, promotion.Result{RepoURL: repo, Branch: branch, Base: "c1"}),
		wrote("prod", "a", 5, promotion.Result{RepoURL: repo, Branch: branch}), // was not written
		wrote("prod", "b", 4, promotion.Result{RepoURL: repo, Branch: "env/other", Base: "o4"}, promotion.Result{RepoURL: "https://GIT.example.com/shop", Branch: branch, Base: "c4"}),
		wrote("prod", "a", 6, promotion.Result{RepoURL: "https://git.example.com/books.git", Branch: branch, Base: "b6"}),
		wrote("staging", "a", 9, promotion.Result{RepoURL: repo, Branch: branch, Base: "s9"}),
	}
	of := func(freight string) func(promotion.Promotion) bool {
		return func(p promotion.Promotion) bool { return p.Freight == freight }
	}
	for _, test := range []struct {
		branch, freight, want string
	}{
		{branch, "a", "c3"},
		{branch, "b", "c4"},
		{branch, "c", ""},
		{"env/other", "b", "o4"},
		{"env/other", "a", ""},
	} {
		if got := promotion.Base(all, "prod", repo, test.branch, of(test.freight)); got != test.want {
			t.Errorf("freight %s on %s: base %q, want %q", test.freight, test.branch, got, test.want)
		}
	}
	if got := promotion.Base(all, "prod", repo, branch, func(promotion.Promotion) bool { return true }); got != "c4" {
		t.Errorf("of any freight: %q, want c4", got)
	}
}
