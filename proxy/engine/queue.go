package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

// endWaiting ends the promotions that wait and have to end, see [Engine.ending].
func (e *Engine) endWaiting(ctx context.Context, s *Situation) (bool, error) {
	for _, r := range s.Open {
		if r.Value.Phase != promotion.Pending || r.Value.ID == s.Record.Value.Running {
			continue
		}
		reason, message, err := e.ending(ctx, s, r.Value)
		if err != nil {
			return false, err
		}
		if reason != "" {
			return true, e.end(ctx, s, r, promotion.Aborted, reason, message)
		}
	}
	return false, nil
}

// ending tells how a promotion that has not started has to end: a person
// rejected or withdrew it, or it may not be asked for any more, because the
// pipeline has changed or a verification was revoked. The reason is empty where
// it may wait on.
func (e *Engine) ending(ctx context.Context, s *Situation, p promotion.Promotion) (reason, message string, err error) {
	if reason, message, ends := p.Ending(); ends {
		return reason, message, nil
	}
	switch {
	case handsOn(p) && !s.Record.Value.Contains(p.Freight):
		// It needs no approval, so it must not bring anything back.
		return promotion.ReasonInvalid, "stage " + s.Stage.Name + " does not hold the freight any more", nil
	case p.Request.Automatic && !handsOn(p) && !s.Stage.Automatic():
		return promotion.ReasonInvalid, "stage " + s.Stage.Name + " does not promote by itself any more", nil
	}
	verdict, err := e.Judge(ctx, *s, p)
	switch {
	case errors.Is(err, ErrNotFound):
		return promotion.ReasonInvalid, err.Error(), nil
	case err != nil:
		return "", "", err
	case !verdict.Allowed:
		return promotion.ReasonInvalid, verdict.Refusal(), nil
	default:
		return "", "", nil
	}
}

// automate keeps the queue of automatic promotions at what the warehouses
// select now: it ends those that the candidate overtook, and asks for the
// candidate once that is eligible, unless the stage has it.
func (e *Engine) automate(ctx context.Context, s *Situation) (bool, error) {
	if !s.Stage.Automatic() {
		return false, nil
	}
	for _, origin := range s.Origins() {
		id, known := s.Candidates[origin]
		if !known {
			continue
		}
		candidate := promotion.Held{Origin: origin, Freight: id}
		wanted, err := e.wants(ctx, s, candidate)
		if err != nil {
			return false, err
		}
		if !wanted && !s.Record.Value.Contains(id) {
			continue
		}
		for _, old := range promotion.Overtaken(s.values(), candidate) {
			if i := s.indexOf(old.ID); old.ID != s.Record.Value.Running && !handsOn(old) {
				return true, e.end(ctx, s, s.Open[i], promotion.Superseded, "", "freight "+short(id)+" is the candidate now")
			}
		}
		if !wanted {
			continue
		}
		// The key makes a repeated turn ask for the same promotion. Once that has
		// ended, the head is another one, and so may be the next answer.
		key := fmt.Sprintf("auto %s %s", s.Record.Value.Head, id)
		created, err := e.ask(ctx, s, candidate, promotion.Request{Automatic: true}, key)
		if created || err != nil {
			return created, err
		}
	}
	return false, nil
}

// wants tells whether auto-promotion asks for a candidate now.
func (e *Engine) wants(ctx context.Context, s *Situation, candidate promotion.Held) (bool, error) {
	if !promotion.Choose(s.Record.Value, candidate, s.values()).Promote {
		return false, nil
	}
	f, err := e.FreightByID(ctx, s.Pipeline.Name, candidate.Freight)
	if errors.Is(err, ErrNotFound) {
		return false, nil // the informer has not shown it yet, or somebody deleted it
	}
	return err == nil && e.Verdict(*s, f, false).Allowed, err
}

func (s Situation) indexOf(id string) int {
	return slices.IndexFunc(s.Open, func(r store.Record[promotion.Promotion]) bool { return r.Value.ID == id })
}

// handOn promotes what the stage holds once more when Applications have joined
// it since. One that has left is forgotten: what it renders is not the stage's
// affair, and should it come back, it joins anew.
func (e *Engine) handOn(ctx context.Context, s *Situation) (bool, error) {
	record := &s.Record.Value
	if record.Running != "" || slices.ContainsFunc(s.values(), handsOn) {
		return false, nil
	}
	known := len(record.Applications)
	record.Applications = slices.DeleteFunc(record.Applications, func(key string) bool { return !s.Bound.Has(key) })
	if len(record.Applications) < known {
		return true, e.store.PutStage(ctx, s.Name, &s.Record)
	}
	var joined []string
	for _, a := range s.Bound.Applications {
		if !slices.Contains(record.Applications, a.Key()) {
			joined = append(joined, a.Key())
		}
	}
	given := slices.DeleteFunc(slices.Clone(record.Current), func(l promotion.Load) bool { return !slices.Contains(s.Origins(), l.Origin) })
	if len(joined) == 0 || len(given) == 0 || slices.ContainsFunc(given, func(l promotion.Load) bool { return record.Declines(l.Freight) }) {
		return false, nil // what failed once, a person tries again, or the next freight does
	}
	held, request := given[0].Held, promotion.Request{Automatic: true, Applications: joined, Reason: "joined the stage"}
	// What would end at once is not asked for: each that ends moves the head, and
	// would be followed by the next.
	reason, _, err := e.ending(ctx, s, e.promotion(s, held, request, ""))
	if reason != "" || err != nil {
		return false, err
	}
	// One that the document in force ended says nothing against the next: the head
	// is another one by then.
	return e.ask(ctx, s, held, request, fmt.Sprintf("join %s %s %v", record.Head, held.Freight, joined))
}

// handsOn tells whether a promotion is one that handOn asked for.
func handsOn(p promotion.Promotion) bool { return len(p.Request.Applications) > 0 }

// ask stores a request of the engine's own.
func (e *Engine) ask(ctx context.Context, s *Situation, held promotion.Held, request promotion.Request, key string) (created bool, err error) {
	_, created, err = e.store.CreatePromotion(ctx, e.promotion(s, held, request, key))
	return created, err
}

// promotion makes a promotion of the engine's own.
func (e *Engine) promotion(s *Situation, held promotion.Held, request promotion.Request, key string) promotion.Promotion {
	request.By, request.At = promotion.System, e.Now()
	p := promotion.New(s.Pipeline.Name.String(), s.Stage.Name, held, request, key)
	p.Document = s.Pipeline.Hash
	return p
}

// startNext gives the stage to the first promotion of the queue that is ready.
// One that waits for an approval, or after an error, does not hold up those
// behind it.
func (e *Engine) startNext(ctx context.Context, s *Situation) (bool, error) {
	if s.Record.Value.Running != "" {
		return false, nil
	}
	record := &s.Record.Value
	for _, p := range s.values() {
		if p.Phase == promotion.Running {
			// The stage's record was lost while it ran.
			record.Running, record.Serial = p.ID, max(record.Serial, p.Serial)
			return true, e.store.PutStage(ctx, s.Name, &s.Record)
		}
	}
	for _, p := range promotion.Queue(s.values()) {
		verdict, err := e.Judge(ctx, *s, p)
		if err != nil {
			return false, err
		}
		if !verdict.Ready || e.rests.left(p.ID, e.Now()) > 0 {
			continue
		}
		// One at a turn, which must not become too long, see stuck.
		if still, err := e.postponed(ctx, s, &s.Open[s.indexOf(p.ID)]); still || err != nil {
			return still, err
		}
		record.Begin(p.ID)
		candidate := ""
		if s.Stage.Automatic() {
			candidate = s.Candidates[p.Origin]
		}
		record.Settle(p, candidate, e.Now())
		record.Document = s.Pipeline.Hash
		return true, e.store.PutStage(ctx, s.Name, &s.Record)
	}
	return false, nil
}
