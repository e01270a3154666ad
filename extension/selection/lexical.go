package selection

import (
	"slices"
	"strings"
)

// lexical orders by the bytes of the tag, the last first. Two tags of one
// repository are never equal.
func lexical(tags []string) []string {
	slices.SortFunc(tags, func(a, b string) int { return strings.Compare(b, a) })
	return tags
}
