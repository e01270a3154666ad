package selection

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Dated is a tag and when what it stands for was made: an image built, an
// annotated tag or a commit created.
type Dated struct {
	Tag string
	At  time.Time
}

// Newest orders by date, the newest first, in place: the strategies NewestBuild
// and NewestTag. Of one date, the tag that is last in byte order comes first. A
// tag without a date (the zero time) comes after all that have one.
func Newest(tags []Dated) {
	slices.SortFunc(tags, func(a, b Dated) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.Tag, a.Tag))
	})
}
