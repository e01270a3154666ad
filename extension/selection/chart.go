package selection

import (
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// ForChart makes the rule of a chart subscription, which takes the greatest
// version. A subscription of a valid pipeline always gives one.
//
// Versions are read as Helm does: those of a classic repository's index leniently
// (helm, pkg/repo), the tags of a registry as full semantic versions (helm,
// pkg/registry, Client.Tags), in which an underscore stands for the plus sign, see
// [ChartVersion].
func ForChart(s pipeline.ChartSubscription) (Rule, error) {
	read := semver.NewVersion
	if s.OCI() {
		read = func(tag string) (*semver.Version, error) { return full(ChartVersion(tag)) }
	}
	order, err := semVer(s.SemverConstraint, read)
	return Rule{order: order}, err
}

// ChartVersion returns the version of the chart that a registry has under a tag.
// Tags can hold no plus sign, versions no underscore.
func ChartVersion(tag string) string { return strings.ReplaceAll(tag, "_", "+") }
