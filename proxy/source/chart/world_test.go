package chart_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	helmregistry "helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	vendoring "github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/chart"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

const namespace = "waybill"

// accounts are who may read, by the URL of the repository.
type accounts map[string][2]string

func (a accounts) Chart(_ context.Context, of, repoURL string) (secret, user, password string, err error) {
	account, found := a[repoURL]
	if !found || of != namespace {
		return "", "", "", nil
	}
	return "charts", account[0], account[1], nil
}

// world is chart repositories, and a Source that reads them.
type world struct {
	t *testing.T
	*chart.Source
	accounts accounts
	cache    string
	known    *cache.Cache
	// transport is that of the Source.
	transport *http.Transport
	// counted are the requests of the last look.
	counted int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, accounts: accounts{}, cache: t.TempDir()}
	w.open(chart.Options{})
	t.Cleanup(func() { _ = w.known.Close() })
	return w
}

// open starts the Source anew, with what it knew before.
func (w *world) open(o chart.Options) {
	w.t.Helper()
	if w.known != nil {
		w.must(w.known.Close())
	}
	var err error
	w.known, err = cache.Open(w.cache, cache.Options{})
	w.must(err)
	o.Credentials, o.Known, o.Dir = w.accounts, w.known, w.cache
	o.Registries = registries.New(registries.Options{Transport: w.transport})
	w.Source, err = chart.New(o)
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) look(sub pipeline.ChartSubscription) (source.Look, error) {
	if sub.DiscoveryLimit == 0 {
		sub.DiscoveryLimit = pipeline.DefaultDiscoveryLimit
	}
	ctx, counted := source.Counted(w.t.Context())
	found, err := w.Discover(ctx, namespace, pipeline.Subscription{Name: "charts", Chart: &sub})
	w.counted = counted()
	return found, err
}

// versions looks, and returns what is offered.
func (w *world) versions(sub pipeline.ChartSubscription) []string {
	w.t.Helper()
	look, err := w.look(sub)
	w.must(err)
	var all []string
	for _, o := range look.Offers {
		all = append(all, o.Version())
	}
	return all
}

// packaged makes the archive of a chart, by Helm itself.
func packaged(t *testing.T, name, version string) []byte {
	t.Helper()
	c := &helmchart.Chart{
		Metadata: &helmchart.Metadata{
			APIVersion: "v2", Name: name, Version: version, AppVersion: "app-" + version, Home: "https://example.com/" + name,
			Sources: []string{"https://git.example.com/" + name},
		},
		Templates: []*helmchart.File{{Name: "templates/map.yaml", Data: fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {version: %q}\n", name, version)}},
	}
	path, err := chartutil.Save(c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// classic is a chart repository over HTTP, whose index Helm has made.
type classic struct {
	*httptest.Server
	fault.Traffic
	t              *testing.T
	dir            string
	user, password string
	// edit changes the index before it is sent.
	edit func([]byte) []byte
	// tagged tells what has changed by an ETag, else by Last-Modified.
	tagged bool

	mu         sync.Mutex
	authorized []string // the requests that came with credentials
	answered   []int    // the statuses of what was there
}

func newClassic(t *testing.T) *classic {
	t.Helper()
	c := &classic{t: t, dir: t.TempDir(), tagged: true, edit: func(index []byte) []byte { return index }}
	c.Server = httptest.NewUnstartedServer(c.Wrap(http.HandlerFunc(c.serve)))
	c.Start()
	t.Cleanup(c.Close)
	c.index()
	return c
}

func (c *classic) serve(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	if given {
		c.mu.Lock()
		c.authorized = append(c.authorized, r.URL.Path)
		c.mu.Unlock()
	}
	if c.user != "" && (user != c.user || password != c.password) {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	content, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(r.URL.Path)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	modified := time.Time{}
	if r.URL.Path == "/index.yaml" {
		content = c.edit(content)
		if c.tagged {
			w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
		} else {
			info, _ := os.Stat(filepath.Join(c.dir, "index.yaml"))
			modified = info.ModTime()
		}
	}
	http.ServeContent(answering{w, c}, r, r.URL.Path, modified, bytes.NewReader(content))
}

// answering notes the status of an answer before it is sent.
type answering struct {
	http.ResponseWriter
	c *classic
}

func (a answering) WriteHeader(status int) {
	a.c.mu.Lock()
	a.c.answered = append(a.c.answered, status)
	a.c.mu.Unlock()
	a.ResponseWriter.WriteHeader(status)
}

// statuses are those of the answers since the last time that they were asked for.
func (c *classic) statuses() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.answered
	c.answered = nil
	return taken
}

// withCredentials are the requests that came with some.
func (c *classic) withCredentials() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.authorized)
}

// publish adds a chart, and makes the index anew.
func (c *classic) publish(name string, versions ...string) {
	c.t.Helper()
	for _, v := range versions {
		if err := os.WriteFile(filepath.Join(c.dir, name+"-"+v+".tgz"), packaged(c.t, name, v), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	c.index()
}

func (c *classic) index() {
	c.t.Helper()
	index, err := repo.IndexDirectory(c.dir, "")
	if err != nil {
		c.t.Fatal(err)
	}
	index.SortEntries()
	if err := index.WriteFile(filepath.Join(c.dir, "index.yaml"), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *classic) digest(name, version string) string {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, name+"-"+version+".tgz"))
	if err != nil {
		c.t.Fatal(err)
	}
	return vendoring.Digest(content)
}

// requests are those since the last time that they were asked for.
func requests(traffic *fault.Traffic) []string {
	var all []string
	for _, r := range traffic.Requests() {
		all = append(all, r.Method+" "+r.Path)
	}
	traffic.Reset()
	return all
}

// newRegistry is a registry that charts are pushed to.
func newRegistry(t *testing.T, c registry.Config) *registry.Server {
	t.Helper()
	server := registry.New(c)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

// push pushes a chart by Helm's own client.
func push(t *testing.T, server *registry.Server, name string, versions ...string) {
	t.Helper()
	client, err := helmregistry.NewClient(helmregistry.ClientOptPlainHTTP(), helmregistry.ClientOptWriter(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		reference := server.Repository("charts/"+name) + ":" + v
		if _, err := client.Push(packaged(t, name, v), reference, helmregistry.PushOptCreationTime("2026-03-14T12:00:00Z")); err != nil {
			t.Fatal(err)
		}
	}
	server.Traffic.Reset()
}

// pinOf makes the pin of the version that a look offers.
func (w *world) pinOf(sub pipeline.ChartSubscription, version string) freight.Chart {
	w.t.Helper()
	look, err := w.look(sub)
	w.must(err)
	i := slices.IndexFunc(look.Offers, func(o freight.Offer) bool { return o.Chart.Version == version })
	if i < 0 {
		w.t.Fatalf("version %s is not offered", version)
	}
	return *look.Offers[i].Chart
}

// isSentence tells whether an error is for people: one line, with a remedy, and
// nothing secret.
func isSentence(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, ": ") || strings.Contains(text, "hunter2") {
		return errors.New("it is no sentence: " + text)
	}
	return nil
}
