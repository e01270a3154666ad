package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/hack/stack"
)

// front is the one origin that people see: Argo CD's own pages where a folder
// with them is named, and argocd-server for all the rest. Its Go module brings
// argocd-server without the pages.
type front struct {
	url    string
	server *http.Server
}

func serveFront(s *stack.Stack, port int, ui string) (*front, error) {
	upstream, err := url.Parse(s.ArgoCDURL())
	if err != nil {
		return nil, err
	}
	if ui != "" {
		if _, err := os.Stat(filepath.Join(ui, "index.html")); err != nil {
			return nil, errors.New("ARGOCD_UI names a folder without an index.html: build Argo CD's ui/ and name its dist/app")
		}
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("the front server: %w", err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(upstream)
		r.SetXForwarded()
	}}
	f := &front{
		url:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: pages(ui, proxy), ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { _ = f.server.Serve(listener) }()
	return f, nil
}

func (f *front) close() { _ = f.server.Shutdown(context.WithoutCancel(context.Background())) }

// own are the paths that argocd-server answers itself, whatever a browser says
// it accepts.
var own = []string{"/api/", "/extensions", "/auth/", "/swagger", "/healthz", "/terminal", "/download/"}

func pages(ui string, argocd http.Handler) http.Handler {
	if ui == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				_, _ = fmt.Fprintln(w, "Argo CD's API is here. Its pages are not part of its Go module: to see them, build them and start the demo with ARGOCD_UI=<folder with index.html>.")
				return
			}
			argocd.ServeHTTP(w, r)
		})
	}
	static := http.FileServer(http.Dir(ui))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, prefix := range own {
			if strings.HasPrefix(r.URL.Path, prefix) {
				argocd.ServeHTTP(w, r)
				return
			}
		}
		// A path of the application itself, which its own router knows.
		if !isFile(ui, r.URL.Path) {
			r = r.Clone(r.Context())
			r.URL.Path = "/"
		}
		static.ServeHTTP(w, r)
	})
}

func isFile(folder, path string) bool {
	info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(filepath.Clean("/"+path))))
	return err == nil && !info.IsDir()
}
