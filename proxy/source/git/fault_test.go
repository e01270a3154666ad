package git_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
	gitsource "github.com/waybill-cd/waybill/proxy/source/git"
)

// scenarios are subscriptions whose first look takes several requests.
func scenarios() map[string]pipeline.GitSubscription {
	return map[string]pipeline.GitSubscription{
		"branch":         {DiscoveryLimit: 2},
		"deep branch":    {IncludePaths: []string{"old"}},
		"semantic tags":  {CommitSelectionStrategy: pipeline.StrategySemVer, DiscoveryLimit: 2},
		"newest tags":    {CommitSelectionStrategy: pipeline.StrategyNewestTag, DiscoveryLimit: 2},
		"tags and paths": {CommitSelectionStrategy: pipeline.StrategyLexical, IncludePaths: []string{"n/44"}, DiscoveryLimit: 1},
	}
}

func old(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.push(t, "old", "old")
	manyTags(t, w, 0, 60)
	w.git(t, "update-ref", "refs/heads/main", "tagged")
	return w
}

// Every request fails once, in every way. There is an answer or an error, and the
// answer is the whole truth; and when the fault is over, so is the trouble.
func TestNothingIsOfferedFromAPartOfTheTruth(t *testing.T) {
	w := old(t)
	for name, sub := range scenarios() {
		t.Run(name, func(t *testing.T) {
			w.restart(t)
			want := w.look(t, sub)
			total := w.Traffic.Count(nil)
			if total < 2 || len(want.Offers) == 0 {
				t.Fatalf("%d requests, %d offers", total, len(want.Offers))
			}
			for kind, f := range map[string]*fault.Fault{
				"dropped":       {Drop: true},
				"out of order":  {Status: http.StatusInternalServerError},
				"gone":          {Status: http.StatusNotFound},
				"another page":  {Status: http.StatusOK, Body: "<html>sign in</html>"},
				"empty":         {Status: http.StatusOK},
				"a flush alone": {Status: http.StatusOK, Body: "0000"},
			} {
				for n := range total {
					w.restart(t)
					seen := 0
					w.Traffic.SetFault(func(*http.Request) *fault.Fault {
						if seen++; seen == n+1 {
							return f
						}
						return nil
					})
					w.never(t, fmt.Sprintf("%s at request %d", kind, n), sub, want)
					w.Traffic.SetFault(nil)
				}
			}
		})
	}
}

func TestNothingIsOfferedFromAnAnswerThatBreaksOff(t *testing.T) {
	w := old(t)
	for name, sub := range scenarios() {
		t.Run(name, func(t *testing.T) {
			w.restart(t)
			want := w.look(t, sub)
			sizes := w.wire.received
			for n, size := range sizes {
				for _, left := range []int{size / 2, size - 1} { // an empty one is a fault of the host's, above
					w.restart(t)
					w.wire.cut = func(answer int) int {
						if answer == n {
							return left
						}
						return -1
					}
					what := fmt.Sprintf("answer %d cut at byte %d of %d", n, left, size)
					w.never(t, what, sub, want)
				}
			}
		})
	}
}

// never has a look in trouble, which gives an error or all that is wanted, and
// then one without.
func (w *world) never(t *testing.T, what string, sub pipeline.GitSubscription, want source.Look) {
	t.Helper()
	got, err := w.discover(t, sub)
	if err == nil {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: part of the truth (-want +got):\n%s", what, diff)
		}
	} else if len(got.Offers) > 0 || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), w.Password()) || strings.Contains(err.Error(), t.TempDir()) {
		t.Errorf("%s: %d offers and %q", what, len(got.Offers), err)
	}
	w.Traffic.SetFault(nil)
	w.wire.mu.Lock()
	w.wire.cut = nil
	w.wire.mu.Unlock()
	if diff := cmp.Diff(want, w.look(t, sub)); diff != "" {
		t.Errorf("after %s (-want +got):\n%s", what, diff)
	}
}

func TestAHostThatHasEnoughIsBusy(t *testing.T) {
	w := newWorld(t)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		w.restart(t)
		w.Traffic.SetFault(func(*http.Request) *fault.Fault {
			return &fault.Fault{Status: status, Header: http.Header{"Retry-After": {"120"}}}
		})
		for range 3 {
			_, err := w.discover(t, pipeline.GitSubscription{})
			var busy *source.Busy
			if !errors.As(err, &busy) || busy.RetryAfter < time.Minute || !strings.Contains(err.Error(), "has enough of requests: try again in") {
				t.Errorf("%d: %v", status, err)
			}
		}
		if n := w.Traffic.Count(nil); n != 1 {
			t.Errorf("%d: %d requests to a host that asked for a pause", status, n)
		}
	}
}

func TestWarehousesLookAtOneRepositoryTogether(t *testing.T) {
	w := old(t)
	w.Traffic.SetLatency(20 * time.Millisecond)
	w.Traffic.Reset()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			found, err := w.discover(t, pipeline.GitSubscription{IncludePaths: []string{fmt.Sprintf("n/%d", i)}, DiscoveryLimit: 1})
			if err != nil || len(found.Offers) != 1 {
				t.Errorf("warehouse %d: %d offers, %v", i, len(found.Offers), err)
			}
		})
	}
	all.Wait()
	// The history is 62 commits deep: 32, and then 128 more.
	if listed, fetched := w.requests(); listed > 3 || fetched > 2 {
		t.Errorf("30 warehouses take %d lists and %d fetches", listed, fetched)
	}
}

func TestTroubleIsToldInASentence(t *testing.T) {
	w := newWorld(t)
	w.initBare(t, "bare")
	target, err := url.Parse("http://" + w.Host())
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	defer secure.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(w.url+"/info/refs?service=git-upload-pack", http.StatusFound))
	defer elsewhere.Close()
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) }))
	defer page.Close()

	for name, tt := range map[string]struct {
		namespace string
		sub       pipeline.GitSubscription
		want      string
	}{
		"a repository that vanished":      {"", pipeline.GitSubscription{RepoURL: w.URL("gone")}, "there is no Git repository " + w.URL("gone") + ", or its account may not see it: check the URL"},
		"a branch that is not there":      {"", pipeline.GitSubscription{Branch: "release"}, "has no branch release, it has main: push it, or name another one"},
		"private, without credentials":    {"other", pipeline.GitSubscription{}, "asks for credentials, or does not accept those it got: put a user name and a password"},
		"a certificate that is no good":   {"", pipeline.GitSubscription{RepoURL: secure.URL + "/shop.git"}, "is not trusted (x509: certificate signed by unknown authority): add its authority to those of the proxy, or set insecureSkipTLSVerify: true"},
		"plain HTTP":                      {"", pipeline.GitSubscription{RepoURL: "http://git.example.com/shop.git"}, "is reached over plain HTTP"},
		"another host":                    {"", pipeline.GitSubscription{RepoURL: elsewhere.URL + "/shop.git"}, "redirects to another host, which gets no credentials: use its new URL"},
		"a web page":                      {"", pipeline.GitSubscription{RepoURL: page.URL + "/shop.git"}, "is no Git server, or speaks only Git's old protocol of plain files: check the URL"},
		"an expression that cannot be":    {"", pipeline.GitSubscription{ExpressionFilter: "1 +"}, "cannot select"},
		"a repository without any commit": {"", pipeline.GitSubscription{RepoURL: w.URL("bare")}, "is empty: push a first commit"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.namespace == "" {
				tt.namespace = "waybill"
			}
			found, err := w.source.Discover(t.Context(), tt.namespace, w.of(tt.sub))
			if err == nil || len(found.Offers) > 0 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestAHostThatIsNotKnownIsToldOf(t *testing.T) {
	nowhere := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "git.example.com", IsNotFound: true}}
	}}
	repositories, err := gitrepo.New(account{}, gitrepo.Options{Dir: t.TempDir(), Transport: nowhere})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{source: gitsource.New(repositories)}
	const want = "the host of the Git repository https://git.example.com/shop.git is unknown: check the URL"
	if _, err := w.discover(t, pipeline.GitSubscription{RepoURL: "https://git.example.com/shop.git"}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAnyCertificateIsTrustedWhereTheSubscriptionSaysSo(t *testing.T) {
	w := newWorld(t)
	target, err := url.Parse("http://" + w.Host())
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	defer secure.Close()
	repositories, err := gitrepo.New(account{w.User(), w.Password()}, gitrepo.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w.source = gitsource.New(repositories)
	sub := pipeline.GitSubscription{RepoURL: secure.URL + "/shop.git", InsecureSkipTLSVerify: true}
	if got := subjects(w.look(t, sub)); len(got) != 1 {
		t.Errorf("offers %q", got)
	}
	sub.InsecureSkipTLSVerify = false
	if found, err := w.discover(t, sub); err == nil || len(found.Offers) > 0 {
		t.Errorf("a subscription that checks it takes %d offers of one that does not", len(found.Offers))
	}
}
