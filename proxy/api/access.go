package api

import (
	"cmp"
	"context"
	"strings"

	"github.com/labstack/echo/v4"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
)

// verbs are the actions of Argo CD's policy that the API's actions need.
var verbs = map[string]string{
	v1.ActionPromote: "promote", v1.ActionRollback: "promote", v1.ActionAbort: "promote", v1.ActionRefresh: "promote", v1.ActionAssemble: "promote",
	v1.ActionApprove: "approve", v1.ActionReject: "approve",
}

// gateOf returns the gate of an action in a pipeline.
func gateOf(p engine.Pipeline, action string) string {
	if verbs[action] == "approve" {
		return p.Gates.Approve
	}
	return p.Gates.Promote
}

// throughGate refuses a call that came through another gate than it should:
// Argo CD's RBAC decides per gate, so a call through the wrong one is allowed
// by nobody.
func throughGate(c echo.Context, gate string) error {
	who := caller(c)
	if who.Gate == gate {
		return nil
	}
	return refuse(v1.ProblemGate, "Wrong gate",
		"this call goes through the gate %s, and came through %s: call /extensions/%s/…; whom it lets through is written in Argo CD's RBAC (extensions, invoke, %s)", gate, who.Gate, gate, gate)
}

// bound returns the stage of the Application that the caller names. Its
// AppProject must be the one that Argo CD has checked.
func (s *Server) bound(c echo.Context) (pipeline.StageName, error) {
	who := caller(c)
	stage, project, asks, err := s.apps.Binding(c.Request().Context(), who.Namespace, who.Name)
	switch {
	case err != nil && !asks:
		return stage, err
	case err != nil:
		return stage, refuse(v1.ProblemNotBound, "Not bound", "%s", err)
	case project != who.Project:
		return stage, refuse(v1.ProblemNotBound, "Not bound", "Application %s/%s is in AppProject %s, not in %s", who.Namespace, who.Name, project, who.Project)
	case !asks:
		return stage, refuse(v1.ProblemNotBound, "Not bound",
			"Application %s/%s is bound to no stage: whoever may edit it sets the annotation %s: <pipeline>/<stage>", who.Namespace, who.Name, argocd.AnnotationStage)
	}
	return stage, nil
}

// readable returns the pipeline that a read is about. The caller's Application
// must be bound to it, and be of one of its AppProjects.
func (s *Server) readable(c echo.Context) (engine.Pipeline, error) {
	if err := throughGate(c, pipeline.GateRead); err != nil {
		return engine.Pipeline{}, err
	}
	return s.pipelineOf(c)
}

func (s *Server) pipelineOf(c echo.Context) (engine.Pipeline, error) {
	stage, err := s.bound(c)
	if err != nil {
		return engine.Pipeline{}, err
	}
	name, err := pipelineParam(c)
	if err != nil {
		return engine.Pipeline{}, err
	}
	if stage.Pipeline != name {
		who := caller(c)
		return engine.Pipeline{}, refuse(v1.ProblemNotBound, "Not bound",
			"Application %s/%s is bound to pipeline %s, not to %s: call on behalf of one that is", who.Namespace, who.Name, stage.Pipeline.Short(), name.Short())
	}
	p, err := s.engine.Pipeline(c.Request().Context(), name)
	if err != nil {
		return engine.Pipeline{}, err
	}
	return p, inProject(p, stage, caller(c).Project)
}

func inProject(p engine.Pipeline, name pipeline.StageName, project string) error {
	stage, there := p.Stage(name.Stage)
	if !there {
		// Nothing tells that the caller may know which stages there are.
		return notFound("pipeline %s has no stage %q", p.Name.Short(), name.Stage)
	}
	if want := p.ProjectOf(stage); want != project {
		return refuse(v1.ProblemNotBound, "Not bound", "stage %s takes Applications of AppProject %s, this one is of %s", name, want, project)
	}
	return nil
}

// pipelineParam reads the pipeline of a path: a name, or namespace:name (a
// slash would be taken for the path's own).
func pipelineParam(c echo.Context) (pipeline.Name, error) {
	name, err := pipeline.ParseName(strings.Replace(c.Param("pipeline"), ":", "/", 1))
	if err != nil {
		return name, invalid("%s", err)
	}
	return name, nil
}

// mayChange is the one check before every write: the right gate, an Application
// that is bound to the very stage, and Argo CD's own policy for each Application
// of the stage.
func (s *Server) mayChange(c echo.Context, p engine.Pipeline, stage, action string) error {
	if err := throughGate(c, gateOf(p, action)); err != nil {
		return err
	}
	ctx, who := c.Request().Context(), caller(c)
	own, err := s.bound(c)
	if err != nil {
		return err
	}
	def, name, err := p.StageNamed(stage)
	if err != nil {
		return err
	}
	if own != name {
		return refuse(v1.ProblemNotBound, "Not bound",
			"Application %s/%s is bound to stage %s: to change %s, call on behalf of an Application that is bound to it", who.Namespace, who.Name, own, name)
	}
	bound, err := s.apps.Bound(ctx, p.Document, def, name)
	if err != nil {
		return err
	}
	joined := false
	for _, a := range bound.Applications {
		joined = joined || a.Namespace == who.Namespace && a.Name == who.Name
		if err := s.allowed(ctx, who.Username, action, name, a.Project, a.Namespace, a.Name); err != nil {
			return err
		}
	}
	if !joined {
		key := who.Namespace + "/" + who.Name
		return refuse(v1.ProblemNotBound, "Not bound", "Application %s has not joined stage %s: %s", key, name,
			cmp.Or(bound.Problem(key), "it has just been changed, try again"))
	}
	log.FromContext(ctx).WithName("audit").Info("allowed", "user", who.Username, "gate", who.Gate, "action", action, "stage", name.String(), "application", who.Namespace+"/"+who.Name)
	return nil
}

func (s *Server) allowed(ctx context.Context, username, action string, stage pipeline.StageName, project, namespace, name string) error {
	object := s.policy.PolicyObject(project, namespace, name)
	ok, err := s.policy.Allows(ctx, username, verbs[action], object)
	if err != nil || ok {
		return err
	}
	return refuse(v1.ProblemForbidden, "Forbidden",
		"%s may not %s in stage %s: Argo CD's policy does not allow (applications, %s, %s); an administrator of Argo CD, or of the AppProject, can", username, action, stage, argocd.Action(verbs[action]), object)
}
