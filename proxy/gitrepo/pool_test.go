package gitrepo

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

// visited waits until so many work on repositories, or wait for them.
func (p *pool) visited(by int) {
	for n := -1; n != by; runtime.Gosched() {
		p.mu.Lock()
		n = 0
		for _, repo := range p.open {
			n += repo.users
		}
		p.mu.Unlock()
	}
}

func TestACommitGoesBeforeTheExportsThatWaitWithIt(t *testing.T) {
	t.Parallel()
	const exports = 20
	p := newPool(1, 1)
	busy, err := p.acquire(t.Context(), "shop", "shop", yields)
	if err != nil {
		t.Fatal(err)
	}
	var (
		all   sync.WaitGroup
		order []rank // guarded by the turn
	)
	wait := func(rank rank) {
		all.Go(func() {
			repo, err := p.acquire(t.Context(), "shop", "shop", rank)
			if err != nil {
				t.Error(err)
				return
			}
			order = append(order, rank)
			p.release(repo)
		})
	}
	for range exports {
		wait(yields)
	}
	p.visited(1 + exports)
	wait(first)
	p.visited(1 + exports + 1)
	p.release(busy)
	all.Wait()
	if len(order) != exports+1 || order[0] != first {
		t.Errorf("they went in the order %v", order)
	}
}

func TestWhoGivesUpIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := newPool(1, 1)
	busy, err := p.acquire(t.Context(), "shop", "shop", yields)
	if err != nil {
		t.Fatal(err)
	}
	gone, goAway := context.WithCancel(t.Context())
	goAway()
	if _, err := p.acquire(gone, "shop", "shop", first); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	p.release(busy)
	repo, err := p.acquire(t.Context(), "shop", "shop", yields)
	if err != nil {
		t.Fatal(err)
	}
	p.release(repo)
}
