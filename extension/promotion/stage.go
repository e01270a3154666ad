package promotion

import (
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
)

// StageKind is the kind of a stored stage.
const StageKind = "Stage"

const (
	// historyLength is how many past loads of each origin are kept.
	historyLength = 10
	// declinedLength is how many declined promotions a stage remembers: more
	// than a warehouse will select again.
	declinedLength = 20
	// verifiedLength is how many verified pieces of freight a stage remembers.
	// What the stage holds is never forgotten, whatever its age.
	verifiedLength = 100
)

// Stage is the record of one stage.
type Stage struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Pipeline   string `json:"pipeline"`
	Name       string `json:"name"`
	// Serial counts the promotions that started.
	Serial int64 `json:"serial,omitempty"`
	// Current is the freight in the stage, one for each origin: what the
	// newest waybills say.
	Current []Load `json:"current,omitempty"`
	// History is what the stage held before, newest first.
	History []Load `json:"history,omitempty"`
	// Verified is the freight that passed here, newest first.
	Verified []Verification `json:"verified,omitempty"`
	// Holds keep auto-promotion from replacing freight that a person chose.
	Holds []Hold `json:"holds,omitempty"`
	// Running is the ID of the one promotion that runs.
	Running string `json:"running,omitempty"`
	// Last is the newest promotion that ran to its end.
	Last *Last `json:"last,omitempty"`
	// Declined are the promotions that failed, or that a person refused, newest
	// first: automation leaves their freight alone until it has succeeded here.
	Declined []Last `json:"declined,omitempty"`
	// Applications are those that have the current waybill, as namespace/name.
	Applications []string `json:"applications,omitempty"`
	// Head is the hash of the newest ended record, the end of the chain.
	Head string `json:"head,omitempty"`
	// Document is the hash of the pipeline document in force.
	Document string `json:"document,omitempty"`
}

// Load is freight while it is in a stage.
type Load struct {
	Held
	Promotion string     `json:"promotion"`
	Since     time.Time  `json:"since"`
	Until     *time.Time `json:"until,omitempty"`
}

// Verification tells that freight passed in a stage.
type Verification struct {
	Freight   string    `json:"freight"`
	Promotion string    `json:"promotion"`
	At        time.Time `json:"at"`
	// Soaked is the longest completed stay after verification, in seconds.
	Soaked int64 `json:"soaked,omitempty"`
}

// Hold keeps auto-promotion off an origin until the candidate is promoted.
type Hold struct {
	Held
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Last is a promotion that ended.
type Last struct {
	Promotion string `json:"promotion"`
	Freight   string `json:"freight"`
	Phase     Phase  `json:"phase"`
}

// NewStage returns the record of a stage that holds nothing.
func NewStage(pipeline, name string) Stage {
	return Stage{APIVersion: freight.APIVersion, Kind: StageKind, Pipeline: pipeline, Name: name}
}

// Holding returns the freight of an origin that is in the stage.
func (s Stage) Holding(origin string) (Load, bool) {
	for _, l := range s.Current {
		if l.Origin == origin {
			return l, true
		}
	}
	return Load{}, false
}

// Contains tells whether the freight is in the stage.
func (s Stage) Contains(id string) bool {
	return slices.ContainsFunc(s.Current, func(l Load) bool { return l.Freight == id })
}

// Carry returns what a promotion of f puts into the stage: f, and whatever the
// stage holds of other origins that it still requests, sorted by origin.
func (s Stage) Carry(f Held, requested []string) []Held {
	carries := []Held{f}
	for _, l := range s.Current {
		if l.Origin != f.Origin && slices.Contains(requested, l.Origin) {
			carries = append(carries, l.Held)
		}
	}
	slices.SortFunc(carries, func(a, b Held) int { return strings.Compare(a.Origin, b.Origin) })
	return carries
}

// Begin gives the stage to a promotion: no other runs until it has ended.
func (s *Stage) Begin(id string) {
	s.Serial++
	s.Running = id
}

// Enter records that the waybills of a promotion are written: its freight is
// what the stage holds from now on, verified or not.
func (s *Stage) Enter(p Promotion, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	kept := make([]Load, 0, len(p.Carries))
	for _, l := range s.Current {
		if slices.Contains(p.Carries, l.Held) {
			kept = append(kept, l)
			continue
		}
		s.leave(l, now)
	}
	for _, h := range p.Carries {
		if !slices.ContainsFunc(kept, func(l Load) bool { return l.Held == h }) {
			kept = append(kept, Load{Held: h, Promotion: p.ID, Since: now})
		}
	}
	slices.SortFunc(kept, func(a, b Load) int { return strings.Compare(a.Origin, b.Origin) })
	s.Current = kept
}

func (s *Stage) leave(l Load, now time.Time) {
	if i := s.verified(l.Freight); i >= 0 {
		v := &s.Verified[i]
		v.Soaked = max(v.Soaked, seconds(soaksFrom(*v, l), now))
	}
	l.Until = &now
	s.History = append([]Load{l}, s.History...)
	kept := 0
	s.History = slices.DeleteFunc(s.History, func(past Load) bool {
		if past.Origin == l.Origin {
			kept++
		}
		return past.Origin == l.Origin && kept > historyLength
	})
}

// soaksFrom is when the soak clock of a stay starts: with the verification,
// not with the arrival.
func soaksFrom(v Verification, l Load) time.Time {
	if v.At.After(l.Since) {
		return v.At
	}
	return l.Since
}

func seconds(from, until time.Time) int64 { return max(0, int64(until.Sub(from)/time.Second)) }

// Verify records that a promotion's freight passed in the stage.
func (s *Stage) Verify(p Promotion, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	for _, h := range p.Carries {
		if s.verified(h.Freight) < 0 {
			s.Verified = append([]Verification{{Freight: h.Freight, Promotion: p.ID, At: now}}, s.Verified...)
		}
	}
	for i := len(s.Verified) - 1; i >= 0 && len(s.Verified) > verifiedLength; i-- {
		if !s.Contains(s.Verified[i].Freight) {
			s.Verified = slices.Delete(s.Verified, i, i+1)
		}
	}
}

func (s Stage) verified(id string) int {
	return slices.IndexFunc(s.Verified, func(v Verification) bool { return v.Freight == id })
}

// VerificationOf returns how freight passed in the stage, if it did.
func (s Stage) VerificationOf(id string) (Verification, bool) {
	if i := s.verified(id); i >= 0 {
		return s.Verified[i], true
	}
	return Verification{}, false
}

// Soaked returns how long freight has stayed in the stage after it was verified
// there: the longest stay that ended, or the one that goes on.
func (s Stage) Soaked(id string, now time.Time) time.Duration {
	v, ok := s.VerificationOf(id)
	if !ok {
		return 0
	}
	longest := time.Duration(v.Soaked) * time.Second
	for _, l := range s.Current {
		if l.Freight == id {
			longest = max(longest, now.Sub(soaksFrom(v, l)))
		}
	}
	return longest
}

// SoakedAt returns when freight that is in the stage, and verified there, will
// have soaked for a time; false where nothing soaks.
func (s Stage) SoakedAt(id string, required time.Duration) (time.Time, bool) {
	v, verified := s.VerificationOf(id)
	for _, l := range s.Current {
		if verified && l.Freight == id {
			return soaksFrom(v, l).Add(required), true
		}
	}
	return time.Time{}, false
}

// Finish takes the stage back from a promotion that ended, and moves the head
// of the chain to its record.
func (s *Stage) Finish(p Promotion, record string) {
	if s.Running == p.ID {
		s.Running = ""
		s.Last = &Last{Promotion: p.ID, Freight: p.Freight, Phase: p.Phase}
	}
	s.Declined = slices.DeleteFunc(s.Declined, func(d Last) bool { return d.Freight == p.Freight })
	if p.declines() {
		s.Declined = append([]Last{{Promotion: p.ID, Freight: p.Freight, Phase: p.Phase}}, s.Declined...)
		s.Declined = s.Declined[:min(len(s.Declined), declinedLength)]
	}
	s.Head = Hash(record)
}

// Declines tells whether automation leaves freight alone, see Declined.
func (s Stage) Declines(id string) bool {
	return slices.ContainsFunc(s.Declined, func(d Last) bool { return d.Freight == id })
}

// declines tells whether a promotion's end speaks against its freight. One that
// was superseded was never tried, and one that the pipeline's rules ended may
// be asked for again when they have changed.
func (p Promotion) declines() bool {
	switch p.Phase {
	case Failed, Errored:
		return true
	case Aborted:
		return p.Reason != ReasonInvalid
	default:
		return false
	}
}

// Previous returns the freight to which a rollback goes unless another is
// named: the newest of the history that passed here and is not in the stage.
func (s Stage) Previous(origin string) (string, bool) {
	for _, l := range s.History {
		if _, passed := s.VerificationOf(l.Freight); passed && l.Origin == origin && !s.Contains(l.Freight) {
			return l.Freight, true
		}
	}
	return "", false
}

// Clone returns a copy that shares nothing that the methods change.
func (s Stage) Clone() Stage {
	s.Current = slices.Clone(s.Current)
	s.History = slices.Clone(s.History)
	s.Verified = slices.Clone(s.Verified)
	s.Holds = slices.Clone(s.Holds)
	s.Declined = slices.Clone(s.Declined)
	s.Applications = slices.Clone(s.Applications)
	return s
}
