package selection

import (
	"testing"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

func git(s pipeline.GitSubscription) pipeline.Subscription {
	s.RepoURL = "https://git.example.com/team/shop.git"
	return pipeline.Subscription{Git: &s}
}

func image(s pipeline.ImageSubscription) pipeline.Subscription {
	s.RepoURL = "registry.example.com/shop"
	return pipeline.Subscription{Image: &s}
}

func TestAPushConcernsTheSubscriptionsToItsRepository(t *testing.T) {
	t.Parallel()
	chart := func(repoURL string) pipeline.Subscription {
		return pipeline.Subscription{Chart: &pipeline.ChartSubscription{RepoURL: repoURL}}
	}
	hub := pipeline.Subscription{Image: &pipeline.ImageSubscription{RepoURL: "nginx"}}
	for _, c := range []struct {
		repoURL string
		s       pipeline.Subscription
		want    bool
	}{
		{"https://git.example.com/team/shop", git(pipeline.GitSubscription{}), true},
		{"https://git.example.com/Team/Shop.git/", git(pipeline.GitSubscription{}), true},
		{"https://user:secret@GIT.example.com:8443/team/shop.git", git(pipeline.GitSubscription{}), true},
		{"git@git.example.com:team/shop.git", git(pipeline.GitSubscription{}), true},
		{"ssh://git@git.example.com:2222/team/shop.git", git(pipeline.GitSubscription{}), true},
		{"git://git.example.com/team/shop.git", git(pipeline.GitSubscription{}), true},
		{"git.example.com/team/shop", git(pipeline.GitSubscription{}), true},
		{"https://git.example.com/team/shop-fork.git", git(pipeline.GitSubscription{}), false},
		{"https://git.example.org/team/shop.git", git(pipeline.GitSubscription{}), false},
		{"https://git.example.com/shop.git", git(pipeline.GitSubscription{}), false},
		{"https://git.example.com", git(pipeline.GitSubscription{}), false},
		{"", git(pipeline.GitSubscription{}), false},
		{"Registry.example.com/shop", image(pipeline.ImageSubscription{}), true},
		{"https://registry.example.com/shop/", image(pipeline.ImageSubscription{}), true},
		{"registry.example.com/shop/api", image(pipeline.ImageSubscription{}), false},
		{"registry.example.com:5000/shop", image(pipeline.ImageSubscription{}), false},
		{"", image(pipeline.ImageSubscription{}), false},
		{"docker.io/library/nginx", hub, true},
		{"index.docker.io/library/nginx", hub, true},
		{"quay.io/library/nginx", hub, false},
		{"registry.example.com/charts/db", chart("oci://registry.example.com/charts/db"), true},
		{"oci://registry.example.com/charts/db", chart("oci://Registry.example.com/charts/db"), true},
		{"registry.example.com/charts/db2", chart("oci://registry.example.com/charts/db"), false},
		{"https://charts.example.com/stable/", chart("https://charts.example.com/stable"), true},
		{"https://charts.example.com/beta", chart("https://charts.example.com/stable"), false},
		{"https://charts.example.com", pipeline.Subscription{}, false},
	} {
		if got := (Push{RepoURLs: []string{"https://other.example.com/x", c.repoURL}}).Concerns(c.s); got != c.want {
			t.Errorf("a push to %q concerns %+v %+v %+v: %v", c.repoURL, c.s.Git, c.s.Image, c.s.Chart, got)
		}
	}
}

func TestAPushThatCannotChangeTheSelectionConcernsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		push Push
		s    pipeline.Subscription
		want bool
	}{
		"the branch":                        {Push{Branch: "main", DefaultBranch: "dev"}, git(pipeline.GitSubscription{Branch: "main"}), true},
		"another branch":                    {Push{Branch: "dev", DefaultBranch: "main"}, git(pipeline.GitSubscription{Branch: "main"}), false},
		"the default branch":                {Push{Branch: "main", DefaultBranch: "main"}, git(pipeline.GitSubscription{}), true},
		"not the default branch":            {Push{Branch: "dev", DefaultBranch: "main"}, git(pipeline.GitSubscription{}), false},
		"which is the default is unknown":   {Push{Branch: "dev"}, git(pipeline.GitSubscription{}), true},
		"what was pushed to is unknown":     {Push{}, git(pipeline.GitSubscription{Branch: "main"}), true},
		"a tag, for a branch":               {Push{Tags: []string{"v1.0.0"}}, git(pipeline.GitSubscription{Branch: "main"}), false},
		"a branch, for tags":                {Push{Branch: "main"}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}), false},
		"a tag that qualifies":              {Push{Tags: []string{"v1.0.0"}}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}), true},
		"a tag that does not":               {Push{Tags: []string{"nightly"}}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}), false},
		"one of two does":                   {Push{Tags: []string{"nightly", "v1.0.0"}}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategySemVer}), true},
		"a tag that is ignored":             {Push{Tags: []string{"rc1"}}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag, IgnoreTagsRegexes: []string{"^rc"}}), false},
		"unknown, for tags":                 {Push{}, git(pipeline.GitSubscription{CommitSelectionStrategy: pipeline.StrategyNewestTag}), true},
		"an image's tag that qualifies":     {Push{Tags: []string{"1.2.0"}}, image(pipeline.ImageSubscription{Constraint: "^1.0.0"}), true},
		"an image's tag out of range":       {Push{Tags: []string{"2.0.0"}}, image(pipeline.ImageSubscription{Constraint: "^1.0.0"}), false},
		"the tag that is followed":          {Push{Tags: []string{"latest"}}, image(pipeline.ImageSubscription{ImageSelectionStrategy: pipeline.StrategyDigest, Constraint: "latest"}), true},
		"a tag beside it":                   {Push{Tags: []string{"edge"}}, image(pipeline.ImageSubscription{ImageSelectionStrategy: pipeline.StrategyDigest, Constraint: "latest"}), false},
		"an image without a tag":            {Push{}, image(pipeline.ImageSubscription{}), true},
		"a rule that cannot be made":        {Push{Tags: []string{"x"}}, image(pipeline.ImageSubscription{Constraint: "no range"}), true},
		"paths that count":                  {Push{Branch: "main", Paths: []string{"README.md", "deploy/a.yaml"}}, git(pipeline.GitSubscription{IncludePaths: []string{"deploy"}}), true},
		"paths that do not":                 {Push{Branch: "main", Paths: []string{"README.md"}}, git(pipeline.GitSubscription{IncludePaths: []string{"deploy"}}), false},
		"paths that are excluded":           {Push{Branch: "main", Paths: []string{"docs/a.md"}}, git(pipeline.GitSubscription{ExcludePaths: []string{"glob:docs/**"}}), false},
		"paths that are unknown":            {Push{Branch: "main"}, git(pipeline.GitSubscription{IncludePaths: []string{"deploy"}}), true},
		"a pattern that cannot be compiled": {Push{Branch: "main", Paths: []string{"README.md"}}, git(pipeline.GitSubscription{IncludePaths: []string{"regex:("}}), true},
		"what Waybill itself pushed":        {Push{Branch: "main", Paths: []string{"deploy/waybill-shop-dev.yaml"}}, git(pipeline.GitSubscription{}), false},
		"what it pushed with other changes": {Push{Branch: "main", Paths: []string{"deploy/waybill-shop-dev.yaml", "deploy/a.yaml"}}, git(pipeline.GitSubscription{}), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.push.RepoURLs = []string{"https://git.example.com/team/shop", "registry.example.com/shop"}
			if got := c.push.Concerns(c.s); got != c.want {
				t.Errorf("it is %v", got)
			}
		})
	}
}

func FuzzGitRepositoriesAreTheSameBothWays(f *testing.F) {
	f.Add("https://git.example.com/team/shop.git", "git@git.example.com:team/shop")
	f.Add("https://[::1]/x", "//")
	f.Fuzz(func(t *testing.T, a, b string) {
		if SameGitRepository(a, b) != SameGitRepository(b, a) {
			t.Errorf("%q and %q are the same in one direction alone", a, b)
		}
	})
}
