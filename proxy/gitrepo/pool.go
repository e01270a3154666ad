package gitrepo

import (
	"context"
	"sync"
	"time"
)

// pool keeps the copies of repositories of one kind, at most so many, of at most
// so many bytes together.
type pool struct {
	most  int
	bytes int64

	mu   sync.Mutex
	open map[string]*repository
}

func newPool(most int, bytes int64) *pool {
	return &pool{most: most, bytes: bytes, open: map[string]*repository{}}
}

// repository is a copy of a remote repository, and who waits for it. What it
// holds belongs to whoever has the turn.
type repository struct {
	key     string
	turn    chan struct{} // holds a value while somebody works on the repository
	store   *store        // to write, of depth 1; nil until needed
	history *history      // to look; nil until needed
	listing *listing      // nil where nobody waits who may use it

	// Guarded by pool.mu.
	users int
	ahead int // of those who wait, they go first
	used  time.Time
	bytes int64 // on disk, when it was left
}

// rank tells how a call waits for its turn on a repository.
type rank bool

const (
	first  rank = true
	yields rank = false // to all who go first
)

// acquire waits for the turn on a repository; name is for people.
func (p *pool) acquire(ctx context.Context, key, name string, rank rank) (*repository, error) {
	p.mu.Lock()
	repo := p.open[key]
	if repo == nil {
		repo = &repository{key: key, turn: make(chan struct{}, 1)}
		p.open[key] = repo
	}
	repo.users++
	if rank == first {
		repo.ahead++
	}
	p.mu.Unlock()

	for {
		select {
		case repo.turn <- struct{}{}:
			if p.goes(repo, rank) {
				return repo, nil
			}
			<-repo.turn // to who has waited longest; this call waits anew behind all
		case <-ctx.Done():
			p.goes(repo, rank)
			p.leave(repo)
			return nil, failed(ctx.Err(), "the Git repository %s was busy with other work for too long: try again later", name)
		}
	}
}

// goes tells whether who has got the turn may keep it. Who goes first waits no
// longer in any case.
func (p *pool) goes(repo *repository, rank rank) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if rank == first {
		repo.ahead--
		return true
	}
	return repo.ahead == 0
}

func (p *pool) release(repo *repository) {
	if !p.awaited(repo) {
		repo.listing = nil
	}
	p.weigh(repo)
	<-repo.turn
	p.leave(repo)
}

// weigh notes the size of a repository whose turn the caller has.
func (p *pool) weigh(repo *repository) {
	p.mu.Lock()
	defer p.mu.Unlock()
	repo.bytes = 0
	if repo.store != nil {
		repo.bytes += repo.store.bytes
	}
	if repo.history != nil {
		repo.bytes += repo.history.bytes
	}
}

// awaited tells whether somebody waits for the turn that the caller has.
func (p *pool) awaited(repo *repository) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return repo.users > 1
}

// leave forgets the repositories that were not used for longest, down to what may
// be kept.
func (p *pool) leave(repo *repository) {
	var forgotten []*repository
	p.mu.Lock()
	repo.users--
	repo.used = time.Now()
	for p.full() {
		oldest := p.oldestIdle()
		if oldest == nil {
			break
		}
		delete(p.open, oldest.key)
		forgotten = append(forgotten, oldest)
	}
	p.mu.Unlock()
	for _, old := range forgotten {
		old.drop()
	}
}

func (p *pool) full() bool {
	var bytes int64
	for _, repo := range p.open {
		bytes += repo.bytes
	}
	return len(p.open) > p.most || bytes > p.bytes
}

func (p *pool) oldestIdle() *repository {
	var oldest *repository
	for _, repo := range p.open {
		if repo.users == 0 && (oldest == nil || repo.used.Before(oldest.used)) {
			oldest = repo
		}
	}
	return oldest
}

// drop removes what is kept on disk.
func (r *repository) drop() {
	if r.store != nil {
		r.store.remove()
		r.store = nil
	}
	if r.history != nil {
		r.history.remove()
		r.history = nil
	}
}
