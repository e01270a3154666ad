package render

import (
	"fmt"

	"github.com/gobwas/glob"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// DirectoryOptions selects the files of a directory of plain manifests, as in an
// Application without a plugin (argo-cd, v1alpha1, ApplicationSourceDirectory).
type DirectoryOptions struct {
	// Recurse includes the directories below.
	Recurse bool
	// Include and Exclude are globs that paths below the Application's match: *
	// stands for anything, slashes too, and {a,b} for a or b. An empty Include
	// means all. Exclude comes first.
	Include string
	Exclude string
}

// maxGlob bounds a glob, in bytes.
const maxGlob = 1000

// selection returns whether a file is among those to read, by its path.
func (o DirectoryOptions) selection() (func(string) bool, error) {
	include, err := compile("include", o.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := compile("exclude", o.Exclude)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		return (exclude == nil || !exclude.Match(path)) && (include == nil || include.Match(path))
	}, nil
}

// compile returns nil for an empty pattern. Argo CD takes a broken one for one
// that nothing matches; that would leave out or let in everything.
func compile(parameter, pattern string) (glob.Glob, error) {
	if pattern == "" {
		return nil, nil //nolint:nilnil // no pattern, no glob
	}
	if len(pattern) > maxGlob {
		return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is longer than %d bytes", parameter, maxGlob), "write a shorter glob")
	}
	compiled, err := glob.Compile(pattern)
	if err != nil {
		return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is no glob: %q", parameter, pattern), "mend it")
	}
	return compiled, nil
}
