package selection

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/waybill"
)

// Paths selects changes by the paths of the files that they change. It may be used
// by several goroutines at a time.
type Paths struct{ include, exclude []func(path string) bool }

// ForPaths makes the rule of includePaths and excludePaths. Those of a valid
// pipeline always give one.
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
// not excluded. A path is the file's in the repository, with slashes and none at
// its beginning.
//
// A waybill never does: it is what Waybill itself wrote, and a commit that took it
// for news would be promoted, and write the next.
func (p Paths) Takes(path string) bool {
	if waybill.IsFile(path) {
		return false
	}
	return (len(p.include) == 0 || anyOf(p.include, path)) && !anyOf(p.exclude, path)
}

// TakesAny tells whether a commit counts that changes these files: at least one of
// them does. A file that is moved is two, the old path and the new one. It reads
// no further than to the first that counts. A commit that changes no file at all
// does not count.
func (p Paths) TakesAny(changed iter.Seq[string]) bool {
	for path := range changed {
		if p.Takes(path) {
			return true
		}
	}
	return false
}

func anyOf(matchers []func(string) bool, path string) bool {
	return slices.ContainsFunc(matchers, func(matches func(string) bool) bool { return matches(path) })
}

func matchers(entries []string) ([]func(string) bool, error) {
	all := make([]func(string) bool, len(entries))
	for i, entry := range entries {
		kind, pattern := pipeline.SplitPath(entry)
		switch kind {
		case pipeline.PathGlob:
			if !doublestar.ValidatePattern(pattern) {
				return nil, fmt.Errorf("%q is not a glob", pattern)
			}
			all[i] = func(path string) bool { return doublestar.MatchUnvalidated(pattern, path) }
		case pipeline.PathRegex:
			compiled, err := compile([]string{pattern})
			if err != nil {
				return nil, err
			}
			all[i] = compiled[0].MatchString
		default:
			all[i] = below(pattern)
		}
	}
	return all, nil
}

// below matches a file, or all that is below a folder. The root holds everything.
func below(entry string) func(string) bool {
	entry = strings.TrimPrefix(path.Clean("/"+entry), "/")
	return func(path string) bool {
		rest, found := strings.CutPrefix(path, entry)
		return found && (entry == "" || rest == "" || rest[0] == '/')
	}
}
