// Package selection decides which tag of a repository a warehouse takes. It is
// pure: it gets the tags, and knows no registry. One strategy is one file.
package selection

import (
	"fmt"
	"regexp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Rule selects tags by one subscription's strategy. It is made once, by
// [ForImage], and may be used by several goroutines at a time.
type Rule struct {
	allow, ignore []*regexp.Regexp
	order         func(tags []string) []string
}

// ForImage makes the rule of an image subscription. A subscription of a valid
// pipeline always gives one.
func ForImage(s pipeline.ImageSubscription) (Rule, error) {
	var r Rule
	var err error
	if r.allow, err = compile(s.AllowTagsRegexes); err != nil {
		return Rule{}, err
	}
	if r.ignore, err = compile(s.IgnoreTagsRegexes); err != nil {
		return Rule{}, err
	}
	switch s.ImageSelectionStrategy {
	case pipeline.StrategySemVer, "":
		r.order, err = semVer(s.Constraint, s.Strict())
	default:
		err = fmt.Errorf("imageSelectionStrategy %q is not known: allowed is %s", s.ImageSelectionStrategy, pipeline.StrategySemVer)
	}
	return r, err
}

// Select returns the tags that qualify, the best first. A tag that does not
// qualify, or does not parse, is left out. The order of the input is of no
// consequence: every tie is broken by the strategy.
func (r Rule) Select(tags []string) []string {
	kept := make([]string, 0, len(tags))
	for _, t := range tags {
		if !matchesAny(r.ignore, t) && (len(r.allow) == 0 || matchesAny(r.allow, t)) {
			kept = append(kept, t)
		}
	}
	return r.order(kept)
}

func compile(patterns []string) ([]*regexp.Regexp, error) {
	compiled := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("%q is not a regular expression (RE2): %w", p, err)
		}
		compiled[i] = re
	}
	return compiled, nil
}

func matchesAny(patterns []*regexp.Regexp, s string) bool {
	for _, p := range patterns {
		if p.MatchString(s) {
			return true
		}
	}
	return false
}
