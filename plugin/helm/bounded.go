package helm

import (
	"fmt"
	"runtime/metrics"
	"time"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

const (
	// maxMemory bounds what a render may hold, in bytes. Large public charts take
	// a tenth of it.
	maxMemory = 384 << 20
	// lookEvery is how long a render may go on unseen: within it a template
	// cannot take much more than there is.
	lookEvery = 10 * time.Millisecond
)

// bounded does work that may need memory without end: a template can render
// itself (tpl), or loop over more than there is, and Go ends a program whose
// stack overflows with a dump of it. What goes too far is left behind, for the
// end of the process to stop.
func bounded(work func() ([]manifest.Object, error)) ([]manifest.Object, error) {
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
		case r := <-done:
			return r.objects, r.err
		case <-look.C:
			if memory() > maxMemory {
				return nil, refusal.New(fmt.Sprintf("its chart takes more than %d MiB to render", maxMemory>>20),
					"look for a template that includes or renders itself (tpl), or split the Application")
			}
		}
	}
}

// memory returns the bytes that the process holds.
func memory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
