package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/freight"
)

func candidate() expression.Criteria {
	const repo, chart = "https://git.example.com/shop.git", "https://charts.example.com"
	return expression.Of(freight.Artifacts{
		Images: []freight.Image{
			{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: "sha256:1", Subscription: "web"},
			{RepoURL: "registry.example.com/shop", Tag: "v1.4.1", Digest: "sha256:2", Subscription: "worker"},
			{RepoURL: "nginx", Tag: "1.27", Digest: "sha256:3"},
		},
		Commits: []freight.Commit{{RepoURL: repo, ID: "4b1c27c", Tag: "v1.4.2", Subscription: "main"}},
		Charts:  []freight.Chart{{RepoURL: chart, Name: "db", Version: "2.1.0"}, {RepoURL: chart, Name: "cache", Version: "1.0.0", Subscription: "fast"}, {RepoURL: "oci://registry.example.com/charts/db", Version: "3.0.0", Digest: "sha256:4"}},
	}, []freight.Detail{
		{Kind: freight.KindCommit, RepoURL: "https://git.example.com/other.git", Subject: "other"},
		{Kind: freight.KindCommit, RepoURL: repo, Subscription: "main", Subject: "Sell more", Author: "Alice <alice@example.com>"},
		{Kind: freight.KindChart, RepoURL: chart, Name: "db", AppVersion: "16"},
	})
}

func TestCriteriaAreMetOrNot(t *testing.T) {
	for text, want := range map[string]bool{
		`imageFrom("registry.example.com/shop", "web").Tag == commitFrom("https://git.example.com/shop").Tag`:                                                  true,
		`imageFrom("registry.example.com/shop", "web").Tag == imageFrom("registry.example.com/shop", "worker").Tag`:                                            false,
		`imageFrom("docker.io/library/nginx").Digest == "sha256:3"`:                                                                                            true,
		`commitFrom("https://git.example.com/shop.git").Author contains "alice@" && commitFrom("https://git.example.com/shop", "main").Subject == "Sell more"`: true,
		`chartFrom("https://charts.example.com", "db").Version == "2.1.0"`:                                                                                     true,
		`chartFrom("https://charts.example.com", "db").AppVersion == "16"`:                                                                                     true,
		`chartFrom("https://charts.example.com/", "cache", "fast").Name == "cache"`:                                                                            true,
		`chartFrom("https://charts.example.com", "fast").AppVersion == ""`:                                                                                     true,
		`chartFrom("oci://registry.example.com/charts/db").Version startsWith "3."`:                                                                            true,
		`all(["web", "worker"], imageFrom("registry.example.com/shop", #).Tag startsWith "v1.")`:                                                               true,
	} {
		condition, err := expression.CompileCriteria(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := condition.Holds(candidate()); got != want || err != nil {
			t.Errorf("%s = %t, %v, want %t", text, got, err, want)
		}
	}
}

func TestCriteriaOnWhatIsNotFoundAreAnError(t *testing.T) {
	for text, want := range map[string]string{
		`imageFrom("registry.example.com/other").Tag == ""`:          "the warehouse finds no image of registry.example.com/other: name what it subscribes to",
		`imageFrom("nginx", "web").Tag == ""`:                        "the warehouse finds no image of nginx that is called web: name what it subscribes to",
		`imageFrom("registry.example.com/shop").Tag == ""`:           `the warehouse finds 2 of registry.example.com/shop: name the subscription too, imageFrom("registry.example.com/shop", name)`,
		`commitFrom("https://git.example.com/x").ID == ""`:           "the warehouse finds no commit of https://git.example.com/x: name what it subscribes to",
		`chartFrom("https://charts.example.com").Version == ""`:      `the warehouse finds 2 of https://charts.example.com: name the subscription too, chartFrom("https://charts.example.com", name)`,
		`chartFrom("https://charts.example.com", "x").Version == ""`: "the warehouse finds no chart of https://charts.example.com that is called x: name what it subscribes to",
	} {
		condition, err := expression.CompileCriteria(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := condition.Holds(candidate()); got || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s = %t, %v, want %s", text, got, err, want)
		}
	}
}

func TestCriteriaOnAFieldThatIsNotThereAreToldWhichAre(t *testing.T) {
	for text, want := range map[string]string{
		`imageFrom("nginx").tag == ""`:           "image has no field tag (1:20): it has RepoURL, Tag, Digest, Subscription",
		`commitFrom("a")?.Message == ""`:         "commit has no field Message (1:18): it has RepoURL, ID, Tag, Subject, Author",
		`chartFrom("a").Name.Short() == ""`:      "Short() is not allowed here: of a date or a duration, there are Year, ",
		`chartFrom("a")["version"] == ""`:        "chart has no field version (1:15): it has RepoURL, Name, Version, Digest, AppVersion",
		`imageFrom("nginx") == "1.27"`:           "invalid operation: == (mismatched types image and string) (1:20)",
		`artifactFrom("nginx").Tag == "1.27"`:    "unknown name artifactFrom (1:1): an expression here sees imageFrom, commitFrom, chartFrom",
		`date("2026-01-01").Month().Long == "x"`: "month has no field Long (1:28): it has String()",
	} {
		if _, err := expression.CompileCriteria(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzCriteria(f *testing.F) {
	f.Add(`imageFrom("nginx").Tag == "1.27"`)
	f.Add(`commitFrom("https://git.example.com/shop.git").Subject contains chartFrom("https://charts.example.com", "db").Version`)
	f.Add(`imageFrom("", "", "").Tag == imageFrom("nginx", nil).Tag`)
	f.Fuzz(func(t *testing.T, text string) {
		condition, err := expression.CompileCriteria(text)
		if err != nil {
			return
		}
		if holds, err := condition.Holds(candidate()); holds && err != nil {
			t.Errorf("%q holds, with the error %v", text, err)
		}
	})
}

func ExampleOf() {
	condition, err := expression.CompileCriteria(`imageFrom("registry.example.com/shop").Tag == commitFrom("https://git.example.com/shop.git").Tag`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(condition.Holds(expression.Of(freight.Artifacts{
		Images:  []freight.Image{{RepoURL: "registry.example.com/shop", Tag: "v1.4.2"}},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop.git", Tag: "v1.4.1"}},
	}, nil)))
	// Output: false <nil>
}
