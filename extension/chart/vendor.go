package chart

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Edits are what becomes of a chart's folder, by paths from there.
type Edits struct {
	// Files are added or replaced.
	Files map[string][]byte
	// Removed are files, and folders with all below, sorted.
	Removed []string
}

// Empty tells that nothing changes.
func (e Edits) Empty() bool { return len(e.Files)+len(e.Removed) == 0 }

const charts = "charts/"

// Depends tells which of the pins a chart depends on. files holds what there is
// of [Named].
func Depends(files map[string][]byte, pins []freight.Chart) ([]freight.Chart, error) {
	d, err := read(files)
	if err != nil {
		return nil, err
	}
	found, err := d.match(pins)
	if err != nil {
		return nil, err
	}
	var all []freight.Chart
	for _, i := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[i])
	}
	return all, nil
}

// Vendor makes a chart depend on what freight pins, and on nothing else of the
// same name: as `helm dependency update` would, had it no other version to choose.
//
// files holds what there is of [Named] in the chart's folder and, below charts/,
// of [Below]. The archive of a pin is asked for where charts/ does not hold it,
// and taken only if it has the digest of the pin. at is when the lock is
// generated. A chart that is as pinned is not edited at all; what the pins do not
// name stays as it is. The errors are sentences.
func Vendor(files map[string][]byte, pins []freight.Chart, at time.Time, archive func(freight.Chart) ([]byte, error)) (Edits, error) {
	d, err := read(files)
	if err != nil {
		return Edits{}, err
	}
	found, err := d.match(pins)
	if err != nil || len(found) == 0 {
		return Edits{}, err
	}
	edits := Edits{Files: map[string][]byte{}}
	present := inside(files)
	for _, i := range slices.Sorted(maps.Keys(found)) {
		if err := edits.place(d.dependencies[i].Name, found[i], files, present, archive); err != nil {
			return Edits{}, err
		}
	}
	if err := edits.name(d, found, files, at); err != nil {
		return Edits{}, err
	}
	slices.Sort(edits.Removed)
	edits.Removed = slices.Compact(edits.Removed)
	return edits, nil
}

// match returns the pins of the dependencies, by their position.
func (d *document) match(pins []freight.Chart) (map[int]freight.Chart, error) {
	byIdentity := map[string][]freight.Chart{}
	for _, pin := range pins {
		id := Identity(pin.RepoURL, pin.Name)
		byIdentity[id] = append(byIdentity[id], pin)
	}
	found := map[int]freight.Chart{}
	for i, one := range d.dependencies {
		if IsAlias(one.Repository) && slices.ContainsFunc(pins, func(p freight.Chart) bool { return path.Base(Identity(p.RepoURL, p.Name)) == one.Name }) {
			return nil, fmt.Errorf("the freight pins a chart %s, and %s names the repository of that dependency by the alias %s: write its URL there", one.Name, d.name, one.Repository)
		}
		for _, pin := range byIdentity[one.identity()] {
			if first, twice := found[i]; twice && (!SameVersion(first.Version, pin.Version) || first.Digest != pin.Digest) {
				return nil, fmt.Errorf("the freight pins the chart %s twice, to %s and to %s, and %s depends on it: keep one of these subscriptions in what the stage requests", one.Name, first.Version, pin.Version, d.name)
			}
			if err := checkPin(one.Name, pin); err != nil {
				return nil, err
			}
			found[i] = pin
		}
	}
	for _, i := range slices.Sorted(maps.Keys(found)) {
		for _, other := range d.dependencies {
			if other.Name == d.dependencies[i].Name && other.identity() != d.dependencies[i].identity() {
				return nil, fmt.Errorf("%s depends on two charts %s, of %s and of %s, which cannot lie in charts/ together: keep one", d.name, other.Name, d.dependencies[i].Repository, other.Repository)
			}
		}
	}
	return found, nil
}

// namePattern is Helm's for a chart, less what Helm would not load of charts/.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

const maxName = 200 // bytes of a name, and of a version

func checkPin(name string, pin freight.Chart) error {
	if len(name) > maxName || !namePattern.MatchString(name) {
		return fmt.Errorf("%.60q is not the name of a chart: letters, digits, dots, hyphens and underscores are allowed", name)
	}
	if _, err := semver.NewVersion(Version(pin.Version)); err != nil || len(pin.Version) > maxName {
		return fmt.Errorf("the freight pins the chart %s to %.60q, which is no semantic version: promote other freight", name, pin.Version)
	}
	if pin.Digest == "" {
		return fmt.Errorf("the freight pins the chart %s %s without the digest of its archive, which nothing could be checked against: promote freight of a newer look", name, pin.Version)
	}
	return nil
}

// entry is a chart in charts/.
type entry struct {
	path, name string
	digest     string // empty for a folder
}

// inside lists the charts in charts/. What is none, or is not loaded by Helm, is
// left alone.
func inside(files map[string][]byte) []entry {
	var all []entry
	for _, file := range slices.Sorted(maps.Keys(files)) {
		name, below := strings.CutPrefix(file, charts)
		if !below || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			continue
		}
		if folder, own := strings.CutSuffix(name, "/"+Metadata); own && !strings.Contains(folder, "/") {
			if about, err := describe(files[file]); err == nil {
				all = append(all, entry{path: charts + folder, name: about.Name})
			}
		} else if path.Ext(name) == ".tgz" && !strings.Contains(name, "/") {
			if about, err := Describe(files[file]); err == nil {
				all = append(all, entry{file, about.Name, Digest(files[file])})
			}
		}
	}
	return all
}

// place has the archive of a pin in charts/, and no other chart of its name.
func (e *Edits) place(name string, pin freight.Chart, files map[string][]byte, present []entry, archive func(freight.Chart) ([]byte, error)) error {
	target := charts + name + "-" + Version(pin.Version) + ".tgz"
	kept := false
	for _, p := range present {
		switch {
		case p.name != name:
		case p.digest == pin.Digest && !kept && (p.path == target || files[target] == nil):
			kept = true // whatever its file is called
		case p.path != target:
			e.Removed = append(e.Removed, p.path)
		}
	}
	if kept || e.Files[target] != nil {
		return nil
	}
	content, err := archive(pin)
	if err != nil {
		return err
	}
	if digest := Digest(content); digest != pin.Digest {
		return fmt.Errorf("the archive of the chart %s %s has the digest %s, and the freight pins %s: it was published anew, promote freight that pins what is there now", name, pin.Version, digest, pin.Digest)
	}
	about, err := Describe(content)
	if err != nil {
		return fmt.Errorf("the archive of the chart %s %s cannot be used (%w): promote another version", name, pin.Version, err)
	}
	if about.Name != name || !SameVersion(about.Version, pin.Version) {
		return fmt.Errorf("the archive of the chart %s %s holds %.60q in version %.60q: promote another version", name, pin.Version, about.Name, about.Version)
	}
	e.Files[target] = content
	return nil
}

// name writes the versions into Chart.yaml and Chart.lock.
func (e *Edits) name(d *document, found map[int]freight.Chart, files map[string][]byte, at time.Time) (err error) {
	text, locked := files[d.lock]
	before, err := readLock(d.lock, text)
	if err != nil {
		return err
	}
	sure := before.locks(d.dependencies)
	versions := map[int]string{}
	for i, pin := range found {
		if !SameVersion(d.dependencies[i].Version, pin.Version) {
			versions[i] = Version(pin.Version)
		}
	}
	if len(versions) > 0 {
		if e.Files[d.name], err = d.withVersions(versions); err != nil {
			return err
		}
	}
	after, whole := before.pinned(d, found)
	switch {
	case !locked && (!whole || e.Empty()), locked && len(versions) == 0 && reflect.DeepEqual(before, after):
		return nil
	case sure || whole:
		if after.Digest, err = digestOf([2][]dependency{d.dependencies, after.Dependencies}); err != nil {
			return errors.New(d.name + " has import-values that are none: mend it")
		}
	}
	if e.Files[d.lock], err = after.marshal(at); err != nil {
		return fmt.Errorf("%s cannot be written: %w", d.lock, err)
	}
	return nil
}
