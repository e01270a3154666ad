package engine

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// stuck is how long one turn of a loop may take: longer than stepTimeout and
// lookTimeout let one wait for Git, registries and the API server.
const stuck = 10 * time.Minute

// pulse knows the turns that the loops are at.
type pulse struct {
	mu    sync.Mutex
	since map[string]time.Time
}

func (p *pulse) beat(turn string, now time.Time) (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since[turn] = now
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.since, turn)
	}
}

// Alive is the liveness check: it fails when a turn of a loop hangs, which only
// a restart ends.
func (e *Engine) Alive(*http.Request) error {
	e.pulse.mu.Lock()
	defer e.pulse.mu.Unlock()
	for turn, since := range e.pulse.since {
		if e.Now().Sub(since) > stuck {
			return fmt.Errorf("the loop of %s has been at one turn since %s", turn, since.Format(time.RFC3339))
		}
	}
	return nil
}
