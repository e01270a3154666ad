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
// qualifies only where the constraint names one, or where there is none.
func semVer(constraint string, strict bool) (func([]string) []string, error) {
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
			v, err := parse(t, strict)
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

func parse(tag string, strict bool) (*semver.Version, error) {
	if strict {
		return semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
	}
	return semver.NewVersion(tag)
}
