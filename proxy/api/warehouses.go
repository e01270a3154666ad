package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/engine"
)

func (s *Server) warehouseView(ctx context.Context, p engine.Pipeline, w pipeline.Warehouse) (v1.Warehouse, error) {
	record, err := s.engine.Warehouse(ctx, p.Name, w.Name)
	if err != nil {
		return v1.Warehouse{}, err
	}
	view := v1.Warehouse{
		Name: w.Name, Interval: w.Interval, Subscriptions: w.Subscriptions,
		Manual:    w.FreightCreationPolicy == pipeline.CreationManual,
		Candidate: record.Candidate, Error: record.Error, Reason: record.Reason,
	}
	look, known := s.engine.Look(ctx, p.Name, w.Name)
	if !known {
		return view, nil
	}
	view.LookedAt, view.NextLookAt, view.Requests, view.Skipped = &look.At, &look.Next, &look.Requests, look.Skipped
	if look.Progress != "" && record.Reason != "" {
		view.Reason = record.Reason + ": " + look.Progress
	}
	return view, nil
}

// candidates tells what the subscriptions of a warehouse offer now.
func (s *Server) candidates(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), renderTimeout)
	defer cancel()
	found, err := s.engine.Candidates(ctx, p, c.Param("warehouse"))
	if err != nil {
		return err
	}
	view := v1.Candidates{Warehouse: c.Param("warehouse"), At: found.At, Items: make([]v1.Offers, len(found.Subscriptions))}
	for i, sub := range found.Subscriptions {
		view.Items[i] = v1.Offers{
			Subscription: sub.Subscription, Kind: sub.Kind, RepoURL: sub.RepoURL, Name: sub.Name,
			Offers: make([]v1.Offer, len(sub.Offers)), Skipped: sub.Skipped, Error: sub.Error,
		}
		for j, o := range sub.Offers {
			o.Detail = o.Detail.Bounded()
			view.Items[i].Offers[j] = v1.Offer{Offer: o, Version: o.Version()}
		}
	}
	return c.JSON(http.StatusOK, view)
}

// mayChangeWarehouse is the check before what is asked of a warehouse. That
// belongs to no stage, so the caller's right to promote to their own Application's
// stage, which is returned, is what counts.
func (s *Server) mayChangeWarehouse(c echo.Context, action string) (engine.Pipeline, pipeline.StageName, error) {
	p, err := s.pipelineOf(c)
	if err != nil {
		return p, pipeline.StageName{}, err
	}
	own, err := s.bound(c)
	if err != nil {
		return p, own, err
	}
	return p, own, s.mayChange(c, p, own.Stage, action)
}

// takesFreight refuses to make freight of a warehouse on behalf of a stage that
// takes none of it: whom it would go to have their own say. A warehouse that there
// is not is told by who looks for it.
func takesFreight(p engine.Pipeline, stage pipeline.StageName, warehouse string) error {
	if _, there := p.Warehouse(warehouse); !there {
		return nil
	}
	def, _, err := p.StageNamed(stage.Stage)
	if err != nil {
		return err
	}
	if _, takes := def.Requests(warehouse); takes {
		return nil
	}
	return refuse(v1.ProblemNotBound, "Not bound",
		"stage %s takes no freight of warehouse %s: make freight of it on behalf of an Application of a stage that does", stage, warehouse)
}

// refresh has a warehouse look now.
func (s *Server) refresh(c echo.Context) error {
	p, _, err := s.mayChangeWarehouse(c, v1.ActionRefresh)
	if err != nil {
		return err
	}
	if err := s.engine.Refresh(c.Request().Context(), p, c.Param("warehouse")); err != nil {
		return err
	}
	return c.NoContent(http.StatusAccepted)
}

// assemble makes freight by hand: 201 for new freight, 200 for what there was of
// this content.
func (s *Server) assemble(c echo.Context) error {
	p, own, err := s.mayChangeWarehouse(c, v1.ActionAssemble)
	if err != nil {
		return err
	}
	if err := takesFreight(p, own, c.Param("warehouse")); err != nil {
		return err
	}
	var body v1.Assemble
	if err := read(c, &body); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), renderTimeout)
	defer cancel()
	f, created, err := s.engine.Assemble(ctx, p, c.Param("warehouse"), engine.Assembly{
		By: caller(c).Username, Reason: body.Reason, Choices: body.Artifacts,
	})
	if err != nil {
		return err
	}
	views, err := s.freightViews(ctx, p, []freight.Freight{f})
	if err != nil {
		return err
	}
	if created {
		return c.JSON(http.StatusCreated, views[0])
	}
	return c.JSON(http.StatusOK, views[0])
}
