package image

import (
	"errors"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// What an error of this package may be (errors.Is), besides those of package
// registry.
var (
	// ErrNothing: the registry was read, and no tag qualifies.
	ErrNothing = errors.New("no tag qualifies")
	// ErrStale: the list of tags was old when its winner was looked at.
	ErrStale = errors.New("list is stale")
)

// nothing tells what was wanted, and of how many.
func nothing(sub pipeline.ImageSubscription, seen int) error {
	if seen == 0 {
		return registry.Fail(ErrNothing, nil, "%s has no tags: push an image", sub.RepoURL)
	}
	want := "a semantic version"
	if sub.Strict() {
		want = "a full semantic version"
	}
	if sub.Constraint != "" {
		want += " within " + sub.Constraint
	}
	if len(sub.AllowTagsRegexes)+len(sub.IgnoreTagsRegexes) > 0 {
		want += " that allowTagsRegexes and ignoreTagsRegexes let through"
	}
	return registry.Fail(ErrNothing, nil, "none of the %d tags of %s qualifies, wanted is %s: push one, or change the subscription", seen, sub.RepoURL, want)
}
