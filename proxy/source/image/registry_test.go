package image_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// scripted is a registry that does what real ones do when they are not well.
func scripted(t *testing.T, tags http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(script(tags))
	t.Cleanup(server.Close)
	return server
}

func of(server *httptest.Server) pipeline.ImageSubscription {
	_, host, _ := strings.Cut(server.URL, "://")
	return pipeline.ImageSubscription{RepoURL: host + "/shop"}
}

// page answers with some tags and, unless empty, a link to the next page.
func page(w http.ResponseWriter, next string, tags ...string) {
	if next != "" {
		w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	_, _ = fmt.Fprintf(w, `{"name":"shop","tags":["%s"]}`, strings.Join(tags, `","`))
}

func TestAllPagesOfTheListAreRead(t *testing.T) {
	const pages = 5
	var requests atomic.Int64
	server := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		requests.Add(1)
		next := ""
		if n+1 < pages {
			next = fmt.Sprintf("/v2/shop/tags/list?page=%d", n+1)
		}
		page(w, next, fmt.Sprintf("v1.%d.0", n), "not-a-version", "../../x", "")
	})
	got := discover(t, newSource(t, image.Options{}), of(server))
	if got.Tag != "v1.4.0" || got.Digest != tiny.digest || requests.Load() != pages {
		t.Errorf("image %v after %d pages, want v1.4.0 after %d", got, requests.Load(), pages)
	}
}

func TestPagesOfAPrivateNetworkAreReadOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(script(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("last") == "" {
			page(w, "/v2/shop/tags/list?last=v1.0.0", "v1.0.0")
			return
		}
		page(w, "", "v1.1.0")
	}))
	t.Cleanup(server.Close)
	sub := of(server)
	sub.InsecureSkipTLSVerify = true
	if got := discover(t, newSource(t, image.Options{}), sub); got.Tag != "v1.1.0" {
		t.Errorf("image %v, want the one of the second page", got)
	}
}

func TestAListThatIsNotWholeIsAnError(t *testing.T) {
	elsewhere := scripted(t, func(http.ResponseWriter, *http.Request) { t.Error("another host was asked for a page") })
	for what, test := range map[string]struct {
		second http.HandlerFunc
		want   error
		told   string
	}{
		"a page that fails": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			registries.ErrUnreachable, "answers with status 502 Bad Gateway",
		},
		"a page that breaks off": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"tags":["v1.0.0","v1.`)) },
			registries.ErrUnreachable, "cannot be read",
		},
		"a page that went away": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
			registries.ErrNotFound, "there is no image repository",
		},
		"a page on another host": {
			func(w http.ResponseWriter, _ *http.Request) { page(w, elsewhere.URL+"/v2/shop/tags/list", "v1.1.0") },
			registries.ErrUnreachable, "cannot be read",
		},
		"pages in a circle": {
			func(w http.ResponseWriter, r *http.Request) { page(w, r.URL.RequestURI()) },
			registries.ErrUnreachable, "lead in a circle",
		},
		"more tags than are read": {
			func(w http.ResponseWriter, r *http.Request) {
				page(w, r.URL.RequestURI()+"x", strings.Split(strings.Repeat("v1.0.0,", 9999)+"v1.0.0", ",")...)
			},
			registries.ErrTooLarge, "has more than 100000 tags",
		},
		"a page without an end": {
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"tags":["`))
				junk := []byte(strings.Repeat("x", 1<<20))
				for {
					if _, err := w.Write(junk); err != nil {
						return
					}
				}
			},
			registries.ErrTooLarge, "sends more than 16 MiB at once",
		},
	} {
		t.Run(what, func(t *testing.T) {
			server := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("last") == "" {
					page(w, "/v2/shop/tags/list?last=v1.0.0", "v1.0.0")
					return
				}
				test.second(w, r)
			})
			got, err := look(t.Context(), newSource(t, image.Options{}), of(server))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.told) || got.Tag != "" {
				t.Errorf("%v, error %v, want %v that tells %q", got, err, test.want, test.told)
			}
		})
	}
}

func TestACertificateIsTrustedOnlyWhereTheSubscriptionSaysSo(t *testing.T) {
	server := httptest.NewTLSServer(script(func(w http.ResponseWriter, _ *http.Request) { page(w, "", "v1.0.0") }))
	t.Cleanup(server.Close)
	source, sub := newSource(t, image.Options{}), of(server)
	if _, err := look(t.Context(), source, sub); !errors.Is(err, registries.ErrUntrusted) || !strings.Contains(err.Error(), "insecureSkipTLSVerify: true") {
		t.Errorf("error %v, want %v", err, registries.ErrUntrusted)
	}
	sub.InsecureSkipTLSVerify = true
	if got := discover(t, source, sub); got.Digest != tiny.digest {
		t.Errorf("image %v", got)
	}
	sub.InsecureSkipTLSVerify = false
	if _, err := look(t.Context(), source, sub); !errors.Is(err, registries.ErrUntrusted) {
		t.Errorf("error %v, want %v although the digest is known to another subscription", err, registries.ErrUntrusted)
	}

	roots := http.DefaultTransport.(*http.Transport).Clone()
	roots.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	if got := discover(t, newSource(t, image.Options{Registries: registries.New(registries.Options{Transport: roots})}), sub); got.Digest != tiny.digest {
		t.Errorf("image %v", got)
	}
}

// Freight pins by SHA-256: a tag of another digest is not offered, and blocks no
// other.
func TestATagWhoseDigestIsNoSHA256BlocksNoOther(t *testing.T) {
	whole := script(func(w http.ResponseWriter, _ *http.Request) { page(w, "", "v1.0.0", "v1.1.0") })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/v1.1.0") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Docker-Content-Digest", "sha512:"+strings.Repeat("ab", 64))
			return
		}
		whole.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	tags, skipped := offered(t, newSource(t, image.Options{}), of(server))
	if diff := cmp.Diff([]string{"v1.0.0"}, tags); diff != "" || len(skipped) != 1 || !strings.Contains(skipped[0], "which is no SHA-256") {
		t.Errorf("skipped is %q, tags (-want +got):\n%s", skipped, diff)
	}
}

func TestAnEmptyRepositoryHasNothing(t *testing.T) {
	server := scripted(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"name":"shop","tags":null}`)) })
	_, err := look(t.Context(), newSource(t, image.Options{}), of(server))
	if !errors.Is(err, image.ErrNothing) || !strings.Contains(err.Error(), "has no tags: push an image") {
		t.Errorf("error %v, want %v", err, image.ErrNothing)
	}
}

func TestOneConnectionServesAllLooks(t *testing.T) {
	server := httptest.NewUnstartedServer(script(func(w http.ResponseWriter, _ *http.Request) {
		page(w, "", "v1.0.0", strings.Repeat("x", 100))
		_ = http.NewResponseController(w).Flush() // an answer in chunks, as of long lists
	}))
	var looks atomic.Int64
	addresses := make(chan string, 100)
	inner := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		looks.Add(1)
		addresses <- r.RemoteAddr
		inner.ServeHTTP(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	source, sub := newSource(t, image.Options{}), of(server)
	for range 5 {
		discover(t, source, sub)
	}
	close(addresses)
	seen := map[string]int{}
	for a := range addresses {
		seen[a]++
	}
	// net/http gives up one whose last write it has not heard of for 50 ms, as on a
	// busy machine; each look would have its own if they were not kept.
	if len(seen) > 2 {
		t.Errorf("%d requests came over %d connections, want 1: %s", looks.Load(), len(seen), cmp.Diff(map[string]int{}, seen))
	}
}
