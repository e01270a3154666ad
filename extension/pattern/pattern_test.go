package pattern_test

import (
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/pattern"
)

func TestAnExpressionIsReadAsTheLibraryDoes(t *testing.T) {
	for text, matches := range map[string]string{
		"": "", "^v": "v1", `^[a-z]{1,63}(\.[a-z]{1,63}){3}$`: "a.b.c.d", "^sha-[0-9a-f]{7,40}$": "sha-4b1c27c", "(?i)RC": "rc", `\d+\.x`: "1.x",
		strings.Repeat("x", 1000): strings.Repeat("x", 1000), "^.{0,255}$": "any", "(a|b|c){2,}": "abc",
	} {
		if compiled, err := pattern.Compile(text); err != nil || !compiled.MatchString(matches) {
			t.Errorf("%.60q does not match %.60q: %v", text, matches, err)
		}
	}
	const want = "\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`"
	if _, err := pattern.Compile("("); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAnExpressionThatStandsForTooMuchIsRefused(t *testing.T) {
	for _, text := range []string{
		"(x?x?){1000}", "(" + strings.Repeat("x?", 400) + "){1000}y", "(" + strings.Repeat("x?|", 300) + "){1000}y", strings.Repeat("(.?){1000}", 390), "((a{10}){10}){10}",
		"a{999,}b{9}", strings.Repeat("x", 1001), "(ab){500,}", "[a-z]{1000}(a)",
	} {
		if _, err := pattern.Compile(text); err == nil || !strings.HasSuffix(err.Error(), " stands for more than 1000 characters, its repetitions written out: repeat less, or write several") {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// What is taken is a program of a few instructions for each character.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{"", "^v[0-9]+$", "(a{10}){10}", "(?i)x|y|z", "[^a-z]*?", "a{3,}", `\pL{100}`, "(((x?)+)*){2}", "(", "日本{5}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := pattern.Compile(text); err != nil {
			return
		}
		tree, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(program.Inst); n > 5000 {
			t.Errorf("%q is a program of %d instructions", text, n)
		}
	})
}
