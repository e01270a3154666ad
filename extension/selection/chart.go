package selection

import (
	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// ForChart makes the rule of a chart subscription, which takes the greatest
// version. A subscription of a valid pipeline always gives one.
//
// Versions are read as Helm does: those of a classic repository's index leniently
// (helm, pkg/repo), the tags of a registry as full semantic versions, without a
// leading v (helm, pkg/registry, Client.Tags), in which an underscore stands for the
// plus sign, see [chart.Version].
func ForChart(s pipeline.ChartSubscription) (Rule, error) {
	read := semver.NewVersion
	if s.OCI() {
		read = func(tag string) (*semver.Version, error) { return semver.StrictNewVersion(chart.Version(tag)) }
	}
	order, err := semVer(s.SemverConstraint, read)
	return Rule{order: order}, err
}
