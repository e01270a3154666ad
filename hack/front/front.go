// Package front is the one origin that browsers see in the demo and in the tests:
// Argo CD's pages, or the small page that stands in their place, and argocd-server
// for all the rest. Argo CD's Go module brings argocd-server without the pages;
// its API, the login's cookie, /extensions.js and the extension proxy are the real
// ones.
package front

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

// Config says what to serve.
type Config struct {
	// ArgoCD is the URL of argocd-server, without the root path.
	ArgoCD string
	// RootPath is argocd-server's --rootpath, such as /argocd; empty for none.
	RootPath string
	// Pages is a folder with an index.html: that of [UI], or a build of Argo
	// CD's own ui/. When empty, "/" says how to get one.
	Pages string
	// Port on 127.0.0.1; 0 is a free one.
	Port int
	// Around is put before everything, to count or to disturb; nil for nothing.
	Around func(http.Handler) http.Handler
}

// Front is a running front server.
type Front struct {
	server *loopback.Server
	root   string
}

// Serve starts a front server.
func Serve(ctx context.Context, c Config) (*Front, error) {
	argocd, err := url.Parse(c.ArgoCD)
	if err != nil {
		return nil, fmt.Errorf("the front server: the address of argocd-server: %w", err)
	}
	root := "/" + strings.Trim(c.RootPath, "/")
	if root != "/" {
		root += "/"
	}
	var index []byte
	if c.Pages != "" {
		if index, err = readIndex(c.Pages, root); err != nil {
			return nil, err
		}
	}
	var handler http.Handler = &pages{
		root: root, folder: c.Pages, index: index,
		argocd: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(argocd)
			r.SetXForwarded()
		}},
	}
	if c.Around != nil {
		handler = c.Around(handler)
	}
	f := &Front{server: loopback.NewServer("front", c.Port, handler), root: root}
	return f, f.server.Start(ctx)
}

// URL is the page's address, with a slash at its end.
func (f *Front) URL() string { return "http://" + f.server.Host() + f.root }

// Close breaks all connections: a page's watch would never end by itself.
func (f *Front) Close() error { return f.server.Kill() }

// readIndex returns the page for a root path, as argocd-server does
// (server/server.go, replaceBaseHRef).
func readIndex(folder, root string) ([]byte, error) {
	index, err := os.ReadFile(filepath.Join(folder, "index.html"))
	if err != nil {
		return nil, fmt.Errorf("the folder of pages has no index.html that can be read (%w): name one that has, such as the ui/dist/app of a build of Argo CD", err)
	}
	return bytes.Replace(index, []byte(`<base href="/">`), []byte(`<base href="`+root+`">`), 1), nil
}

type pages struct {
	root, folder string
	index        []byte
	argocd       http.Handler
}

// own are the paths that argocd-server answers itself, whatever a browser says
// it accepts.
var own = []string{"api/", "extensions", "auth/", "swagger", "healthz", "terminal", "download/"}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, p.root)
	if !below {
		http.Redirect(w, r, p.root, http.StatusFound)
		return
	}
	for _, prefix := range own {
		if strings.HasPrefix(path, prefix) {
			p.argocd.ServeHTTP(w, r)
			return
		}
	}
	// As argocd-server says of its pages.
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'self';")
	switch {
	case p.folder == "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprintln(w, "Argo CD's API is here. Its pages are not part of its Go module: to see them, build them and start the demo with ARGOCD_UI=<folder with index.html>.")
	case path != "index.html" && isFile(p.folder, path):
		http.ServeFileFS(w, r, os.DirFS(p.folder), path)
	default: // a path of the page itself, which its own router knows
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(p.index)
	}
}

func isFile(folder, path string) bool {
	if path == "" || !filepath.IsLocal(filepath.FromSlash(path)) {
		return false
	}
	info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(path)))
	return err == nil && !info.IsDir()
}
