package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Place is a repository as the pipelines of a namespace reach it. What is learnt
// at one place, and the credentials it is learnt with, are of no use at another.
type Place struct {
	RepoURL   string
	Namespace string
	// InsecureSkipTLSVerify trusts any certificate of the host.
	InsecureSkipTLSVerify bool
}

// Look is what one look has of a repository, while it has its history alone. The
// history is kept between looks, apart from the copy that is written with: a look
// never waits for a push, nor a push for a look.
type Look struct {
	// Refs are those of now.
	Refs Refs

	repositories *Repositories
	repository   *repository
	reading      *reading
	place        string
	begun        bool // this look itself began the history
	trees        trees
}

// Look asks a repository for its references, in one request, and calls f with
// what it holds. Several looks at one repository wait for each other, and those
// that begin while another one waits share its answer.
//
// Where f finds the history damaged, it is called once more. The error may be
// ErrRefused, where repeating the call does not help, or a *Busy.
func (r *Repositories) Look(ctx context.Context, p Place, f func(context.Context, *Look) error) error {
	called := time.Now()
	at, err := parseAddress(p.RepoURL)
	if err != nil {
		return err
	}
	client := r.untrusting
	if !p.InsecureSkipTLSVerify {
		client = r.client
		at.orTrust = ", or set insecureSkipTLSVerify: true"
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	place := fmt.Sprintf("%s %t %s", p.Namespace, p.InsecureSkipTLSVerify, at.key)
	repo, err := r.histories.acquire(ctx, place, at.name, first)
	if err != nil {
		return err
	}
	defer r.histories.release(repo)

	user, password, err := r.credentials.GitOf(ctx, p.Namespace, p.RepoURL)
	if err != nil {
		return fmt.Errorf("the credentials of the Git repository %s cannot be read: %w", at.name, err)
	}
	reading, refs, err := repo.list(ctx, called, remote{address: at, client: client, auth: signIn(user, password)})
	if err != nil {
		return err
	}
	const tries = 2
	for range tries {
		look := &Look{Refs: refs, repositories: r, repository: repo, reading: reading, place: place}
		err = f(ctx, look)
		if errors.As(err, new(*damage)) {
			repo.drop()
			continue
		}
		break
	}
	if h := repo.history; h != nil {
		h.cached.Clear()
		if h.outgrown(r.options.MaxCopy) {
			repo.drop()
		}
	}
	return err
}

// history is that of the repository, begun where there is none.
func (l *Look) history() (*history, error) {
	if l.repository.history == nil {
		s, err := newStore(l.repositories.folder)
		if err != nil {
			return nil, err
		}
		l.begun = true
		l.repository.history = &history{store: s, cut: map[plumbing.Hash]bool{}}
	}
	return l.repository.history, nil
}
