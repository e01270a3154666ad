package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// route is the way to a pipeline: the Applications on whose behalf to call, the
// first that serves before the others.
type route struct {
	client       *client.Client
	pipeline     pipeline.Name
	applications []client.Application
}

// maxTries bounds how many Applications are tried for one call. More than one
// is needed where somebody annotated an Application that may not join.
const maxTries = 5

// route finds the pipeline that the flags mean, and its Applications.
func (c *command) route(ctx context.Context) (*route, error) { return c.routeOfPromotion(ctx, "") }

// routeOfPromotion is route where the ID of a promotion, whose first parts are
// its pipeline and stage, may stand in for --pipeline.
func (c *command) routeOfPromotion(ctx context.Context, id string) (*route, error) {
	reach, err := c.connect()
	if err != nil {
		return nil, err
	}
	if c.app != "" {
		return c.routeOfApplication(ctx, reach)
	}
	var wanted pipeline.Name
	if c.pipeline != "" {
		if wanted, err = pipeline.ParseName(c.pipeline); err != nil {
			return nil, usage("--pipeline: %v", err)
		}
	}
	bound, err := reach.Applications(ctx)
	if err != nil {
		return nil, err
	}
	if c.pipeline == "" {
		if wanted, err = c.theOnlyPipeline(ctx, bound, id); err != nil {
			return nil, err
		}
	}
	r := &route{client: reach, pipeline: wanted}
	for _, a := range bound {
		if a.Stage.Pipeline == wanted {
			r.applications = append(r.applications, a)
		}
	}
	if len(r.applications) == 0 {
		return nil, fmt.Errorf("no Application that you can read is bound to pipeline %s: annotate one with %s: %s/<stage>, or correct --pipeline%s",
			wanted.Short(), client.StageAnnotation, wanted.Short(), pipelinesOf(bound))
	}
	return r, nil
}

// routeOfApplication makes the route of the Application that --app names.
func (c *command) routeOfApplication(ctx context.Context, reach *client.Client) (*route, error) {
	namespace, name, found := strings.Cut(c.app, "/")
	if !found {
		namespace, name = "", c.app
	}
	a, err := reach.Application(ctx, namespace, name)
	if refused := (*client.ArgoError)(nil); errors.As(err, &refused) {
		return nil, fmt.Errorf("Application %s cannot be read, or does not exist: %w", c.app, err)
	}
	if err != nil {
		return nil, err
	}
	r := &route{client: reach, pipeline: a.Stage.Pipeline, applications: []client.Application{a}}
	if c.pipeline != "" {
		if r.pipeline, err = pipeline.ParseName(c.pipeline); err != nil {
			return nil, usage("--pipeline: %v", err)
		}
	}
	if !a.Bound() || a.Stage.Pipeline != r.pipeline {
		return nil, fmt.Errorf("Application %s is not bound to a stage of the pipeline: its annotation %s must name one", a, client.StageAnnotation)
	}
	return r, nil
}

// theOnlyPipeline is onlyPipeline for what there is: one annotation with a typing
// error must not hide the pipelines that exist. The proxy is asked only where
// that can make a difference.
func (c *command) theOnlyPipeline(ctx context.Context, bound []client.Application, id string) (pipeline.Name, error) {
	wanted, several := onlyPipeline(bound, id)
	if several == nil || len(bound) == 0 {
		return wanted, several
	}
	known, err := c.pipelines(ctx)
	if err != nil {
		return wanted, several
	}
	names := map[string]bool{}
	for _, p := range known {
		names[p.Value.Name] = true
	}
	existing := slices.DeleteFunc(slices.Clone(bound), func(a client.Application) bool { return !names[a.Stage.Pipeline.Short()] })
	if wanted, err = onlyPipeline(existing, id); err != nil {
		return wanted, several
	}
	return wanted, nil
}

// onlyPipeline returns the one pipeline of the Applications, or of those whose
// stage the ID of a promotion names.
func onlyPipeline(bound []client.Application, id string) (pipeline.Name, error) {
	all, named := map[pipeline.Name]bool{}, map[pipeline.Name]bool{}
	for _, a := range bound {
		all[a.Stage.Pipeline] = true
		if strings.HasPrefix(id, a.Stage.Pipeline.Name+"-"+a.Stage.Stage+"-") {
			named[a.Stage.Pipeline] = true
		}
	}
	if len(all) == 0 {
		return pipeline.Name{}, fmt.Errorf("no Application that you can read is bound to a pipeline: annotate one with %s: <pipeline>/<stage>", client.StageAnnotation)
	}
	if len(named) != 1 {
		named = all
	}
	names := slices.Collect(maps.Keys(named))
	if len(names) > 1 {
		return pipeline.Name{}, usage("name the pipeline with --pipeline%s", pipelinesOf(bound))
	}
	return names[0], nil
}

// maxNamed bounds how many pipelines a sentence lists.
const maxNamed = 10

func pipelinesOf(bound []client.Application) string {
	var names []string
	for _, a := range bound {
		names = append(names, a.Stage.Pipeline.Short())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return ""
	}
	rest := ""
	if len(names) > maxNamed {
		names, rest = names[:maxNamed], ", …"
	}
	return ": you can read " + strings.Join(names, ", ") + rest
}

// to puts the Applications of a stage first: a change wants one of them.
func (r *route) to(stage string) {
	slices.SortStableFunc(r.applications, func(a, b client.Application) int {
		switch {
		case (a.Stage.Stage == stage) == (b.Stage.Stage == stage):
			return 0
		case a.Stage.Stage == stage:
			return -1
		default:
			return 1
		}
	})
}

// stage returns the stage that a flag names, else the one of --app.
func (c *command) stage(r *route, flag string) (string, error) {
	switch {
	case flag != "":
		return flag, nil
	case c.app != "":
		return r.applications[0].Stage.Stage, nil
	default:
		return "", usage("name the stage with --stage, or an Application of it with --app")
	}
}

// in returns a path below the pipeline.
func (r *route) in(path ...string) []string {
	return append([]string{"pipelines", client.Pipeline(r.pipeline)}, path...)
}

func (r *route) reading() client.Door {
	return client.Door{Application: r.applications[0], Gate: pipeline.GateRead}
}

// get reads on behalf of the first Application that the proxy accepts.
func (r *route) get(ctx context.Context, answer any, query url.Values, path ...string) error {
	for tries := 1; ; tries++ {
		err := r.client.Get(ctx, r.reading(), answer, query, path...)
		if !client.Elsewhere(err) || len(r.applications) == 1 || tries == maxTries {
			return err
		}
		r.applications = r.applications[1:]
	}
}

// door finds the way for a change in a stage: an Application of the stage where
// there is one, and the gate that its pipeline wants for the action.
func (r *route) door(ctx context.Context, stage, action string) (client.Door, error) {
	through, _, err := r.doorInto(ctx, stage, action)
	return through, err
}

// doorInto is door, and tells what the Application's own stage looks like.
func (r *route) doorInto(ctx context.Context, stage, action string) (client.Door, v1.Stage, error) {
	r.to(stage)
	var answer v1.Application
	if err := r.get(ctx, &answer, nil, "application"); err != nil {
		return client.Door{}, v1.Stage{}, err
	}
	return client.Door{Application: r.applications[0], Gate: gateOf(answer.Actions, action)}, answer.Stage, nil
}

func gateOf(actions []v1.Action, action string) string {
	for _, a := range actions {
		if a.Name == action && a.Gate != "" {
			return a.Gate
		}
	}
	switch action {
	case v1.ActionApprove, v1.ActionReject:
		return pipeline.GateApprove
	default:
		return pipeline.GatePromote
	}
}
