package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/engine"
)

func (s *Server) promote(c echo.Context) error {
	var body v1.Promote
	return s.ask(c, v1.ActionPromote, &body, func() (engine.Ask, error) {
		return engine.Ask{Freight: body.Freight, Reason: body.Reason, Key: body.Key}, wantFreight(body.Freight)
	})
}

func (s *Server) rollback(c echo.Context) error {
	var body v1.Rollback
	return s.ask(c, v1.ActionRollback, &body, func() (engine.Ask, error) {
		return engine.Ask{Freight: body.Freight, Origin: body.Origin, Reason: body.Reason, Key: body.Key, Rollback: true}, nil
	})
}

// ask takes a request for a promotion: 201 for a new one, 200 for the one that
// the same key gave before.
func (s *Server) ask(c echo.Context, action string, body any, request func() (engine.Ask, error)) error {
	p, err := s.pipelineOf(c)
	if err != nil {
		return err
	}
	if err := s.mayChange(c, p, c.Param("stage"), action); err != nil {
		return err
	}
	if err := read(c, body); err != nil {
		return err
	}
	ask, err := request()
	if err != nil {
		return err
	}
	ask.By = caller(c).Username
	promoted, created, err := s.engine.Promote(c.Request().Context(), p, c.Param("stage"), ask)
	if err != nil {
		return err
	}
	view, err := s.promotionView(c.Request().Context(), p, promoted)
	if err != nil {
		return err
	}
	if created {
		return c.JSON(http.StatusCreated, view)
	}
	return c.JSON(http.StatusOK, view)
}

func (s *Server) approve(c echo.Context) error { return s.decide(c, v1.ActionApprove) }
func (s *Server) reject(c echo.Context) error  { return s.decide(c, v1.ActionReject) }
func (s *Server) abort(c echo.Context) error   { return s.decide(c, v1.ActionAbort) }

func (s *Server) decide(c echo.Context, action string) error {
	ctx := c.Request().Context()
	p, err := s.pipelineOf(c)
	if err != nil {
		return err
	}
	// Before anything is looked up: who comes through the wrong gate learns nothing.
	if err := throughGate(c, gateOf(p, action)); err != nil {
		return err
	}
	r, err := s.engine.Promotion(ctx, p, c.Param("promotion"))
	if err != nil {
		return err
	}
	if err := s.mayChange(c, p, r.Value.Stage, action); err != nil {
		return err
	}
	decision, err := said(c, action)
	if err != nil {
		return err
	}
	decision.By, decision.At = caller(c).Username, s.engine.Now()
	decide := s.engine.Abort
	switch action {
	case v1.ActionApprove:
		decide = s.engine.Approve
	case v1.ActionReject:
		decide = s.engine.Reject
	}
	deciding, cancel := context.WithTimeout(ctx, renderTimeout)
	defer cancel()
	decided, err := decide(deciding, p, r.Value.ID, decision)
	if err != nil {
		return err
	}
	view, err := s.promotionView(ctx, p, decided)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, view)
}

// said reads what a person says with a decision.
func said(c echo.Context, action string) (promotion.Decision, error) {
	if action == v1.ActionApprove {
		var body v1.Approve
		err := read(c, &body)
		return promotion.Decision{Comment: body.Comment, Preview: body.Preview}, err
	}
	var body v1.Decide
	err := read(c, &body)
	return promotion.Decision{Comment: body.Comment}, err
}
