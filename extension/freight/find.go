package freight

import (
	"fmt"
	"strings"
)

// minPrefix is the shortest beginning of an ID that is looked up.
const minPrefix = 4

// Find returns the one piece of freight that people mean by a name: its ID, an
// unambiguous beginning of the ID, its alias, or the tag or version of one of its
// artifacts. all is searched in its order; an exact ID always wins.
func Find(all []Freight, name string) (Freight, error) {
	name = strings.TrimSpace(name)
	var matches []Freight
	for _, f := range all {
		switch {
		case f.ID == name && name != "":
			return f, nil
		case len(name) >= minPrefix && strings.HasPrefix(f.ID, name), f.Alias == name && name != "", f.hasVersion(name):
			matches = append(matches, f)
		}
	}
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return Freight{}, fmt.Errorf("there is no freight %q: name an ID, at least its first %d digits, an alias or a version", name, minPrefix)
	default:
		return Freight{}, fmt.Errorf("%q could be freight %s or %s: name more digits of the ID", name, Short(matches[0].ID), Short(matches[1].ID))
	}
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
