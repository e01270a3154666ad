// Package git finds which commits a Git subscription selects now, by asking the
// host for almost nothing: where its branches and tags stand, and of the history
// what is new.
//
// The commits of a branch are those of git log, the newest first, with all that
// was merged; a merge is compared with its first parent. A tag is taken as its
// maker's decision: that its commit changes only waybills counts against it only
// where paths are asked for.
//
// A commit, or tag, for which an expressionFilter cannot be evaluated is passed
// over, and told of: the same commit gives the same error tomorrow, and must not
// keep back all others.
package git

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
)

// Repositories are the remote repositories, see [gitrepo.Repositories].
type Repositories interface {
	// Look asks a repository for its references, and calls f, perhaps twice, with
	// what it holds.
	Look(ctx context.Context, p gitrepo.Place, f func(context.Context, *gitrepo.Look) error) error
}

// Source are the Git repositories. What a look finds is remembered: where the
// references that it rests on have not moved, the next one costs a request.
type Source struct {
	repositories Repositories
	found        *lru.Cache // looks by memory
	judged       *lru.Cache // whether commits are taken, by verdict
}

const (
	maxFound  = 1000    // looks that are remembered
	maxJudged = 100_000 // commits of which is remembered whether a subscription takes them
)

// ErrNothing is what an error is (errors.Is) where the repository was read, and
// nothing in it qualifies.
var ErrNothing = errors.New("nothing qualifies")

// New makes a Source.
func New(r Repositories) *Source {
	return &Source{repositories: r, found: lru.New(maxFound), judged: lru.New(maxJudged)}
}

type digest [sha256.Size]byte

// memory is what a look follows from: a subscription of a namespace, and where
// the references stand that it selects from.
type memory struct{ subscription, references digest }

// verdict is whether a subscription takes a commit, or what a tag names.
type verdict struct {
	subscription digest
	object       string
}

// look is one look at a subscription.
type look struct {
	*Source
	*gitrepo.Look
	name         string // the subscription's
	subscription pipeline.GitSubscription
	id           digest
	commits      selection.Commits

	result   source.Look
	partial  bool // what was found is right, but there may be more
	compared int  // tags whose commits the host was asked for
}

// Discover implements [source.Source].
func (s *Source) Discover(ctx context.Context, namespace string, sub pipeline.Subscription) (source.Look, error) {
	git := *sub.Git
	commits, err := selection.ForCommits(git)
	if err != nil {
		return source.Look{}, fmt.Errorf("the subscription to %s cannot select: %w", git.RepoURL, err)
	}
	identity, err := json.Marshal([]any{namespace, sub})
	if err != nil {
		return source.Look{}, fmt.Errorf("the subscription to %s cannot be compared: %w", git.RepoURL, err)
	}
	place := gitrepo.Place{RepoURL: git.RepoURL, Namespace: namespace, InsecureSkipTLSVerify: git.InsecureSkipTLSVerify}
	var found source.Look
	err = s.repositories.Look(ctx, place, func(ctx context.Context, at *gitrepo.Look) error {
		l := &look{Source: s, Look: at, name: sub.Name, subscription: git, id: sha256.Sum256(identity), commits: commits}
		discover := l.tags
		if git.CommitSelectionStrategy == pipeline.StrategyNewestFromBranch {
			discover = l.branch
		}
		var err error
		found, err = discover(ctx)
		return err
	})
	var busy *gitrepo.Busy
	if errors.As(err, &busy) {
		err = &source.Busy{RetryAfter: busy.RetryAfter, Err: err}
	}
	if err != nil {
		return source.Look{}, err
	}
	return found, nil
}

// outcome is what is remembered of a look: what it found, or that it found
// nothing.
type outcome struct {
	look source.Look
	err  error
}

// remembered returns what was found before from the same references, or else
// what f finds.
func (l *look) remembered(references digest, f func() error) (source.Look, error) {
	key := memory{l.id, references}
	if before, ok := l.found.Get(key); ok {
		if o, ok := before.(outcome); ok {
			return copied(o.look), o.err
		}
	}
	err := f()
	switch {
	case errors.Is(err, ErrNothing):
		l.found.Add(key, outcome{err: err})
		return source.Look{}, err
	case err != nil:
		return source.Look{}, err
	case !l.partial:
		l.found.Add(key, outcome{look: copied(l.result)})
	}
	return l.result, nil
}

func copied(l source.Look) source.Look {
	return source.Look{Offers: slices.Clone(l.Offers), Skipped: slices.Clone(l.Skipped)}
}

// full tells that there are as many offers as are wanted.
func (l *look) full() bool { return len(l.result.Offers) >= l.subscription.DiscoveryLimit }

func (l *look) offer(c gitrepo.Commit, tag string) {
	at := c.At
	l.result.Offers = append(l.result.Offers, freight.Offer{
		Commit: &freight.Commit{RepoURL: l.subscription.RepoURL, ID: c.ID, Tag: tag, Subscription: l.name},
		Detail: freight.Detail{
			Kind: freight.KindCommit, RepoURL: l.subscription.RepoURL, Subscription: l.name,
			Subject: c.Subject, Author: c.Author.Name, CreatedAt: &at,
		},
	})
}

func (l *look) skip(format string, args ...any) {
	if len(l.result.Skipped) < source.MaxSkipped {
		l.result.Skipped = append(l.result.Skipped, fmt.Sprintf(format, args...))
	}
}

// known is what was judged before.
func (l *look) known(object string) (takes, known bool) {
	before, ok := l.judged.Get(verdict{l.id, object})
	if !ok {
		return false, false
	}
	takes, known = before.(bool)
	return takes, known
}

func (l *look) judge(object string, takes bool) { l.judged.Add(verdict{l.id, object}, takes) }

// nothing is the error of a look that found nothing.
type nothing struct{ sentence string }

func (n *nothing) Error() string { return n.sentence }
func (n *nothing) Unwrap() error { return ErrNothing }

// nothing tells of what was seen, and of what kept it from being offered.
func (l *look) nothing(format string, args ...any) error {
	sentence := fmt.Sprintf(format, args...)
	if len(l.result.Skipped) > 0 {
		sentence += "; " + l.result.Skipped[0]
	}
	return &nothing{sentence}
}
