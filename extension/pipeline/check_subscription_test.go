package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

const subscribed = "warehouses[4].subscriptions[0]"

func gitSubscription(text string) string {
	return subscription("git: {repoURL: 'https://git.example.com/shop.git', " + text + "}")
}

func chartSubscription(text string) string { return subscription("chart: " + text) }

func subscriptionProblems() []problem {
	const (
		nothing = "must subscribe to one thing: write either image, git or chart"
		names   = " is not a name: use lower-case letters, digits and hyphens, 63 at most"
	)
	several := func(a, b string) string {
		return warehouse("{name: more, subscriptions: [{" + a + "}, {" + b + "}]}")
	}
	missing := func(repository string) string {
		return "is missing: the warehouse subscribes to " + repository + " 2 times, and only a name tells one from the other"
	}
	criteria := func(text string) string {
		return warehouse("{name: more, subscriptions: [{image: {repoURL: r}}], " + text + "}")
	}
	many := strings.Repeat("{image: {repoURL: r}},", 51)
	for i := range 51 {
		many = strings.Replace(many, "repoURL: r}", fmt.Sprintf("repoURL: r/%d}", i), 1)
	}
	entries := strings.Repeat("v,", 101)
	tooMany := func(where, field, text string) problem {
		return one("too many "+field, text, where+"."+field, "holds 101, and 100 are allowed: join several into one")
	}
	return []problem{
		tooMany(subscribed+".image", "allowTagsRegexes", subscription("image: {repoURL: r, allowTagsRegexes: ["+entries+"]}")),
		tooMany(subscribed+".image", "ignoreTagsRegexes", subscription("image: {repoURL: r, ignoreTagsRegexes: ["+entries+"]}")),
		tooMany(subscribed+".git", "allowTagsRegexes", gitSubscription("commitSelectionStrategy: Lexical, allowTagsRegexes: ["+entries+"]")),
		tooMany(subscribed+".git", "ignoreTagsRegexes", gitSubscription("commitSelectionStrategy: Lexical, ignoreTagsRegexes: ["+entries+"]")),
		tooMany(subscribed+".git", "includePaths", gitSubscription("includePaths: ["+entries+"]")),
		tooMany(subscribed+".git", "excludePaths", gitSubscription("excludePaths: ["+entries+"]")),
		one("a subscription to nothing", subscription(""), subscribed, nothing),
		one("a subscription with a name, to nothing", subscription("name: web"), subscribed, nothing),
		one("a subscription to two things", subscription("image: {repoURL: r}, chart: {repoURL: 'oci://r/c'}"), subscribed, nothing),
		one("a subscription's name in upper case", subscription("name: Web, image: {repoURL: r}"), subscribed+".name", `"Web"`+names),
		one("a subscription's name twice", several("name: web, image: {repoURL: r}", "name: web, git: {repoURL: 'https://g/r'}"),
			"warehouses[4].subscriptions[1].name", `"web" is taken`),
		{"an image repository twice, without names", several("image: {repoURL: nginx}", "image: {repoURL: docker.io/library/nginx}"), []pipeline.Problem{
			{Path: subscribed + ".name", Message: missing("docker.io/library/nginx")},
			{Path: "warehouses[4].subscriptions[1].name", Message: missing("docker.io/library/nginx")},
		}},
		one("a Git repository twice, one without a name", several("name: main, git: {repoURL: 'https://g/r'}", "git: {repoURL: 'https://g/r.git'}"),
			"warehouses[4].subscriptions[1].name", missing("https://g/r")),
		one("a chart twice, one without a name", several("chart: {repoURL: 'https://c/', name: db}", "name: two, chart: {repoURL: 'https://c', name: db}"),
			subscribed+".name", missing("https://c/db")),
		one("too many subscriptions", warehouse("{name: more, subscriptions: ["+many+"]}"), "warehouses[4].subscriptions", "holds 51, and 50 are allowed: split the warehouse"),

		one("an unknown policy", criteria("freightCreationPolicy: Never"), "warehouses[4].freightCreationPolicy", `"Never" is not known: allowed are Automatic and Manual`),
		one("criteria for what a person decides", criteria("freightCreationPolicy: Manual, freightCreationCriteria: {expression: 'true'}"), "warehouses[4].freightCreationCriteria",
			"means nothing with freightCreationPolicy: Manual, where a person decides: leave one of them out"),
		one("empty criteria", criteria("freightCreationCriteria: {}"), "warehouses[4].freightCreationCriteria.expression", "is empty: write a condition, which is true or false"),
		one("criteria that are no condition", criteria(`freightCreationCriteria: {expression: 'imageFrom("r").Tag'}`), "warehouses[4].freightCreationCriteria.expression",
			`is not a condition: expected bool, but got string`),
		one("criteria on an image that is not subscribed to", criteria(`freightCreationCriteria: {expression: 'false && imageFrom("registry.example.com/other").Tag != ""'}`), "warehouses[4].freightCreationCriteria.expression",
			"the warehouse finds no image of registry.example.com/other: name what it subscribes to"),
		one("criteria on what is not there", criteria(`freightCreationCriteria: {expression: 'artifactFrom("r") != nil'}`), "warehouses[4].freightCreationCriteria.expression",
			`is not a condition: unknown name artifactFrom (1:1): an expression here sees imageFrom, commitFrom, chartFrom`),
	}
}

func imageProblems() []problem {
	const (
		path       = subscribed + ".image"
		repository = " is not a repository: write host/path in lower case, without scheme, tag or digest"
		lists      = "means nothing with Digest: leave it out, or take the strategy SemVer, Lexical or NewestBuild"
		platform   = " is not a platform: write os/arch or os/arch/variant, for example linux/amd64"
	)
	return []problem{
		one("no repository", image("{constraint: ^1.0.0}"), path+".repoURL", "is missing: name the repository, for example registry.example.com/shop"),
		one("a repository with a scheme", image("{repoURL: 'https://r/shop'}"), path+".repoURL", `"https://r/shop"`+repository),
		one("a repository with a tag", image("{repoURL: 'localhost:5000/shop:v1'}"), path+".repoURL", `"localhost:5000/shop:v1"`+repository),
		one("a repository with a digest", image("{repoURL: 'r/shop@sha256:0'}"), path+".repoURL", `"r/shop@sha256:0"`+repository),
		one("a repository with a space", image("{repoURL: r shop}"), path+".repoURL", `"r shop"`+repository),
		one("a strategy for images that is none", image("{repoURL: r, imageSelectionStrategy: NewestTag, constraint: x, strictSemvers: true}"),
			path+".imageSelectionStrategy", `"NewestTag" is not known: allowed are SemVer, Lexical, NewestBuild and Digest`),
		one("a word for a constraint", image("{repoURL: r, constraint: newest}"), path+".constraint",
			`"newest" is not a version range: write for example ^1.2.0 or >=1.2.0 <2.0.0`),
		one("a constraint where none counts", image("{repoURL: r, imageSelectionStrategy: NewestBuild, constraint: ^1.0.0}"), path+".constraint",
			"means nothing with NewestBuild: leave it out, or take the strategy SemVer or Digest"),
		one("no tag to follow", image("{repoURL: r, imageSelectionStrategy: Digest}"), path+".constraint", "is missing: name the tag whose digest is followed, for example latest"),
		one("a range for a tag to follow", image("{repoURL: r, imageSelectionStrategy: Digest, constraint: ^1.0.0}"), path+".constraint",
			`"^1.0.0" is not a tag: name the one whose digest is followed, for example latest`),
		one("strictSemvers where none counts", image("{repoURL: r, imageSelectionStrategy: Lexical, strictSemvers: true}"), path+".strictSemvers",
			"means nothing with Lexical: leave it out, or take the strategy SemVer"),
		one("expressions that allow where one tag counts", image("{repoURL: r, imageSelectionStrategy: Digest, constraint: latest, allowTagsRegexes: [v]}"), path+".allowTagsRegexes", lists),
		one("expressions that ignore where one tag counts", image("{repoURL: r, imageSelectionStrategy: Digest, constraint: latest, ignoreTagsRegexes: [v]}"), path+".ignoreTagsRegexes", lists),
		one("a bad regular expression that allows", image("{repoURL: r, allowTagsRegexes: [ok, '(']}"), path+".allowTagsRegexes[1]",
			"\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`"),
		one("a regular expression of another kind that ignores", image("{repoURL: r, ignoreTagsRegexes: ['(?!rc)']}"), path+".ignoreTagsRegexes[0]",
			"\"(?!rc)\" is not a regular expression (RE2): error parsing regexp: invalid or unsupported Perl syntax: `(?!`"),
		one("a platform without an architecture", image("{repoURL: r, platform: linux}"), path+".platform", `"linux"`+platform),
		one("a platform in upper case", image("{repoURL: r, platform: Linux/amd64}"), path+".platform", `"Linux/amd64"`+platform),
		one("a limit of too many", image("{repoURL: r, discoveryLimit: 101}"), path+".discoveryLimit", "must be 1 to 100"),
		one("a limit below nothing", image("{repoURL: r, discoveryLimit: -1}"), path+".discoveryLimit", "must be 1 to 100"),
		one("credentials in a file", image("{repoURL: r, credentials: ./config.json}"), path+".credentials", `"./config.json" is not the name of a Secret`),
	}
}

func gitProblems() []problem {
	const (
		path   = subscribed + ".git"
		url    = "is not the URL of a repository that can be read: write for example https://git.example.com/shop.git"
		branch = " is not the name of a Git branch"
		tags   = "means nothing with NewestFromBranch: leave it out, or take the strategy SemVer, Lexical or NewestTag"
		commit = "means nothing with NewestTag: leave it out, or take the strategy NewestFromBranch"
		semver = "means nothing with Lexical: leave it out, or take the strategy SemVer"
	)
	all := []problem{
		one("no Git repository", subscription("git: {}"), path+".repoURL", "is missing: write for example https://git.example.com/shop.git"),
		one("a Git repository without a scheme", subscription("git: {repoURL: git.example.com/shop}"), path+".repoURL", url),
		one("a Git repository over SSH", subscription("git: {repoURL: 'ssh://git@git.example.com/shop'}"), path+".repoURL", url),
		one("a Git repository as scp has it", subscription("git: {repoURL: 'git@git.example.com:shop'}"), path+".repoURL", url),
		one("a Git repository with a query", subscription("git: {repoURL: 'https://git.example.com/shop?ref=main'}"), path+".repoURL", url),
		one("a Git repository with a space", subscription("git: {repoURL: 'https://git.example.com/my shop'}"), path+".repoURL", url),
		one("a Git repository with a password", subscription("git: {repoURL: 'https://alice:secret@git.example.com/shop'}"), path+".repoURL",
			"holds a user or a password: take them out, and put them into a repository Secret"),
		one("a strategy for commits that is none", gitSubscription("commitSelectionStrategy: NewestBuild, strictSemvers: true, expressionFilter: 1"), path+".commitSelectionStrategy",
			`"NewestBuild" is not known: allowed are NewestFromBranch, SemVer, Lexical and NewestTag`),
		one("a branch where tags count", gitSubscription("commitSelectionStrategy: NewestTag, branch: main"), path+".branch", commit),
		one("a date where tags count", gitSubscription("commitSelectionStrategy: NewestTag, since: 2026-01-31T00:00:00Z"), path+".since", commit),
		one("a range where none counts", gitSubscription("commitSelectionStrategy: Lexical, semverConstraint: ^1.0.0"), path+".semverConstraint", semver),
		one("strictSemvers where none counts for Git", gitSubscription("commitSelectionStrategy: Lexical, strictSemvers: false"), path+".strictSemvers", semver),
		one("a word for a range", gitSubscription("commitSelectionStrategy: SemVer, semverConstraint: newest"), path+".semverConstraint",
			`"newest" is not a version range: write for example ^1.2.0 or >=1.2.0 <2.0.0`),
		one("allowed tags where a branch counts", gitSubscription("allowTagsRegexes: [v]"), path+".allowTagsRegexes", tags),
		one("ignored tags where a branch counts", gitSubscription("ignoreTagsRegexes: [v]"), path+".ignoreTagsRegexes", tags),
		one("a bad regular expression for tags", gitSubscription("commitSelectionStrategy: Lexical, ignoreTagsRegexes: ['[']"), path+".ignoreTagsRegexes[0]",
			"\"[\" is not a regular expression (RE2): error parsing regexp: missing closing ]: `[`"),
		one("a limit of too many commits", gitSubscription("discoveryLimit: 101"), path+".discoveryLimit", "must be 1 to 100"),

		one("an empty path", gitSubscription("includePaths: [deploy, ' ']"), path+".includePaths[1]", `" " is empty: write for example deploy/, glob:**/*.go or regex:^apps/[^/]+/`),
		one("an empty regular expression for paths", gitSubscription("excludePaths: ['regex:']"), path+".excludePaths[0]", `"regex:" is empty: write for example deploy/, glob:**/*.go or regex:^apps/[^/]+/`),
		one("a path outside", gitSubscription("includePaths: [deploy/../../etc]"), path+".includePaths[0]", `"deploy/../../etc" leads out of the repository: write for example deploy/`),
		one("a bad glob", gitSubscription("includePaths: ['glob:a[']"), path+".includePaths[0]", `"glob:a[" is not a glob: write for example glob:charts/*/values.yaml`),
		one("a glob that stands for very many", gitSubscription("includePaths: ['glob:"+strings.Repeat("{a,b}", 7)+"']"), path+".includePaths[0]", "has more than 64 alternatives in its braces: write several entries"),
		one("a glob that stands for very many, within each other", gitSubscription("includePaths: ['glob:{"+strings.Repeat("a,", 61)+"{b,c,d,e}}']"), path+".includePaths[0]", "has more than 64 alternatives in its braces: write several entries"),
		one("a glob from the root of a file system", gitSubscription("includePaths: ['glob:/deploy/**']"), path+".includePaths[0]", `"glob:/deploy/**" matches nothing: a path in the repository begins with no slash`),
		one("a bad regular expression for paths", gitSubscription("excludePaths: [a, 'regexp:(']"), path+".excludePaths[1]",
			"\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`"),

		one("a filter that is no condition", gitSubscription("expressionFilter: author"), path+".expressionFilter", `is not a condition: expected bool, but got string`),
		one("a filter on a tag where a branch counts", gitSubscription(`expressionFilter: 'tag startsWith "v"'`), path+".expressionFilter",
			`is not a condition: unknown name tag (1:1): an expression here sees id, author, committer, subject, commitDate`),
		one("a filter on a branch's commit where tags count", gitSubscription(`commitSelectionStrategy: NewestTag, expressionFilter: 'commitDate.Year() > 2020'`), path+".expressionFilter",
			`is not a condition: unknown name commitDate (1:1): an expression here sees tag, id, author, committer, subject, creatorDate, tagger, annotation`),
	}
	for _, name := range []string{"a b", "-f", "a..b", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a~1", "a^", "a:b", "a?", "a*", "a[", `a\b`, "a@{1}", "@", "HEAD", strings.Repeat("a", 201)} {
		all = append(all, one("a branch to read named "+name, gitSubscription("branch: '"+name+"'"), path+".branch", fmt.Sprintf("%q", name)+branch))
	}
	return all
}

func chartProblems() []problem {
	const (
		path  = subscribed + ".chart"
		write = "write for example https://charts.example.com or oci://registry.example.com/charts/db"
		oci   = " is not a chart: write oci://host/path, without tag or digest"
		name  = " is not the name of a chart: name the one in the repository"
	)
	return []problem{
		one("no chart repository", chartSubscription("{}"), path+".repoURL", "is missing: "+write),
		one("a chart repository over Git", chartSubscription("{repoURL: 'git://charts.example.com', name: db}"), path+".repoURL", "is not the URL of a repository that can be read: "+write),
		one("a chart repository with a password", chartSubscription("{repoURL: 'https://a:b@charts.example.com', name: db}"), path+".repoURL",
			"holds a user or a password: take them out, and put them into a repository Secret"),
		one("a registry without a chart", chartSubscription("{repoURL: 'oci://registry.example.com/'}"), path+".repoURL", `"oci://registry.example.com/"`+oci),
		one("a chart with a version in its URL", chartSubscription("{repoURL: 'OCI://registry.example.com/charts/db:1.0.0'}"), path+".repoURL", `"OCI://registry.example.com/charts/db:1.0.0"`+oci),
		one("a chart's name in a registry", chartSubscription("{repoURL: 'oci://registry.example.com/charts', name: db}"), path+".name",
			"means nothing in a registry, where repoURL ends in it: write oci://host/path/db, and leave it out"),
		one("no chart's name", chartSubscription("{repoURL: 'https://charts.example.com'}"), path+".name", "is missing: name the chart in the repository"),
		one("a path for a chart's name", chartSubscription("{repoURL: 'https://charts.example.com', name: ../db}"), path+".name", `"../db"`+name),
		one("a word for a chart's range", chartSubscription("{repoURL: 'oci://r/c', semverConstraint: newest}"), path+".semverConstraint",
			`"newest" is not a version range: write for example ^1.2.0 or >=1.2.0 <2.0.0`),
		one("a limit of too many versions", chartSubscription("{repoURL: 'oci://r/c', discoveryLimit: 101}"), path+".discoveryLimit", "must be 1 to 100"),
	}
}

func TestWhatASubscriptionMayBe(t *testing.T) {
	for name, text := range goodDocuments() {
		if _, err := pipeline.Parse(shop, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func goodDocuments() map[string]string {
	var fifty strings.Builder
	for i := range 50 {
		fmt.Fprintf(&fifty, "{image: {repoURL: r/%d}},", i)
	}
	return map[string]string{
		"one with every field":                    good,
		"a registry's URL in upper case":          chartSubscription("{repoURL: 'OCI://r.example.com/c'}"),
		"one chart in a registry and one beside":  warehouse("{name: more, subscriptions: [{chart: {repoURL: 'oci://r/c'}}, {image: {repoURL: r/c}}]}"),
		"two charts of one repository":            warehouse("{name: more, subscriptions: [{chart: {repoURL: 'https://c', name: a}}, {chart: {repoURL: 'https://c', name: b}}]}"),
		"fifty":                                   warehouse("{name: more, subscriptions: [" + fifty.String() + "]}"),
		"one name in two warehouses":              warehouse("{name: more, subscriptions: [{name: edge, image: {repoURL: r}}]}"),
		"a name where there is one":               subscription("name: web, image: {repoURL: r}"),
		"the limit's ends":                        warehouse("{name: more, subscriptions: [{image: {repoURL: a, discoveryLimit: 1}}, {image: {repoURL: b, discoveryLimit: 100}}]}"),
		"the whole repository":                    gitSubscription("includePaths: [., ./, /]"),
		"two dots in a name":                      gitSubscription("includePaths: [a..b/]"),
		"sixty-four alternatives":                 gitSubscription("includePaths: ['glob:" + strings.Repeat("{a,b}", 6) + `', 'glob:\{a,b\}[{,]{` + strings.Repeat("a,", 62) + "{b,c}}']"),
		"a branch of a bot":                       gitSubscription("branch: renovate/k8s.io/api@0.x"),
		"Git over plain HTTP, on this machine":    subscription("git: {repoURL: 'http://127.0.0.1:8080/shop.git'}"),
		"a filter on an annotated tag":            gitSubscription(`commitSelectionStrategy: SemVer, expressionFilter: 'annotation contains "release" && creatorDate.Year() >= 2025'`),
		"a tag to follow of the longest":          image("{repoURL: r, imageSelectionStrategy: Digest, constraint: " + strings.Repeat("a", 128) + "}"),
		"a platform of two":                       image("{repoURL: r, platform: linux/amd64}"),
		"a range of everything, pre-releases too": image("{repoURL: r, constraint: '>=0.0.0-0'}"),
	}
}

func TestAnEntryOfPathsTellsWhatItIs(t *testing.T) {
	for entry, want := range map[string]struct {
		kind    pipeline.PathKind
		pattern string
	}{
		"deploy/":        {pipeline.PathBelow, "deploy/"},
		"glob:a/*":       {pipeline.PathGlob, "a/*"},
		"regex:^a":       {pipeline.PathRegex, "^a"},
		"regexp:^a":      {pipeline.PathRegex, "^a"},
		"Glob:a":         {pipeline.PathBelow, "Glob:a"},
		"glob:regex:a":   {pipeline.PathGlob, "regex:a"},
		"a/glob:b":       {pipeline.PathBelow, "a/glob:b"},
		"":               {pipeline.PathBelow, ""},
		"regex:glob:a/*": {pipeline.PathRegex, "glob:a/*"},
	} {
		if kind, pattern := pipeline.SplitPath(entry); kind != want.kind || pattern != want.pattern {
			t.Errorf("SplitPath(%q) = %d, %q, want %d, %q", entry, kind, pattern, want.kind, want.pattern)
		}
	}
}
