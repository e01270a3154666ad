package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Look is what is known of a warehouse's last look beside its outcome. It is not
// stored, because a look that finds nothing new must cost no write; so only the
// replica that runs the loops knows it of itself.
type Look struct {
	At   time.Time `json:"at"`
	Next time.Time `json:"next"`
	// Requests are those that it made of registries and repositories.
	Requests int64 `json:"requests"`
	// Skipped tells which versions were passed over, and why.
	Skipped []string `json:"skipped,omitempty"`
	// Progress tells how far a first look has got that takes more than one.
	Progress string `json:"progress,omitempty"`
}

type warehouseKey struct {
	Pipeline  pipeline.Name
	Warehouse string
}

func (k warehouseKey) String() string { return k.Pipeline.String() + "/" + k.Warehouse }

// lookState is what this process knows of a warehouse's looks.
type lookState struct {
	Look
	document string // hash of the document that the look was made by
	failures int
	began    time.Time // when the last look began
	held     time.Time // until when a host asked to be left alone
}

// askedGap is the least time between the beginnings of two looks of which the
// second was asked for: whoever asks, a person or a webhook, and how often, causes
// no more.
const askedGap = 5 * time.Second

// due returns the time to the next look; none is left where a document has changed.
// A host that asked to be left alone is, whoever asks.
func (s lookState) due(now time.Time, document string, asked bool) time.Duration {
	if s.document != document {
		return 0
	}
	wait := s.Next.Sub(now)
	if asked {
		wait = min(wait, max(s.began.Add(askedGap).Sub(now), s.held.Sub(now)))
	}
	return wait
}

type looks struct {
	mu     sync.Mutex
	states map[warehouseKey]lookState
}

func (l *looks) get(k warehouseKey) lookState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[k]
}

func (l *looks) put(k warehouseKey, s lookState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states[k] = s
}

func (l *looks) forget(k warehouseKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.states, k)
	forgetWarehouse(k)
}

// Looks returns the last look of each warehouse, by its full name, as far as this
// replica has made it: all of them where it runs the loops, else none.
func (e *Engine) Looks() map[string]Look {
	e.looks.mu.Lock()
	defer e.looks.mu.Unlock()
	all := make(map[string]Look, len(e.looks.states))
	for k, s := range e.looks.states {
		all[k.String()] = s.Look
	}
	return all
}

// Look returns the last look of a warehouse: this replica's own, or else what the
// one that runs the loops tells. It is false where that is not known.
func (e *Engine) Look(ctx context.Context, name pipeline.Name, warehouse string) (Look, bool) {
	key := warehouseKey{name, warehouse}
	if own := e.looks.get(key); !own.At.IsZero() {
		return own.Look, true
	}
	if e.LooksElsewhere == nil {
		return Look{}, false
	}
	look, known := e.LooksElsewhere(ctx)[key.String()]
	return look, known
}

// maxSkipped bounds what is kept of the versions that a look passed over.
const maxSkipped = 20

// note takes down a look that was made.
func (s *lookState) note(found discovery) {
	s.Requests, s.Progress = found.requests, found.progress()
	s.Skipped = nil
	for i, look := range found.looks {
		for _, sentence := range look.Skipped {
			s.Skipped = append(s.Skipped, found.about(i, sentence))
		}
	}
	s.Skipped = slices.Clip(s.Skipped[:min(len(s.Skipped), maxSkipped)])
}
