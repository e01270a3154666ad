// Package pipeline defines the pipeline document: the warehouses and stages of
// one product, as users write it in one ConfigMap. Field names are Kargo's
// wherever the thing exists there.
//
// [Parse] either returns a document in which every reference resolves and every
// pattern compiles, or tells each problem with the path of its field.
package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Key is the key of the document in its ConfigMap's data.
const Key = "pipeline.yaml"

// MaxSize bounds the document, in bytes. A ConfigMap holds 1 MiB; a pipeline
// that needs more than this wants to be several.
const MaxSize = 512 << 10

// Document is a valid pipeline.
type Document struct {
	// APIVersion is waybill.dev/v1.
	APIVersion string `json:"apiVersion"`
	// Project is the AppProject whose Applications may join the stages.
	Project string `json:"project"`
	// Gates name the extensions of Argo CD through which people promote and approve.
	Gates Gates `json:"gates,omitzero"`
	// Warehouses make freight.
	Warehouses []Warehouse `json:"warehouses"`
	// Stages are the environments that freight is promoted into.
	Stages []Stage `json:"stages"`
}

// Gates name the Argo CD proxy extensions through which a caller must come to
// promote and to approve. Argo CD's own RBAC decides who gets through each.
type Gates struct {
	// Promote is waybill-promote unless given.
	Promote string `json:"promote,omitempty"`
	// Approve is waybill-approve unless given.
	Approve string `json:"approve,omitempty"`
}

// The gates that an installation has, and that a pipeline uses unless it names
// others.
const (
	GateRead    = "waybill"
	GatePromote = "waybill-promote"
	GateApprove = "waybill-approve"
)

// Stage is an environment that freight is promoted into.
type Stage struct {
	// Name is what Applications join the stage by.
	Name string `json:"name"`
	// Project overrides the pipeline's AppProject.
	Project string `json:"project,omitempty"`
	// RequestedFreight tells which freight the stage takes, one entry for each
	// origin.
	RequestedFreight []RequestedFreight `json:"requestedFreight"`
	// AutoPromotion promotes the candidate as soon as it is eligible.
	AutoPromotion bool `json:"autoPromotion,omitempty"`
	// Approval is what a promotion needs before it starts.
	Approval *Approval `json:"approval,omitempty"`
	// Branch is the stage's own Git branch. Waybills are committed there, on
	// the tree of the base, instead of to the branch that Applications share.
	Branch string `json:"branch,omitempty"`
	// Mirrors are the registries from which the stage pulls what the freight
	// pins in others. The digest stays.
	Mirrors []freight.Mirror `json:"mirrors,omitempty"`
	// ControlFlow marks a stage that has no Applications by intent. Nobody can
	// act on behalf of one there, so it promotes by itself.
	ControlFlow bool `json:"controlFlow,omitempty"`
}

// Automatic tells whether the stage promotes its candidate by itself.
func (s Stage) Automatic() bool { return s.AutoPromotion || s.ControlFlow }

// RequestedFreight tells which freight a stage takes, and from where.
type RequestedFreight struct {
	// Origin is the name of the warehouse that makes the freight, or {kind:
	// Warehouse, name: …}.
	Origin Origin `json:"origin"`
	// Sources tell where the freight must have been before.
	Sources Sources `json:"sources"`
}

// Origin is the warehouse that makes the freight. It is written as the
// warehouse's name or in Kargo's form {kind: Warehouse, name: …}.
type Origin struct {
	// Kind is Warehouse.
	Kind string `json:"kind"`
	// Name is the warehouse's.
	Name string `json:"name"`
}

// KindWarehouse is the one kind of origin.
const KindWarehouse = "Warehouse"

// Sources tell where freight must have been before. Direct freight comes
// straight from the warehouse.
type Sources struct {
	// Direct takes freight as soon as the warehouse has made it.
	Direct bool `json:"direct,omitempty"`
	// Stages are those in which freight must have been verified before.
	Stages []string `json:"stages,omitempty"`
	// RequiredSoakTime is how long freight must have stayed in an upstream
	// stage after it was verified there.
	RequiredSoakTime Duration `json:"requiredSoakTime,omitempty"`
	// AvailabilityStrategy tells how many of Stages must agree: OneOf, the
	// default, or All.
	AvailabilityStrategy string `json:"availabilityStrategy,omitempty"`
}

// The availability strategies.
const (
	OneOf = "OneOf"
	All   = "All"
)

// Approval is the rule that a promotion must satisfy before it starts.
type Approval struct {
	// Required is the number of different people who must approve.
	Required int `json:"required"`
	// NotBy excludes people from approving: "promoter" is whoever asked for
	// the promotion.
	NotBy string `json:"notBy,omitempty"`
	// Rollback asks for approvals of a rollback too.
	Rollback bool `json:"rollback,omitempty"`
}

// NotByPromoter excludes the promoter from approving.
const NotByPromoter = "promoter"

// Duration is a time.Duration written as in Go and Kubernetes: 10m, 1h30m.
type Duration time.Duration

// MarshalText writes the duration as [Duration.UnmarshalText] reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// DefaultInterval is the time between two looks of a warehouse.
const DefaultInterval = Duration(5 * time.Minute)

// Warehouse returns the warehouse of that name.
func (d Document) Warehouse(name string) (Warehouse, bool) {
	for _, w := range d.Warehouses {
		if w.Name == name {
			return w, true
		}
	}
	return Warehouse{}, false
}

// Stage returns the stage of that name.
func (d Document) Stage(name string) (Stage, bool) {
	for _, s := range d.Stages {
		if s.Name == name {
			return s, true
		}
	}
	return Stage{}, false
}

// ProjectOf returns the AppProject whose Applications may join a stage.
func (d Document) ProjectOf(s Stage) string {
	if s.Project != "" {
		return s.Project
	}
	return d.Project
}

// HasProject tells whether Applications of an AppProject may join any stage.
func (d Document) HasProject(project string) bool {
	if d.Project == project {
		return true
	}
	for _, s := range d.Stages {
		if d.ProjectOf(s) == project {
			return true
		}
	}
	return false
}

// Requests returns what a stage says of freight of an origin.
func (s Stage) Requests(origin string) (RequestedFreight, bool) {
	for _, r := range s.RequestedFreight {
		if r.Origin.Name == origin {
			return r, true
		}
	}
	return RequestedFreight{}, false
}

// Upstream returns the names of all stages that the stage's freight may come
// through, directly or further up, in the order of the document.
func (d Document) Upstream(stage string) []string {
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		s, _ := d.Stage(name)
		for _, r := range s.RequestedFreight {
			for _, up := range r.Sources.Stages {
				if !reached[up] {
					reached[up] = true
					visit(up)
				}
			}
		}
	}
	visit(stage)
	var names []string
	for _, s := range d.Stages {
		if reached[s.Name] {
			names = append(names, s.Name)
		}
	}
	return names
}

// Hash returns the SHA-256, in hex, of a document's text: what records name
// when they tell by which document something was judged.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
