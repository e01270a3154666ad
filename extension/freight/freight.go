// Package freight defines Freight: an immutable bundle of image digests, Git
// commits and chart versions that moves from stage to stage as one.
//
// The package is pure. Everything that is true of freight wherever it stands
// (its ID, how repositories are compared) is decided here and nowhere else.
package freight

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// APIVersion is the version that every document of Waybill carries.
const APIVersion = "waybill.dev/v1"

// Kind is the kind of a stored freight document.
const Kind = "Freight"

// Image pins a container image. Digest is what a cluster pulls; Tag is what
// people call it. Subscription, here and below, is the name of the subscription
// that found the artifact, where that has one: it tells several artifacts of one
// repository apart.
type Image struct {
	RepoURL      string `json:"repoURL" yaml:"repoURL"`
	Tag          string `json:"tag,omitempty" yaml:"tag,omitempty"`
	Digest       string `json:"digest" yaml:"digest"`
	Subscription string `json:"subscription,omitempty" yaml:"subscription,omitempty"`
}

// Commit pins a Git commit by its full object ID.
type Commit struct {
	RepoURL      string `json:"repoURL" yaml:"repoURL"`
	ID           string `json:"id" yaml:"id"`
	Tag          string `json:"tag,omitempty" yaml:"tag,omitempty"`
	Subscription string `json:"subscription,omitempty" yaml:"subscription,omitempty"`
}

// Chart pins a Helm chart by version and the SHA-256 of its archive. Name is
// empty for a chart in an OCI registry, whose URL already names it.
type Chart struct {
	RepoURL string `json:"repoURL" yaml:"repoURL"`
	Name    string `json:"name,omitempty" yaml:"name,omitempty"`
	Version string `json:"version" yaml:"version"`
	Digest  string `json:"digest,omitempty" yaml:"digest,omitempty"`

	Subscription string `json:"subscription,omitempty" yaml:"subscription,omitempty"`
}

// Artifacts are the pins of one piece of freight.
type Artifacts struct {
	Images  []Image  `json:"images,omitempty" yaml:"images,omitempty,flow"`
	Commits []Commit `json:"commits,omitempty" yaml:"commits,omitempty,flow"`
	Charts  []Chart  `json:"charts,omitempty" yaml:"charts,omitempty,flow"`
}

// Freight is a stored bundle. It never changes once it exists.
type Freight struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// ID is the hash of the content, see [ID].
	ID string `json:"id"`
	// Pipeline is the full name of the pipeline, namespace/name.
	Pipeline string `json:"pipeline"`
	// Origin is the warehouse that made the freight.
	Origin string `json:"origin"`
	Artifacts
	// Alias is what people call it, see [Alias].
	Alias string `json:"alias,omitempty"`
	// Details are what is known of the artifacts beside their pins.
	Details []Detail `json:"details,omitempty"`
	// DiscoveredAt is when the warehouse first saw this combination.
	DiscoveredAt time.Time `json:"discoveredAt"`
	// CreatedBy is who assembled it by hand, and Reason why; empty where the
	// warehouse made it.
	CreatedBy string `json:"createdBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// New makes the freight of a warehouse, with its ID. The artifacts are put in
// the order of the ID's canonical form, so that equal freight is equal bytes.
func New(pipeline, warehouse string, artifacts Artifacts, discoveredAt time.Time) Freight {
	artifacts = artifacts.sorted()
	return Freight{
		APIVersion:   APIVersion,
		Kind:         Kind,
		ID:           ID(pipeline, warehouse, artifacts),
		Pipeline:     pipeline,
		Origin:       warehouse,
		Artifacts:    artifacts,
		DiscoveredAt: discoveredAt.UTC().Truncate(time.Second),
	}
}

// ID returns the identity of freight: the SHA-256, in hex, over the pipeline
// (namespace/name), the warehouse and the sorted artifacts, with repositories
// normalised. Every field is quoted, so that no two contents share a form.
func ID(pipeline, warehouse string, artifacts Artifacts) string {
	lines := artifacts.canonical()
	slices.Sort(lines)
	h := sha256.New()
	fmt.Fprintf(h, "waybill.dev/freight/v1\n%q %q\n", pipeline, warehouse)
	for _, line := range lines {
		fmt.Fprintln(h, line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (a Artifacts) canonical() []string {
	lines := make([]string, 0, a.Len())
	for _, i := range a.Images {
		lines = append(lines, i.canonical())
	}
	for _, c := range a.Commits {
		lines = append(lines, c.canonical())
	}
	for _, c := range a.Charts {
		lines = append(lines, c.canonical())
	}
	return lines
}

func (i Image) canonical() string {
	return fmt.Sprintf("image %q %q %q", ImageRepository(i.RepoURL), i.Tag, i.Digest) + of(i.Subscription)
}

func (c Commit) canonical() string {
	return fmt.Sprintf("commit %q %q %q", GitRepository(c.RepoURL), c.ID, c.Tag) + of(c.Subscription)
}

func (c Chart) canonical() string {
	return fmt.Sprintf("chart %q %q %q %q", ChartRepository(c.RepoURL), c.Name, c.Version, c.Digest) + of(c.Subscription)
}

// of is the subscription's part of a canonical form: none where it has no name,
// so that naming subscriptions was no change to the IDs before.
func of(subscription string) string {
	if subscription == "" {
		return ""
	}
	return fmt.Sprintf(" of %q", subscription)
}

// Len returns the number of artifacts.
func (a Artifacts) Len() int { return len(a.Images) + len(a.Commits) + len(a.Charts) }

func (a Artifacts) sorted() Artifacts {
	a.Images, a.Commits, a.Charts = slices.Clone(a.Images), slices.Clone(a.Commits), slices.Clone(a.Charts)
	// The URL as written breaks the tie of two spellings of one artifact.
	slices.SortFunc(a.Images, func(x, y Image) int {
		return cmp.Or(cmp.Compare(x.canonical(), y.canonical()), cmp.Compare(x.RepoURL, y.RepoURL))
	})
	slices.SortFunc(a.Commits, func(x, y Commit) int {
		return cmp.Or(cmp.Compare(x.canonical(), y.canonical()), cmp.Compare(x.RepoURL, y.RepoURL))
	})
	slices.SortFunc(a.Charts, func(x, y Chart) int {
		return cmp.Or(cmp.Compare(x.canonical(), y.canonical()), cmp.Compare(x.RepoURL, y.RepoURL))
	})
	return a
}

// Check tells why artifacts cannot be pinned: none at all, a digest that is no
// SHA-256, a commit that is no full object ID, a chart without a version, two
// artifacts of one repository that bear the same name of a subscription.
func (a Artifacts) Check() error {
	if a.Len() == 0 {
		return errors.New("it pins no artifact")
	}
	for _, i := range a.Images {
		if i.RepoURL == "" {
			return errors.New("an image has no repoURL")
		}
		if !IsDigest(i.Digest) {
			return fmt.Errorf("image %s has the digest %q, want sha256: and 64 hex digits", i.RepoURL, i.Digest)
		}
	}
	for _, c := range a.Commits {
		if c.RepoURL == "" {
			return errors.New("a commit has no repoURL")
		}
		if !isCommit(c.ID) {
			return fmt.Errorf("commit %q of %s is not a full object ID", c.ID, c.RepoURL)
		}
	}
	for _, c := range a.Charts {
		if c.RepoURL == "" || c.Version == "" {
			return fmt.Errorf("chart %q has no repoURL or no version", c.RepoURL+c.Name)
		}
		if c.Digest != "" && !IsDigest(c.Digest) {
			return fmt.Errorf("chart %s has the digest %q, want sha256: and 64 hex digits", c.RepoURL, c.Digest)
		}
	}
	return a.checkNames()
}

// checkNames wants the names of subscriptions to tell their artifacts apart.
func (a Artifacts) checkNames() error {
	all := pinned(a)
	for i, p := range all {
		if p.subscription != "" && slices.ContainsFunc(all[:i], func(o pin) bool {
			return o.kind == p.kind && o.repository == p.repository && o.subscription == p.subscription
		}) {
			return fmt.Errorf("%s %s is pinned twice by the name %s", p.kind, p.artifact, p.subscription)
		}
	}
	return nil
}

// shortLength is the number of hex digits people are shown: as unambiguous in
// practice as Git's own short IDs.
const shortLength = 7

// Short returns the form of an ID that people read and type.
func Short(id string) string {
	if len(id) > shortLength {
		return id[:shortLength]
	}
	return id
}
