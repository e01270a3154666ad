package promotion

import (
	"cmp"
	"slices"
	"time"
)

// Queue returns the pending promotions in the order in which they may start:
// rollbacks first, then by the time of the request, then by ID.
func Queue(all []Promotion) []Promotion {
	var pending []Promotion
	for _, p := range all {
		if p.Phase == Pending {
			pending = append(pending, p)
		}
	}
	slices.SortFunc(pending, func(a, b Promotion) int {
		if a.Request.Rollback != b.Request.Rollback {
			if a.Request.Rollback {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Request.At.Compare(b.Request.At), cmp.Compare(a.ID, b.ID))
	})
	return pending
}

// Newest sorts promotions for people: newest request first, then by ID.
func Newest(all []Promotion) {
	slices.SortFunc(all, func(a, b Promotion) int {
		return cmp.Or(b.Request.At.Compare(a.Request.At), cmp.Compare(a.ID, b.ID))
	})
}

// Overtaken returns the automatic promotions that wait with other freight than
// the candidate: at most one automatic promotion waits for each origin, and it
// is the candidate's. One that runs is never overtaken.
func Overtaken(all []Promotion, candidate Held) []Promotion {
	var old []Promotion
	for _, p := range Queue(all) {
		if p.Request.Automatic && p.Origin == candidate.Origin && p.Freight != candidate.Freight {
			old = append(old, p)
		}
	}
	return old
}

// Choice is what auto-promotion does next for one origin, and why.
type Choice struct {
	// Promote tells whether a promotion is to be asked for now.
	Promote bool
	// Why is a sentence for people where it is not.
	Why string
}

// Choose decides whether auto-promotion asks for the candidate of an origin:
// the freight that the warehouse selects now. It does not when a person holds
// the origin, when the stage has the candidate, when a promotion of it waits or
// runs, or when the last one failed: what failed once is tried again by a
// person or with newer freight.
func Choose(s Stage, candidate Held, all []Promotion) Choice {
	for _, h := range s.Holds {
		if h.Origin == candidate.Origin {
			return Choice{Why: "held by " + h.By + " since " + h.At.Format(time.RFC3339) + ": promote the candidate to let automation go on"}
		}
	}
	if l, ok := s.Holding(candidate.Origin); ok && l.Freight == candidate.Freight {
		return Choice{Why: "the stage has the candidate"}
	}
	for _, p := range all {
		if !p.Phase.Ended() && p.Freight == candidate.Freight {
			return Choice{Why: "promotion " + p.ID + " of the candidate is under way"}
		}
	}
	for _, d := range s.Declined {
		if d.Freight == candidate.Freight {
			return Choice{Why: "promotion " + d.Promotion + " of the candidate ended as " + string(d.Phase) + ": promote it by hand to try again"}
		}
	}
	return Choice{Promote: true}
}

// Settle sets or lifts the hold that a promotion means when it starts: freight
// that a person chose against the candidate is held, the candidate lifts it.
func (s *Stage) Settle(p Promotion, candidate string, now time.Time) {
	if len(p.Request.Applications) > 0 {
		return
	}
	s.Holds = slices.DeleteFunc(s.Holds, func(h Hold) bool { return h.Origin == p.Origin })
	if !p.Request.Automatic && candidate != "" && p.Freight != candidate {
		s.Holds = append(s.Holds, Hold{
			Held: Held{Origin: p.Origin, Freight: p.Freight},
			By:   p.Request.By,
			At:   now.UTC().Truncate(time.Second),
		})
	}
}
