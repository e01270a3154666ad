// Package promotion defines what is recorded of promotions and stages, and the
// rules by which those records change: phases, approvals, the queue, the
// candidate of auto-promotion, holds, and the soak clock.
//
// The functions are pure: they take the time, and write nothing. The engine
// stores what they return, with a compare-and-swap.
package promotion

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Kind is the kind of a stored promotion.
const Kind = "Promotion"

// System is the name under which Waybill itself acts. Argo CD allows no local
// account of this form, so it cannot be anybody's.
const System = "waybill:system"

// Phase is where a promotion stands.
type Phase string

// The phases. Pending waits for an approval, its turn or Applications; all but
// Pending and Running are final.
const (
	Pending    Phase = "Pending"
	Running    Phase = "Running"
	Succeeded  Phase = "Succeeded"
	Failed     Phase = "Failed"     // what was deployed is not healthy, or could not be synced
	Errored    Phase = "Errored"    // a step could not be carried out
	Aborted    Phase = "Aborted"    // a person ended it, see Reason
	Superseded Phase = "Superseded" // a newer candidate took its place
)

// Ended tells whether a phase is final.
func (p Phase) Ended() bool { return p != Pending && p != Running }

// The reasons of an aborted promotion.
const (
	ReasonRejected  = "Rejected"
	ReasonWithdrawn = "Withdrawn" // aborted while it waited
	ReasonAborted   = "Aborted"   // aborted while it ran
	ReasonInvalid   = "Ineligible"
)

// Request is what somebody asked for.
type Request struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// Automatic requests are auto-promotion's own.
	Automatic bool `json:"automatic,omitempty"`
	// Rollback returns to freight that the stage once verified.
	Rollback bool `json:"rollback,omitempty"`
	// Applications are those, as namespace/name, that joined the stage after its
	// freight had arrived, and for whose sake the freight is promoted again.
	Applications []string `json:"applications,omitempty"`
}

// Decision is what a person said of a promotion.
type Decision struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Comment string    `json:"comment,omitempty"`
	// Preview binds an approval to what is rendered, see [PreviewDigest]; empty
	// for an approval of the freight, whatever is rendered with it.
	Preview string `json:"preview,omitempty"`
	// Outdated tells why an approval counts no longer: what would be rendered has
	// changed since.
	Outdated string `json:"outdated,omitempty"`
}

// Held is one piece of freight that a stage holds, or a promotion carries.
type Held struct {
	Origin  string `json:"origin"`
	Freight string `json:"freight"`
}

// Evidence tells where freight had passed when a promotion started.
type Evidence struct {
	Stage      string    `json:"stage"`
	Freight    string    `json:"freight"`
	Promotion  string    `json:"promotion,omitempty"`
	VerifiedAt time.Time `json:"verifiedAt"`
}

// Step is one step of a promotion. Its phases are those of a promotion.
type Step struct {
	Name       string     `json:"name"`
	Phase      Phase      `json:"phase"`
	StartedAt  *time.Time `json:"startedAt,omitempty"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
	Message    string     `json:"message,omitempty"`
}

// Result is what became of one Application.
type Result struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Phase     Phase  `json:"phase"`
	// RepoURL, Branch and Revision tell the commit that holds the waybill.
	RepoURL  string `json:"repoURL,omitempty"`
	Branch   string `json:"branch,omitempty"`
	Revision string `json:"revision,omitempty"`
	// Base is the commit whose tree a stage branch took.
	Base    string `json:"base,omitempty"`
	Message string `json:"message,omitempty"`
}

// Promotion is the record of one promotion: the answer to "who promoted this,
// and what had it passed?".
type Promotion struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	ID         string `json:"id"`
	// Pipeline is the full name, namespace/name.
	Pipeline string  `json:"pipeline"`
	Stage    string  `json:"stage"`
	Origin   string  `json:"origin"`
	Freight  string  `json:"freight"`
	Request  Request `json:"request"`
	// Document is the hash of the pipeline document that it was judged by.
	Document  string     `json:"document,omitempty"`
	Approvals []Decision `json:"approvals,omitempty"`
	Rejection *Decision  `json:"rejection,omitempty"`
	Abort     *Decision  `json:"abort,omitempty"`

	Phase   Phase  `json:"phase"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	StartedAt  *time.Time `json:"startedAt,omitempty"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
	// Serial is the stage's count of promotions that started.
	Serial int64 `json:"serial,omitempty"`
	// Carries is all the freight of the waybills it writes, one for each origin.
	Carries  []Held     `json:"carries,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
	// Rendered is what was to be rendered when it started, where an approval is
	// bound to that.
	Rendered     []Rendered `json:"rendered,omitempty"`
	Steps        []Step     `json:"steps,omitempty"`
	Applications []Result   `json:"applications,omitempty"`
	// Previous is the hash of the stage's previous ended record.
	Previous string `json:"previous,omitempty"`
}

// New makes a pending promotion. key makes the request repeatable: the same key
// by the same person for the same stage is one promotion, whatever else it says.
func New(pipeline, stage string, f Held, r Request, key string) Promotion {
	r.At, r.Reason = r.At.UTC().Truncate(time.Second), Clip(r.Reason)
	return Promotion{
		APIVersion: freight.APIVersion,
		Kind:       Kind,
		ID:         id(pipeline, stage, r.By, key),
		Pipeline:   pipeline,
		Stage:      stage,
		Origin:     f.Origin,
		Freight:    f.Freight,
		Request:    r,
		Phase:      Pending,
	}
}

// idDigits are enough hex digits (80 bits) for IDs that nobody can collide by
// trying, and few enough to read aloud.
const idDigits = 20

func id(pipeline, stage, by, key string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", pipeline, stage, by, key))
	_, name, _ := strings.Cut(pipeline, "/")
	return name + "-" + stage + "-" + hex.EncodeToString(sum[:])[:idDigits]
}

// Hash returns the hash of a stored record, which the next record of the stage
// names as its previous one.
func Hash(record string) string {
	sum := sha256.Sum256([]byte(record))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Start makes a pending promotion run.
func (p *Promotion) Start(serial int64, carries []Held, evidence []Evidence, steps []string, now time.Time) {
	p.Phase, p.Serial, p.Carries, p.Evidence = Running, serial, carries, evidence
	p.StartedAt = at(now)
	p.Steps = make([]Step, len(steps))
	for i, name := range steps {
		p.Steps[i] = Step{Name: name, Phase: Pending}
	}
}

// End makes a promotion final. previous is the head of the stage's chain.
func (p *Promotion) End(phase Phase, reason, message, previous string, now time.Time) {
	p.Phase, p.Reason, p.Message, p.Previous = phase, reason, message, previous
	p.FinishedAt = at(now)
	for i := range p.Steps {
		if s := &p.Steps[i]; !s.Phase.Ended() && s.StartedAt != nil {
			s.Phase, s.FinishedAt = phase, p.FinishedAt
		}
	}
}

// ApprovedBy returns who approved, in the order in which they did, without those
// whose approval is outdated.
func (p Promotion) ApprovedBy() []string {
	names := make([]string, 0, len(p.Approvals))
	for _, a := range p.Approvals {
		if a.Outdated == "" {
			names = append(names, a.By)
		}
	}
	return names
}

func at(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Second)
	return &t
}

// Clone returns a copy that shares nothing that the methods change.
func (p Promotion) Clone() Promotion {
	p.Approvals = slices.Clone(p.Approvals)
	p.Rendered = slices.Clone(p.Rendered)
	p.Steps = slices.Clone(p.Steps)
	p.Applications = slices.Clone(p.Applications)
	return p
}
