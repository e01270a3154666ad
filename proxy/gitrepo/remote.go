package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// remote is a repository on its server, and who asks.
type remote struct {
	address
	client transport.Transport
	auth   transport.AuthMethod
}

// signIn makes the credentials of a user and a password. A token alone is sent
// with a user name, because Git hosts want one and do not look at it.
func signIn(user, password string) transport.AuthMethod {
	if user == "" && password == "" {
		return nil
	}
	if user == "" {
		user = "git"
	}
	return &githttp.BasicAuth{Username: user, Password: password}
}

func (r remote) endpoint() (*transport.Endpoint, error) {
	e, err := transport.NewEndpoint(r.url)
	if err != nil {
		return nil, refused(err, "%s is not the URL of a Git repository: want https://host/path", r.name)
	}
	return e, nil
}

// reading is a session that fetches.
type reading struct {
	remote
	session transport.UploadPackSession
	refs    *packp.AdvRefs
}

func (r remote) read(ctx context.Context) (*reading, error) {
	e, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	s, err := r.client.NewUploadPackSession(e, r.auth)
	if err != nil {
		return nil, r.unreachable(ctx, "read", err)
	}
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, r.unreachable(ctx, "read", err)
	}
	return &reading{r, s, refs}, nil
}

// fetch takes one commit into a store, without its parents and, unless files
// are wanted, without the contents of its files, where the server can leave
// those out. Files of more than maxObject bytes never come: where the server
// cannot leave them out, the error is a refusal.
//
// What the store has of other commits is not offered to the server: without a
// common history it could only use that for thin packs, which go-git does not
// read.
func (r *reading) fetch(ctx context.Context, commit plumbing.Hash, files bool, into *store) error {
	filter := packp.FilterBlobNone()
	if files {
		filter = packp.FilterBlobLimit(maxObject+1, packp.BlobLimitPrefixNone)
	}
	_, err := r.request(ctx, wanted{objects: []plumbing.Hash{commit}, depth: 1, filter: filter}, into)
	return err
}

// wanted is what a request asks for.
type wanted struct {
	objects []plumbing.Hash // commits, or tags of them
	depth   int             // how much of their history, 1 for none
	filter  packp.Filter    // what is left out, where the server knows filters
	// has are commits that the store has, with their history down to cut: those
	// whose parents it lacks.
	has, cut []plumbing.Hash
}

// request takes objects into a store. Its answer tells how the cut changes.
func (r *reading) request(ctx context.Context, w wanted, into *store) (packp.ShallowUpdate, error) {
	none := packp.ShallowUpdate{}
	if !r.refs.Capabilities.Supports(capability.Shallow) {
		return none, refused(nil, "the server of the Git repository %s cannot send a part of a history (Git's capability shallow): use one that can", r.name)
	}
	req := packp.NewUploadPackRequestFromCapabilities(r.refs.Capabilities)
	want := []capability.Capability{capability.Shallow, capability.NoProgress}
	if w.filter != "" && r.filters() {
		want = append(want, capability.Filter)
		req.Filter = w.filter
	}
	for _, c := range want {
		if !r.refs.Capabilities.Supports(c) {
			continue
		}
		if err := req.Capabilities.Set(c); err != nil {
			return none, r.unreachable(ctx, "read", err)
		}
	}
	req.Depth = packp.DepthCommits(w.depth)
	// The library sorts them.
	req.Wants, req.Haves, req.Shallows = slices.Clone(w.objects), slices.Clone(w.has), slices.Clone(w.cut)
	res, err := r.session.UploadPack(ctx, req)
	if err != nil {
		if notServed(err) {
			return none, failed(errors.Join(ErrNoRevision, err), "the Git repository %s has no commit %s, or does not hand it out", r.name, list(w.objects))
		}
		return none, r.unreachable(ctx, "read", err)
	}
	defer res.Close()
	// The demultiplexer reads no further than the pack, and the store tells of a
	// pack that ends too early.
	var pack io.Reader = res
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, res)
	}
	if err := into.receive(w.objects, pack); err != nil {
		return none, r.unreachable(ctx, "read", err)
	}
	return res.ShallowUpdate, nil
}

// filters tells whether the server can leave out what a filter names.
func (r *reading) filters() bool { return r.refs.Capabilities.Supports(capability.Filter) }

const maxListed = 3 // commits that an error names

func list(commits []plumbing.Hash) string {
	names := make([]string, min(len(commits), maxListed))
	for i := range names {
		names[i] = commits[i].String()
	}
	if len(commits) > maxListed {
		names = append(names, "another one")
	}
	return strings.Join(names, " or ")
}

// notServed tells from the words of upload-pack (git, upload-pack.c and JGit's
// WantNotValidException), the only thing there is, that the server does not
// give a commit.
func notServed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "not our ref") || strings.Contains(text, "unadvertised object") ||
		strings.Contains(text, "want ") && strings.Contains(text, " not valid")
}

// writing is a session that pushes.
type writing struct {
	remote
	session transport.ReceivePackSession
	refs    *packp.AdvRefs
}

func (r remote) write(ctx context.Context) (*writing, error) {
	e, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	s, err := r.client.NewReceivePackSession(e, r.auth)
	if err != nil {
		return nil, r.unreachable(ctx, "write", err)
	}
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, r.unreachable(ctx, "write", err)
	}
	return &writing{r, s, refs}, nil
}

// tip is the branch's; the zero hash when there is no such branch.
func (w *writing) tip(branch string) plumbing.Hash {
	return w.refs.References[plumbing.NewBranchReferenceName(branch).String()]
}

// rejection is the error of a push that the server got and did not accept.
type rejection struct {
	status string // the word of receive-pack
	told   string // what hooks of the server said besides
}

func (r *rejection) Error() string {
	if r.told == "" {
		return r.status
	}
	return r.status + ": " + r.told
}

// push moves a branch from one commit to another. Its error is a *rejection
// where the server did not accept that.
func (w *writing) push(ctx context.Context, branch string, from, to plumbing.Hash, pack []byte) error {
	req := packp.NewReferenceUpdateRequestFromCapabilities(w.refs.Capabilities)
	progress := &tail{}
	if w.refs.Capabilities.Supports(capability.Sideband64k) {
		if err := req.Capabilities.Set(capability.Sideband64k); err != nil {
			return w.unreachable(ctx, "write", err)
		}
		req.Progress = progress
	}
	req.Commands = []*packp.Command{{Name: plumbing.NewBranchReferenceName(branch), Old: from, New: to}}
	req.Packfile = nopCloser{bytes.NewReader(pack)}
	report, err := w.session.ReceivePack(ctx, req)
	switch {
	case err == nil && report != nil:
		return nil
	case report != nil:
		status := err.Error()
		for _, c := range report.CommandStatuses {
			if c.Error() != nil {
				status = c.Status
			}
		}
		return &rejection{sentence.OneLine(status), sentence.OneLine(progress.String())}
	case err == nil:
		return failed(errors.New("no report"), "the Git repository %s did not confirm the push to %s: try again later", w.name, branch)
	}
	return w.unreachable(ctx, "write", err)
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// tail keeps the last of what is written to it.
type tail struct{ kept []byte }

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > maxTail {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }
