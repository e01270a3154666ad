package selection

import "slices"

// only selects one tag, where it is there.
func only(tag string) func([]string) []string {
	return func(tags []string) []string {
		if slices.Contains(tags, tag) {
			return []string{tag}
		}
		return []string{}
	}
}
