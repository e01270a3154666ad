package browser

import (
	"net/http"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/hack/stack/fault"
)

// requests counts what pages ask of extensions, and disturbs it where a test says
// so. What the page itself asks of Argo CD is left alone.
type requests struct {
	traffic fault.Traffic

	mu  sync.Mutex
	all []request
}

type request struct {
	Method string `json:"method"`
	// Path begins with the gate, such as waybill/api/v1/application.
	Path        string `json:"path"`
	Status      int    `json:"status"`
	IfNoneMatch string `json:"ifNoneMatch"`
}

func (c *requests) around(next http.Handler) http.Handler {
	disturbed := c.traffic.Wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, rootPath), "/extensions/")
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		disturbed.ServeHTTP(answer, r)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = append(c.all, request{r.Method, path, answer.status, r.Header.Get("If-None-Match")})
	})
}

func (c *requests) list() []request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]request{}, c.all...) // never null in JSON
}

func (c *requests) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = nil
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
