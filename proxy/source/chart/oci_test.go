package chart_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	vendoring "github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/chart"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

func inRegistry(server *registry.Server) pipeline.ChartSubscription {
	return pipeline.ChartSubscription{RepoURL: "oci://" + server.Repository("charts/db")}
}

func TestTheGreatestVersionInARegistryIsOffered(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	// A plus sign is an underscore in a tag.
	push(t, server, "db", "1.9.0", "1.10.0+build.7", "2.0.0")
	sub := inRegistry(server)
	sub.SemverConstraint = "^1.0.0"
	look, err := w.look(sub)
	w.must(err)
	created := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	offer := func(version string) freight.Offer {
		return freight.Offer{
			Chart: &freight.Chart{RepoURL: sub.RepoURL, Version: version, Digest: vendoring.Digest(packaged(t, "db", version)), Subscription: "charts"},
			Detail: freight.Detail{
				Kind: freight.KindChart, RepoURL: sub.RepoURL, Subscription: "charts", CreatedAt: &created,
				AppVersion: "app-" + version, Source: "https://git.example.com/db",
			},
		}
	}
	want := source.Look{Offers: []freight.Offer{offer("1.10.0+build.7"), offer("1.9.0")}}
	// An archive holds the time at which it was made.
	if diff := cmp.Diff(want, look, cmpopts.IgnoreFields(freight.Chart{}, "Digest"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("look (-want +got):\n%s", diff)
	}
	if w.counted != 6 {
		t.Errorf("%d requests are told, want 6", w.counted)
	}
	for _, o := range look.Offers {
		archive, err := w.Archive(t.Context(), namespace, *o.Chart, false)
		if err != nil || vendoring.Digest(archive) != o.Chart.Digest {
			t.Errorf("the archive of %s: %v", o.Chart.Version, err)
		}
	}
}

func TestAnUnchangedLookAtARegistryIsTheListAlone(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	push(t, server, "db", "1.0.0", "1.1.0")
	sub := inRegistry(server)
	w.versions(sub)
	count := func(method, part string) int {
		return server.Traffic.Count(func(r fault.Request) bool { return r.Method == method && strings.Contains(r.Path, part) })
	}
	if lists, manifests, blobs := count("GET", "/tags/list"), count("GET", "/manifests/"), count("GET", "/blobs/"); lists != 1 || manifests != 2 || blobs != 2 {
		t.Errorf("the first look took %d lists, %d manifests and %d blobs", lists, manifests, blobs)
	}
	w.open(chart.Options{})
	w.versions(sub)
	server.Traffic.Reset()
	w.versions(sub)
	list := "GET /v2/charts/db/tags/list"
	if diff := cmp.Diff([]string{list}, requests(&server.Traffic)); diff != "" {
		t.Errorf("an unchanged look (-want +got):\n%s", diff)
	}
	push(t, server, "db", "1.2.0")
	if diff := cmp.Diff([]string{"1.2.0", "1.1.0", "1.0.0"}, w.versions(sub)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	got := requests(&server.Traffic)
	if len(got) != 3 || got[0] != list || got[1] != "GET /v2/charts/db/manifests/1.2.0" {
		t.Errorf("a look at one new version takes %v", got)
	}
	// The archive is one blob more, and none the second time.
	pin := w.pinOf(sub, "1.2.0")
	requests(&server.Traffic)
	for range 2 {
		_, err := w.Archive(t.Context(), namespace, pin, false)
		w.must(err)
		w.open(chart.Options{})
	}
	if diff := cmp.Diff([]string{"GET /v2/charts/db/blobs/" + pin.Digest}, dataOf(requests(&server.Traffic))); diff != "" {
		t.Errorf("two archives (-want +got):\n%s", diff)
	}
}

// dataOf leaves out the requests that find out how to sign in.
func dataOf(all []string) []string {
	var data []string
	for _, r := range all {
		if r != "GET /v2/" {
			data = append(data, r)
		}
	}
	return data
}

func TestWhatIsNoChartBlocksNoOther(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	push(t, server, "db", "1.0.0")
	// Neither an image, nor the chart of another name, nor a tag that is no full
	// version.
	image, err := random.Image(64, 1)
	w.must(err)
	for _, tag := range []string{"2.0.0", "latest", "v3.0.0", "4.0"} {
		reference, err := name.NewTag(server.Repository("charts/db") + ":" + tag)
		w.must(err)
		w.must(remote.Write(reference, image))
	}
	push(t, server, "web", "5.0.0")
	from, err := name.NewTag(server.Repository("charts/web") + ":5.0.0")
	w.must(err)
	web, err := remote.Image(from)
	w.must(err)
	to, err := name.NewTag(server.Repository("charts/db") + ":5.0.0")
	w.must(err)
	w.must(remote.Write(to, web))
	look, err := w.look(inRegistry(server))
	w.must(err)
	if len(look.Offers) != 1 || look.Offers[0].Version() != "1.0.0" || len(look.Skipped) != 2 {
		t.Fatalf("look %+v", look)
	}
	for i, want := range []string{`it holds "web" in version "5.0.0"`, "it is no chart, but \"application/vnd.docker.container.image.v1+json\""} {
		if !strings.Contains(look.Skipped[i], want) {
			t.Errorf("skipped %q, want %s", look.Skipped[i], want)
		}
		w.must(isSentence(errors.New(look.Skipped[i])))
	}
}

func TestAWithheldVersionBlocksNoOther(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	push(t, server, "db", "1.0.0", "1.1.0")
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		if strings.HasSuffix(r.URL.Path, "/manifests/1.1.0") {
			return &fault.Fault{Status: http.StatusPreconditionFailed}
		}
		return nil
	})
	look, err := w.look(inRegistry(server))
	w.must(err)
	if len(look.Offers) != 1 || look.Offers[0].Version() != "1.0.0" || len(look.Skipped) != 1 || !strings.Contains(look.Skipped[0], "the registry withholds 1.1.0 of") {
		t.Errorf("look %+v", look)
	}
}

func TestErrorsOfRegistriesTellCauseAndRemedy(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	private := newRegistry(t, registry.Config{User: "ci", Password: "hunter2"})
	push(t, server, "db", "1.0.0")
	constrained := inRegistry(server)
	constrained.SemverConstraint = ">1"
	missing := inRegistry(server)
	missing.RepoURL += "-2"
	for name, test := range map[string]struct {
		sub  pipeline.ChartSubscription
		kind error
		want string
	}{
		"no version":    {constrained, chart.ErrNothing, "none of the 1 versions of chart " + constrained.RepoURL + " qualifies, wanted is a semantic version within >1"},
		"no such chart": {missing, registries.ErrNotFound, "there is no chart repository " + strings.TrimPrefix(missing.RepoURL, "oci://") + ": check repoURL, or push a first chart"},
		"private":       {inRegistry(private), registries.ErrUnauthorized, "add a repository Secret of type helm to Waybill's namespace, with enableOCI"},
		"no repository": {pipeline.ChartSubscription{RepoURL: "oci://registry.example.com/a b"}, registries.ErrInvalid, "is not a repository of charts"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.look(test.sub)
			if err == nil || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %s", err, test.want)
			}
			w.must(isSentence(err))
		})
	}
}

func TestARegistryIsSignedInToWithTheSecret(t *testing.T) {
	w, open, private := newWorld(t), newRegistry(t, registry.Config{}), newRegistry(t, registry.Config{User: "ci", Password: "hunter2"})
	push(t, open, "db", "1.0.0")
	// The same content, behind a password.
	from, err := name.NewTag(open.Repository("charts/db") + ":1.0.0")
	w.must(err)
	content, err := remote.Image(from)
	w.must(err)
	to, err := name.NewTag(private.Repository("charts/db") + ":1.0.0")
	w.must(err)
	w.must(remote.Write(to, content, remote.WithAuth(basic{"ci", "hunter2"})))
	sub := inRegistry(private)
	w.accounts[sub.RepoURL] = [2]string{"ci", "hunter2"}
	pin := w.pinOf(sub, "1.0.0")
	if _, err := w.Archive(t.Context(), namespace, pin, false); err != nil {
		t.Error(err)
	}
	// What one namespace has read and kept, another is not given.
	if _, err := w.Archive(t.Context(), "other", pin, false); !errors.Is(err, registries.ErrUnauthorized) || !errors.Is(err, source.ErrRefused) {
		t.Errorf("another namespace gets %v", err)
	}
}

func TestAFaultAtAnyRequestToARegistryIsAnErrorAndTheNextLookIsWhole(t *testing.T) {
	for at := range 6 {
		t.Run(fmt.Sprint(at+1), func(t *testing.T) {
			w, server := newWorld(t), newRegistry(t, registry.Config{})
			push(t, server, "db", "1.0.0", "1.1.0")
			n := 0
			server.Traffic.SetFault(func(*http.Request) *fault.Fault {
				if n++; n == at+1 {
					return &fault.Fault{Status: http.StatusInternalServerError}
				}
				return nil
			})
			look, err := w.look(inRegistry(server))
			if err == nil || len(look.Offers) > 0 {
				t.Errorf("look %+v", look)
			}
			server.Traffic.SetFault(nil)
			if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, w.versions(inRegistry(server))); diff != "" {
				t.Errorf("the next look (-want +got):\n%s", diff)
			}
		})
	}
}

// A list that shrank may be one whose pages are not all there.
func TestAVersionThatIsMissingOnTheListIsAskedFor(t *testing.T) {
	w, server := newWorld(t), newRegistry(t, registry.Config{})
	push(t, server, "db", "1.0.0", "1.1.0+build.7")
	sub := inRegistry(server)
	w.versions(sub)
	shrunk := &fault.Fault{Status: http.StatusOK, Body: `{"tags":["1.0.0"]}`, Header: http.Header{"Content-Type": {"application/json"}}}
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			return shrunk
		}
		return nil
	})
	look, err := w.look(sub)
	if !errors.Is(err, registries.ErrPartial) || len(look.Offers) > 0 || !strings.Contains(err.Error(), "is not whole: the tag 1.1.0_build.7 is missing on it, and is there") {
		t.Errorf("look %+v, error %v", look, err)
	}
	// One that was removed is asked for once.
	server.Traffic.SetFault(func(r *http.Request) *fault.Fault {
		switch {
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			return shrunk
		case r.Method == http.MethodHead:
			return &fault.Fault{Status: http.StatusNotFound}
		}
		return nil
	})
	for _, want := range [][]string{{"GET /v2/charts/db/tags/list", "HEAD /v2/charts/db/manifests/1.1.0_build.7"}, {"GET /v2/charts/db/tags/list"}} {
		server.Traffic.Reset()
		if diff := cmp.Diff([]string{"1.0.0"}, w.versions(sub)); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, dataOf(requests(&server.Traffic))); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}
