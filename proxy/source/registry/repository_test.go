package registry_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

func sum(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

const (
	manifest = `{"schemaVersion":2}`
	blob     = `{"architecture":"amd64"}`
	ociType  = "application/vnd.oci.image.manifest.v1+json"
)

// signIn starts a server and signs in at its repository shop.
func signIn(t *testing.T, handler http.Handler) *registry.Repository {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	repo, err := registry.New(registry.Options{}).Repository(registry.Access{
		RepoURL: strings.TrimPrefix(server.URL, "http://") + "/shop", Holds: registry.Content{Noun: "image"},
	})
	if err != nil {
		t.Fatal(err)
	}
	end, err := repo.SignIn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(nil) })
	return repo
}

func contents() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v2/shop/manifests/{reference}", func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("reference") {
		case "v1.0.0", sum(manifest), sum("another"):
			w.Header().Set("Content-Type", ociType)
			_, _ = w.Write([]byte(manifest))
		case "page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>Sign in to the network</html>"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	mux.HandleFunc("HEAD /v2/shop/manifests/{reference}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("GET /v2/shop/blobs/{digest}", func(w http.ResponseWriter, r *http.Request) {
		if d := r.PathValue("digest"); d != sum(blob) && d != sum("another") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(blob))
	})
	return mux
}

func TestWhatIsReadIsVerified(t *testing.T) {
	repo := signIn(t, contents())
	for _, reference := range []string{"v1.0.0", sum(manifest)} {
		m, err := repo.Manifest(t.Context(), reference)
		if err != nil || string(m.Raw) != manifest || m.Digest != sum(manifest) || m.MediaType != ociType {
			t.Errorf("%s: %+v, error %v", reference, m, err)
		}
	}
	if raw, err := repo.Blob(t.Context(), sum(blob), 100); err != nil || string(raw) != blob {
		t.Errorf("blob %q, error %v", raw, err)
	}
	if _, err := repo.Manifest(t.Context(), sum("another")); !errors.Is(err, registry.ErrUnreachable) {
		t.Errorf("a manifest that is another: error %v, want %v", err, registry.ErrUnreachable)
	}
	if _, err := repo.Blob(t.Context(), sum("another"), 100); !errors.Is(err, registry.ErrUnreachable) {
		t.Errorf("a blob that is another: error %v, want %v", err, registry.ErrUnreachable)
	}
	if _, err := repo.Blob(t.Context(), sum(blob), 5); !errors.Is(err, registry.ErrTooLarge) {
		t.Errorf("a blob that is too large: error %v, want %v", err, registry.ErrTooLarge)
	}
	if _, err := repo.Blob(t.Context(), "sha256:../x", 5); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("no digest: error %v, want %v", err, registry.ErrInvalid)
	}
	for _, reference := range []string{"../../v2", "a:b", "sha256:ab", "", "a/b", "a?b"} {
		if err := second(repo.Manifest(t.Context(), reference)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%q is asked for: error %v, want %v", reference, err, registry.ErrInvalid)
		}
		if err := second(repo.Head(t.Context(), reference)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%q is asked for: error %v, want %v", reference, err, registry.ErrInvalid)
		}
	}
	for what, err := range map[string]error{
		"tag": second(repo.Head(t.Context(), "v2.0.0")), "digest": second(repo.Manifest(t.Context(), sum("gone"))), "blob": second(repo.Blob(t.Context(), sum("gone"), 5)),
	} {
		if !errors.Is(err, registry.ErrGone) {
			t.Errorf("a %s that is not there: error %v, want %v", what, err, registry.ErrGone)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPageThatStandsInForTheRegistryHasNoDigest(t *testing.T) {
	repo := signIn(t, contents())
	if digest, err := repo.Head(t.Context(), "v1.0.0"); err != nil || digest != sum(manifest) {
		t.Errorf("digest %s, error %v", digest, err)
	}
	if digest, err := repo.Head(t.Context(), "page"); !errors.Is(err, registry.ErrUnreachable) || !strings.Contains(err.Error(), "text/html, which is no manifest") {
		t.Errorf("digest %q, error %v", digest, err)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	repo := signIn(t, contents())
	ctx, requests := source.Counted(t.Context())
	_, others := source.Counted(t.Context())
	for range 3 {
		if _, err := repo.Manifest(registry.AsLook(ctx), "v1.0.0"); err != nil {
			t.Fatal(err)
		}
	}
	if requests() != 4 || others() != 0 {
		t.Errorf("%d requests are counted, and %d for somebody else, want 4 (a ping and three manifests) and none", requests(), others())
	}
}
