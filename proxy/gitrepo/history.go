package gitrepo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// history is a copy of the commits of some branches and of all of their folders,
// as far back as looks have gone. Where the host can leave them out, it has none
// of the files' contents.
//
// It does not outlive the process: a new one costs a request, and a folder that
// another process left would have to be trusted.
type history struct {
	*store
	// tips are commits that were asked for: the store has all before them down
	// to the cut. Those asked for last come last.
	tips []plumbing.Hash
	// cut are the commits whose parents the store may lack, see Git's
	// gitprotocol-pack, "shallow".
	cut map[plumbing.Hash]bool
}

const (
	// firstDepth is how many commits are fetched at first: more than most looks
	// need, so that few need a second request.
	firstDepth = 32
	// growth is how many times as many commits are fetched with each request that
	// a look has to go back further.
	growth = 4
	// maxGrowth is what one of those requests should not exceed, in bytes of all
	// objects: they are held together while they are taken in.
	maxGrowth = 64 << 20
	maxTips   = 32 // that are offered to the host
)

// fetch has a commit, and so much of its history, in the store. Only what it
// lacks is sent.
func (l *Look) fetch(ctx context.Context, tip plumbing.Hash, depth int) error {
	h, err := l.history()
	if err != nil {
		return err
	}
	update, err := l.reading.request(ctx, wanted{
		objects: []plumbing.Hash{tip}, depth: depth, filter: packp.FilterBlobNone(),
		has: h.tips, cut: slices.Collect(maps.Keys(h.cut)),
	}, h.store)
	if err != nil {
		return err
	}
	h.note(tip, update)
	limit := l.repositories.options.MaxCopy
	switch {
	case h.bytes <= limit:
		return nil
	case !l.begun: // and so large with what former looks have left
		return &damage{fmt.Errorf("the history is larger than %d MiB", limit>>20)}
	}
	return refused(nil, "the history that is needed of the Git repository %s is larger than %d MiB: let its server leave out the contents of files "+
		"(Git's uploadpack.allowFilter), or subscribe to paths that change more often", l.reading.name, limit>>20)
}

// note takes what the host says of the cut.
func (h *history) note(tip plumbing.Hash, update packp.ShallowUpdate) {
	for _, id := range update.Shallows {
		if h.has(id) {
			h.cut[id] = true
		}
	}
	for _, id := range update.Unshallows {
		delete(h.cut, id)
	}
	h.tips = append(slices.DeleteFunc(h.tips, func(t plumbing.Hash) bool { return t == tip }), tip)
	if len(h.tips) > maxTips {
		h.tips = h.tips[len(h.tips)-maxTips:]
	}
}

// step is how many commits more are fetched after so many were.
func (h *history) step(last int) int {
	next := last * growth
	if weight := h.last.bytes; weight > 0 {
		next = min(next, int(int64(last)*maxGrowth/weight))
	}
	return max(firstDepth, next)
}
