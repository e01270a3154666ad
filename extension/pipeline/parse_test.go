package pipeline_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

var shop = pipeline.Name{Namespace: "waybill", Name: "shop"}

// good is a document that uses every field. The tests of problems change one
// thing about it.
const good = `apiVersion: waybill.dev/v1
project: shop
gates: {promote: shop-promote, approve: shop-approve}
warehouses:
- name: shop
  interval: 1m
  subscriptions:
  - image: {repoURL: registry.example.com/shop, imageSelectionStrategy: SemVer, constraint: ^1.0.0, strictSemvers: false}
  - image:
      repoURL: registry.example.com/api
      imageSelectionStrategy: NewestBuild
      allowTagsRegexes: ['^v']
      ignoreTagsRegexes: [rc, dirty]
      platform: linux/arm/v7
      discoveryLimit: 5
      mutableTags: true
      insecureSkipTLSVerify: true
      credentials: shop-registry
  - {name: edge, image: {repoURL: nginx, imageSelectionStrategy: Digest, constraint: mainline}}
  - {name: night, image: {repoURL: docker.io/library/nginx, imageSelectionStrategy: Lexical}}
- name: base
  subscriptions: [{image: {repoURL: nginx}}]
- name: sources
  freightCreationCriteria: {expression: 'commitFrom("https://git.example.com/shop.git", "main").ID != ""'}
  subscriptions:
  - name: main
    git:
      repoURL: https://git.example.com/shop.git
      commitSelectionStrategy: NewestFromBranch
      branch: feature/#12+x
      includePaths: [deploy/, 'glob:charts/**/*.yaml', 'regex:^apps/[^/]+/', 'regexp:\.go$']
      excludePaths: [deploy/README.md]
      expressionFilter: author startsWith "Alice"
      since: 2026-01-31T00:00:00Z
      discoveryLimit: 100
      insecureSkipTLSVerify: true
  - name: released
    git:
      repoURL: https://git.example.com/shop
      commitSelectionStrategy: SemVer
      semverConstraint: ^2.0.0
      strictSemvers: false
      allowTagsRegexes: ['^v']
      ignoreTagsRegexes: [rc]
  - git: {repoURL: https://git.example.com/docs.git, commitSelectionStrategy: NewestTag, expressionFilter: 'tagger != ""'}
- name: charts
  freightCreationPolicy: Manual
  subscriptions:
  - chart: {repoURL: https://charts.example.com, name: db, semverConstraint: ~1.2, discoveryLimit: 1, insecureSkipTLSVerify: true}
  - chart: {repoURL: https://charts.example.com, name: cache}
  - chart: {repoURL: oci://registry.example.com/charts/db}
stages:
- name: dev
  requestedFreight:
  - {origin: shop, sources: {direct: true}}
  - {origin: {kind: Warehouse, name: base}, sources: {direct: true}}
  autoPromotion: true
- name: staging
  requestedFreight: [{origin: shop, sources: {stages: [dev], requiredSoakTime: 10m}}]
  controlFlow: true
- name: prod
  project: shop-prod
  requestedFreight: [{origin: shop, sources: {stages: [dev, staging], availabilityStrategy: All}}]
  approval: {required: 2, notBy: promoter, rollback: true}
  branch: env/prod
  mirrors: [{from: registry.example.com, to: mirror.example.com}]
`

func TestAGoodDocumentIsReadWithItsDefaults(t *testing.T) {
	no := false
	want := pipeline.Document{
		APIVersion: "waybill.dev/v1",
		Project:    "shop",
		Gates:      pipeline.Gates{Promote: "shop-promote", Approve: "shop-approve"},
		Warehouses: []pipeline.Warehouse{
			{Name: "shop", Interval: pipeline.Duration(time.Minute), FreightCreationPolicy: "Automatic", Subscriptions: []pipeline.Subscription{
				{Image: &pipeline.ImageSubscription{
					RepoURL: "registry.example.com/shop", ImageSelectionStrategy: "SemVer", Constraint: "^1.0.0", StrictSemvers: &no, DiscoveryLimit: 20,
				}},
				{Image: &pipeline.ImageSubscription{
					RepoURL: "registry.example.com/api", ImageSelectionStrategy: "NewestBuild", DiscoveryLimit: 5,
					AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"rc", "dirty"}, Platform: "linux/arm/v7",
					MutableTags: true, InsecureSkipTLSVerify: true, Credentials: "shop-registry",
				}},
				{Name: "edge", Image: &pipeline.ImageSubscription{RepoURL: "nginx", ImageSelectionStrategy: "Digest", Constraint: "mainline", DiscoveryLimit: 20}},
				{Name: "night", Image: &pipeline.ImageSubscription{RepoURL: "docker.io/library/nginx", ImageSelectionStrategy: "Lexical", DiscoveryLimit: 20}},
			}},
			{Name: "base", Interval: pipeline.Duration(5 * time.Minute), FreightCreationPolicy: "Automatic", Subscriptions: []pipeline.Subscription{
				{Image: &pipeline.ImageSubscription{RepoURL: "nginx", ImageSelectionStrategy: "SemVer", DiscoveryLimit: 20}},
			}},
			{Name: "sources", Interval: pipeline.Duration(5 * time.Minute), FreightCreationPolicy: "Automatic",
				FreightCreationCriteria: &pipeline.FreightCreationCriteria{Expression: `commitFrom("https://git.example.com/shop.git", "main").ID != ""`},
				Subscriptions: []pipeline.Subscription{
					{Name: "main", Git: &pipeline.GitSubscription{
						RepoURL: "https://git.example.com/shop.git", CommitSelectionStrategy: "NewestFromBranch", Branch: "feature/#12+x",
						IncludePaths: []string{"deploy/", "glob:charts/**/*.yaml", "regex:^apps/[^/]+/", `regexp:\.go$`}, ExcludePaths: []string{"deploy/README.md"},
						ExpressionFilter: `author startsWith "Alice"`, Since: pipeline.Timestamp{Time: time.Date(2026, time.January, 31, 0, 0, 0, 0, time.UTC)},
						DiscoveryLimit: 100, InsecureSkipTLSVerify: true,
					}},
					{Name: "released", Git: &pipeline.GitSubscription{
						RepoURL: "https://git.example.com/shop", CommitSelectionStrategy: "SemVer", SemverConstraint: "^2.0.0", StrictSemvers: &no,
						AllowTagsRegexes: []string{"^v"}, IgnoreTagsRegexes: []string{"rc"}, DiscoveryLimit: 20,
					}},
					{Git: &pipeline.GitSubscription{
						RepoURL: "https://git.example.com/docs.git", CommitSelectionStrategy: "NewestTag", ExpressionFilter: `tagger != ""`, DiscoveryLimit: 20,
					}},
				}},
			{Name: "charts", Interval: pipeline.Duration(5 * time.Minute), FreightCreationPolicy: "Manual", Subscriptions: []pipeline.Subscription{
				{Chart: &pipeline.ChartSubscription{
					RepoURL: "https://charts.example.com", Name: "db", SemverConstraint: "~1.2", DiscoveryLimit: 1, InsecureSkipTLSVerify: true,
				}},
				{Chart: &pipeline.ChartSubscription{RepoURL: "https://charts.example.com", Name: "cache", DiscoveryLimit: 20}},
				{Chart: &pipeline.ChartSubscription{RepoURL: "oci://registry.example.com/charts/db", DiscoveryLimit: 20}},
			}},
		},
		Stages: []pipeline.Stage{
			{Name: "dev", AutoPromotion: true, RequestedFreight: []pipeline.RequestedFreight{
				{Origin: pipeline.Origin{Kind: "Warehouse", Name: "shop"}, Sources: pipeline.Sources{Direct: true, AvailabilityStrategy: "OneOf"}},
				{Origin: pipeline.Origin{Kind: "Warehouse", Name: "base"}, Sources: pipeline.Sources{Direct: true, AvailabilityStrategy: "OneOf"}},
			}},
			{Name: "staging", ControlFlow: true, RequestedFreight: []pipeline.RequestedFreight{{
				Origin: pipeline.Origin{Kind: "Warehouse", Name: "shop"},
				Sources: pipeline.Sources{
					Stages: []string{"dev"}, RequiredSoakTime: pipeline.Duration(10 * time.Minute), AvailabilityStrategy: "OneOf",
				},
			}}},
			{Name: "prod", Project: "shop-prod", Branch: "env/prod",
				Approval: &pipeline.Approval{Required: 2, NotBy: "promoter", Rollback: true},
				RequestedFreight: []pipeline.RequestedFreight{{
					Origin:  pipeline.Origin{Kind: "Warehouse", Name: "shop"},
					Sources: pipeline.Sources{Stages: []string{"dev", "staging"}, AvailabilityStrategy: "All"},
				}},
				Mirrors: []freight.Mirror{{From: "registry.example.com", To: "mirror.example.com"}}},
		},
	}
	got, err := pipeline.Parse(shop, good)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestGatesThatADocumentDoesNotNameAreTheInstallations(t *testing.T) {
	for _, gates := range []string{"", "gates: {}\n", "gates: {promote: '', approve: ''}\n"} {
		got, err := pipeline.Parse(shop, strings.Replace(good, "gates: {promote: shop-promote, approve: shop-approve}\n", gates, 1))
		if err != nil {
			t.Fatal(err)
		}
		want := pipeline.Gates{Promote: "waybill-promote", Approve: "waybill-approve"}
		if diff := cmp.Diff(want, got.Gates); diff != "" {
			t.Errorf("with %q (-want +got):\n%s", gates, diff)
		}
	}
}

func TestADocumentThatIsWrittenIsReadAsTheSame(t *testing.T) {
	want, err := pipeline.Parse(shop, good)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(want) // which is YAML too
	if err != nil {
		t.Fatal(err)
	}
	got, err := pipeline.Parse(shop, string(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}

func TestAStringThatLooksLikeSomethingElseStaysWhatWasWritten(t *testing.T) {
	for written, want := range map[string]string{
		"1.10": "1.10", "true": "true", "2026-01-01": "2026-01-01", "0x10": "0x10", "'quoted'": "quoted", `"null"`: "null",
	} {
		got, err := pipeline.Parse(shop, strings.Replace(good, "project: shop\n", "project: "+written+"\n", 1))
		if err != nil || got.Project != want {
			t.Errorf("project: %s is read as %q, %v, want %q", written, got.Project, err, want)
		}
	}
}

func TestAnErrorNamesTheConfigMapAndEveryProblem(t *testing.T) {
	text := strings.Replace(good, "required: 2", "required: 0", 1)
	text = strings.Replace(text, "stages: [dev], ", "stages: [test], ", 1)
	_, err := pipeline.Parse(pipeline.Name{Namespace: "team", Name: "shop"}, text)
	const want = `ConfigMap team/shop, pipeline.yaml: ` +
		`stages[1].requestedFreight[0].sources.stages[0]: there is no stage "test"; ` +
		`stages[2].approval.required: must be 1 to 20`
	if err == nil || err.Error() != want {
		t.Errorf("Parse says\n%v\nwant\n%s", err, want)
	}
	var invalid *pipeline.Invalid
	if !errors.As(err, &invalid) || invalid.Pipeline.String() != "team/shop" || len(invalid.Problems) != 2 {
		t.Errorf("Parse says %#v, want an *Invalid with two problems", err)
	}
}

func TestAProblemHidesNoneThatFollowsIt(t *testing.T) {
	paths := func(text string) []string {
		_, err := pipeline.Parse(shop, text)
		var invalid *pipeline.Invalid
		if !errors.As(err, &invalid) {
			t.Fatalf("Parse = %v, want an *Invalid", err)
		}
		var all []string
		for _, p := range invalid.Problems {
			all = append(all, p.Path)
		}
		return all
	}
	for text, want := range map[string][]string{
		change("controlFlow: true", "? [a]\n  : b\n  a: 1\n  controlFlow: 1\n  controlFlow: 2\n  b: 2"): {
			"stages[1]", "stages[1].a", "stages[1].controlFlow", "stages[1].controlFlow", "stages[1].b",
		},
		warehouse("{name: more, subscriptions: [{}, {image: {repoURL: r, constraint: newest}}]}"): {
			"warehouses[4].subscriptions[0]", "warehouses[4].subscriptions[1].image.constraint",
		},
		takes("{origin: shop, sources: {stages: [test, more]}}"): {
			"stages[3].requestedFreight[0].sources.stages[0]", "stages[3].requestedFreight",
		},
		takes("{origin: base, sources: {stages: [test, staging]}}"): {
			"stages[3].requestedFreight[0].sources.stages[0]", "stages[3].requestedFreight[0].sources.stages[1]",
		},
	} {
		if diff := cmp.Diff(want, paths(text)); diff != "" {
			t.Errorf("paths (-want +got):\n%s", diff)
		}
	}
}

func TestWhatIsJustWithinALimitIsAllowed(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, text := range map[string]string{
		"the shortest interval":   change("interval: 1m", "interval: 10s"),
		"one approval":            change("required: 2", "required: 1"),
		"twenty approvals":        change("required: 2", "required: 20"),
		"the longest branch":      branch(strings.Repeat("a", 200)),
		"the longest name":        warehouse("{name: " + long + ", subscriptions: [{image: {repoURL: r}}]}"),
		"the longest gate":        change("promote: shop-promote", "promote: "+long),
		"the largest document":    good + "#" + strings.Repeat(" ", pipeline.MaxSize-len(good)-1),
		"a port":                  image("{repoURL: 'localhost:5000/shop'}"),
		"one repository in two":   image("{repoURL: nginx}"),
		"a branch in folders":     branch("env/eu-1/prod_2.0"),
		"direct and upstream":     takes("{origin: shop, sources: {direct: true, stages: [dev], requiredSoakTime: 1ns}}"),
		"a soak time of nothing":  takes("{origin: shop, sources: {direct: true, requiredSoakTime: 0s}}"),
		"a diamond":               takes("{origin: shop, sources: {stages: [dev, staging, prod]}}"),
		"a document that is JSON": chain(3, "direct: true"),
	} {
		if _, err := pipeline.Parse(shop, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAProblemOfTheWholeDocumentHasNoPath(t *testing.T) {
	if got := (pipeline.Problem{Message: "the document is empty"}).String(); got != "the document is empty" {
		t.Errorf("String = %q", got)
	}
}

// Whoever may write a ConfigMap may write half a megabyte of anything into it,
// and what is told of it is stored and shown.
func TestWhatIsToldOfADocumentIsBounded(t *testing.T) {
	long := strings.Repeat("ü", 20_000)
	tests := map[string]string{
		"many problems":                  "x: [" + strings.Repeat("1,", 1000) + "]\n" + strings.Repeat("? {a: b}\n: c\n", 500),
		"unknown fields with long names": "? " + long + "\n: 1\n? " + long + "2\n: 2\n",
		"a long name":                    strings.Replace(good, "name: dev", "name: "+long, 1),
		"a long regular expression":      strings.Replace(good, "rc,", "'["+long+"',", 1),
		"a long value":                   strings.Replace(good, "required: 2", "required: "+long, 1),
		"a large cycle":                  cycle(1000),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := pipeline.Parse(shop, text)
			var invalid *pipeline.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("Parse = %v, want an *Invalid", err)
			}
			if n := len(invalid.Problems); n == 0 || n > 20 {
				t.Errorf("%d problems are told, want 1 to 20", n)
			}
			for _, p := range invalid.Problems {
				if len(p.Path) > 210 || len(p.Message) > 510 {
					t.Errorf("a problem has a path of %d bytes and a message of %d", len(p.Path), len(p.Message))
				}
				if strings.ContainsRune(p.String(), '\uFFFD') || strings.Contains(p.String(), `\x`) {
					t.Errorf("a rune was cut in two: %s", p)
				}
			}
		})
	}
}

// The largest documents are read, and refused, in no time that a person notices.
func TestTheLargestDocumentIsCheckedInTimeThatGrowsWithItsSize(t *testing.T) {
	const stages = 2000
	start := time.Now()
	if _, err := pipeline.Parse(shop, chain(stages, "direct: true")); err != nil {
		t.Errorf("a chain of %d stages: %v", stages, err)
	}
	if _, err := pipeline.Parse(shop, cycle(stages)); err == nil {
		t.Errorf("a cycle of %d stages is accepted", stages)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("two documents took %s", took)
	}
}

func cycle(n int) string { return chain(n, "stages: [s0]") }

// chain is a document of n stages, each of which takes from the next.
func chain(n int, last string) string {
	var b strings.Builder
	b.WriteString("{apiVersion: waybill.dev/v1, project: p, warehouses: [{name: w, subscriptions: [{image: {repoURL: r}}]}], stages: [\n")
	name := func(i int) string { return "s" + strconv.Itoa(i) }
	for i := range n {
		sources := last
		if i < n-1 {
			sources = "stages: [" + name(i+1) + "]"
		}
		b.WriteString("{name: " + name(i) + ", requestedFreight: [{origin: w, sources: {" + sources + "}}]},\n")
	}
	return b.String() + "]}"
}

func FuzzParseTellsAProblemOrGivesADocumentThatStands(f *testing.F) {
	f.Add(good)
	f.Add(chain(3, "direct: true"))
	f.Add(cycle(3))
	for _, p := range problems() {
		f.Add(p.text)
	}
	for _, s := range []string{"", "#", "---", "...", "a: b\n---\n", "{", "\t", "&a [*a]", "<<: {a: b}", "? [a]\n: b", "!!binary aGk=", "\xff\xfe", "%YAML 9.9\n---\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := pipeline.Parse(shop, text)
		if err != nil {
			var invalid *pipeline.Invalid
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("the error is no *Invalid with problems: %#v", err)
			}
			for _, p := range invalid.Problems {
				if p.Message == "" || strings.Contains(p.Message, "%!") && !strings.Contains(text, "%!") {
					t.Errorf("a problem says nothing: %#v", p)
				}
			}
			return
		}
		for _, s := range doc.Stages {
			for _, r := range s.RequestedFreight {
				if _, known := doc.Warehouse(r.Origin.Name); !known {
					t.Errorf("stage %s takes freight of the unknown warehouse %q", s.Name, r.Origin.Name)
				}
			}
			for _, up := range doc.Upstream(s.Name) {
				if _, known := doc.Stage(up); !known || up == s.Name {
					t.Errorf("stage %q is upstream of %q", up, s.Name)
				}
			}
		}
	})
}
