// Package source defines what a look at a subscription gives, whatever kind of
// repository it is: a registry of images, a Git repository, a chart repository.
// Each kind has a package of its own below.
package source

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Look is what one look at a subscription gives.
type Look struct {
	// Offers are the versions that it selects now, the best first, at most as many
	// as its discoveryLimit.
	Offers []freight.Offer
	// Skipped tells of versions that would have been offered, and why they cannot
	// be: each a sentence, at most [MaxSkipped] of them.
	Skipped []string
}

// MaxSkipped bounds Look.Skipped.
const MaxSkipped = 10

// Source looks at subscriptions of one kind. It may be used by several goroutines
// at a time.
type Source interface {
	// Discover looks at a subscription of a pipeline of that namespace: what it
	// learns, and the credentials it uses, are never used for another namespace.
	//
	// It never answers from a part of the truth: where anything that decides cannot
	// be had, there is an error, a sentence for people, and no look. The error may
	// be a *[Busy] or a *[Incomplete].
	Discover(ctx context.Context, namespace string, s pipeline.Subscription) (Look, error)
}

// ErrRefused is an error, beside others, that lasts until a person changes
// something.
var ErrRefused = errors.New("refused")

// Busy is the error of a host that has enough of requests.
type Busy struct {
	// RetryAfter is how long it wants to be left alone; 0 where it does not say.
	RetryAfter time.Duration
	// Err tells it to people.
	Err error
}

func (b *Busy) Error() string { return b.Err.Error() }

// Unwrap returns Err.
func (b *Busy) Unwrap() error { return b.Err }

// Incomplete is the error of a first look at so much that it takes more than one:
// what was read is kept, and the next look carries on.
type Incomplete struct {
	// Err tells people how far it got.
	Err error
}

func (i *Incomplete) Error() string { return i.Err.Error() }

// Unwrap returns Err.
func (i *Incomplete) Unwrap() error { return i.Err }

// Sources are the sources of each kind.
type Sources struct{ Image, Git, Chart Source }

// Discover implements [Source].
func (all Sources) Discover(ctx context.Context, namespace string, s pipeline.Subscription) (Look, error) {
	switch {
	case s.Git != nil:
		return all.Git.Discover(ctx, namespace, s)
	case s.Chart != nil:
		return all.Chart.Discover(ctx, namespace, s)
	default:
		return all.Image.Discover(ctx, namespace, s)
	}
}
