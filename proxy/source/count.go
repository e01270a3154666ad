package source

import (
	"context"
	"sync/atomic"
)

type counterKey struct{}

// Counted returns a context in which the requests of sources are counted, and
// their number so far.
func Counted(ctx context.Context) (context.Context, func() int64) {
	var n atomic.Int64
	return context.WithValue(ctx, counterKey{}, &n), n.Load
}

// Count counts one request to a registry or repository, made for the look whose
// context this is. Every source calls it for each request that goes out.
func Count(ctx context.Context) {
	if n, ok := ctx.Value(counterKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}
