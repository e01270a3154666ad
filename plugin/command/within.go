package command

import (
	"cmp"
	"fmt"
	"time"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// maxRenderTime bounds a render once it has its slot: what goes on for ever, as
// loops in loops of a template do, would otherwise hold the slot until Argo CD
// kills it, and every other Application would wait for that. Renders of large
// monorepos take a twentieth of it.
const maxRenderTime = 20 * time.Second

// within renders, or gives up. What takes too long is left behind, for the end of
// the process to stop.
func (c Call) within(render func() ([]manifest.Object, error)) ([]manifest.Object, error) {
	type result struct {
		objects []manifest.Object
		err     error
	}
	done := make(chan result, 1)
	go func() {
		objects, err := render()
		done <- result{objects, err}
	}()
	limit := cmp.Or(c.renderTime, maxRenderTime)
	enough := time.NewTimer(limit)
	defer enough.Stop()
	select {
	case r := <-done:
		return r.objects, r.err
	case <-enough.C:
		return nil, refusal.New(fmt.Sprintf("it takes more than %d s to render", limit/time.Second),
			"look for a template that loops without end, or split the Application")
	}
}
