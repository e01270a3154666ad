package helm

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	vendoring "github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// beside adds the charts of the repository that the chart depends on by
// file:// and does not vendor, as helm dependency build would package them
// (helm, downloader). It is the one download of Argo CD's that needs no network.
func (s *source) beside(c *chart.Chart) error {
	for _, dependency := range c.Metadata.Dependencies {
		dir, found := strings.CutPrefix(dependency.Repository, "file://")
		if !found || holds(c, dependency) {
			continue
		}
		if path.IsAbs(dir) {
			return refusal.New(fmt.Sprintf("its chart depends on %s in a folder of some machine", dependency.Name), "write repository: file://../"+dependency.Name)
		}
		local, _, err := s.load(dir)
		if err != nil {
			return absent(fmt.Errorf("its chart depends on %s: %w", dependency.Name, err))
		}
		if local.Name() != dependency.Name || !chartutil.IsCompatibleRange(dependency.Version, local.Metadata.Version) {
			return refusal.New(fmt.Sprintf("its chart depends on %s %s, and %s holds %s %s", dependency.Name, dependency.Version, dir, local.Name(), local.Metadata.Version),
				"mend dependencies in Chart.yaml")
		}
		c.AddDependency(local)
	}
	return nil
}

// absent adds a remedy to an error that has none.
func absent(err error) error {
	var refused *refusal.Error
	if errors.As(err, &refused) {
		return err
	}
	return refusal.Wrap(err, render.AbsentRemedy)
}

func holds(c *chart.Chart, dependency *chart.Dependency) bool {
	return slices.ContainsFunc(c.Dependencies(), func(d *chart.Chart) bool { return d.Name() == dependency.Name })
}

// complete checks that what the chart depends on is vendored (helm, action,
// CheckDependencies).
func complete(c *chart.Chart) error {
	var missing []string
	for _, dependency := range c.Metadata.Dependencies {
		if !holds(c, dependency) {
			missing = append(missing, dependency.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return refusal.New(fmt.Sprintf("its chart depends on %s, which is not in charts/", strings.Join(missing, ", ")),
		"vendor it with helm dependency build, a render reaches no network")
}

// vendorIt is what to do where charts/ or what names it is not as the freight
// says: a promotion vendors what is pinned, on a branch that is the stage's own.
const vendorIt = "promote again to a stage with a branch of its own, which vendors it"

// pinned checks that what the chart depends on and the freight pins is vendored
// as the freight says: that version in Chart.yaml, in the lock where there is
// one and in charts/, and that archive where the pin has a digest.
func pinned(c *chart.Chart, all []vendored, pins []freight.Chart) error {
	byChart, err := byIdentity(pins)
	if err != nil {
		return err
	}
	for _, dependency := range c.Metadata.Dependencies {
		if vendoring.IsAlias(dependency.Repository) && slices.ContainsFunc(pins, func(pin freight.Chart) bool {
			return path.Base(vendoring.Identity(pin.RepoURL, pin.Name)) == dependency.Name
		}) {
			return refusal.New(fmt.Sprintf("its freight pins a chart %s, and Chart.yaml names the repository of that dependency by the alias %s", dependency.Name, dependency.Repository),
				"write its URL into Chart.yaml")
		}
		several := byChart[vendoring.Identity(dependency.Repository, dependency.Name)]
		if len(several) == 0 {
			continue
		}
		pin := several[0]
		if len(several) > 1 {
			return refusal.New(fmt.Sprintf("its waybill pins the chart %s twice (%s, %s), and its chart depends on one", dependency.Name, pin.Subscription, several[1].Subscription),
				"keep one of these subscriptions in what the stage requests")
		}
		if !vendoring.SameVersion(dependency.Version, pin.Version) {
			return refusal.New(fmt.Sprintf("its freight pins the chart %s to %s, and Chart.yaml names %s", dependency.Name, pin.Version, dependency.Version), vendorIt)
		}
		if err := locked(c.Lock, dependency, pin); err != nil {
			return err
		}
		for _, v := range all {
			if v.Name() != dependency.Name {
				continue
			}
			if err := v.check(pin); err != nil {
				return err
			}
		}
	}
	return nil
}

// byIdentity returns the pins of each chart: one, or several that the names of
// their subscriptions tell apart.
func byIdentity(pins []freight.Chart) (map[string][]freight.Chart, error) {
	all := map[string][]freight.Chart{}
	for _, pin := range pins {
		name := vendoring.Identity(pin.RepoURL, pin.Name)
		i := slices.IndexFunc(all[name], func(known freight.Chart) bool {
			return known.Version == pin.Version || known.Subscription == pin.Subscription || known.Subscription == "" || pin.Subscription == ""
		})
		if i < 0 {
			all[name] = append(all[name], pin)
			continue
		}
		known := &all[name][i]
		if known.Version != pin.Version || known.Digest != "" && pin.Digest != "" && known.Digest != pin.Digest {
			return nil, refusal.New(fmt.Sprintf("its waybill pins the chart %s twice, to %s and to %s", name, known.Version, pin.Version),
				"subscribe to the chart in one warehouse of the stage only")
		}
		if known.Digest == "" {
			*known = pin
		}
	}
	return all, nil
}

// locked checks the lock's entry for a dependency. A chart without a lock has
// what its charts/ hold.
func locked(lock *chart.Lock, dependency *chart.Dependency, pin freight.Chart) error {
	if lock == nil {
		return nil
	}
	for _, entry := range lock.Dependencies {
		if entry == nil || entry.Name != dependency.Name || vendoring.Identity(entry.Repository, entry.Name) != vendoring.Identity(dependency.Repository, dependency.Name) {
			continue
		}
		if vendoring.SameVersion(entry.Version, pin.Version) {
			return nil
		}
		return refusal.New(fmt.Sprintf("its freight pins the chart %s to %s, and Chart.lock names %s", dependency.Name, pin.Version, entry.Version), vendorIt)
	}
	return refusal.New(fmt.Sprintf("its freight pins the chart %s to %s, and Chart.lock does not name it", dependency.Name, pin.Version), vendorIt)
}

// check compares a vendored chart with its pin.
func (v vendored) check(pin freight.Chart) error {
	switch {
	case !vendoring.SameVersion(v.Metadata.Version, pin.Version):
		return refusal.New(fmt.Sprintf("its freight pins the chart %s to %s, and charts/%s is %s", v.Name(), pin.Version, v.entry, v.Metadata.Version), vendorIt)
	case pin.Digest == "" || v.digest == pin.Digest:
		return nil
	case v.digest == "":
		return refusal.New(fmt.Sprintf("its freight pins the archive of the chart %s by digest, and charts/%s is a folder", v.Name(), v.entry), vendorIt)
	}
	return refusal.New(fmt.Sprintf("charts/%s is not the archive that its freight pins: its digest is %s, not %s", v.entry, short(v.digest), short(pin.Digest)), vendorIt)
}

func short(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return algorithm + ":" + freight.Short(hex)
}
