package v1

import (
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// Preview is what a promotion of freight would change in a stage.
type Preview struct {
	Stage   string `json:"stage"`
	Freight string `json:"freight"`
	// Alias is what people call the freight; empty where it has none.
	Alias   string `json:"alias,omitempty"`
	Summary string `json:"summary"`
	// Carries is all the freight that the waybills would hold.
	Carries []promotion.Held `json:"carries"`
	// Digest is what an approval of this preview is bound to; empty where one
	// Application renders nothing.
	Digest       string               `json:"digest,omitempty"`
	Applications []PreviewApplication `json:"applications"`
}

// PreviewApplication is what would change in one Application.
type PreviewApplication struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Digest is that of the manifests with the freight.
	Digest string `json:"digest,omitempty"`
	// Problem is why there are none.
	Problem string `json:"problem,omitempty"`
	// Withheld is why nothing that is made of manifests is told: the caller may
	// not get the Application. Digest, Prunes and Total stay.
	Withheld string `json:"withheld,omitempty"`
	// Today is why the manifests as they are cannot be rendered. All are then
	// told as added.
	Today string `json:"today,omitempty"`
	// Prunes tells whether the promotion's sync deletes what is pruned.
	Prunes bool `json:"prunes"`
	// Total counts the manifests with the freight.
	Total   int             `json:"total"`
	Added   []Resource      `json:"added,omitempty"`
	Changed []PreviewChange `json:"changed,omitempty"`
	Pruned  []Resource      `json:"pruned,omitempty"`
	Images  []PreviewImage  `json:"images,omitempty"`
	CRDs    []PreviewCRD    `json:"crds,omitempty"`
	// Clipped tells that a list, or a difference, is longer than what is here.
	Clipped bool `json:"clipped,omitempty"`
}

// Resource names one object.
type Resource struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// PreviewChange is what would change in one object.
type PreviewChange struct {
	Resource
	// Diff is a unified difference of YAML. No value of a Secret stands in it.
	Diff    string `json:"diff,omitempty"`
	Clipped bool   `json:"clipped,omitempty"`
	// Immutable are the fields that change and that Kubernetes does not let
	// change.
	Immutable []string `json:"immutable,omitempty"`
}

// PreviewImage is a repository whose versions among the manifests change.
type PreviewImage struct {
	Repository string   `json:"repository"`
	Before     []string `json:"before"`
	After      []string `json:"after"`
}

// PreviewCRD is a custom resource definition that changes or goes.
type PreviewCRD struct {
	Name string `json:"name"`
	// Goes tells that it is pruned, and with it all objects of its kind.
	Goes bool `json:"goes,omitempty"`
	// Versions are those that it no longer serves.
	Versions []string `json:"versions,omitempty"`
}

// Approve carries an approval.
type Approve struct {
	Comment string `json:"comment,omitempty"`
	// Preview is the digest of the preview that was seen, to which the approval is
	// then bound.
	Preview string `json:"preview,omitempty"`
}

// Comparison is what lies between two pieces of freight of one warehouse.
type Comparison struct {
	From      FreightSummary       `json:"from"`
	To        FreightSummary       `json:"to"`
	Artifacts []ComparisonArtifact `json:"artifacts"`
	// Between is the freight that was found in between, newest first.
	Between []FreightSummary `json:"between"`
	// Backwards tells that To is the older one.
	Backwards bool `json:"backwards,omitempty"`
	// More tells that there is more than Between holds.
	More bool `json:"more,omitempty"`
}

// FreightSummary is freight in a few words.
type FreightSummary struct {
	ID string `json:"id"`
	// Alias is what people call it; empty where it has none.
	Alias        string    `json:"alias,omitempty"`
	Summary      string    `json:"summary"`
	DiscoveredAt time.Time `json:"discoveredAt"`
}

// ComparisonArtifact is what becomes of one artifact.
type ComparisonArtifact struct {
	freight.Difference
	Commits []ComparisonCommit `json:"commits,omitempty"`
	// Backwards tells that the commits are those that would be taken back.
	Backwards bool `json:"backwards,omitempty"`
	// More tells that there are more commits than are here.
	More bool `json:"more,omitempty"`
	// Problem is why the commits are not known.
	Problem string `json:"problem,omitempty"`
}

// ComparisonCommit is a commit between two.
type ComparisonCommit struct {
	ID      string    `json:"id"`
	Subject string    `json:"subject"`
	Author  string    `json:"author"`
	At      time.Time `json:"at"`
}
