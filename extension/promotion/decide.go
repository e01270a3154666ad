package promotion

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Why a decision is refused. Callers match them with errors.Is.
var (
	// ErrEnded is for a promotion that is over.
	ErrEnded = errors.New("the promotion has ended")
	// ErrStarted is for an approval that comes after the start.
	ErrStarted = errors.New("the promotion has started")
	// ErrNoApproval is for a stage that asks for none.
	ErrNoApproval = errors.New("no approval is asked for")
	// ErrPromoter is for the promoter's own approval where the rule excludes it.
	ErrPromoter = errors.New("the promoter may not approve")
	// ErrTwice is for a second approval by the same person.
	ErrTwice = errors.New("the person has approved already")
)

// refusal is a sentence for people that is, for callers, one of the errors above.
type refusal struct {
	sentence string
	cause    error
}

func refuse(cause error, format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), cause}
}

func (r *refusal) Error() string { return r.sentence }

// Unwrap returns the cause, for errors.Is.
func (r *refusal) Unwrap() error { return r.cause }

// Required returns how many approvals a promotion needs under a stage's rule.
// A rollback needs none unless the rule says so: the way back must be short.
func (p Promotion) Required(rule *pipeline.Approval) int {
	if rule == nil || p.Request.Rollback && !rule.Rollback || len(p.Request.Applications) > 0 {
		return 0
	}
	return rule.Required
}

// Approve records an approval, or tells why it does not count. It is the one
// place where approval rules are enforced.
func (p *Promotion) Approve(rule *pipeline.Approval, d Decision) error {
	if err := p.open(); err != nil {
		return err
	}
	if p.Required(rule) == 0 {
		return refuse(ErrNoApproval, "promotion %s to %s needs no approval", p.ID, p.Stage)
	}
	if p.excluded(rule, d.By) {
		return refuse(ErrPromoter, "%s asked for this promotion, and stage %s wants approvals by somebody else (approval.notBy: promoter)", d.By, p.Stage)
	}
	for _, a := range p.Approvals {
		if a.By == d.By && a.Outdated == "" {
			return refuse(ErrTwice, "%s approved this promotion at %s, and each person counts once", d.By, a.At.Format(time.RFC3339))
		}
	}
	// The new approval takes the place of the person's outdated one.
	p.Approvals = slices.DeleteFunc(slices.Clone(p.Approvals), func(a Decision) bool { return a.By == d.By })
	p.Approvals = append(p.Approvals, d.clean())
	return nil
}

func (p Promotion) excluded(rule *pipeline.Approval, by string) bool {
	return rule.NotBy == pipeline.NotByPromoter && by == p.Request.By
}

// Counting returns the approvals that count under a stage's rule. The rule may
// have changed since they were given: whom it excludes now counts no longer. Nor
// does an approval that is outdated.
func (p Promotion) Counting(rule *pipeline.Approval) []Decision {
	var counting []Decision
	for _, a := range p.Approvals {
		if rule != nil && !p.excluded(rule, a.By) && a.Outdated == "" {
			counting = append(counting, a)
		}
	}
	return counting
}

// Reject records that an approver refuses. The engine then ends the promotion.
func (p *Promotion) Reject(d Decision) error {
	if err := p.open(); err != nil {
		return err
	}
	d = d.clean()
	p.Rejection = &d
	return nil
}

// AskAbort records that a promoter wants the promotion to end. The engine ends
// it: one that waits is withdrawn, one that runs stops waiting.
func (p *Promotion) AskAbort(d Decision) error {
	if p.Phase.Ended() || p.Rejection != nil || p.Abort != nil {
		return p.over()
	}
	d = d.clean()
	p.Abort = &d
	return nil
}

func (p Promotion) open() error {
	switch {
	case p.Phase == Running:
		return refuse(ErrStarted, "promotion %s to %s runs already", p.ID, p.Stage)
	case p.Phase.Ended() || p.Rejection != nil || p.Abort != nil:
		return p.over()
	default:
		return nil
	}
}

func (p Promotion) over() error {
	return refuse(ErrEnded, "promotion %s to %s has ended, as %s", p.ID, p.Stage, p.Outcome())
}

// Outcome returns the phase, counting in a rejection or an abort that the
// engine has still to carry out.
func (p Promotion) Outcome() Phase {
	if !p.Phase.Ended() && (p.Rejection != nil || p.Abort != nil) {
		return Aborted
	}
	return p.Phase
}

// Ending tells how a person's decision ends the promotion, if one does.
func (p Promotion) Ending() (reason, message string, ends bool) {
	switch {
	case p.Rejection != nil:
		return ReasonRejected, sentence("rejected by", *p.Rejection), true
	case p.Abort != nil && p.Phase == Running:
		return ReasonAborted, sentence("aborted by", *p.Abort) +
			"; what was written stays: to undo it, roll back", true
	case p.Abort != nil:
		return ReasonWithdrawn, sentence("withdrawn by", *p.Abort), true
	default:
		return "", "", false
	}
}

func sentence(verb string, d Decision) string {
	if d.Comment == "" {
		return verb + " " + d.By
	}
	return verb + " " + d.By + ": " + d.Comment
}

// maxComment bounds what a person can put into a record, in bytes.
const maxComment = 1000

func (d Decision) clean() Decision {
	d.At = d.At.UTC().Truncate(time.Second)
	d.Comment = Clip(d.Comment)
	return d
}

// Clip shortens a person's words to what a record holds, on a rune's boundary,
// and leaves out what is no text.
func Clip(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if len(s) <= maxComment {
		return s
	}
	return strings.ToValidUTF8(s[:maxComment], "") + "…"
}
