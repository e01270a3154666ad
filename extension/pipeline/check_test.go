package pipeline_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// problem is something that can be wrong with a document, and what is told.
type problem struct {
	name string
	text string
	want []pipeline.Problem
}

func one(name, text, path, message string) problem {
	return problem{name, text, []pipeline.Problem{{Path: path, Message: message}}}
}

// change returns the good document with one thing written otherwise.
func change(from, to string) string { return strings.Replace(good, from, to, 1) }

// warehouse returns the good document with one more, warehouses[4].
func warehouse(text string) string { return change("\nstages:\n", "\n- "+text+"\nstages:\n") }

// subscription is a warehouse with one, warehouses[4].subscriptions[0].
func subscription(text string) string {
	return warehouse("{name: more, subscriptions: [{" + text + "}]}")
}

// image is a warehouse with one subscription, warehouses[4].subscriptions[0].
func image(text string) string { return subscription("image: " + text) }

// stage returns the good document with one more, stages[3].
func stage(text string) string { return good + "- " + text + "\n" }

// takes is a stage with one requested freight, stages[3].requestedFreight[0].
func takes(text string) string { return stage("{name: more, requestedFreight: [" + text + "]}") }

// branch is a stage with a branch, stages[3].branch.
func branch(text string) string {
	return stage("{name: more, requestedFreight: [{origin: shop, sources: {direct: true}}], branch: " + text + "}")
}

const (
	documentFields = "apiVersion, project, gates, warehouses, stages"
	stageFields    = "name, project, requestedFreight, autoPromotion, approval, branch, mirrors, controlFlow"
	imageFields    = "repoURL, imageSelectionStrategy, constraint, strictSemvers, allowTagsRegexes, ignoreTagsRegexes, platform, discoveryLimit, mutableTags, insecureSkipTLSVerify, credentials"
)

func problems() []problem {
	return slices.Concat(documentProblems(), shapeProblems(), headProblems(), warehouseProblems(), subscriptionProblems(), imageProblems(), gitProblems(), chartProblems(), stageProblems())
}

func documentProblems() []problem {
	const empty = "the document is empty: want apiVersion: waybill.dev/v1, project, warehouses and stages"
	return []problem{
		one("nothing at all", "", "", empty),
		one("only a comment", "# soon\n", "", empty),
		one("an empty document", "---\n", "", "nothing is not a mapping with fields ("+documentFields+")"),
		one("no YAML", "a: [", "", "not YAML: line 1: did not find expected node content"),
		one("two documents", good+"---\n"+good, "", "there is more than one document: write one pipeline in one ConfigMap"),
		one("more than 512 KiB", "#"+strings.Repeat(" ", 512<<10), "", "the document is larger than 512 KiB: split the pipeline"),
		one("a list for a document", "[]", "", "a list is not a mapping with fields ("+documentFields+")"),
		one("a word for a document", "shop", "", `"shop" is not a mapping with fields (`+documentFields+")"),
	}
}

// shapeProblems are values of a kind that the field does not have.
func shapeProblems() []problem {
	const duration = " is not a duration: write for example 30s, 10m or 24h"
	direct := "{origin: shop, sources: {direct: true}}"
	return []problem{
		one("an unknown field", change("project: shop\n", "project: shop\nprojct: shop\n"), "projct", "unknown field: allowed are "+documentFields),
		one("an unknown field of a stage", change("branch: env/prod", "brunch: env/prod"), "stages[2].brunch", "unknown field: allowed are "+stageFields),
		one("a field in the wrong case", image("{repoURL: r, Constraint: ^1.0.0}"),
			"warehouses[4].subscriptions[0].image.Constraint", "unknown field: allowed are "+imageFields),
		one("a subscription to something else", subscription("archive: {}"),
			"warehouses[4].subscriptions[0].archive", "unknown field: allowed are name, image, git, chart"),
		one("a field twice", change("controlFlow: true", "controlFlow: true\n  controlFlow: true"), "stages[1].controlFlow", "is given twice"),
		one("a list for a field's name", change("controlFlow: true", "? [a]\n  : b"), "stages[1]", "the name of a field must be plain text: allowed are "+stageFields),
		one("an alias for a field's name", change("controlFlow: true", "&branch project: p\n  *branch : b"), "stages[1]", "the name of a field must be plain text: allowed are "+stageFields),
		one("a merge", change("controlFlow: true", "<<: {controlFlow: true}"), "stages[1].<<", "unknown field: allowed are "+stageFields),
		one("an alias", image("{repoURL: r, allowTagsRegexes: [&a v, *a]}"),
			"warehouses[4].subscriptions[0].image.allowTagsRegexes[1]", "an alias (*a) is not allowed: write the value out"),

		one("a list for a string", change("branch: env/prod", "branch: [env/prod]"), "stages[2].branch", "a list is not a string"),
		one("nothing for a string", change("branch: env/prod", "branch:"), "stages[2].branch", "nothing is not a string"),
		one("a word for a list", takes("{origin: shop, sources: {stages: dev}}"), "stages[3].requestedFreight[0].sources.stages", `"dev" is not a list`),
		one("a mapping for a list", change("[rc, dirty]", "{rc: dirty}"), "warehouses[0].subscriptions[1].image.ignoreTagsRegexes", "a mapping is not a list"),
		one("a word for a mapping", stage("{name: more, approval: two}"), "stages[3].approval", `"two" is not a mapping with fields (required, notBy, rollback)`),
		one("nothing for an image", image(""), "warehouses[4].subscriptions[0].image", "nothing is not a mapping with fields ("+imageFields+")"),
		one("a word for a number", change("required: 2", "required: two"), "stages[2].approval.required", `"two" is not a whole number`),
		one("a fraction for a number", change("required: 2", "required: 1.9"), "stages[2].approval.required", `"1.9" is not a whole number`),
		one("a number in quotes", change("required: 2", "required: '2'"), "stages[2].approval.required", `"2" is not a whole number`),
		one("nothing for a number", change("required: 2", "required: null"), "stages[2].approval.required", "nothing is not a whole number"),
		one("a number out of range", change("required: 2", "required: 9223372036854775808"), "stages[2].approval.required", `"9223372036854775808" is not a whole number`),
		one("a word for a switch", change("autoPromotion: true", "autoPromotion: always"), "stages[0].autoPromotion", `"always" is not true or false`),
		one("a switch in quotes", image("{repoURL: r, strictSemvers: 'false'}"), "warehouses[4].subscriptions[0].image.strictSemvers", `"false" is not true or false`),
		one("a mapping for a switch", change("autoPromotion: true", "autoPromotion: {}"), "stages[0].autoPromotion", "a mapping is not true or false"),
		one("a long wrong value", change("required: 2", "required: "+strings.Repeat("x", 100)), "stages[2].approval.required", `"`+strings.Repeat("x", 40)+`…" is not a whole number`),

		one("a number without a unit", change("interval: 1m", "interval: 60"), "warehouses[0].interval", `"60"`+duration),
		one("a day", change("requiredSoakTime: 10m", "requiredSoakTime: 1d"), "stages[1].requestedFreight[0].sources.requiredSoakTime", `"1d"`+duration),
		one("a list for a duration", change("interval: 1m", "interval: [1m]"), "warehouses[0].interval", "a list"+duration),
		one("nothing for a duration", change("interval: 1m", "interval:"), "warehouses[0].interval", "nothing"+duration),
		one("a day for a time", subscription("git: {repoURL: 'https://g/r', since: 2026-01-31}"), "warehouses[4].subscriptions[0].git.since",
			`"2026-01-31" is not a time: write for example 2026-01-31T00:00:00Z`),
		one("nothing for an origin", takes(strings.Replace(direct, "shop", "", 1)), "stages[3].requestedFreight[0].origin", "nothing is not a mapping with fields (kind, name)"),
		one("a list for an origin", takes(strings.Replace(direct, "shop", "[shop]", 1)), "stages[3].requestedFreight[0].origin", "a list is not a mapping with fields (kind, name)"),
	}
}

func headProblems() []problem {
	const gate = " is not the name of an Argo CD extension: use letters, digits, - and _"
	return []problem{
		one("no version", change("apiVersion: waybill.dev/v1\n", ""), "apiVersion", `"" is not known: write waybill.dev/v1`),
		one("a version to come", change("waybill.dev/v1", "waybill.dev/v2"), "apiVersion", `"waybill.dev/v2" is not known: write waybill.dev/v1`),
		one("no project", change("project: shop\n", ""), "project", "is missing: name the AppProject whose Applications may join"),
		one("the gate of reads as that of promotions", change("promote: shop-promote", "promote: waybill"), "gates.promote", "waybill is the gate of reads: whoever may look could then decide"),
		one("a gate of two words", change("promote: shop-promote", "promote: shop promote"), "gates.promote", `"shop promote"`+gate),
		one("a gate with a slash", change("approve: shop-approve", "approve: shop/approve"), "gates.approve", `"shop/approve"`+gate),
		{"no field at all", "{}", []pipeline.Problem{
			{Path: "apiVersion", Message: `"" is not known: write waybill.dev/v1`},
			{Path: "project", Message: "is missing: name the AppProject whose Applications may join"},
			{Path: "warehouses", Message: "is empty: freight comes from at least one"},
			{Path: "stages", Message: "is empty: freight goes to at least one"},
		}},
	}
}

func warehouseProblems() []problem {
	const (
		name = " is not a name: use lower-case letters, digits and hyphens, 63 at most"
		more = "warehouses[4]"
		rest = ", subscriptions: [{image: {repoURL: r}}]}"
	)
	return []problem{
		one("a warehouse without a name", warehouse("{interval: 1m"+rest), more+".name", `""`+name),
		one("a name in upper case", warehouse("{name: More"+rest), more+".name", `"More"`+name),
		one("a name that ends in a hyphen", warehouse("{name: more-"+rest), more+".name", `"more-"`+name),
		one("a name with a dot", warehouse("{name: mo.re"+rest), more+".name", `"mo.re"`+name),
		one("a name of 64 letters", warehouse("{name: "+strings.Repeat("a", 64)+rest), more+".name", `"`+strings.Repeat("a", 64)+`"`+name),
		one("a warehouse's name twice", warehouse("{name: shop"+rest), more+".name", `"shop" is taken`),
		one("a short interval", warehouse("{name: more, interval: 9999ms"+rest), more+".interval", "9.999s is too short: at least 10s"),
		one("a negative interval", warehouse("{name: more, interval: -5m"+rest), more+".interval", "-5m0s is too short: at least 10s"),
		one("no subscription", warehouse("{name: more, subscriptions: []}"), more+".subscriptions", "is empty: subscribe to at least one repository"),
	}
}

func stageProblems() []problem {
	const (
		more    = "stages[3]"
		request = more + ".requestedFreight[0]"
		direct  = "[{origin: shop, sources: {direct: true}}]"
		git     = " is not the name of a Git branch"
	)
	return []problem{
		one("a stage without a name", stage("{requestedFreight: "+direct+"}"), more+".name", `"" is not a name: use lower-case letters, digits and hyphens, 63 at most`),
		one("a stage's name twice", stage("{name: dev, requestedFreight: "+direct+"}"), more+".name", `"dev" is taken`),
		one("a mirror of a tag", stage("{name: more, requestedFreight: "+direct+", mirrors: [{from: a.example.com, to: b.example.com}, {from: 'c.example.com/shop:v1', to: d.example.com}]}"),
			more+".mirrors[1]", `"c.example.com/shop:v1" is not a place of images: write a registry's host, or host/path, without scheme, tag or digest`),
		one("no freight", stage("{name: more}"), more+".requestedFreight", "is empty: name the origin of at least one kind of freight"),

		one("an origin of another kind", takes("{origin: {kind: Shop, name: shop}, sources: {direct: true}}"), request+".origin.kind", `"Shop" is not known: allowed is Warehouse`),
		one("an origin of no kind", takes("{origin: {name: shop}, sources: {direct: true}}"), request+".origin.kind", `"" is not known: allowed is Warehouse`),
		one("an origin that is not there", takes("{origin: spares, sources: {direct: true}}"), request+".origin", `there is no warehouse "spares"`),
		one("an origin twice", stage("{name: more, requestedFreight: [{origin: shop, sources: {direct: true}}, {origin: {kind: Warehouse, name: shop}, sources: {stages: [dev]}}]}"),
			more+".requestedFreight[1].origin", "shop is requested twice: give all its sources in one entry"),
		one("no source", takes("{origin: shop, sources: {}}"), request+".sources", "is empty: write direct: true, or name stages"),
		one("no sources", takes("{origin: shop}"), request+".sources", "is empty: write direct: true, or name stages"),
		one("a stage that is not there", takes("{origin: shop, sources: {stages: [dev, test]}}"), request+".sources.stages[1]", `there is no stage "test"`),
		one("a stage that takes other freight", takes("{origin: base, sources: {stages: [dev, staging]}}"), request+".sources.stages[1]",
			"stage staging takes no freight of base, so it can never hand any on"),
		one("a negative soak time", takes("{origin: shop, sources: {stages: [dev], requiredSoakTime: -1s}}"), request+".sources.requiredSoakTime", "-1s is negative"),
		one("direct freight that soaks", takes("{origin: shop, sources: {direct: true, requiredSoakTime: 1s}}"), request+".sources.requiredSoakTime",
			"needs sources.stages: direct freight has soaked nowhere"),
		one("an unknown availability strategy", takes("{origin: shop, sources: {stages: [dev], availabilityStrategy: Some}}"), request+".sources.availabilityStrategy",
			`"Some" is not known: allowed are OneOf and All`),

		one("an approval by nobody", change("required: 2", "required: 0"), "stages[2].approval.required", "must be 1 to 20"),
		one("an approval by an unsaid number", change("required: 2, ", ""), "stages[2].approval.required", "must be 1 to 20"),
		one("an approval by a crowd", change("required: 2", "required: 21"), "stages[2].approval.required", "must be 1 to 20"),
		one("an unknown exclusion", change("notBy: promoter", "notBy: alice"), "stages[2].approval.notBy", `"alice" is not known: allowed is promoter`),

		one("another stage's branch", branch("env/prod"), more+".branch", "env/prod is the branch of stage prod already: a stage branch belongs to one stage alone"),
		one("a branch below another stage's", branch("env/prod/eu"), more+".branch", "env/prod/eu cannot stand beside env/prod, the branch of stage prod: Git keeps no branch below another"),
		one("a branch with a space", branch("env prod"), more+".branch", `"env prod"`+git),
		one("a branch that reads as a flag", branch("-f"), more+".branch", `"-f"`+git),
		one("a branch with two dots", branch("a..b"), more+".branch", `"a..b"`+git),
		one("a branch that begins with a dot", branch("env/.prod"), more+".branch", `"env/.prod"`+git),
		one("a branch that ends with a dot", branch("env."), more+".branch", `"env."`+git),
		one("a branch that ends with a slash", branch("env/"), more+".branch", `"env/"`+git),
		one("a branch that is Git's lock", branch("env.lock"), more+".branch", `"env.lock"`+git),
		one("a branch under Git's lock", branch("env.lock/prod"), more+".branch", `"env.lock/prod"`+git),
		one("a branch named HEAD", branch("HEAD"), more+".branch", `"HEAD"`+git),
		one("a branch of 201 letters", branch(strings.Repeat("a", 201)), more+".branch", `"`+strings.Repeat("a", 201)+`"`+git),

		one("a stage that takes from itself", takes("{origin: shop, sources: {stages: [more]}}"), more+".requestedFreight", "stage more is upstream of itself: more <- more"),
		one("a cycle of three", change("{origin: shop, sources: {direct: true}}", "{origin: shop, sources: {direct: true, stages: [prod]}}"),
			"stages[0].requestedFreight", "stage dev is upstream of itself: dev <- prod <- dev"),
		{"two cycles, below stages that are on none", `{apiVersion: waybill.dev/v1, project: p, warehouses: [{name: w, subscriptions: [{image: {repoURL: r}}]}], stages: [
			{name: e, requestedFreight: [{origin: w, sources: {stages: [a, c]}}]},
			{name: a, requestedFreight: [{origin: w, sources: {stages: [b]}}]},
			{name: b, requestedFreight: [{origin: w, sources: {stages: [a]}}]},
			{name: c, requestedFreight: [{origin: w, sources: {stages: [d]}}]},
			{name: d, requestedFreight: [{origin: w, sources: {stages: [c, a]}}]}]}`,
			[]pipeline.Problem{
				{Path: "stages[1].requestedFreight", Message: "stage a is upstream of itself: a <- b <- a"},
				{Path: "stages[3].requestedFreight", Message: "stage c is upstream of itself: c <- d <- c"},
			}},
	}
}

func TestEachProblemIsToldWithItsPath(t *testing.T) {
	for _, test := range problems() {
		t.Run(test.name, func(t *testing.T) {
			doc, err := pipeline.Parse(shop, test.text)
			var invalid *pipeline.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("Parse = %+v, %v, want an *Invalid", doc, err)
			}
			if diff := cmp.Diff(test.want, invalid.Problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(pipeline.Document{}, doc); diff != "" {
				t.Errorf("a bad document is handed out all the same:\n%s", diff)
			}
		})
	}
}

// A problem that is added to the code and not to the table fails here.
func TestNoProblemIsMissingFromTheTable(t *testing.T) {
	var told strings.Builder
	for _, test := range problems() {
		for _, p := range test.want {
			told.WriteString(p.Message + "\n")
		}
	}
	verb := regexp.MustCompile(`%[a-z]`)
	checks, err := filepath.Glob("check*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(checks, "decode.go", "parse.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); !ok || method.Sel.Name != "add" {
				return true
			}
			format, err := strconv.Unquote(call.Args[1].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			parts := verb.Split(format, -1)
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			if !regexp.MustCompile(`(?m)^` + strings.Join(parts, ".*") + `$`).MatchString(told.String()) {
				t.Errorf("%s tells a problem that no test expects: %s", file, format)
			}
			return true
		})
		if found == 0 {
			t.Errorf("%s tells no problem at all: is this test still reading the right thing?", file)
		}
	}
}
