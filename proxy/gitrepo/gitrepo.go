// Package gitrepo writes files to branches of remote Git repositories, and
// reads single files at a commit, without a work tree: it builds the objects on
// the fetched tip and pushes them.
//
// A change that loses a race is made again on the new tip; nothing is ever
// pushed by force. A change that was made already is recognised and not made
// twice, so that a caller that was killed between the push and its own record
// simply repeats the call.
//
// It looks at repositories too: where the references stand, and what their
// histories hold, of which only what is new is fetched. What a look keeps is apart
// from what is written with, from every other namespace, and from what was read
// without checking a certificate; all of it can be dropped at any time.
package gitrepo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"k8s.io/utils/lru"

	"github.com/waybill-cd/waybill/proxy/source/pace"
	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// Credentials tells how to sign in to a repository.
type Credentials interface {
	// Git returns the user and the password, or token, of a repository; both
	// empty for anonymous. They are Waybill's own, for what it writes.
	Git(ctx context.Context, repoURL string) (user, password string, err error)
	// GitOf returns those for what the pipelines of a namespace subscribe to.
	GitOf(ctx context.Context, namespace, repoURL string) (user, password string, err error)
}

// Author is who commits.
type Author struct {
	Name, Email string
}

// Options tells how repositories are worked on. The zero value of each field
// but Dir stands for its default.
type Options struct {
	// Dir is the folder for copies of repositories, for this process alone. They
	// are a cache: what a former process left there is removed.
	Dir string
	// Author of all commits; Waybill unless given.
	Author Author
	// Timeout bounds one call, with all its attempts; 2 minutes.
	Timeout time.Duration
	// Attempts is how often a change is made anew when its push loses a race; 8.
	Attempts int
	// MaxRepositories is how many copies are kept; 32.
	MaxRepositories int
	// MaxCopy is the size, in bytes, that the copy of one repository may have
	// when a call ends; 256 MiB. A larger one is fetched anew by the next call.
	MaxCopy int64
	// MaxFetch is the size, in bytes, that one fetch may have; 1 GiB.
	MaxFetch int64
	// MaxFile is the size, in bytes, of the largest file that File reads; 1 MiB.
	MaxFile int64
	// MaxHistories is how many copies are kept to look; 128.
	MaxHistories int
	// MaxHistory is the size, in bytes, that those may have together; 1 GiB.
	MaxHistory int64
	// MaxLog is how many commits of a branch one look goes back at most; 10,000.
	MaxLog int
	// Transport makes the HTTP requests; one with keep-alive and the proxy
	// settings of the environment unless given.
	Transport http.RoundTripper
	// Untrusting makes those to hosts whose certificates are not checked; like
	// Transport's, unless given.
	Untrusting http.RoundTripper
	// Pace paces the requests; nil for no pace.
	Pace Pace
	// Requested is told of each HTTP request, by the context of the call that makes
	// it; nobody is unless given.
	Requested func(context.Context)
}

// Repositories are the remote Git repositories. All methods may be called by
// several goroutines; calls for one repository wait for each other. What promotions
// alone do (Commit, Start, File) goes before what is done for people who look, too.
type Repositories struct {
	credentials Credentials
	options     Options
	folder      string
	client      transport.Transport
	untrusting  transport.Transport // trusts any certificate

	copies    *pool // to write
	histories *pool // to look
	tags      *lru.Cache
}

// New makes Repositories whose copies stand in Options.Dir.
func New(c Credentials, o Options) (*Repositories, error) {
	o.setDefaults()
	if o.Dir == "" {
		return nil, errors.New("copies of Git repositories need a folder: none is given")
	}
	if strings.ContainsAny(o.Author.Name+o.Author.Email, "<>\n\r\x00") {
		return nil, fmt.Errorf("%q is no author for Git commits: leave out < and >", o.Author.Name+" "+o.Author.Email)
	}
	folder := filepath.Join(o.Dir, "git")
	if err := os.RemoveAll(folder); err != nil {
		return nil, fmt.Errorf("the folder for copies of Git repositories cannot be emptied: %w", reason(err))
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for copies of Git repositories cannot be made: %w", reason(err))
	}
	return &Repositories{
		credentials: c,
		options:     o,
		folder:      folder,
		client:      o.client(o.Transport),
		untrusting:  o.client(o.Untrusting),
		copies:      newPool(o.MaxRepositories, int64(o.MaxRepositories)*o.MaxCopy),
		histories:   newPool(o.MaxHistories, o.MaxHistory),
		tags:        lru.New(maxKnownTags),
	}, nil
}

// client makes one that shares nothing with another: who answers without being
// checked must not tell how long a host that is checked is left alone.
func (o *Options) client(base http.RoundTripper) transport.Transport {
	return githttp.NewClient(&http.Client{
		Transport:     &guard{base: base, maxFetch: o.MaxFetch, pace: o.Pace, holds: pace.NewHolds[account](), requested: o.Requested},
		CheckRedirect: stayOnHost,
	})
}

const (
	defaultTimeout         = 2 * time.Minute
	defaultAttempts        = 8
	defaultMaxRepositories = 32
	defaultMaxCopy         = 256 << 20
	defaultMaxFetch        = 1 << 30
	defaultMaxFile         = 1 << 20
	defaultMaxHistories    = 128
	defaultMaxHistory      = 1 << 30
	defaultMaxLog          = 10_000
)

func (o *Options) setDefaults() {
	if o.Author == (Author{}) {
		o.Author = Author{Name: "Waybill", Email: "noreply@waybill.dev"}
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Requested == nil {
		o.Requested = func(context.Context) {}
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.MaxRepositories <= 0 {
		o.MaxRepositories = defaultMaxRepositories
	}
	if o.MaxCopy <= 0 {
		o.MaxCopy = defaultMaxCopy
	}
	if o.MaxFetch <= 0 {
		o.MaxFetch = defaultMaxFetch
	}
	if o.MaxFile <= 0 {
		o.MaxFile = defaultMaxFile
	}
	if o.MaxHistories <= 0 {
		o.MaxHistories = defaultMaxHistories
	}
	if o.MaxHistory <= 0 {
		o.MaxHistory = defaultMaxHistory
	}
	if o.MaxLog <= 0 {
		o.MaxLog = defaultMaxLog
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.Untrusting == nil {
		t := newTransport()
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // for subscriptions that say so
		o.Untrusting = t
	}
}

func newTransport() *http.Transport {
	t := wire.New()
	t.MaxIdleConns, t.ResponseHeaderTimeout = defaultMaxRepositories, time.Minute // a server may have to pack much first
	return t
}

// visit calls f with the repository, alone. Where f finds the copy damaged, the
// copy is dropped and f is called once more.
func (r *Repositories) visit(ctx context.Context, repoURL string, rank rank, f func(context.Context, *visit) error) error {
	at, err := parseAddress(repoURL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	repo, err := r.copies.acquire(ctx, at.key, at.name, rank)
	if err != nil {
		return err
	}
	defer r.copies.release(repo)

	user, password, err := r.credentials.Git(ctx, repoURL)
	if err != nil {
		return fmt.Errorf("the credentials of the Git repository %s cannot be read: %w", at.name, err)
	}
	remote := remote{address: at, client: r.client, auth: signIn(user, password)}
	const tries = 2
	for range tries {
		if repo.store == nil {
			if repo.store, err = newStore(r.folder); err != nil {
				return err
			}
		}
		err = f(ctx, &visit{remote: remote, store: repo.store, options: r.options})
		if errors.As(err, new(*damage)) {
			repo.drop()
			continue
		}
		if repo.store.outgrown(r.options.MaxCopy) {
			repo.drop()
		}
		return err
	}
	return err
}

// visit is what one call has of a repository, while it has it alone.
type visit struct {
	remote
	store   *store
	options Options
	reading *reading // opened by the first fetch
}
