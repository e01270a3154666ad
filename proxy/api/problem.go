package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/identity"
	"github.com/waybill-cd/waybill/proxy/store"
)

// problem is an error that is an answer.
type problem v1.Problem

func (p *problem) Error() string { return p.Detail }

func invalid(format string, args ...any) error {
	return &problem{Type: v1.ProblemInvalid, Title: "The request is not valid", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

func refuse(kind, title, format string, args ...any) error {
	return &problem{Type: kind, Title: title, Status: http.StatusForbidden, Detail: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &problem{Type: v1.ProblemNotFound, Title: "Not found", Status: http.StatusNotFound, Detail: fmt.Sprintf(format, args...)}
}

// fail answers with an error. It is the one place where errors become statuses:
// a 4xx is an answer, a 5xx is logged with its cause and told without it.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		log.FromContext(c.Request().Context()).WithName("api").Error(err, "a request failed", "route", c.Path())
	}
	body, encodeErr := json.Marshal(p)
	if encodeErr != nil {
		c.Response().WriteHeader(http.StatusInternalServerError)
		return
	}
	if c.Blob(p.Status, v1.ContentTypeProblem, body) != nil {
		return // the client has gone
	}
}

func problemOf(err error) v1.Problem {
	var (
		own     *problem
		refused *engine.Refused
		web     *echo.HTTPError
	)
	switch {
	case errors.As(err, &own):
		return v1.Problem(*own)
	case errors.As(err, &refused):
		return v1.Problem{Type: v1.ProblemIneligible, Title: "The freight is not eligible", Status: http.StatusConflict, Detail: refused.Error(), Verdict: &refused.Verdict}
	case errors.Is(err, identity.ErrUnauthenticated):
		return v1.Problem{Type: v1.ProblemUnauthenticated, Title: "Not authenticated", Status: http.StatusUnauthorized, Detail: err.Error()}
	case errors.Is(err, promotion.ErrPromoter):
		return v1.Problem{Type: v1.ProblemPromoter, Title: "The promoter may not approve", Status: http.StatusForbidden, Detail: err.Error()}
	case errors.Is(err, promotion.ErrEnded), errors.Is(err, promotion.ErrStarted), errors.Is(err, promotion.ErrNoApproval), errors.Is(err, promotion.ErrTwice), errors.Is(err, engine.ErrTooMany):
		return v1.Problem{Type: v1.ProblemConflict, Title: "Not possible now", Status: http.StatusConflict, Detail: err.Error()}
	case errors.Is(err, engine.ErrPreview):
		return v1.Problem{Type: v1.ProblemConflict, Title: "The preview is outdated", Status: http.StatusConflict, Detail: err.Error()}
	case errors.Is(err, engine.ErrUnavailable):
		return v1.Problem{Type: v1.ProblemUnavailable, Title: "Try again", Status: http.StatusServiceUnavailable, Detail: err.Error()}
	case errors.Is(err, engine.ErrNotFound), errors.Is(err, argocd.ErrNotFound):
		return v1.Problem{Type: v1.ProblemNotFound, Title: "Not found", Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, engine.ErrInvalid):
		return v1.Problem{Type: v1.ProblemInvalid, Title: "The request is not valid", Status: http.StatusBadRequest, Detail: err.Error()}
	case errors.Is(err, store.ErrConflict):
		return v1.Problem{Type: v1.ProblemUnavailable, Title: "Try again", Status: http.StatusServiceUnavailable, Detail: "the record changes too fast: try again"}
	case errors.As(err, &web):
		return v1.Problem{Type: typeOf(web.Code), Title: http.StatusText(web.Code), Status: web.Code, Detail: sentence(web)}
	default:
		return v1.Problem{Type: v1.ProblemInternal, Title: "Internal error", Status: http.StatusInternalServerError, Detail: "something failed inside Waybill: the proxy's log tells what"}
	}
}

// sentence tells for people what the router says in a word.
func sentence(web *echo.HTTPError) string {
	switch web.Code {
	case http.StatusNotFound:
		return "there is no such call, or it has another method: GET " + v1.Prefix + "/openapi.yaml tells which there are"
	case http.StatusRequestEntityTooLarge:
		return "the body is larger than " + maxBody + ": shorten it"
	default:
		return fmt.Sprint(web.Message)
	}
}

func typeOf(status int) string {
	switch {
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return v1.ProblemNotFound
	case status < http.StatusInternalServerError:
		return v1.ProblemInvalid
	default:
		return v1.ProblemInternal
	}
}
