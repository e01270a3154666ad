package preview

import (
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
)

func TestExpressionsThatChoosePathsAreApplied(t *testing.T) {
	for _, e := range []string{
		".spec.replicas", `.data["stamp"]`, ".spec.template.spec.containers[].image", ".spec.a, .spec.b", ".spec?.x?",
		`.spec.template.spec.initContainers[] | select(.name == "injected")`, `.webhooks[]?.clientConfig.caBundle`, ".a[0]", ".a[1:3]",
		`.a[] | select(.name | test("^x"))`, `.metadata.annotations | select(has("x") and (.x | startswith("y") | not))`, `.a[] | select(.b // false)`,
	} {
		if !choosesPaths(e) {
			t.Errorf("%s is left out", e)
		}
	}
}

func TestExpressionsThatComputeAreLeftOut(t *testing.T) {
	for _, e := range []string{
		`"x" * 1000000000`, `[range(1e9)]`, `def f: f, f; f`, `reduce range(1e9) as $i (0; . + 1)`, `foreach .[] as $x (0; .)`, `repeat(.)`,
		`limit(9; repeat(1))`, `. as $x | $x`, `.a[.b * 2]`, `.a["\("x" * 1000)"]`, `"\(1 + 1)"`, `$ENV`, `env`, `input`, `@base64`, `{a: 1}`, `[.a]`,
		`if . then .a else .b end`, `try error("x")`, `.a = 1`, `.a |= 2`, `..`, `-1`, `.a + .b`, `select("x" * 1000000)`, `(`, ``, `.a) | (.b`,
		"." + strings.Repeat("a", maxExpression), `import "a" as a; .`, `label $out | break $out`, `.a[range(9)]`, `.[("x" * 9)]`,
	} {
		if choosesPaths(e) {
			t.Errorf("%s is applied", e)
		}
	}
}

func TestExpressionsThatMultiplyPathsAreLeftOut(t *testing.T) {
	for _, e := range []string{
		"(.a, .a)" + strings.Repeat(" | (.a, .a)", 30), "(.a, .b) | .c", ".a | .b, .c | (.d, .e)", ".a[] | select((.b, .c) == (.d, .e))",
		`.a | select(has("a", "b"))`, ".a[.b, .c]", "((.a, .b))",
		strings.Repeat(".a | ", maxNodes) + ".a", "." + strings.Repeat("[]", maxNodes),
	} {
		if choosesPaths(e) {
			t.Errorf("%s is applied", e)
		}
	}
	for _, e := range []string{".a, .b, .c", ".a[], .spec.x[].y", "(.a | .b), (.c | .d)"} {
		if !choosesPaths(e) {
			t.Errorf("%s is left out", e)
		}
	}
}

func TestTheNumberOfIgnoredFieldsIsBounded(t *testing.T) {
	pointers := make([]string, maxIgnored+1)
	if _, err := harmless([]v1alpha1.ResourceIgnoreDifferences{{JSONPointers: pointers}}); err == nil {
		t.Error("there is no bound")
	}
	if _, err := harmless([]v1alpha1.ResourceIgnoreDifferences{{JSONPointers: pointers[1:]}}); err != nil {
		t.Error(err)
	}
}

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{".spec.replicas", `.a[] | select(.name == "x")`, `"x" * 1e9`, `.["\(.)"]`, "(", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if choosesPaths(expression) && strings.Contains(expression, "*") && !strings.ContainsAny(expression, `"#`) {
			t.Errorf("%q is applied", expression)
		}
	})
}
