package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	helmyaml "sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/freight"
)

// lock is Chart.lock.
type lock struct {
	Dependencies []dependency `json:"dependencies"`
	Digest       string       `json:"digest"`
	Generated    string       `json:"generated"`
}

func readLock(name string, text []byte) (lock, error) {
	var l lock
	if len(text) > maxText {
		return l, tooLarge(name)
	}
	if err := helmyaml.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("%s cannot be read (%s): write it anew with helm dependency update", name, oneLine(err))
	}
	return l, nil
}

// locks tells whether the lock is of these dependencies, as `helm dependency
// build` asks: by its digest, which version 2 of Helm made of less.
func (l lock) locks(dependencies []dependency) bool {
	if digest, err := digestOf([2][]dependency{dependencies, l.Dependencies}); err == nil && digest == l.Digest {
		return true
	}
	digest, err := digestOf(map[string][]dependency{"dependencies": dependencies})
	return err == nil && digest == l.Digest
}

// digestOf is Helm's digest of a lock (internal/resolver, HashReq).
func digestOf(of any) (string, error) {
	data, err := json.Marshal(of)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// entryOf is a dependency's entry in a lock.
func entryOf(d dependency) dependency {
	return dependency{Name: d.Name, Version: d.Version, Repository: d.Repository}
}

// pinned returns the lock with the pins, whose digest is still the one before.
// Where all dependencies are pinned the lock is whole: it names them and no other.
//
// A lock that is not whole, and was not of Chart.yaml before, is not to be made to
// look as if it were; and a chart without a lock gets none that is not whole:
// nothing tells what the others are locked to.
func (l lock) pinned(d *document, found map[int]freight.Chart) (after lock, whole bool) {
	after = l
	after.Dependencies = slices.Clone(l.Dependencies)
	if len(found) < len(d.dependencies) {
		for _, i := range slices.Sorted(maps.Keys(found)) {
			after.pin(d.dependencies[i])
		}
		return after, false
	}
	after.Dependencies = nil
	for _, one := range d.dependencies {
		after.Dependencies = append(after.Dependencies, entryOf(one))
	}
	return after, true
}

// pin sets the entries of a dependency, which is added where there is none.
func (l *lock) pin(d dependency) {
	known := false
	for i, e := range l.Dependencies {
		if e.Name != d.Name || e.identity() != d.identity() {
			continue
		}
		known = true
		if !SameVersion(e.Version, d.Version) {
			l.Dependencies[i].Version = d.Version
		}
	}
	if !known {
		l.Dependencies = append(l.Dependencies, entryOf(d))
	}
}

// marshal writes the lock as Helm does.
func (l lock) marshal(at time.Time) ([]byte, error) {
	l.Generated = at.UTC().Format(time.RFC3339)
	return helmyaml.Marshal(l)
}
