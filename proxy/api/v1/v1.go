// Package v1 defines the documents of the HTTP API, version 1: what the server
// answers, and what the command line and the UI read. It holds no logic.
package v1

import (
	"time"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// Prefix is the path below which all calls stand.
const Prefix = "/api/v1"

// The actions that a caller may ask for. Each goes through one gate.
const (
	ActionPromote  = "promote"
	ActionApprove  = "approve"
	ActionReject   = "reject"
	ActionAbort    = "abort"
	ActionRollback = "rollback"
	ActionRefresh  = "refresh"
	ActionAssemble = "assemble"
)

// Action tells through which gate, an Argo CD proxy extension, an action goes.
type Action struct {
	Name string `json:"name"`
	Gate string `json:"gate"`
}

// Me is who the proxy takes the caller for.
type Me struct {
	Username string `json:"username"`
	Gate     string `json:"gate"`
	// Application is the one on whose behalf the call came, namespace/name.
	Application string `json:"application"`
	Project     string `json:"project"`
}

// Application is the first thing that the tab of an Application shows.
type Application struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Project   string `json:"project"`
	Pipeline  string `json:"pipeline"`
	Stage     Stage  `json:"stage"`
	// Actions that the stage offers, with the gate of each.
	Actions []Action `json:"actions"`
}

// Pipelines lists the pipelines that Applications of the caller's project may
// join.
type Pipelines struct {
	Items []PipelineSummary `json:"items"`
}

// PipelineSummary is one line of a list of pipelines.
type PipelineSummary struct {
	Name       string   `json:"name"`
	Project    string   `json:"project"`
	Warehouses []string `json:"warehouses"`
	Stages     []string `json:"stages"`
	// Problems of the document as it is now. While there are any, the last good
	// document stays in force.
	Problems []pipeline.Problem `json:"problems,omitempty"`
}

// Pipeline is a whole pipeline.
type Pipeline struct {
	PipelineSummary
	// Document is the hash of the document in force.
	Document   string      `json:"document"`
	Gates      []Action    `json:"gates"`
	Warehouses []Warehouse `json:"warehouses"`
	Stages     []Stage     `json:"stages"`
	Edges      []Edge      `json:"edges"`
	// Freight is the most recent, newest first.
	Freight []Freight `json:"freight"`
}

// Edge tells that freight of an origin goes from a warehouse or stage to a stage.
type Edge struct {
	From string `json:"from"`
	// Kind of From: Warehouse or Stage.
	Kind   string `json:"kind"`
	To     string `json:"to"`
	Origin string `json:"origin"`
}

// Stage is a stage: what was asked of it, what it holds and what it does.
type Stage struct {
	Name             string                      `json:"name"`
	Pipeline         string                      `json:"pipeline"`
	Project          string                      `json:"project"`
	RequestedFreight []pipeline.RequestedFreight `json:"requestedFreight"`
	AutoPromotion    bool                        `json:"autoPromotion"`
	Approval         *pipeline.Approval          `json:"approval,omitempty"`
	Branch           string                      `json:"branch,omitempty"`
	ControlFlow      bool                        `json:"controlFlow,omitempty"`
	// Steps are what a promotion does, in this order.
	Steps        []string             `json:"steps"`
	Serial       int64                `json:"serial"`
	Current      []Load               `json:"current"`
	History      []Load               `json:"history,omitempty"`
	Holds        []promotion.Hold     `json:"holds,omitempty"`
	Automation   []Automation         `json:"automation,omitempty"`
	Last         *promotion.Last      `json:"last,omitempty"`
	Running      *promotion.Promotion `json:"running,omitempty"`
	Pending      []Pending            `json:"pending,omitempty"`
	Applications []BoundApplication   `json:"applications"`
	// Problems keep Applications from joining.
	Problems []string `json:"problems,omitempty"`
}

// Load is freight in a stage.
type Load struct {
	promotion.Load
	// Alias is what people call it; empty where it has none, or somebody deleted it.
	Alias string `json:"alias,omitempty"`
	// Summary names the artifacts in a few words.
	Summary string `json:"summary"`
	// VerifiedAt is when it passed here; empty where it has not.
	VerifiedAt *time.Time `json:"verifiedAt,omitempty"`
}

// Automation tells what auto-promotion does about an origin.
type Automation struct {
	Origin    string `json:"origin"`
	Candidate string `json:"candidate,omitempty"`
	// Why it does nothing now; empty where it promotes.
	Why string `json:"why,omitempty"`
}

// Pending is a promotion that waits, and for what.
type Pending struct {
	promotion.Promotion
	Waiting string `json:"waiting"`
}

// BoundApplication is an Application of a stage.
type BoundApplication struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Sync      string `json:"sync"`
	Health    string `json:"health"`
	// Waybill tells whether it was given the stage's current waybill.
	Waybill bool `json:"waybill"`
	// Trouble is why Argo CD cannot render or compare it; empty for none.
	Trouble string `json:"trouble,omitempty"`
}

// Freight is a piece of freight and where it has got to.
type Freight struct {
	freight.Freight
	Summary    string   `json:"summary"`
	Stages     []string `json:"stages,omitempty"`
	VerifiedIn []string `json:"verifiedIn,omitempty"`
}

// FreightPage is a page of freight, newest first.
type FreightPage struct {
	Items []Freight `json:"items"`
	// Next is the cursor of the next page; empty on the last.
	Next string `json:"next,omitempty"`
}

// Promotion is a promotion with the verdict on it while it waits.
type Promotion struct {
	promotion.Promotion
	// Alias is what people call the freight; empty where it has none, or somebody
	// deleted it.
	Alias   string `json:"alias,omitempty"`
	Summary string `json:"summary"`
	// Waiting tells for what a pending promotion waits.
	Waiting string               `json:"waiting,omitempty"`
	Verdict *eligibility.Verdict `json:"verdict,omitempty"`
}

// PromotionPage is a page of promotions, newest first.
type PromotionPage struct {
	Items []Promotion `json:"items"`
	Next  string      `json:"next,omitempty"`
}

// Promote asks for a promotion.
type Promote struct {
	// Freight is an ID, an unambiguous beginning of one, an alias, or a version (tag).
	Freight string `json:"freight"`
	Reason  string `json:"reason,omitempty"`
	// Key makes the request repeatable: the same key by the same person is one
	// promotion. Chosen by the client, at most 128 bytes.
	Key string `json:"key,omitempty"`
}

// Rollback asks for a return to freight that the stage once verified.
type Rollback struct {
	// Freight as in Promote; empty for the newest that the stage verified before.
	Freight string `json:"freight,omitempty"`
	// Origin chooses the warehouse where the stage holds freight of several and
	// Freight is empty.
	Origin string `json:"origin,omitempty"`
	Reason string `json:"reason"`
	Key    string `json:"key,omitempty"`
}

// Decide carries a decision's comment.
type Decide struct {
	Comment string `json:"comment,omitempty"`
}

// Problem is an error (RFC 9457, application/problem+json).
type Problem struct {
	// Type is stable: scripts match it. See the Problem constants.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is a sentence for people: what, why, and who can change it.
	Detail  string               `json:"detail"`
	Verdict *eligibility.Verdict `json:"verdict,omitempty"`
}

// ContentTypeProblem is the content type of a [Problem].
const ContentTypeProblem = "application/problem+json"

// The types of problems.
const (
	ProblemUnauthenticated = "urn:waybill:problem:unauthenticated" // 401: not through Argo CD, or no username
	ProblemGate            = "urn:waybill:problem:gate"            // 403: came through another gate than the action wants
	ProblemForbidden       = "urn:waybill:problem:forbidden"       // 403: Argo CD's policy does not allow it
	ProblemNotBound        = "urn:waybill:problem:not-bound"       // 403: the Application is not bound to that stage or pipeline
	ProblemNotFound        = "urn:waybill:problem:not-found"       // 404
	ProblemInvalid         = "urn:waybill:problem:invalid"         // 400
	ProblemIneligible      = "urn:waybill:problem:ineligible"      // 409: see Verdict
	ProblemPromoter        = "urn:waybill:problem:promoter"        // 403: approval by the promoter
	ProblemConflict        = "urn:waybill:problem:conflict"        // 409: the promotion is not in a state for it
	ProblemInternal        = "urn:waybill:problem:internal"        // 500: see the proxy's log
	ProblemUnavailable     = "urn:waybill:problem:unavailable"     // 503: try again
)
