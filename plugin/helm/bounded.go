package helm

import (
	"fmt"
	"runtime/metrics"
	"time"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// lookEvery is how long a render may go on unseen: within it a template cannot
// take much more than there is.
const lookEvery = 10 * time.Millisecond

// bounded does work that may need memory without end: a template can render
// itself (tpl), or loop over more than there is, and Go ends a program whose
// stack overflows with a dump of it. What goes too far is left behind, for the
// end of the process to stop.
func (r Renderer) bounded(work func() ([]manifest.Object, error)) ([]manifest.Object, error) {
	type result struct {
		objects []manifest.Object
		err     error
	}
	done := make(chan result, 1)
	go func() {
		objects, err := work()
		done <- result{objects, err}
	}()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case rendered := <-done:
			return rendered.objects, rendered.err
		case <-look.C:
			if memory() > r.MaxMemory {
				return nil, refusal.New(fmt.Sprintf("its chart takes more than %d MiB to render", r.MaxMemory>>20),
					"look for a template that includes or renders itself (tpl), or split the Application")
			}
		}
	}
}

// memory returns the bytes that the process holds.
func memory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64()) //nolint:gosec // far below what overflows
}
