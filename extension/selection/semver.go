package selection

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// semVer orders by semantic version, greatest first. Versions of equal
// precedence (1.0 and 1.0.0, or build metadata, which SemVer 2.0.0 §10 leaves
// out) are ordered by the tag itself, lexically greatest first. A pre-release
// qualifies only where the constraint names one, or where there is none. read tells
// what a tag is the version of.
func semVer(constraint string, read func(tag string) (*semver.Version, error)) (func([]string) []string, error) {
	var within *semver.Constraints
	if constraint != "" {
		var err error
		if within, err = semver.NewConstraint(constraint); err != nil {
			return nil, fmt.Errorf("%q is not a version range: %w", constraint, err)
		}
	}
	type candidate struct {
		tag     string
		version *semver.Version
	}
	return func(tags []string) []string {
		candidates := make([]candidate, 0, len(tags))
		for _, t := range tags {
			v, err := read(t)
			if err == nil && (within == nil || within.Check(v)) {
				candidates = append(candidates, candidate{t, v})
			}
		}
		slices.SortFunc(candidates, func(a, b candidate) int {
			return cmp.Or(b.version.Compare(a.version), strings.Compare(b.tag, a.tag))
		})
		ordered := make([]string, len(candidates))
		for i, c := range candidates {
			ordered[i] = c.tag
		}
		return ordered
	}, nil
}

// reader returns how tags are read as versions: strictly all of major, minor and
// patch, or also less.
func reader(strict bool) func(tag string) (*semver.Version, error) {
	if strict {
		return full
	}
	return semver.NewVersion
}

// full reads a full semantic version, with or without a leading v.
func full(tag string) (*semver.Version, error) {
	return semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
}
