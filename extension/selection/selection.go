// Package selection decides which tag, version or commit a subscription takes. It
// is pure: it gets what a repository holds, and knows no registry and no Git. One
// strategy is one file.
//
// The tags and versions of every kind of repository are selected by a [Rule], the
// commits of a branch by [Commits], and both of Git by the [Paths] that they
// change.
package selection

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/waybill-cd/waybill/extension/pattern"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Rule selects tags, or versions, by one subscription's strategy. It is made
// once, by [ForImage], [ForTags] or [ForChart], and may be used by several
// goroutines at a time.
type Rule struct {
	allow, ignore []*regexp.Regexp
	order         func(tags []string) []string
	dated         bool
}

// ForImage makes the rule of an image subscription. A subscription of a valid
// pipeline always gives one.
func ForImage(s pipeline.ImageSubscription) (Rule, error) {
	if s.ImageSelectionStrategy == pipeline.StrategyDigest {
		// One tag, whatever else the repository holds.
		return Rule{order: only(s.Constraint)}, nil
	}
	r, err := filtered(s.AllowTagsRegexes, s.IgnoreTagsRegexes)
	if err != nil {
		return Rule{}, err
	}
	switch s.ImageSelectionStrategy {
	case pipeline.StrategySemVer, "":
		r.order, err = semVer(s.Constraint, reader(s.Strict()))
	case pipeline.StrategyLexical:
		r.order = lexical
	case pipeline.StrategyNewestBuild:
		r.order, r.dated = lexical, true
	default:
		err = fmt.Errorf("imageSelectionStrategy %q is not known", s.ImageSelectionStrategy)
	}
	return r, err
}

// ForTags makes the rule of a Git subscription that takes tags. A subscription of
// a valid pipeline always gives one, unless it takes the commits of a branch.
func ForTags(s pipeline.GitSubscription) (Rule, error) {
	r, err := filtered(s.AllowTagsRegexes, s.IgnoreTagsRegexes)
	if err != nil {
		return Rule{}, err
	}
	switch s.CommitSelectionStrategy {
	case pipeline.StrategySemVer:
		r.order, err = semVer(s.SemverConstraint, reader(s.Strict()))
	case pipeline.StrategyLexical:
		r.order = lexical
	case pipeline.StrategyNewestTag:
		r.order, r.dated = lexical, true
	default:
		err = fmt.Errorf("commitSelectionStrategy %q takes no tags", s.CommitSelectionStrategy)
	}
	return r, err
}

func filtered(allow, ignore []string) (r Rule, err error) {
	if r.allow, err = compile(allow); err != nil {
		return Rule{}, err
	}
	r.ignore, err = compile(ignore)
	return r, err
}

// Select returns the tags that qualify, the best first; where the strategy goes
// by dates ([Rule.Dated]), in an order that [Newest] then changes. A tag that
// does not qualify, or does not parse, is left out. The order of the input is of
// no consequence: every tie is broken by the strategy.
func (r Rule) Select(tags []string) []string {
	kept := make([]string, 0, len(tags))
	for _, t := range tags {
		if !matchesAny(r.ignore, t) && (len(r.allow) == 0 || matchesAny(r.allow, t)) {
			kept = append(kept, t)
		}
	}
	return r.order(kept)
}

// Dated tells that a tag's rank is its date, which has to be asked for.
func (r Rule) Dated() bool { return r.dated }

func compile(patterns []string) ([]*regexp.Regexp, error) {
	compiled := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		var err error
		if compiled[i], err = pattern.Compile(p); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func matchesAny(patterns []*regexp.Regexp, s string) bool {
	return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(s) })
}
