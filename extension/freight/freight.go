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
	"strings"
	"time"
)

// APIVersion is the version that every document of Waybill carries.
const APIVersion = "waybill.dev/v1"

// Kind is the kind of a stored freight document.
const Kind = "Freight"

// Image pins a container image. Digest is what a cluster pulls; Tag is what
// people call it.
type Image struct {
	RepoURL string `json:"repoURL" yaml:"repoURL"`
	Tag     string `json:"tag,omitempty" yaml:"tag,omitempty"`
	Digest  string `json:"digest" yaml:"digest"`
}

// Commit pins a Git commit by its full object ID.
type Commit struct {
	RepoURL string `json:"repoURL" yaml:"repoURL"`
	ID      string `json:"id" yaml:"id"`
	Tag     string `json:"tag,omitempty" yaml:"tag,omitempty"`
}

// Chart pins a Helm chart by version and the SHA-256 of its archive. Name is
// empty for a chart in an OCI registry, whose URL already names it.
type Chart struct {
	RepoURL string `json:"repoURL" yaml:"repoURL"`
	Name    string `json:"name,omitempty" yaml:"name,omitempty"`
	Version string `json:"version" yaml:"version"`
	Digest  string `json:"digest,omitempty" yaml:"digest,omitempty"`
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
	// DiscoveredAt is when the warehouse first saw this combination.
	DiscoveredAt time.Time `json:"discoveredAt"`
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
	return fmt.Sprintf("image %q %q %q", ImageRepository(i.RepoURL), i.Tag, i.Digest)
}

func (c Commit) canonical() string {
	return fmt.Sprintf("commit %q %q %q", GitRepository(c.RepoURL), c.ID, c.Tag)
}

func (c Chart) canonical() string {
	return fmt.Sprintf("chart %q %q %q %q", ChartRepository(c.RepoURL), c.Name, c.Version, c.Digest)
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
// SHA-256, a commit that is no full object ID, a chart without a version.
func (a Artifacts) Check() error {
	if a.Len() == 0 {
		return errors.New("it pins no artifact")
	}
	for _, i := range a.Images {
		if i.RepoURL == "" {
			return errors.New("an image has no repoURL")
		}
		if !isDigest(i.Digest) {
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
		if c.Digest != "" && !isDigest(c.Digest) {
			return fmt.Errorf("chart %s has the digest %q, want sha256: and 64 hex digits", c.RepoURL, c.Digest)
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

// Summary names the artifacts in a few words: "shop:v1.4.2, shop 4b1c27c, db 2.1.0".
func (a Artifacts) Summary() string {
	parts := make([]string, 0, a.Len())
	for _, i := range a.Images {
		version := ":" + i.Tag
		if i.Tag == "" {
			version = "@" + Short(strings.TrimPrefix(i.Digest, "sha256:"))
		}
		parts = append(parts, base(i.RepoURL)+version)
	}
	for _, c := range a.Commits {
		if c.Tag != "" {
			parts = append(parts, base(c.RepoURL)+" "+c.Tag)
			continue
		}
		parts = append(parts, base(c.RepoURL)+" "+Short(c.ID))
	}
	for _, c := range a.Charts {
		name := c.Name
		if name == "" {
			name = base(c.RepoURL)
		}
		parts = append(parts, name+" "+c.Version)
	}
	return strings.Join(parts, ", ")
}

func base(url string) string {
	url = strings.TrimSuffix(strings.TrimRight(url, "/"), ".git")
	return url[strings.LastIndexAny(url, "/:")+1:]
}
