package image

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source"
)

// What an error of this package may be (errors.Is), besides a
// *source.Busy.
var (
	// ErrInvalid: the subscription cannot be looked at as it is written.
	ErrInvalid = errors.New("invalid subscription")
	// ErrNothing: the registry was read, and no tag qualifies.
	ErrNothing = errors.New("no tag qualifies")
	// ErrNotFound: there is no such repository, or it is hidden.
	ErrNotFound = errors.New("no such repository")
	// ErrUnauthorized: the registry wants credentials.
	ErrUnauthorized = errors.New("credentials are needed")
	// ErrUntrusted: the registry's certificate is not trusted.
	ErrUntrusted = errors.New("certificate not trusted")
	// ErrTooLarge: the list of tags, or another answer, is longer than is read.
	ErrTooLarge = errors.New("answer too large")
	// ErrStale: the list of tags was old when its winner was looked at.
	ErrStale = errors.New("list is stale")
	// ErrUnreachable: there is no connection, or no sensible answer.
	ErrUnreachable = errors.New("registry unreachable")
)

// failure is a sentence for people, and what it is for the caller.
type failure struct {
	sentence string
	causes   []error
}

func (f *failure) Error() string   { return f.sentence }
func (f *failure) Unwrap() []error { return f.causes }

// fail makes the error of a sentence; the cause may be nil.
func fail(kind, cause error, format string, args ...any) error {
	f := &failure{fmt.Sprintf(format, args...), []error{kind}}
	if cause != nil {
		f.causes = append(f.causes, cause)
	}
	return f
}

var errTooMany = errors.New("too many tags")

// describe makes a sentence of what went wrong with a registry.
func (s *Source) describe(ctx context.Context, repo string, err error) error {
	var (
		known       *failure
		answer      *transport.Error
		paused      *held
		certificate *tls.CertificateVerificationError
		unknown     *net.DNSError
	)
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail(ErrUnreachable, ctx.Err(), "the registry of %s did not answer in time: check that it can be reached from the proxy", repo)
	case ctx.Err() != nil:
		return fail(ErrUnreachable, ctx.Err(), "the look at %s was broken off", repo)
	case errors.As(err, &paused):
		return busyFor(repo, paused.left, err)
	case errors.As(err, &certificate):
		return fail(ErrUntrusted, err, "the certificate of the registry of %s is not trusted (%s): "+
			"add its authority to those of the proxy, or set insecureSkipTLSVerify: true", repo, oneLine(certificate.Err.Error()))
	case errors.Is(err, errTooMany):
		return fail(ErrTooLarge, err, "%s has more than %d tags: remove old ones, or push releases to a repository of their own", repo, s.options.MaxTags)
	case errors.As(err, new(*http.MaxBytesError)):
		return fail(ErrTooLarge, err, "the registry of %s sends more than %d MiB at once: check that it is a registry", repo, maxBody>>20)
	case errors.As(err, &answer):
		return s.describeAnswer(repo, answer)
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return fail(ErrUnreachable, err, "the host %s of %s is unknown: check repoURL", unknown.Name, repo)
	case errors.Is(err, http.ErrSchemeMismatch), errors.Is(err, errPlain):
		return fail(ErrUnreachable, err, "the registry of %s speaks plain HTTP, which is not used outside this machine: serve it over HTTPS", repo)
	}
	return fail(ErrUnreachable, err, "the registry of %s cannot be read (%s): check that it can be reached from the proxy", repo, oneLine(reason(err).Error()))
}

func (s *Source) describeAnswer(repo string, answer *transport.Error) error {
	switch status := answer.StatusCode; {
	case busy(status):
		var left time.Duration
		if answer.Request != nil {
			left = s.secure.holds.left(answer.Request.URL.Host)
		}
		return busyFor(repo, left, answer)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fail(ErrUnauthorized, answer, "the registry asks for credentials for %s, or hides that it does not exist: "+
			"check repoURL; this version of Waybill reads public repositories only", repo)
	case status == http.StatusNotFound:
		return fail(ErrNotFound, answer, "there is no image repository %s: check repoURL, or push a first image", repo)
	default:
		return fail(ErrUnreachable, answer, "the registry of %s answers with status %d %s: check the registry",
			repo, status, http.StatusText(status))
	}
}

func busyFor(repo string, left time.Duration, cause error) error {
	sentence := fmt.Sprintf("the registry of %s has enough of requests: the next look waits", repo)
	if left > 0 {
		sentence += fmt.Sprintf(" %s, as it asked", left.Round(time.Second))
	}
	return &source.Busy{RetryAfter: left, Err: &failure{sentence, []error{cause}}}
}

// nothing tells what was wanted, and of how many.
func nothing(sub pipeline.ImageSubscription, seen int) error {
	if seen == 0 {
		return fail(ErrNothing, nil, "%s has no tags: push an image", sub.RepoURL)
	}
	want := "a semantic version"
	if sub.Strict() {
		want = "a full semantic version"
	}
	if sub.Constraint != "" {
		want += " within " + sub.Constraint
	}
	if len(sub.AllowTagsRegexes)+len(sub.IgnoreTagsRegexes) > 0 {
		want += " that allowTagsRegexes and ignoreTagsRegexes let through"
	}
	return fail(ErrNothing, nil, "none of the %d tags of %s qualifies, wanted is %s: push one, or change the subscription", seen, sub.RepoURL, want)
}

// onTheWay tells that a request did not get an answer at all.
func onTheWay(err error) bool { return errors.As(err, new(*url.Error)) }

// reason takes the URL off an error.
func reason(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}

const maxTold = 300 // bytes that are repeated of what others said

// oneLine makes foreign text fit into a sentence.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError
	}), " ")
	if len(text) > maxTold {
		text = strings.ToValidUTF8(text[:maxTold], "") + " …"
	}
	return text
}
