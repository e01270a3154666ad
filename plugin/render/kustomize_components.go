package render

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// components returns the paths that the option Components adds. What is not in
// the checkout is returned as it is: the walk over the kustomizations refuses it,
// by name.
func (f fileSystem) components(o KustomizeOptions) ([]string, error) {
	var all []string
	for _, pattern := range o.Components {
		if err := noOption(parameters.Components, pattern); err != nil {
			return nil, err
		}
		if o.IgnoreMissingComponents {
			// As written, not as a glob (argo-cd v3, util/kustomize, Build).
			if _, _, err := f.resolve(filepath.Join(f.checkout.path, pattern)); errors.Is(err, fs.ErrNotExist) || errors.Is(err, errOutside) {
				continue
			}
		}
		matches, err := f.Glob(pattern)
		if err != nil {
			return nil, refusal.New("its plugin parameter "+parameters.Components+" holds "+pattern+", which is no pattern", "mend it")
		}
		if len(matches) == 0 {
			matches = []string{pattern}
		}
		all = append(all, matches...)
	}
	// A glob of all that is beside the kustomization matches that too.
	return slices.DeleteFunc(all, isKustomization), nil
}

// literal takes from a path what it would mean in a pattern.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// Glob returns the paths below the Application's path that match a pattern, as
// kustomize's own file systems do: what is hidden only if asked for.
func (f fileSystem) Glob(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		if _, _, err := f.resolve(filepath.Join(f.checkout.path, pattern)); err != nil {
			return nil, nil //nolint:nilerr // there is none
		}
		return []string{pattern}, nil
	}
	from := filepath.ToSlash(f.checkout.path)
	found, err := fs.Glob(f.checkout.root.FS(), path.Join(literal.Replace(from), pattern))
	if err != nil {
		return nil, err
	}
	var matches []string
	for _, name := range found {
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return nil, err
		}
		if filesys.IsHiddenFilePath(pattern) || !filesys.IsHiddenFilePath(relative) {
			matches = append(matches, relative)
		}
	}
	return matches, nil
}
