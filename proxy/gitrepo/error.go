package gitrepo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// What an error of this package may be (errors.Is). One that is none of these
// is of the moment: repeating the call later may succeed.
var (
	// ErrRefused lasts until a person changes something.
	ErrRefused = errors.New("refused")
	// ErrNoRevision: the repository has no such commit, or does not hand it out.
	ErrNoRevision = errors.New("no such revision")
	// ErrNoFile: there is no such file at the revision.
	ErrNoFile = errors.New("no such file")
	// ErrMoved: the branch does not stand where the change has to be made.
	ErrMoved = errors.New("the branch has moved")
)

// failed makes the error of a sentence. The cause is kept but not told.
func failed(cause error, format string, args ...any) error {
	return sentence.Fail(cause, nil, format, args...)
}

// refused is failed for what lasts until a person changes something; the cause
// may be nil.
func refused(cause error, format string, args ...any) error {
	return sentence.Fail(ErrRefused, cause, format, args...)
}

// damage is the error of a copy that cannot be read or written.
type damage struct{ err error }

func (d *damage) Error() string {
	return fmt.Sprintf("the proxy's copy of the Git repository cannot be used: %s", sentence.OneLine(reason(d.err).Error()))
}
func (d *damage) Unwrap() error { return d.err }

// unreachable makes a sentence of what went wrong between here and the server;
// verb is what was tried: read or write.
func (a address) unreachable(ctx context.Context, verb string, err error) error {
	var (
		known       *sentence.Error
		status      *githttp.Err
		unexpected  *plumbing.UnexpectedError
		certificate *tls.CertificateVerificationError
		large       *excess
		busy        *Busy
		unknown     *net.DNSError
	)
	if errors.As(err, &unexpected) { // which does not unwrap
		err = unexpected.Err
	}
	switch {
	case errors.As(err, &known), errors.As(err, new(*damage)):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failed(ctx.Err(), "the Git repository %s did not answer in time: try again later", a.name)
	case ctx.Err() != nil:
		return failed(ctx.Err(), "the work on the Git repository %s was broken off", a.name)
	case errors.As(err, &busy):
		return failed(err, "the host of the Git repository %s has enough of requests: %s", a.name, busy.remedy())
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return refused(err, "the Git repository %s asks for credentials, or does not accept those it got: "+
			"put a user name and a password (or token) that may %s it into its repository Secret in Waybill's namespace", a.name, verb)
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return refused(err, "the account for the Git repository %s may not %s it: "+
			"give it the right, or put another one into the repository Secret in Waybill's namespace", a.name, verb)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return refused(err, "there is no Git repository %s, or its account may not see it: "+
			"check the URL and the repository Secret in Waybill's namespace", a.name)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return refused(err, "the Git repository %s is empty: push a first commit", a.name)
	case errors.Is(err, errRedirect):
		return refused(err, "the Git repository %s redirects to another host, which gets no credentials: use its new URL", a.name)
	case errors.Is(err, errPlain):
		return refused(err, "the Git repository %s redirects to plain HTTP, which gets no credentials: use its https:// URL", a.name)
	case errors.As(err, new(*http.MaxBytesError)):
		return refused(err, "the Git repository %s sends more than the proxy takes: use a smaller repository", a.name)
	case errors.As(err, &large):
		return refused(err, "the Git repository %s sends %s, which the proxy does not take: let its server leave large files out (Git's uploadpack.allowFilter), "+
			"or keep them in Git LFS or in another repository", a.name, large.what)
	case errors.As(err, &certificate):
		return refused(err, "the certificate of the Git repository %s is not trusted (%s): add its authority to those of the proxy%s",
			a.name, sentence.OneLine(certificate.Err.Error()), a.orTrust)
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return failed(err, "the host of the Git repository %s is unknown: check the URL", a.name)
	case unknown != nil:
		return failed(err, "the host of the Git repository %s cannot be looked up now: try again later", a.name)
	case errors.As(err, new(*packp.ErrUnexpectedData)), errors.Is(err, packp.ErrEmptyInput), errors.Is(err, pktline.ErrInvalidPktLen):
		return failed(err, "what answers for the Git repository %s is no Git server, or speaks only Git's old protocol of plain files: check the URL, or try again later", a.name)
	case errors.As(err, &status):
		return failed(err, "the Git repository %s answers with status %d %s: try again later",
			a.name, status.StatusCode(), http.StatusText(status.StatusCode()))
	}
	return failed(err, "the Git repository %s cannot be reached (%s): try again later", a.name, sentence.OneLine(reason(err).Error()))
}

// reason is what people are told of an error's cause: without a path on this
// machine, and on the way to a host see [wire.Reason].
func reason(err error) error {
	var file *fs.PathError
	if err = wire.Reason(err); errors.As(err, &file) {
		return file.Err
	}
	return err
}

// few names some of many, for people.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
