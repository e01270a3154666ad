package stack

import (
	"context"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
)

// progress is a writer for people, shared by what runs at the same time.
type progress struct {
	mu  sync.Mutex
	out io.Writer // nil for nowhere
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return len(b), nil
	}
	return p.out.Write(b)
}

func (p *progress) printf(format string, args ...any) {
	fmt.Fprintf(p, format+"\n", args...)
}

// inParallel runs all tasks and returns the first error, at which the context of
// the others ends.
func inParallel(ctx context.Context, tasks ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, task := range tasks {
		group.Go(func() error { return task(ctx) })
	}
	return group.Wait()
}
