package render

import "github.com/waybill-cd/waybill/extension/parameters"

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

// selection returns whether a file is among those to read, by its path.
func (o DirectoryOptions) selection() (func(string) bool, error) {
	include, err := compileGlob(parameters.Include, o.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := compileGlob(parameters.Exclude, o.Exclude)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		return (exclude == nil || !exclude.MatchString(path)) && (include == nil || include.MatchString(path))
	}, nil
}
