package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/chart"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

func TestTheGreatestVersionOfAClassicRepositoryIsOffered(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.9.0", "1.10.0", "2.0.0", "1.11.0-rc.1")
	c.publish("web", "5.0.0")
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db", SemverConstraint: "^1.0.0"}
	look, err := w.look(sub)
	w.must(err)
	offer := func(version string) freight.Offer {
		return freight.Offer{
			Chart: &freight.Chart{RepoURL: c.URL, Name: "db", Version: version, Digest: c.digest("db", version), Subscription: "charts"},
			Detail: freight.Detail{
				Kind: freight.KindChart, RepoURL: c.URL, Name: "db", Subscription: "charts",
				AppVersion: "app-" + version, Source: "https://git.example.com/db",
			},
		}
	}
	want := source.Look{Offers: []freight.Offer{offer("1.10.0"), offer("1.9.0")}}
	if diff := cmp.Diff(want, look, cmpopts.IgnoreFields(freight.Detail{}, "CreatedAt"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("look (-want +got):\n%s", diff)
	}
	if w.counted != 1 {
		t.Errorf("%d requests are told, want 1", w.counted)
	}
	if at := look.Offers[0].Detail.CreatedAt; at == nil || time.Since(*at) > time.Hour {
		t.Errorf("it was published at %v", at)
	}
	sub.DiscoveryLimit = 1
	if diff := cmp.Diff([]string{"1.10.0"}, w.versions(sub)); diff != "" {
		t.Errorf("with a limit (-want +got):\n%s", diff)
	}
}

func TestAnUnchangedIndexIsNotSentAgain(t *testing.T) {
	for name, tagged := range map[string]bool{"by its ETag": true, "by its time": false} {
		t.Run(name, func(t *testing.T) {
			w, c := newWorld(t), newClassic(t)
			c.tagged = tagged
			c.publish("db", "1.0.0")
			c.publish("web", "1.0.0")
			db, web := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}, pipeline.ChartSubscription{RepoURL: c.URL + "/", Name: "web"}
			w.versions(db)
			w.versions(web)
			if diff := cmp.Diff([]string{"GET /index.yaml", "GET /index.yaml"}, requests(&c.Traffic)); diff != "" {
				t.Errorf("first looks (-want +got):\n%s", diff)
			}
			// After a restart as well.
			w.open(chart.Options{})
			c.statuses() // of the first looks
			for range 2 {
				if diff := cmp.Diff([]string{"1.0.0"}, w.versions(db)); diff != "" {
					t.Errorf("versions (-want +got):\n%s", diff)
				}
				w.versions(web)
			}
			if diff := cmp.Diff([]int{304, 304, 304, 304}, c.statuses()); diff != "" {
				t.Errorf("answers to looks at what is unchanged (-want +got):\n%s", diff)
			}
			c.publish("db", "1.1.0")
			later := time.Now().Add(time.Minute)
			w.must(os.Chtimes(filepath.Join(c.dir, "index.yaml"), later, later))
			if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, w.versions(db)); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
			// The index is read for all who ask for charts of it.
			w.versions(web)
			if diff := cmp.Diff([]int{200, 304}, c.statuses()); diff != "" {
				t.Errorf("answers after a change (-want +got):\n%s", diff)
			}
		})
	}
}

var digestLine = regexp.MustCompile(`(?m)^ *digest: .*\n`)

func TestADigestThatTheIndexDoesNotNameIsReadOnce(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0", "1.1.0")
	c.edit = func(index []byte) []byte { return digestLine.ReplaceAll(index, nil) }
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	if got, want := w.pinOf(sub, "1.1.0").Digest, c.digest("db", "1.1.0"); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{"GET /index.yaml", "GET /db-1.1.0.tgz", "GET /db-1.0.0.tgz"}, requests(&c.Traffic)); diff != "" {
		t.Errorf("first look (-want +got):\n%s", diff)
	}
	w.open(chart.Options{})
	w.versions(sub)
	c.publish("db", "1.2.0")
	w.versions(sub)
	if diff := cmp.Diff([]string{"GET /index.yaml", "GET /index.yaml", "GET /db-1.2.0.tgz"}, requests(&c.Traffic)); diff != "" {
		t.Errorf("later looks (-want +got):\n%s", diff)
	}
	// An archive that is not there blocks no other.
	w.must(os.Remove(filepath.Join(c.dir, "db-1.2.0.tgz")))
	w.cache = t.TempDir()
	w.open(chart.Options{})
	look, err := w.look(sub)
	w.must(err)
	if len(look.Offers) != 2 || len(look.Skipped) != 1 || !strings.Contains(look.Skipped[0], "the archive of db 1.2.0 is not at") {
		t.Errorf("look %+v", look)
	}
}

// An index may sign the archives' URLs anew each time it is made.
func TestOfArchivesThatAreNotListedAnyMoreNothingIsKept(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0", "1.1.0")
	signature := 0
	c.edit = func(index []byte) []byte {
		return bytes.ReplaceAll(digestLine.ReplaceAll(index, nil), []byte(".tgz"), fmt.Appendf(nil, ".tgz?signature=%d", signature))
	}
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	scope := cache.Scope{Namespace: namespace, Kind: "chart", Repository: c.URL}
	kept := func() (keys int) {
		w.known.Each(scope, "", func(string, []byte) { keys++ })
		return keys
	}
	w.versions(sub)
	want := kept()
	for signature = range 3 {
		c.publish("db", "1.0.0", "1.1.0")
		w.versions(sub)
	}
	if got := kept(); got != want || want != 3 {
		t.Errorf("%d keys are kept after three indexes, %d after one, want 3: the chart's, and two digests", got, want)
	}
	// Of a chart that is gone, nothing.
	c.edit = func([]byte) []byte { return []byte("apiVersion: v1\nentries: {}\n") }
	c.publish("db", "1.0.0", "1.1.0")
	if _, err := w.look(sub); err == nil {
		t.Error("a chart that is gone is offered")
	}
	if got := kept(); got != 1 {
		t.Errorf("%d keys are kept of a chart that is gone, want 1", got)
	}
}

func TestWhatCannotBeKeptHoldsUpNoLook(t *testing.T) {
	w, c, server := newWorld(t), newClassic(t), newRegistry(t, registry.Config{})
	c.publish("db", "1.0.0", "1.1.0")
	c.edit = func(index []byte) []byte { return digestLine.ReplaceAll(index, nil) }
	push(t, server, "db", "1.0.0", "1.1.0")
	w.must(w.known.Close())
	for _, sub := range []pipeline.ChartSubscription{{RepoURL: c.URL, Name: "db"}, inRegistry(server)} {
		if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, w.versions(sub)); diff != "" {
			t.Errorf("versions of %s (-want +got):\n%s", sub.RepoURL, diff)
		}
	}
}

// A host is the same however its letters are written.
func TestCredentialsGoToAHostThatIsWrittenInCapitals(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.user, c.password = "ci", "hunter2"
	c.publish("db", "1.0.0")
	sub := pipeline.ChartSubscription{RepoURL: strings.Replace(c.URL, "127.0.0.1", "LocalHost", 1), Name: "db"}
	w.accounts[sub.RepoURL] = [2]string{"ci", "hunter2"}
	if diff := cmp.Diff([]string{"1.0.0"}, w.versions(sub)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestABrokenEntryBlocksNoOther(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0", "1.1.0", "1.2.0", "1.3.0")
	c.publish("web", "1.0.0")
	c.edit = func(index []byte) []byte {
		text := strings.Replace(string(index), "version: 1.1.0", "version: [", 1)
		text = strings.Replace(text, "version: 1.2.0", "version: latest", 1)
		return []byte(strings.Replace(text, "name: web", "name: \"", 1))
	}
	look, err := w.look(pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"})
	w.must(err)
	if len(look.Offers) != 2 || len(look.Skipped) != 2 {
		t.Errorf("look %+v", look)
	}
	for _, sentence := range look.Skipped {
		w.must(isSentence(errors.New(sentence)))
	}
	_, err = w.look(pipeline.ChartSubscription{RepoURL: c.URL, Name: "web"})
	if want := "no version of chart web of " + c.URL + " can be read: an entry of chart web cannot be read: publish it again"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestErrorsOfClassicRepositoriesTellCauseAndRemedy(t *testing.T) {
	w, c, private := newWorld(t), newClassic(t), newClassic(t)
	w.transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host == "charts.invalid" {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	w.open(chart.Options{})
	c.publish("db", "1.0.0", "2.0.0")
	c.publish("web", "1.0.0")
	private.user, private.password = "ci", "hunter2"
	wrong := newClassic(t)
	wrong.user, wrong.password = "ci", "other"
	w.accounts[wrong.URL] = [2]string{"ci", "hunter2"}
	page := newClassic(t)
	page.edit = func([]byte) []byte { return []byte("<html>Welcome</html>") }
	none := newClassic(t)
	large := newClassic(t)
	large.edit = func([]byte) []byte { return []byte(strings.Repeat("# x\n", 9<<20)) }
	gone := newClassic(t)
	untrusted := newClassic(t)
	tls := httptest.NewTLSServer(untrusted.Config.Handler)
	t.Cleanup(tls.Close)
	moved := httptest.NewServer(http.RedirectHandler("http://charts.example.com/index.yaml", http.StatusFound))
	t.Cleanup(moved.Close)
	gone.Close() // now that nobody else starts to listen, who could get its port
	for name, test := range map[string]struct {
		sub  pipeline.ChartSubscription
		kind error
		want string
	}{
		"no such chart":    {pipeline.ChartSubscription{RepoURL: c.URL, Name: "cache"}, registries.ErrNotFound, "the chart repository " + c.URL + " has no chart cache (there are db, web): check name"},
		"no charts at all": {pipeline.ChartSubscription{RepoURL: none.URL, Name: "db"}, registries.ErrNotFound, "the chart repository " + none.URL + " has no chart db (it has none): check name"},
		"no version":       {pipeline.ChartSubscription{RepoURL: c.URL, Name: "db", SemverConstraint: ">2"}, chart.ErrNothing, "none of the 2 versions of chart db of " + c.URL + " qualifies, wanted is a semantic version within >2: publish one, or change semverConstraint"},
		"no index":         {pipeline.ChartSubscription{RepoURL: page.URL, Name: "db"}, registries.ErrUnreachable, page.URL + "/index.yaml is not the index of a chart repository (it has no entries): check repoURL"},
		"nothing there":    {pipeline.ChartSubscription{RepoURL: c.URL + "/nothing", Name: "db"}, registries.ErrNotFound, "there is no chart repository at " + c.URL + "/nothing, which has no index.yaml: check repoURL"},
		"private":          {pipeline.ChartSubscription{RepoURL: private.URL, Name: "db"}, registries.ErrUnauthorized, "the chart repository " + private.URL + " asks for credentials: check repoURL, or add a repository Secret of type helm to Waybill's namespace"},
		"wrong password":   {pipeline.ChartSubscription{RepoURL: wrong.URL, Name: "db"}, registries.ErrUnauthorized, "the chart repository " + wrong.URL + " does not let itself be read with the credentials of Secret waybill/charts: check repoURL, and the Secret"},
		"too large":        {pipeline.ChartSubscription{RepoURL: large.URL, Name: "db"}, registries.ErrTooLarge, "the chart repository " + large.URL + " sends more than 32 MiB at once: split it, or take the chart from a registry (oci://)"},
		"unreachable":      {pipeline.ChartSubscription{RepoURL: gone.URL, Name: "db"}, registries.ErrUnreachable, "the chart repository " + gone.URL + " cannot be read ("},
		"unknown host":     {pipeline.ChartSubscription{RepoURL: "https://charts.invalid", Name: "db"}, registries.ErrUnreachable, "the host charts.invalid of https://charts.invalid is unknown: check repoURL"},
		"plain HTTP":       {pipeline.ChartSubscription{RepoURL: "http://charts.example.com", Name: "db"}, registries.ErrUnreachable, "the chart repository http://charts.example.com speaks plain HTTP, which is not used outside this machine: serve it over HTTPS"},
		"untrusted":        {pipeline.ChartSubscription{RepoURL: tls.URL, Name: "db"}, registries.ErrUntrusted, "the certificate of the chart repository " + tls.URL + " is not trusted ("},
		"moved to HTTP":    {pipeline.ChartSubscription{RepoURL: moved.URL, Name: "db"}, registries.ErrUnreachable, "speaks plain HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // what is remembered of it changes nothing
				_, err := w.look(test.sub)
				if err == nil || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error %v, want %s", err, test.want)
				}
				w.must(isSentence(err))
			}
		})
	}
	// What is trusted without a check is read.
	untrusted.publish("db", "1.0.0")
	if diff := cmp.Diff([]string{"1.0.0"}, w.versions(pipeline.ChartSubscription{RepoURL: tls.URL, Name: "db", InsecureSkipTLSVerify: true})); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestABusyRepositoryIsLeftAlone(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0")
	c.SetFault(func(*http.Request) *fault.Fault {
		return &fault.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"90"}}}
	})
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	for range 2 {
		_, err := w.look(sub)
		var busy *source.Busy
		if !errors.As(err, &busy) || busy.RetryAfter < time.Minute || !strings.Contains(err.Error(), "as it asked") {
			t.Errorf("error %v", err)
		}
	}
	if got := requests(&c.Traffic); len(got) != 1 {
		t.Errorf("requests %v, want one", got)
	}
}

// Whatever breaks on the way, there is no look of a part of the truth, and the next
// one is whole.
func TestAFaultAtAnyRequestIsAnErrorAndTheNextLookIsWhole(t *testing.T) {
	for name, f := range map[string]fault.Fault{
		"dropped": {Drop: true}, "an error": {Status: http.StatusInternalServerError}, "a gateway's": {Status: http.StatusBadGateway, Body: "<html>"},
	} {
		for at := range 3 {
			t.Run(fmt.Sprintf("%s, %d", name, at+1), func(t *testing.T) {
				w, c := newWorld(t), newClassic(t)
				c.publish("db", "1.0.0", "1.1.0")
				c.edit = func(index []byte) []byte { return digestLine.ReplaceAll(index, nil) }
				n := 0
				c.SetFault(func(*http.Request) *fault.Fault {
					if n++; n > at { // net/http itself repeats what is dropped once
						return &f
					}
					return nil
				})
				sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
				look, err := w.look(sub)
				if err == nil || len(look.Offers) > 0 || !errors.Is(err, registries.ErrUnreachable) {
					t.Errorf("look %+v, error %v", look, err)
				}
				c.SetFault(nil)
				if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, w.versions(sub)); diff != "" {
					t.Errorf("the next look (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestCredentialsGoToTheRepositorysOwnHostAlone(t *testing.T) {
	w, c, elsewhere := newWorld(t), newClassic(t), newClassic(t)
	c.user, c.password = "ci", "hunter2"
	w.accounts[c.URL] = [2]string{"ci", "hunter2"}
	c.publish("db", "1.0.0")
	elsewhere.publish("db", "1.0.0", "1.1.0")
	// Without digests each archive is read: one of the repository, one elsewhere by
	// its URL, and one elsewhere by a redirect.
	c.edit = func(index []byte) []byte { return digestLine.ReplaceAll(index, nil) }
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	w.versions(sub)
	if diff := cmp.Diff([]string{"/index.yaml", "/db-1.0.0.tgz"}, c.withCredentials()); diff != "" {
		t.Errorf("requests with credentials (-want +got):\n%s", diff)
	}
	c.edit = func(index []byte) []byte {
		index = digestLine.ReplaceAll(index, nil)
		return []byte(strings.ReplaceAll(string(index), "- db-1.0.0.tgz", "- "+elsewhere.URL+"/db-1.1.0.tgz"))
	}
	w.versions(sub)
	c.SetFault(func(r *http.Request) *fault.Fault {
		if r.URL.Path == "/index.yaml" {
			return &fault.Fault{Status: http.StatusFound, Header: http.Header{"Location": {elsewhere.URL + "/index.yaml"}}}
		}
		return nil
	})
	w.versions(sub)
	if got := elsewhere.withCredentials(); len(requests(&elsewhere.Traffic)) < 2 || len(got) != 0 {
		t.Errorf("another host got credentials with %v", got)
	}
	// Another namespace gets nothing of it, though it asks for the same.
	c.SetFault(nil)
	if _, err := w.Discover(t.Context(), "other", pipeline.Subscription{Chart: &pipeline.ChartSubscription{RepoURL: c.URL, Name: "db", DiscoveryLimit: 1}}); !errors.Is(err, registries.ErrUnauthorized) {
		t.Errorf("another namespace gets %v", err)
	}
}
