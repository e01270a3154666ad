package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/identity"
	"github.com/waybill-cd/waybill/proxy/preview"
)

// renderTimeout bounds what an answer is rendered, fetched or looked for, within
// the time that clients wait. What was rendered or found by then is remembered.
const renderTimeout = 25 * time.Second

func (s *Server) preview(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	if err := showable(c, p); err != nil {
		return err
	}
	named := c.QueryParam("freight")
	if err := wantFreight(named); err != nil {
		return err
	}
	rollback, err := boolParam(c, "rollback")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), renderTimeout)
	defer cancel()
	shown, err := s.engine.Preview(ctx, p, c.Param("stage"), named, rollback)
	if err != nil {
		return err
	}
	view := v1.Preview{
		Stage: c.Param("stage"), Freight: shown.Freight.ID, Alias: shown.Freight.Alias, Summary: shown.Freight.Summary(),
		Carries: shown.Carries, Digest: shown.Digest, Applications: []v1.PreviewApplication{},
	}
	for _, a := range shown.Applications {
		one := previewView(a)
		why, err := s.withheld(ctx, caller(c), a)
		switch {
		case err != nil:
			return err
		case why != "":
			one = withoutManifests(one, why)
		}
		view.Applications = append(view.Applications, one)
	}
	return c.JSON(http.StatusOK, view)
}

// showable refuses manifests of another AppProject. A pipeline's records are for
// all of its Applications, but Argo CD has checked only that the caller may get
// the one in the header: manifests are shown to those of its project, see also
// withheld.
func showable(c echo.Context, p engine.Pipeline) error {
	stage, name, err := p.StageNamed(c.Param("stage"))
	if err != nil {
		return err
	}
	who := caller(c)
	if project := p.ProjectOf(stage); project != who.Project {
		return refuse(v1.ProblemNotBound, "Not bound",
			"Application %s/%s is of AppProject %s, and the manifests of stage %s are of %s: call on behalf of an Application of that project", who.Namespace, who.Name, who.Project, name, project)
	}
	return nil
}

// withheld tells why the caller is shown nothing of an Application's manifests;
// empty where they are shown. The Application in the header Argo CD has checked
// itself, groups and all (argo-cd, server/extension, applications, get); the
// others its policy is asked for, by name.
func (s *Server) withheld(ctx context.Context, who identity.Caller, a preview.Application) (string, error) {
	if a.Namespace == who.Namespace && a.Name == who.Name {
		return "", nil
	}
	// All Applications of the stage are of one AppProject, see showable.
	object := s.policy.PolicyObject(who.Project, a.Namespace, a.Name)
	ok, err := s.policy.AllowsGet(ctx, who.Username, object)
	if err != nil || ok {
		return "", err
	}
	return fmt.Sprintf("the manifests of Application %s/%s are left out, because Argo CD's policy does not allow %s by name to get it, and rights by group are not known here: "+
		"call on behalf of that Application, or ask an administrator of Argo CD for the line: p, %s, applications, %s, %s, allow",
		a.Namespace, a.Name, who.Username, who.Username, argocd.Get, object), nil
}

// withoutManifests keeps of a view what tells nothing of the manifests. A
// sentence of the plugin may quote them.
func withoutManifests(a v1.PreviewApplication, why string) v1.PreviewApplication {
	kept := v1.PreviewApplication{Namespace: a.Namespace, Name: a.Name, Digest: a.Digest, Prunes: a.Prunes, Total: a.Total, Withheld: why}
	if a.Problem != "" {
		kept.Problem = "there are no manifests with this freight, and why is told to those who may get the Application"
	}
	return kept
}

func previewView(a preview.Application) v1.PreviewApplication {
	return v1.PreviewApplication{
		Namespace: a.Namespace, Name: a.Name, Digest: a.Digest, Problem: a.Problem, Today: a.Today,
		Prunes: a.Prunes, Total: a.Total, Clipped: a.Clipped,
		Added: views(a.Added, resourceView), Pruned: views(a.Pruned, resourceView),
		Changed: views(a.Changed, func(change preview.Change) v1.PreviewChange {
			return v1.PreviewChange{Resource: resourceView(change.Resource), Diff: change.Diff, Clipped: change.Clipped, Immutable: change.Immutable}
		}),
		Images: views(a.Images, func(i preview.Image) v1.PreviewImage {
			return v1.PreviewImage{Repository: i.Repository, Before: orEmpty(i.Before), After: orEmpty(i.After)}
		}),
		CRDs: views(a.CRDs, func(crd preview.CRD) v1.PreviewCRD { return v1.PreviewCRD(crd) }),
	}
}

func resourceView(r preview.Resource) v1.Resource { return v1.Resource(r) }

func views[T, V any](all []T, view func(T) V) []V {
	if len(all) == 0 {
		return nil
	}
	shown := make([]V, len(all))
	for i, one := range all {
		shown[i] = view(one)
	}
	return shown
}

// orEmpty keeps an empty list a list in JSON.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func (s *Server) compare(c echo.Context) error {
	p, err := s.readable(c)
	if err != nil {
		return err
	}
	from, to := c.QueryParam("from"), c.QueryParam("to")
	if from == "" || to == "" {
		return invalid("from or to is missing: name an ID, an unambiguous beginning of one, or a version")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), renderTimeout)
	defer cancel()
	compared, err := s.engine.Compare(ctx, p, from, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v1.Comparison{
		From: freightSummary(compared.From), To: freightSummary(compared.To), Backwards: compared.Backwards, More: compared.More,
		Between:   orEmpty(views(compared.Between, freightSummary)),
		Artifacts: orEmpty(views(compared.Artifacts, artifactView)),
	})
}

func freightSummary(f freight.Freight) v1.FreightSummary {
	return v1.FreightSummary{ID: f.ID, Alias: f.Alias, Summary: f.Summary(), DiscoveredAt: f.DiscoveredAt}
}

func artifactView(a engine.ArtifactComparison) v1.ComparisonArtifact {
	view := v1.ComparisonArtifact{Difference: a.Difference, Backwards: a.Commits.Backwards, More: a.Commits.More, Problem: a.Problem}
	for _, k := range a.Commits.Commits {
		view.Commits = append(view.Commits, v1.ComparisonCommit{ID: k.ID, Subject: k.Subject, Author: k.Author, At: k.At})
	}
	return view
}
