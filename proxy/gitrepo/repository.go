package gitrepo

import (
	"context"
	"time"
)

// repository is a copy of a remote repository, and who waits for it.
type repository struct {
	key   string
	turn  chan struct{} // holds a value while somebody works on the repository
	store *store        // nil until needed; belongs to whoever has the turn

	// Guarded by Repositories.mu.
	users int
	used  time.Time
}

// acquire waits for the turn on a repository.
func (r *Repositories) acquire(ctx context.Context, at address) (*repository, error) {
	r.mu.Lock()
	repo := r.open[at.key]
	if repo == nil {
		repo = &repository{key: at.key, turn: make(chan struct{}, 1)}
		r.open[at.key] = repo
	}
	repo.users++
	r.mu.Unlock()

	select {
	case repo.turn <- struct{}{}:
		return repo, nil
	case <-ctx.Done():
		r.leave(repo)
		return nil, failed(ctx.Err(), "the Git repository %s was busy with other work for too long: try again later", at.name)
	}
}

func (r *Repositories) release(repo *repository) {
	<-repo.turn
	r.leave(repo)
}

// leave forgets the repositories that were not used for longest, down to the
// number that may be kept.
func (r *Repositories) leave(repo *repository) {
	var forgotten []*repository
	r.mu.Lock()
	repo.users--
	repo.used = time.Now()
	for len(r.open) > r.options.MaxRepositories {
		oldest := r.oldestIdle()
		if oldest == nil {
			break
		}
		delete(r.open, oldest.key)
		forgotten = append(forgotten, oldest)
	}
	r.mu.Unlock()
	for _, old := range forgotten {
		old.drop()
	}
}

func (r *Repositories) oldestIdle() *repository {
	var oldest *repository
	for _, repo := range r.open {
		if repo.users == 0 && (oldest == nil || repo.used.Before(oldest.used)) {
			oldest = repo
		}
	}
	return oldest
}

func (r *repository) drop() {
	if r.store != nil {
		r.store.remove()
		r.store = nil
	}
}
