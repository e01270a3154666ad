package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/wire"
)

// What an error of this package may be (errors.Is), besides a *source.Busy.
var (
	// ErrInvalid: the repository cannot be asked for as it is written.
	ErrInvalid = errors.New("invalid repository")
	// ErrNotFound: there is no such repository, or it is hidden.
	ErrNotFound = errors.New("no such repository")
	// ErrGone: the repository was read, and this tag, manifest or blob is not there.
	ErrGone = errors.New("not there")
	// ErrUnusable: this tag, manifest or blob is there, and the registry withholds
	// it, or tells no digest of it that freight could pin.
	ErrUnusable = errors.New("not usable")
	// ErrPartial: the list of tags lacks one that is there.
	ErrPartial = errors.New("list is not whole")
	// ErrUnauthorized: the registry wants credentials, or others.
	ErrUnauthorized = errors.New("credentials are needed")
	// ErrUntrusted: the registry's certificate is not trusted.
	ErrUntrusted = errors.New("certificate not trusted")
	// ErrTooLarge: the list of tags, or another answer, is longer than is read.
	ErrTooLarge = errors.New("answer too large")
	// ErrUnreachable: there is no connection, or no sensible answer.
	ErrUnreachable = errors.New("registry unreachable")
)

var errTooMany = errors.New("too many tags")

// describe makes a sentence of what went wrong with a registry.
func (r *Repository) describe(ctx context.Context, err error) error {
	var (
		repo        = r.access.RepoURL
		known       *sentence.Error
		answer      *transport.Error
		paused      *held
		certificate *tls.CertificateVerificationError
		unknown     *net.DNSError
	)
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return sentence.Fail(ErrUnreachable, ctx.Err(), "the registry of %s did not answer in time: check that it can be reached from the proxy", repo)
	case ctx.Err() != nil:
		return sentence.Fail(ErrUnreachable, ctx.Err(), "the look at %s was broken off", repo)
	case errors.As(err, &paused):
		return busyFor(repo, paused.left, err)
	case errors.As(err, &certificate):
		return sentence.Fail(ErrUntrusted, err, "the certificate of the registry of %s is not trusted (%s): "+
			"add its authority to those of the proxy, or set insecureSkipTLSVerify: true", repo, sentence.OneLine(certificate.Err.Error()))
	case errors.Is(err, errTooMany):
		return sentence.Fail(ErrTooLarge, err, "%s has more than %d tags: remove old ones, or push releases to a repository of their own", repo, r.registries.options.MaxTags)
	case errors.As(err, new(*http.MaxBytesError)):
		return sentence.Fail(ErrTooLarge, err, "the registry of %s sends more than %d MiB at once: check that it is a registry", repo, maxBody>>20)
	case errors.As(err, &answer):
		return r.describeAnswer(answer)
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return sentence.Fail(ErrUnreachable, err, "the host %s of %s is unknown: check repoURL", unknown.Name, repo)
	case errors.Is(err, errMoved):
		return sentence.Fail(ErrUnreachable, err, "the registry of %s signs in elsewhere than it says, at a host that gets no credentials: check the registry", repo)
	case strings.Contains(err.Error(), noToken): // what comes behind may be another secret
		return sentence.Fail(ErrUnreachable, err, "the registry of %s gives no token to sign in with: check the registry", repo)
	case Plain(err):
		return sentence.Fail(ErrUnreachable, err, "the registry of %s speaks plain HTTP, which is not used outside this machine: serve it over HTTPS", repo)
	}
	return sentence.Fail(ErrUnreachable, err, "the registry of %s cannot be read (%s): check that it can be reached from the proxy", repo, Told(err))
}

// describeTag is describe for what is one tag's, or one digest's.
func (r *Repository) describeTag(ctx context.Context, reference string, err error) error {
	var answer *transport.Error
	if errors.As(err, &answer) && ctx.Err() == nil {
		switch answer.StatusCode {
		case http.StatusNotFound, http.StatusGone:
			return sentence.Fail(ErrGone, err, "%s of %s is not there", reference, r.access.RepoURL)
		case http.StatusPreconditionFailed: // Harbor's, for what its project's policy wants otherwise
			return sentence.Fail(ErrUnusable, err, "the registry withholds %s of %s by a policy (status 412 Precondition Failed), "+
				"as of what is vulnerable, or not scanned or signed yet", reference, r.access.RepoURL)
		}
	}
	return r.describe(ctx, err)
}

func (r *Repository) describeAnswer(answer *transport.Error) error {
	repo, noun := r.access.RepoURL, r.access.Holds.Noun
	switch status := answer.StatusCode; {
	case busy(status):
		var left time.Duration
		if answer.Request != nil {
			left = r.registries.holds.left(answer.Request.URL.Host, r.access.Insecure)
		}
		return busyFor(repo, left, answer)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return r.unauthorized(answer)
	case status == http.StatusNotFound:
		return sentence.Fail(ErrNotFound, answer, "there is no %s repository %s: check repoURL, or push a first %s", noun, repo, noun)
	default:
		return sentence.Fail(ErrUnreachable, answer, "the registry of %s answers with status %d %s: check the registry",
			repo, status, http.StatusText(status))
	}
}

func (r *Repository) unauthorized(answer error) error {
	repo := r.access.RepoURL
	switch {
	case r.access.Secret != "":
		return sentence.Fail(ErrUnauthorized, answer, "the registry does not let %s be read with the credentials of Secret %s/%s, or hides that it does not exist: "+
			"check repoURL, and the Secret", repo, r.access.Namespace, r.access.Secret)
	case r.registries.keychain(r.name):
		return sentence.Fail(ErrUnauthorized, answer, "the registry does not let %s be read with the proxy's own cloud identity, or hides that it does not exist: "+
			"check repoURL, and give that identity the right to pull", repo)
	}
	return sentence.Fail(ErrUnauthorized, answer, "the registry asks for credentials for %s, or hides that it does not exist: check repoURL, or %s", repo, r.access.Holds.Remedy)
}

func busyFor(repo string, left time.Duration, cause error) error {
	told := fmt.Sprintf("the registry of %s has enough of requests: the next look waits", repo)
	if left > 0 {
		told += fmt.Sprintf(" %s, as it asked", left.Round(time.Second))
	}
	return &source.Busy{RetryAfter: left, Err: sentence.Fail(cause, nil, "%s", told)}
}

// onTheWay tells that a request did not get an answer at all.
func onTheWay(err error) bool { return errors.As(err, new(*url.Error)) }

// noToken begins go-containerregistry's error for a token server's answer without a
// token, which it repeats.
const noToken = "no token in bearer response"

// parameters are those of a URL in a text, which may sign it.
var parameters = regexp.MustCompile(`(https?://[^\s"?#]*)[?#][^\s"]*`)

// Told is what people are told of an error on the way: see [wire.Reason], and
// without the parameters of URLs.
func Told(err error) string {
	return sentence.OneLine(parameters.ReplaceAllString(wire.Reason(err).Error(), "$1"))
}
