package front_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/hack/front"
)

// serve starts a front server before one that answers with the path it is asked for.
func serve(t *testing.T, rootPath, pages string) *front.Front {
	t.Helper()
	argocd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "argocd "+r.URL.Path)
	}))
	t.Cleanup(argocd.Close)
	f, err := front.Serve(t.Context(), front.Config{ArgoCD: argocd.URL, RootPath: rootPath, Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"index.html": `<base href="/"> page`,
		"host.js":    "script",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPagesAndArgoCDShareAnOrigin(t *testing.T) {
	for _, test := range []struct{ rootPath, path, want string }{
		{"", "", `<base href="/"> page`},
		{"", "applications/argocd/shop-dev", `<base href="/"> page`},
		{"", "index.html", `<base href="/"> page`},
		{"", "host.js", "script"},
		{"", "..%2f..%2fhost.js", `<base href="/"> page`},
		{"", "api/v1/session", "argocd /api/v1/session"},
		{"", "extensions.js", "argocd /extensions.js"},
		{"", "extensions/waybill/api/v1/me", "argocd /extensions/waybill/api/v1/me"},
		{"/argocd", "", `<base href="/argocd/"> page`},
		{"/argocd", "host.js", "script"},
		{"argocd/", "applications/argocd/shop-dev", `<base href="/argocd/"> page`},
		{"/argocd", "extensions.js", "argocd /argocd/extensions.js"},
	} {
		f := serve(t, test.rootPath, folder(t))
		if got := get(t, f.URL()+test.path); got != test.want {
			t.Errorf("under %q, %q is %q, want %q", test.rootPath, test.path, got, test.want)
		}
	}
}

func TestOutsideTheRootPathOneIsSentThere(t *testing.T) {
	f := serve(t, "/argocd", folder(t))
	if got := get(t, strings.TrimSuffix(f.URL(), "argocd/")+"api/v1/session"); !strings.Contains(got, "page") {
		t.Errorf("got %q", got)
	}
}

func TestWithoutPagesItSaysHowToGetThem(t *testing.T) {
	f := serve(t, "", "")
	if got := get(t, f.URL()); !strings.Contains(got, "ARGOCD_UI") {
		t.Errorf("got %q", got)
	}
	if got := get(t, f.URL()+"api/version"); got != "argocd /api/version" {
		t.Errorf("got %q", got)
	}
}

func TestAFolderWithoutAPageIsAnError(t *testing.T) {
	_, err := front.Serve(t.Context(), front.Config{ArgoCD: "http://127.0.0.1:9", Pages: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("error %v", err)
	}
}
