// Package api is the HTTP API. It tells who calls and whether they may, hands
// what they ask to the engine, and turns outcomes into documents and problems.
// It decides nothing about promotions.
package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/identity"
)

// Server answers the API.
type Server struct {
	engine *engine.Engine
	apps   *argocd.Applications
	policy *argocd.Policy
	gates  *identity.Gates
}

// maxBody bounds the body of a request, in the words of echo.
const maxBody = "64KiB"

// New returns the API's handler.
func New(e *engine.Engine, apps *argocd.Applications, policy *argocd.Policy, gates *identity.Gates) http.Handler {
	s := &Server{engine: e, apps: apps, policy: policy, gates: gates}
	router := echo.New()
	router.HideBanner, router.HidePort = true, true
	router.HTTPErrorHandler = s.fail
	router.IPExtractor = echo.ExtractIPDirect() // headers that name another are whatever a client says
	router.Use(count, middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: panicked}), middleware.BodyLimit(maxBody))
	s.routes(router.Group(v1.Prefix, s.identify, etag))
	return router
}

func (s *Server) routes(g *echo.Group) {
	g.GET("/openapi.yaml", openAPI)
	g.GET("/me", s.me)
	g.GET("/application", s.application)
	g.GET("/pipelines", s.pipelines)
	g.GET("/pipelines/:pipeline", s.pipeline)
	g.GET("/pipelines/:pipeline/freight", s.freight)
	g.GET("/pipelines/:pipeline/freight/compare", s.compare)
	g.GET("/pipelines/:pipeline/freight/:freight", s.oneFreight)
	g.GET("/pipelines/:pipeline/promotions", s.promotions)
	g.GET("/pipelines/:pipeline/promotions/:promotion", s.promotion)
	g.GET("/pipelines/:pipeline/stages/:stage/eligibility", s.eligibility)
	g.GET("/pipelines/:pipeline/stages/:stage/preview", s.preview)
	g.POST("/pipelines/:pipeline/stages/:stage/promotions", s.promote)
	g.POST("/pipelines/:pipeline/stages/:stage/rollback", s.rollback)
	g.POST("/pipelines/:pipeline/promotions/:promotion/approve", s.approve)
	g.POST("/pipelines/:pipeline/promotions/:promotion/reject", s.reject)
	g.POST("/pipelines/:pipeline/promotions/:promotion/abort", s.abort)
	g.GET("/pipelines/:pipeline/warehouses/:warehouse/candidates", s.candidates)
	g.POST("/pipelines/:pipeline/warehouses/:warehouse/freight", s.assemble)
	g.POST("/pipelines/:pipeline/warehouses/:warehouse/refresh", s.refresh)
}

//go:embed openapi.yaml
var openAPIDocument []byte

func openAPI(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", openAPIDocument) }

const callerKey = "waybill.caller"

// identify lets only calls through that came by way of Argo CD.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		caller, err := s.gates.Identify(c.Request().Header)
		if err != nil {
			log.FromContext(c.Request().Context()).WithName("api").Info("refused a call", "cause", err.Error(), "from", c.RealIP(), "path", c.Path())
			return err
		}
		c.Set(callerKey, caller)
		return next(c)
	}
}

func caller(c echo.Context) identity.Caller {
	who, _ := c.Get(callerKey).(identity.Caller)
	return who
}

// etag answers a GET whose answer the client has with 304 and no body.
func etag(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method != http.MethodGet {
			return next(c)
		}
		w := c.Response().Writer
		held := &heldResponse{ResponseWriter: w, status: http.StatusOK}
		if err := hold(c, held, next); err != nil {
			return err
		}
		sum := sha256.Sum256(held.body.Bytes())
		tag := `"` + hex.EncodeToString(sum[:16]) + `"`
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Add("Vary", "Cookie")
		if held.status == http.StatusOK && has(c.Request().Header.Values("If-None-Match"), tag) {
			c.Response().Status = http.StatusNotModified
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		w.WriteHeader(held.status)
		_, err := w.Write(held.body.Bytes())
		return err
	}
}

// hold lets a handler answer into held. After a panic too, what follows answers
// the client itself.
func hold(c echo.Context, held *heldResponse, next echo.HandlerFunc) error {
	defer func() { c.Response().Writer = held.ResponseWriter }()
	c.Response().Writer = held
	return next(c)
}

// has tells whether an If-None-Match header names a tag. A proxy that compresses
// answers marks their tags as weak (RFC 9110, sections 8.8.3.2 and 13.1.2).
func has(values []string, tag string) bool {
	for _, value := range values {
		for _, one := range strings.Split(value, ",") {
			if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
				return true
			}
		}
	}
	return false
}

// heldResponse keeps an answer until its tag is known.
type heldResponse struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldResponse) WriteHeader(status int)      { h.status = status }
func (h *heldResponse) Write(p []byte) (int, error) { return h.body.Write(p) }
func (h *heldResponse) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// read decodes the body of a request. Only JSON is taken, so that no form of
// another site can be the request, and unknown fields are refused.
func read(c echo.Context, into any) error {
	body, err := io.ReadAll(c.Request().Body)
	var tooLarge *echo.HTTPError
	switch {
	case errors.As(err, &tooLarge):
		return tooLarge
	case err != nil:
		return invalid("the body ends before it is complete")
	case len(body) == 0:
		return nil
	}
	if mediaType, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType)); err != nil || mediaType != echo.MIMEApplicationJSON {
		return invalid("send the body as %s", echo.MIMEApplicationJSON)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := dec.Decode(into); {
	case errors.As(err, &wrong) && wrong.Field != "":
		return invalid("the body's %s is a JSON %s, want a %s", wrong.Field, wrong.Value, wrong.Type)
	case errors.As(err, &wrong):
		return invalid("the body is a JSON %s, want an object", wrong.Value)
	case err != nil:
		return invalid("the body cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("the body holds more than one JSON document")
	}
	return nil
}

var (
	requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_api_requests_total",
		Help: "Requests to the API, by route, method and status.",
	}, []string{"route", "method", "status"})

	duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "waybill_api_request_duration_seconds",
		Help:    "How long requests to the API took.",
		Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5},
	}, []string{"route"})
)

func init() { metrics.Registry.MustRegister(requests, duration) }

// panicked makes a panic an error with its stack, which is then logged as every
// other.
func panicked(_ echo.Context, err error, stack []byte) error {
	return fmt.Errorf("a panic: %w\n%s", err, stack)
}

// count measures a request. The route, not the path, is the label, and a client
// may invent methods: the values of labels are few.
func count(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		route, method := c.Path(), c.Request().Method
		if route == "" {
			route = "none"
		}
		if method != http.MethodGet && method != http.MethodPost {
			method = "other"
		}
		duration.WithLabelValues(route).Observe(time.Since(start).Seconds())
		requests.WithLabelValues(route, method, http.StatusText(c.Response().Status)).Inc()
		return nil
	}
}
