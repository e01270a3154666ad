package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func (s *Server) me(c echo.Context) error {
	who := caller(c)
	return c.JSON(http.StatusOK, v1.Me{
		Username: who.Username, Gate: who.Gate, Application: who.Namespace + "/" + who.Name, Project: who.Project,
	})
}

func (s *Server) application(c echo.Context) error {
	if err := throughGate(c, pipeline.GateRead); err != nil {
		return err
	}
	ctx, who := c.Request().Context(), caller(c)
	stage, err := s.bound(c)
	if err != nil {
		return err
	}
	p, err := s.engine.Pipeline(ctx, stage.Pipeline)
	if err != nil {
		return err
	}
	if err := inProject(p, stage, who.Project); err != nil {
		return err
	}
	view, err := s.stageView(ctx, p, stage.Stage)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v1.Application{
		Namespace: who.Namespace, Name: who.Name, Project: who.Project,
		Pipeline: p.Name.Short(), Stage: view, Actions: actions(p),
	})
}

// pipelines lists those of the caller's AppProject.
func (s *Server) pipelines(c echo.Context) error {
	if err := throughGate(c, pipeline.GateRead); err != nil {
		return err
	}
	if _, err := s.bound(c); err != nil {
		return err
	}
	all, err := s.engine.Pipelines(c.Request().Context())
	if err != nil {
		return err
	}
	list := v1.Pipelines{Items: []v1.PipelineSummary{}}
	for _, p := range all {
		if p.HasProject(caller(c).Project) {
			list.Items = append(list.Items, summaryOf(p))
		}
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) pipeline(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	view, err := s.pipelineView(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, view)
}

func (s *Server) freight(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	all, err := s.engine.Freight(ctx, p.Name)
	if err != nil {
		return err
	}
	from, to, next, err := page(c, len(all), func(i int) string { return all[i].ID })
	if err != nil {
		return err
	}
	items, err := s.freightViews(ctx, p, all[from:to])
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v1.FreightPage{Items: items, Next: next})
}

func (s *Server) oneFreight(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	f, err := s.engine.FindFreight(ctx, p.Name, c.Param("freight"))
	if err != nil {
		return err
	}
	views, err := s.freightViews(ctx, p, []freight.Freight{f})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, views[0])
}

func (s *Server) promotions(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	all, err := s.engine.Promotions(ctx, p.Name)
	if err != nil {
		return err
	}
	if stage := c.QueryParam("stage"); stage != "" {
		if _, _, err := p.StageNamed(stage); err != nil {
			return err
		}
		of := all[:0]
		for _, one := range all {
			if one.Stage == stage {
				of = append(of, one)
			}
		}
		all = of
	}
	from, to, next, err := page(c, len(all), func(i int) string { return all[i].ID })
	if err != nil {
		return err
	}
	list := v1.PromotionPage{Items: make([]v1.Promotion, 0, to-from), Next: next}
	for _, one := range all[from:to] {
		view, err := s.promotionView(ctx, p, one)
		if err != nil {
			return err
		}
		list.Items = append(list.Items, view)
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) promotion(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	r, err := s.engine.Promotion(ctx, p, c.Param("promotion"))
	if err != nil {
		return err
	}
	view, err := s.promotionView(ctx, p, r.Value)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, view)
}

func (s *Server) eligibility(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	rollback, err := boolParam(c, "rollback")
	if err != nil {
		return err
	}
	named := c.QueryParam("freight")
	if err := wantFreight(named); err != nil {
		return err
	}
	ctx := c.Request().Context()
	situation, err := s.engine.Situation(ctx, p, c.Param("stage"))
	if err != nil {
		return err
	}
	f, err := s.engine.FindFreight(ctx, p.Name, named, situation.Origins()...)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, s.engine.Verdict(situation, f, rollback))
}

func wantFreight(named string) error {
	if named == "" {
		return invalid("freight is missing: name an ID, an unambiguous beginning of one, an alias, or a version")
	}
	return nil
}

func boolParam(c echo.Context, name string) (bool, error) {
	switch c.QueryParam(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, invalid("%s is true or false", name)
	}
}

const (
	defaultLimit = 50
	maxLimit     = 200
)

// page returns the part of a list that is asked for, and the cursor of the next:
// the ID of the last item, so that what is added in front moves nothing.
func page(c echo.Context, length int, id func(int) string) (from, to int, next string, err error) {
	limit := defaultLimit
	if text := c.QueryParam("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxLimit {
			return 0, 0, "", invalid("limit is a number from 1 to %d", maxLimit)
		}
	}
	if cursor := c.QueryParam("cursor"); cursor != "" {
		from = -1
		for i := range length {
			if id(i) == cursor {
				from = i + 1
			}
		}
		if from < 0 {
			return 0, 0, "", invalid("the cursor's item is gone: list from the beginning")
		}
	}
	to = min(length, from+limit)
	if to < length {
		next = id(to - 1)
	}
	return from, to, next, nil
}

// recent is how much freight a pipeline's view holds.
const recent = 20

func (s *Server) recentFreight(ctx context.Context, p pipeline.Name) ([]freight.Freight, error) {
	all, err := s.engine.Freight(ctx, p)
	return all[:min(len(all), recent)], err
}
