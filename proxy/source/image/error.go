package image

import (
	"errors"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/sentence"
)

// What an error of this package may be (errors.Is), besides those of package
// registry, a *source.Busy and a *source.Incomplete.
var (
	// ErrNothing: the registry was read, and no tag qualifies.
	ErrNothing = errors.New("no tag qualifies")
)

// nothing tells what was wanted, and of how many: of all tags, and of those that
// the strategy takes.
func (l *look) nothing(all, taken int) error {
	repo := l.sub.RepoURL
	switch {
	case l.followsOne() && len(l.skipped) > 0:
		return sentence.Fail(ErrNothing, nil, "%s: push it, or change constraint", l.skipped[0])
	case all == 0:
		return sentence.Fail(ErrNothing, nil, "%s has no tags: push an image", repo)
	case taken == 0:
		return sentence.Fail(ErrNothing, nil, "none of the %d tags of %s qualifies, wanted is %s: push one, or change the subscription", all, repo, wanted(l.sub))
	case len(l.skipped) > 0:
		return sentence.Fail(ErrNothing, nil, "none of the %d tags of %s that qualify can be used (%s): push another", taken, repo, l.skipped[0])
	}
	return sentence.Fail(ErrNothing, nil, "none of the %d tags of %s that qualify runs on %s: push one that does, or change platform", taken, repo, l.sub.Platform)
}

func wanted(sub pipeline.ImageSubscription) string {
	want := "a tag"
	if sub.ImageSelectionStrategy == pipeline.StrategySemVer || sub.ImageSelectionStrategy == "" {
		want = "a semantic version"
		if sub.Strict() {
			want = "a full semantic version"
		}
		if sub.Constraint != "" {
			want += " within " + sub.Constraint
		}
	}
	if len(sub.AllowTagsRegexes)+len(sub.IgnoreTagsRegexes) > 0 {
		want += " that allowTagsRegexes and ignoreTagsRegexes let through"
	}
	return want
}
