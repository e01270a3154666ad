package v1

import (
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Warehouse is a warehouse and what it selects.
type Warehouse struct {
	Name          string                  `json:"name"`
	Interval      pipeline.Duration       `json:"interval"`
	Subscriptions []pipeline.Subscription `json:"subscriptions"`
	// Manual tells that people assemble its freight, and it makes none by itself.
	Manual bool `json:"manual,omitempty"`
	// Candidate is the ID of the freight that it selects now.
	Candidate string `json:"candidate,omitempty"`
	// Error tells why the last look found nothing, or could not be made.
	Error string `json:"error,omitempty"`
	// Reason tells why no freight was made of what the last look found.
	Reason string `json:"reason,omitempty"`
	// LookedAt, NextLookAt, Requests and Skipped are facts of the last look, which
	// only the replica that made it knows: they are missing where that one cannot
	// be asked, or has not looked yet.
	LookedAt   *time.Time `json:"lookedAt,omitempty"`
	NextLookAt *time.Time `json:"nextLookAt,omitempty"`
	// Requests are those that the look made of registries and repositories.
	Requests *int64 `json:"requests,omitempty"`
	// Skipped tells, in a sentence each, which versions were passed over and why.
	Skipped []string `json:"skipped,omitempty"`
}

// Candidates are what the subscriptions of a warehouse offer, for a person to
// assemble freight of.
type Candidates struct {
	Warehouse string `json:"warehouse"`
	// At is when they were looked for.
	At time.Time `json:"at"`
	// Items are in the order of the warehouse's subscriptions.
	Items []Offers `json:"items"`
}

// Offers are what one subscription offers.
type Offers struct {
	// Subscription is its name, where it has one.
	Subscription string `json:"subscription,omitempty"`
	// Kind is image, commit or chart.
	Kind    string `json:"kind"`
	RepoURL string `json:"repoURL"`
	// Name is that of a chart in a classic repository.
	Name string `json:"name,omitempty"`
	// Offers are the best first, at most as many as the discoveryLimit.
	Offers []Offer `json:"offers"`
	// Skipped is as in Warehouse.
	Skipped []string `json:"skipped,omitempty"`
	// Error tells why there are no offers.
	Error string `json:"error,omitempty"`
}

// Offer is one version of an artifact.
type Offer struct {
	freight.Offer
	// Version is what it is chosen by, see freight.Choice.
	Version string `json:"version"`
}

// Assemble asks for freight of one artifact of each subscription.
type Assemble struct {
	Artifacts []freight.Choice `json:"artifacts"`
	Reason    string           `json:"reason"`
}
