package chart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// flaw is what one version alone is to blame for: others can be used.
type flaw struct{ error }

// Unwrap returns the error.
func (f *flaw) Unwrap() error { return f.error }

func lasting(err error) bool { return errors.As(err, new(*flaw)) }

// remedy tells how credentials are given.
const remedy = "add a repository Secret of type helm to Waybill's namespace"

// describe makes a sentence of what went wrong on the way to a host.
func (s *Source) describe(ctx context.Context, at place, host string, err error) error {
	var (
		repo        = at.repoURL
		certificate *tls.CertificateVerificationError
		unknown     *net.DNSError
	)
	left, paused := registry.Paused(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return sentence.Fail(registry.ErrUnreachable, ctx.Err(), "the chart repository %s did not answer in time: check that %s can be reached from the proxy", repo, host)
	case ctx.Err() != nil:
		return sentence.Fail(registry.ErrUnreachable, ctx.Err(), "the look at %s was broken off", repo)
	case paused:
		return busy(repo, left, err)
	case errors.As(err, &certificate):
		return sentence.Fail(registry.ErrUntrusted, err, "the certificate of the chart repository %s is not trusted (%s): "+
			"add its authority to those of the proxy, or set insecureSkipTLSVerify: true", repo, sentence.OneLine(certificate.Err.Error()))
	case errors.As(err, new(*http.MaxBytesError)):
		return sentence.Fail(registry.ErrTooLarge, err, "the chart repository %s sends more than %d MiB at once: split it, or take the chart from a registry (oci://)", repo, maxIndex>>20)
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return sentence.Fail(registry.ErrUnreachable, err, "the host %s of %s is unknown: check repoURL", unknown.Name, repo)
	case registry.Plain(err):
		return sentence.Fail(registry.ErrUnreachable, err, "the chart repository %s speaks plain HTTP, which is not used outside this machine: serve it over HTTPS", repo)
	}
	return sentence.Fail(registry.ErrUnreachable, err, "the chart repository %s cannot be read (%s): check that %s can be reached from the proxy", repo, registry.Told(err), host)
}

func (s *Source) describeStatus(at place, res *http.Response) error {
	switch status := res.StatusCode; status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return busy(at.repoURL, s.options.Registries.Left(res.Request.URL.Host, at.scope.Insecure), nil)
	case http.StatusUnauthorized, http.StatusForbidden:
		if at.scope.Secret != "" {
			return sentence.Fail(registry.ErrUnauthorized, nil, "the chart repository %s does not let itself be read with the credentials of Secret %s/%s: check repoURL, and the Secret",
				at.repoURL, at.scope.Namespace, at.scope.Secret)
		}
		return sentence.Fail(registry.ErrUnauthorized, nil, "the chart repository %s asks for credentials: check repoURL, or %s", at.repoURL, remedy)
	default:
		return sentence.Fail(registry.ErrUnreachable, nil, "the chart repository %s answers with status %d %s: check the repository", at.repoURL, status, http.StatusText(status))
	}
}

func busy(repo string, left time.Duration, cause error) error {
	told := fmt.Sprintf("the chart repository %s has enough of requests: the next look waits", repo)
	if left > 0 {
		told += fmt.Sprintf(" %s, as it asked", left.Round(time.Second))
	}
	return &source.Busy{RetryAfter: left, Err: sentence.Fail(registry.ErrUnreachable, cause, "%s", told)}
}

// noVersion tells what was wanted, and of how many.
func noVersion(sub pipeline.ChartSubscription, seen int, broken []string) error {
	name := nameOf(sub.RepoURL, sub.Name)
	if seen == 0 {
		if len(broken) > 0 {
			return sentence.Fail(ErrNothing, nil, "no version of chart %s can be read: %s", name, broken[0])
		}
		return sentence.Fail(ErrNothing, nil, "chart %s has no versions: publish one", name)
	}
	want := "a semantic version"
	if sub.SemverConstraint != "" {
		want += " within " + sub.SemverConstraint
	}
	return sentence.Fail(ErrNothing, nil, "none of the %d versions of chart %s qualifies, wanted is %s: publish one, or change semverConstraint", seen, name, want)
}

// few is how many charts are named to somebody who asked for one that is not there.
const few = 5

// noChart names a few charts that there are.
func noChart(repoURL, name string, names []string) error {
	there := "it has none"
	if len(names) > 0 {
		there = "there are " + sentence.OneLine(strings.Join(names[:min(len(names), few)], ", "))
		if len(names) > few {
			there += " and others"
		}
	}
	return sentence.Fail(registry.ErrNotFound, nil, "the chart repository %s has no chart %s (%s): check name", repoURL, name, there)
}
