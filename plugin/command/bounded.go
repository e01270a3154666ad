package command

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/waybill-cd/waybill/plugin/container"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

const (
	// maxRenderTime bounds a render once it has its slot: what goes on for ever, as
	// loops in loops of a template do, would otherwise hold the slot until Argo CD
	// kills it, and every other Application would wait for that. Argo CD's controller
	// waits a minute for manifests by default, some of which goes by before.
	maxRenderTime = 45 * time.Second
	// lookEvery is how long a render may go on unseen: within it nothing takes much
	// more memory than there is.
	lookEvery = 10 * time.Millisecond
)

const (
	endless      = "look for a template or YAML aliases that repeat without end, or "
	longRemedy   = endless + "split the Application"
	memoryRemedy = endless + "raise the memory limit of the sidecar"
)

// bounded renders, or gives up. A few lines of YAML whose aliases name each other,
// or a template that renders itself, take all memory that there is, and the kernel
// would end the renders of other Applications with this one. Nothing can stop what
// goes too far but the end of the process, which is left to come.
func (c Call) bounded(render func() ([]byte, error)) ([]byte, error) {
	type result struct {
		manifests []byte
		err       error
	}
	done := make(chan result, 1)
	go func() {
		manifests, err := render()
		done <- result{manifests, err}
	}()
	limit, most := cmp.Or(c.renderTime, maxRenderTime), c.renderMemory
	if most == 0 {
		ofContainer, _ := container.Memory("/")
		most = container.RenderLimit(ofContainer)
	}
	// The garbage collector works harder before it is too much: what is held may be
	// garbage for the most part.
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, most-most/4))
	defer debug.SetMemoryLimit(before)
	enough, look := time.NewTimer(limit), time.NewTicker(lookEvery)
	defer enough.Stop()
	defer look.Stop()
	for {
		select {
		case r := <-done:
			return r.manifests, r.err
		case <-enough.C:
			return nil, refusal.New(fmt.Sprintf("it takes more than %d s to render", limit/time.Second), longRemedy)
		case <-look.C:
			if memory() > most {
				return nil, refusal.New(fmt.Sprintf("it takes more than %d MiB to render", most>>20), memoryRemedy)
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
