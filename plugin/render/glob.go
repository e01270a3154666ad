package render

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gobwas/glob/syntax"
	"github.com/gobwas/glob/syntax/ast"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// maxGlob bounds a glob, in bytes.
const maxGlob = 1000

// compileGlob returns nil for an empty pattern. It reads globs by the grammar of
// the library that Argo CD uses (gobwas/glob), without separators: * stands for
// slashes too. But it matches with a regular expression, in time that grows with
// the path: the library's own time doubles with each asterisk.
//
// Argo CD takes a broken pattern for one that nothing matches; that would leave
// out or let in everything.
func compileGlob(parameter, pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil //nolint:nilnil // no pattern, no expression
	}
	if len(pattern) > maxGlob {
		return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is longer than %d bytes", parameter, maxGlob), "write a shorter glob")
	}
	tree, err := syntax.Parse(pattern)
	if err == nil {
		var compiled *regexp.Regexp
		if compiled, err = regexp.Compile(`(?s)\A(?:` + expression(tree) + `)\z`); err == nil {
			return compiled, nil
		}
	}
	return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is no glob: %q", parameter, pattern), "mend it")
}

// expression returns a regular expression for a part of a glob.
func expression(part *ast.Node) string {
	switch part.Kind {
	case ast.KindPattern, ast.KindAnyOf:
		children := make([]string, len(part.Children))
		for i, child := range part.Children {
			children[i] = expression(child)
		}
		if part.Kind == ast.KindPattern {
			return strings.Join(children, "")
		}
		return "(?:" + strings.Join(children, "|") + ")"
	case ast.KindAny, ast.KindSuper:
		return ".*"
	case ast.KindSingle:
		return "."
	case ast.KindText:
		if text, ok := part.Value.(ast.Text); ok {
			return regexp.QuoteMeta(text.Text)
		}
	case ast.KindList:
		if list, ok := part.Value.(ast.List); ok {
			var class strings.Builder
			for _, r := range list.Chars {
				fmt.Fprintf(&class, `\x{%x}`, r)
			}
			return oneOf(class.String(), list.Not)
		}
	case ast.KindRange:
		if r, ok := part.Value.(ast.Range); ok {
			return oneOf(fmt.Sprintf(`\x{%x}-\x{%x}`, r.Lo, r.Hi), r.Not)
		}
	case ast.KindNothing:
	}
	return ""
}

// oneOf returns a class of characters, or of all but these.
func oneOf(class string, not bool) string {
	if not {
		return "[^" + class + "]"
	}
	return "[" + class + "]"
}
