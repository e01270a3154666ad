package render

import (
	"strings"
	"testing"

	"github.com/gobwas/glob"
)

// TestGlobsMatchWhatArgoCDsMatch holds them against the library itself, save for
// single characters beyond ASCII: the library counts their bytes at times.
func TestGlobsMatchWhatArgoCDsMatch(t *testing.T) {
	paths := []string{
		"a.yaml", "b.yml", "sub/a.yaml", "sub/deep/a.json", "a{b}.yaml", "a,b.yaml", "[x].yaml", "ab.yaml", "ac.yaml", "a-b.yaml", "a^.yaml",
		"über/ß.yaml", "*.yaml", `a\b.yaml`, ".hidden.yaml", "a.yaml.bak", "line\nbreak.yaml", "a(b|c).yaml", "x.yaml", "", "!",
	}
	for _, pattern := range []string{
		"*", "**", "*.yaml", "*.{yaml,yml}", "sub/*", "**/a.*", "?.yaml", "[a-c].y*ml", "[!a-c].yaml", "[abc].yaml", "[!a].yaml", "a[-^]b.yaml",
		"{a,b}.{yaml,yml}", "{a,{b,sub/*}}*", "{*.json,*/a.yaml}", `\*.yaml`, `a\{b\}.yaml`, "a,b.yaml", "a(b|c).yaml", "{sub,über}/*",
		"}", "a}", "{a", "{}", "{,a}.yaml", ".*", "a.yaml", "*a*a*", "line?break*", `a\\b*`, "{a.yaml", "[[]x].yaml", "x]*",
	} {
		theirs, err := glob.Compile(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		ours, err := compileGlob("include", pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		for _, path := range paths {
			if got, want := ours.MatchString(path), theirs.Match(path); got != want {
				t.Errorf("%s matches %q: %t, want %t", pattern, path, got, want)
			}
		}
	}
	for _, pattern := range []string{"[", "[a", "[a-", "[z-a]", "[]", "[!]", "{[}", "a[b-cd]"} {
		if _, err := glob.Compile(pattern); err == nil {
			t.Errorf("%s is a glob to Argo CD", pattern)
		}
		if _, err := compileGlob("include", pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

// TestNoGlobTakesForever would not end with a matcher that tries all ways.
func TestNoGlobTakesForever(t *testing.T) {
	for _, pattern := range []string{
		strings.Repeat("*a", 500), strings.Repeat("{*a,*b}", 140) + "c", strings.Repeat("?*", 500), strings.Repeat("{?,*}", 190) + "c",
		strings.Repeat("{a,", 240) + strings.Repeat("}", 240), "{" + strings.Repeat("*a*,", 240) + "b}",
	} {
		compiled, err := compileGlob("include", pattern)
		if err != nil {
			t.Errorf("%.20s: %v", pattern, err)
			continue
		}
		compiled.MatchString(strings.Repeat("a/", 256))
	}
}
