package pipeline

import (
	"cmp"
	"time"
)

// Warehouse subscribes to repositories and makes freight of what they hold.
type Warehouse struct {
	// Name is what stages request freight by, as its origin.
	Name string `json:"name"`
	// Interval is the time between two looks, 5 minutes unless given.
	Interval Duration `json:"interval,omitempty"`
	// FreightCreationPolicy is Automatic, the default, or Manual: then a person
	// assembles freight of what the warehouse finds.
	FreightCreationPolicy string `json:"freightCreationPolicy,omitempty"`
	// FreightCreationCriteria must be met by what was found, or no freight is made
	// of it by itself.
	FreightCreationCriteria *FreightCreationCriteria `json:"freightCreationCriteria,omitempty"`
	// Subscriptions are the repositories that it watches: freight holds an artifact
	// of each.
	Subscriptions []Subscription `json:"subscriptions"`
}

// The policies of freight creation.
const (
	CreationAutomatic = "Automatic"
	CreationManual    = "Manual"
)

// FreightCreationCriteria is a condition on the artifacts that would become
// freight together.
type FreightCreationCriteria struct {
	// Expression is in expr-lang, true or false, over imageFrom(repoURL),
	// commitFrom(repoURL) and chartFrom(repoURL, name).
	Expression string `json:"expression"`
}

// Subscription is one repository that a warehouse watches: exactly one of image,
// git and chart is given.
type Subscription struct {
	// Name tells several subscriptions of a warehouse to one repository apart: each
	// of those needs one, others may have one.
	Name string `json:"name,omitempty"`
	// Image selects a tag of an image repository.
	Image *ImageSubscription `json:"image,omitempty"`
	// Git selects a commit of a Git repository.
	Git *GitSubscription `json:"git,omitempty"`
	// Chart selects a version of a Helm chart.
	Chart *ChartSubscription `json:"chart,omitempty"`
}

// The bounds of discoveryLimit: how many versions a subscription offers, the
// best first.
const (
	DefaultDiscoveryLimit = 20
	MaxDiscoveryLimit     = 100
)

// ImageSubscription selects a tag of an image repository.
type ImageSubscription struct {
	// RepoURL is host/path, without scheme, tag or digest.
	RepoURL string `json:"repoURL"`
	// ImageSelectionStrategy is SemVer, the default, Lexical, NewestBuild or Digest.
	ImageSelectionStrategy string `json:"imageSelectionStrategy,omitempty"`
	// Constraint is for SemVer a version range, any version if empty, and for
	// Digest the tag whose digest is followed.
	Constraint string `json:"constraint,omitempty"`
	// StrictSemvers wants all of major, minor and patch (a leading "v" is
	// allowed); true unless given.
	StrictSemvers *bool `json:"strictSemvers,omitempty"`
	// AllowTagsRegexes keeps the tags that any of them matches (RE2, anywhere in the
	// tag), all if empty. Not for Digest.
	AllowTagsRegexes []string `json:"allowTagsRegexes,omitempty"`
	// IgnoreTagsRegexes drops the tags that any of them matches, and goes before
	// allowTagsRegexes. Not for Digest.
	IgnoreTagsRegexes []string `json:"ignoreTagsRegexes,omitempty"`
	// Platform passes over images that do not run there: os/arch or
	// os/arch/variant.
	Platform string `json:"platform,omitempty"`
	// DiscoveryLimit is how many tags are offered, 20 unless given.
	DiscoveryLimit int `json:"discoveryLimit,omitempty"`
	// MutableTags tells that a tag may be pushed again with other content, so that
	// each look asks for the digests anew.
	MutableTags bool `json:"mutableTags,omitempty"`
	// InsecureSkipTLSVerify trusts any certificate of the registry.
	InsecureSkipTLSVerify bool `json:"insecureSkipTLSVerify,omitempty"`
	// Credentials names a Secret of type kubernetes.io/dockerconfigjson in the
	// pipeline's namespace.
	Credentials string `json:"credentials,omitempty"`
}

// GitSubscription selects a commit of a Git repository.
type GitSubscription struct {
	// RepoURL is the https:// URL of the repository.
	RepoURL string `json:"repoURL"`
	// CommitSelectionStrategy is NewestFromBranch, the default, SemVer, Lexical or
	// NewestTag.
	CommitSelectionStrategy string `json:"commitSelectionStrategy,omitempty"`
	// Branch is that of NewestFromBranch, the repository's default one if empty.
	Branch string `json:"branch,omitempty"`
	// SemverConstraint is a version range for the tags of SemVer.
	SemverConstraint string `json:"semverConstraint,omitempty"`
	// StrictSemvers wants all of major, minor and patch (a leading "v" is
	// allowed) of SemVer's tags; true unless given.
	StrictSemvers *bool `json:"strictSemvers,omitempty"`
	// AllowTagsRegexes keeps the tags that any of them matches (RE2, anywhere in the
	// tag), all if empty. Not for NewestFromBranch.
	AllowTagsRegexes []string `json:"allowTagsRegexes,omitempty"`
	// IgnoreTagsRegexes drops the tags that any of them matches, and goes before
	// allowTagsRegexes. Not for NewestFromBranch.
	IgnoreTagsRegexes []string `json:"ignoreTagsRegexes,omitempty"`
	// IncludePaths takes the commits that change at least one path which one of them
	// names, any if empty, and which none of excludePaths does. Each is the path of a
	// file, or of a folder with all below; or glob:… or regex:….
	IncludePaths []string `json:"includePaths,omitempty"`
	// ExcludePaths are paths whose change makes no commit count, written as
	// includePaths.
	ExcludePaths []string `json:"excludePaths,omitempty"`
	// ExpressionFilter takes the commits for which an expression in expr-lang is
	// true, over id, author, committer, subject and commitDate; for tags over tag,
	// id, author, committer, subject, creatorDate, tagger and annotation.
	ExpressionFilter string `json:"expressionFilter,omitempty"`
	// Since passes over commits of a branch that are older.
	Since Timestamp `json:"since,omitzero"`
	// DiscoveryLimit is how many commits are offered, 20 unless given.
	DiscoveryLimit int `json:"discoveryLimit,omitempty"`
	// InsecureSkipTLSVerify trusts any certificate of the Git host.
	InsecureSkipTLSVerify bool `json:"insecureSkipTLSVerify,omitempty"`
}

// ChartSubscription selects a version of a Helm chart, the greatest.
type ChartSubscription struct {
	// RepoURL is that of a classic repository (https://…), or of the chart itself
	// in a registry (oci://…).
	RepoURL string `json:"repoURL"`
	// Name is the chart's in a classic repository.
	Name string `json:"name,omitempty"`
	// SemverConstraint is a version range, any version if empty.
	SemverConstraint string `json:"semverConstraint,omitempty"`
	// DiscoveryLimit is how many versions are offered, 20 unless given.
	DiscoveryLimit int `json:"discoveryLimit,omitempty"`
	// InsecureSkipTLSVerify trusts any certificate of the repository.
	InsecureSkipTLSVerify bool `json:"insecureSkipTLSVerify,omitempty"`
}

// The strategies of each kind of repository.
var (
	imageStrategies = []string{StrategySemVer, StrategyLexical, StrategyNewestBuild, StrategyDigest}
	gitStrategies   = []string{StrategyNewestFromBranch, StrategySemVer, StrategyLexical, StrategyNewestTag}
)

// The strategies.
const (
	// StrategySemVer takes the greatest semantic version.
	StrategySemVer = "SemVer"
	// StrategyLexical takes the tag that is last in byte order.
	StrategyLexical = "Lexical"
	// StrategyNewestBuild takes the image that was built last.
	StrategyNewestBuild = "NewestBuild"
	// StrategyDigest takes whatever one tag stands for now.
	StrategyDigest = "Digest"
	// StrategyNewestFromBranch takes the newest commit of a branch.
	StrategyNewestFromBranch = "NewestFromBranch"
	// StrategyNewestTag takes the tag that was made last.
	StrategyNewestTag = "NewestTag"
)

func (w *Warehouse) setDefaults() {
	if w.Interval == 0 {
		w.Interval = DefaultInterval
	}
	w.FreightCreationPolicy = cmp.Or(w.FreightCreationPolicy, CreationAutomatic)
	for _, s := range w.Subscriptions {
		if s.Image != nil {
			s.Image.ImageSelectionStrategy = cmp.Or(s.Image.ImageSelectionStrategy, StrategySemVer)
			s.Image.DiscoveryLimit = cmp.Or(s.Image.DiscoveryLimit, DefaultDiscoveryLimit)
		}
		if s.Git != nil {
			s.Git.CommitSelectionStrategy = cmp.Or(s.Git.CommitSelectionStrategy, StrategyNewestFromBranch)
			s.Git.DiscoveryLimit = cmp.Or(s.Git.DiscoveryLimit, DefaultDiscoveryLimit)
		}
		if s.Chart != nil {
			s.Chart.DiscoveryLimit = cmp.Or(s.Chart.DiscoveryLimit, DefaultDiscoveryLimit)
		}
	}
}

// Strict tells whether only full semantic versions count.
func (s ImageSubscription) Strict() bool { return s.StrictSemvers == nil || *s.StrictSemvers }

// Strict tells whether only full semantic versions count.
func (s GitSubscription) Strict() bool { return s.StrictSemvers == nil || *s.StrictSemvers }

// Timestamp is a point in time, written as in RFC 3339: 2026-01-31T00:00:00Z.
type Timestamp struct{ time.Time }

// MarshalText writes the time as [Timestamp.UnmarshalText] reads it.
func (t Timestamp) MarshalText() ([]byte, error) { return t.AppendFormat(nil, time.RFC3339), nil }

// UnmarshalText reads a time.
func (t *Timestamp) UnmarshalText(text []byte) error {
	v, err := time.Parse(time.RFC3339, string(text))
	t.Time = v
	return err
}
