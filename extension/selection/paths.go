package selection

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/waybill"
)

// Paths selects changes by the paths of the files that they change.
type Paths struct{ include, exclude []func(path string) bool }

// ForPaths makes the rule of includePaths and excludePaths.
func ForPaths(include, exclude []string) (p Paths, err error) {
	if p.include, err = matchers(include); err != nil {
		return Paths{}, err
	}
	p.exclude, err = matchers(exclude)
	return p, err
}

// Any tells that every change counts, but for one of waybills alone.
func (p Paths) Any() bool { return len(p.include)+len(p.exclude) == 0 }

// Takes tells whether a changed file makes its commit count: it is included, and
// not excluded. A waybill never does: it is what Waybill itself wrote, and a
// commit that took it for news would be promoted, and write the next.
func (p Paths) Takes(path string) bool {
	if waybill.IsFile(path) {
		return false
	}
	return (len(p.include) == 0 || anyOf(p.include, path)) && !anyOf(p.exclude, path)
}

func anyOf(matchers []func(string) bool, path string) bool {
	for _, matches := range matchers {
		if matches(path) {
			return true
		}
	}
	return false
}

func matchers(selectors []string) ([]func(string) bool, error) {
	all := make([]func(string) bool, len(selectors))
	for i, s := range selectors {
		if glob, ok := strings.CutPrefix(s, pipeline.PathGlob); ok {
			if !doublestar.ValidatePattern(glob) {
				return nil, doublestar.ErrBadPattern
			}
			all[i] = func(path string) bool { return doublestar.MatchUnvalidated(glob, path) }
			continue
		}
		pattern, isRegex := strings.CutPrefix(s, pipeline.PathRegex)
		if !isRegex {
			pattern, isRegex = strings.CutPrefix(s, pipeline.PathRegexp)
		}
		if isRegex {
			compiled, err := compile([]string{pattern})
			if err != nil {
				return nil, err
			}
			all[i] = func(path string) bool { return matchesAny(compiled, path) }
			continue
		}
		all[i] = below(s)
	}
	return all, nil
}

// below matches a file, or all that is below a folder.
func below(selector string) func(string) bool {
	selector = strings.Trim(strings.TrimPrefix(selector, "./"), "/")
	return func(path string) bool {
		rest, found := strings.CutPrefix(path, selector)
		return found && (rest == "" || rest[0] == '/') || selector == "."
	}
}
