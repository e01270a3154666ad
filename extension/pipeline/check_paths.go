package pipeline

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// PathKind is what an entry of includePaths or excludePaths is.
type PathKind int

// The kinds of paths.
const (
	// PathBelow is a file, or a folder with all below.
	PathBelow PathKind = iota
	// PathGlob is a pattern in which * stops at a slash and ** does not.
	PathGlob
	// PathRegex is a regular expression (RE2) that matches anywhere in the path.
	PathRegex
)

// SplitPath takes an entry of includePaths or excludePaths apart: what it is, and
// what follows the prefix that tells so.
func SplitPath(entry string) (PathKind, string) {
	if glob, ok := strings.CutPrefix(entry, "glob:"); ok {
		return PathGlob, glob
	}
	for _, prefix := range []string{"regex:", "regexp:"} {
		if pattern, ok := strings.CutPrefix(entry, prefix); ok {
			return PathRegex, pattern
		}
	}
	return PathBelow, entry
}

func checkPaths(path string, entries []string, found *problems) {
	if !fewPatterns(path, entries, found) {
		return
	}
	for i, entry := range entries {
		at := fmt.Sprintf("%s[%d]", path, i)
		kind, pattern := SplitPath(entry)
		switch {
		case strings.TrimSpace(pattern) == "":
			found.add(at, "%q is empty: write for example deploy/, glob:**/*.go or regex:^apps/[^/]+/", entry)
		case kind == PathRegex:
			checkRegex(at, pattern, found)
		case kind == PathGlob && !doublestar.ValidatePattern(pattern):
			found.add(at, "%q is not a glob: write for example glob:charts/*/values.yaml", entry)
		case kind == PathGlob && alternatives(pattern) > maxAlternatives:
			found.add(at, "has more than %d alternatives in its braces: write several entries", maxAlternatives)
		case kind == PathGlob && strings.HasPrefix(pattern, "/"):
			found.add(at, "%q matches nothing: a path in the repository begins with no slash", entry)
		case kind == PathBelow && strings.Contains("/"+pattern+"/", "/../"):
			found.add(at, "%q leads out of the repository: write for example deploy/", entry)
		}
	}
}

// maxAlternatives bounds what a glob's braces stand for: each is tried for each
// file that a commit changes.
const maxAlternatives = 64

// alternatives counts the globs without braces that a valid one stands for, or
// some number above [maxAlternatives].
func alternatives(glob string) int {
	type group struct{ product, sum int }
	open := []group{{product: 1}}
	for i := 0; i < len(glob); i++ {
		last := &open[len(open)-1]
		switch glob[i] {
		case '\\':
			i++
		case '[':
			i += max(0, strings.IndexByte(glob[i:], ']'))
		case '{':
			open = append(open, group{product: 1})
		case ',':
			if len(open) > 1 {
				last.sum, last.product = last.sum+last.product, 1
			}
		case '}':
			if len(open) > 1 {
				open = open[:len(open)-1]
				open[len(open)-1].product *= last.sum + last.product
			}
		}
		if top := open[len(open)-1]; top.product+top.sum > maxAlternatives {
			return top.product + top.sum
		}
	}
	return open[0].product
}
