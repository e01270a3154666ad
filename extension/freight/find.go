package freight

import (
	"fmt"
	"slices"
	"strings"
)

// minPrefix is the shortest beginning of an ID that is looked up.
const minPrefix = 4

// Find returns the one piece of freight that people mean by a name: its ID, an
// unambiguous beginning of the ID, its alias, or the tag or version of one of its
// artifacts. all is searched in its order; an exact ID always wins.
//
// Where a name could be freight of several warehouses, that of the origins is
// meant: a stage is given for what it requests. Without origins, all are equal.
func Find(all []Freight, name string, origins ...string) (Freight, error) {
	name = strings.TrimSpace(name)
	var matches, meant []Freight
	for _, f := range all {
		switch {
		case f.ID == name && name != "":
			return f, nil
		case len(name) >= minPrefix && strings.HasPrefix(f.ID, name), f.Alias == name && name != "", f.hasVersion(name):
			matches = append(matches, f)
			if slices.Contains(origins, f.Origin) {
				meant = append(meant, f)
			}
		}
	}
	if len(meant) > 0 {
		matches = meant
	}
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return Freight{}, fmt.Errorf("there is no freight %q: name an ID, at least its first %d digits, an alias or a version", name, minPrefix)
	default:
		return Freight{}, ambiguous(name, matches)
	}
}

// maxMatches bounds the freight that an ambiguous name is told to fit.
const maxMatches = 4

func ambiguous(name string, matches []Freight) error {
	var told []string
	for _, f := range matches[:min(len(matches), maxMatches)] {
		called := Short(f.ID)
		if f.Alias != "" {
			called = f.Alias + " (" + called + ")"
		}
		if f.Origin != matches[0].Origin || f.Origin != matches[len(matches)-1].Origin {
			called += " of warehouse " + f.Origin
		}
		told = append(told, called)
	}
	more := ""
	if n := len(matches) - len(told); n > 0 {
		more = fmt.Sprintf(" or %d more", n)
	}
	return fmt.Errorf("%q could be freight %s%s: name its alias, or more digits of its ID", name, strings.Join(told, " or "), more)
}

func (f Freight) hasVersion(name string) bool {
	if name == "" {
		return false
	}
	for _, i := range f.Images {
		if i.Tag == name {
			return true
		}
	}
	for _, c := range f.Commits {
		if c.Tag == name {
			return true
		}
	}
	for _, c := range f.Charts {
		if c.Version == name {
			return true
		}
	}
	return false
}
