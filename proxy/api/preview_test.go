package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

// fakeGit stands in for Git hosts and the renderer: what an Application renders
// is what it is told.
type fakeGit struct {
	down     error
	between  gitrepo.Between
	compared preview.Application
	rendered atomic.Int64 // how often
}

func (*fakeGit) Commit(context.Context, gitrepo.Change) (gitrepo.Written, error) {
	return gitrepo.Written{}, errors.New("the API commits nothing")
}

func (*fakeGit) File(context.Context, string, string, string) ([]byte, error) {
	return nil, gitrepo.ErrNoFile
}

func (g *fakeGit) Branches(context.Context, string) (gitrepo.Branches, error) {
	tips := map[string]string{"main": strings.Repeat("a", 40), "env/prod": strings.Repeat("b", 40)}
	return gitrepo.Branches{Head: tips["main"], Tips: tips}, g.down
}

func (*fakeGit) Start(context.Context, gitrepo.Change) (string, error) {
	return "", errors.New("the API commits nothing")
}

func (*fakeGit) Glob(context.Context, string, string, string, ...string) (map[string][]byte, error) {
	return nil, nil
}

func (g *fakeGit) Between(context.Context, string, string, string) (gitrepo.Between, error) {
	return g.between, g.down
}

func (g *fakeGit) Compare(_ context.Context, app argocd.Application, _, next preview.Tree) (preview.Application, error) {
	g.rendered.Add(1)
	a := g.compared
	a.Namespace, a.Name = app.Namespace, app.Name
	if next.Revision == "" {
		return a, errors.New("nothing is rendered")
	}
	return a, nil
}

func (g *fakeGit) Digest(context.Context, argocd.Application, preview.Tree) (string, error) {
	if g.compared.Problem != "" {
		return "", &preview.Refusal{Sentence: g.compared.Problem}
	}
	return g.compared.Digest, g.down
}

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

func TestAPreviewTellsWhatWouldChange(t *testing.T) {
	w := newWorld(t)
	resource := preview.Resource{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "shop"}
	w.git.compared = preview.Application{
		Digest: digestOf("1"), Total: 3, Prunes: true, Today: "it has no waybill", Clipped: true,
		Added: []preview.Resource{{Version: "v1", Kind: "ConfigMap", Name: "new"}}, Pruned: []preview.Resource{resource},
		Changed: []preview.Change{{Resource: resource, Diff: "- a\n+ b\n", Clipped: true, Immutable: []string{"spec.selector"}}},
		Images:  []preview.Image{{Repository: "registry.example.com/shop", After: []string{"v2"}}},
		CRDs:    []preview.CRD{{Name: "shops.example.com", Goes: true}, {Name: "carts.example.com", Versions: []string{"v1alpha1"}}},
	}
	got := ask[v1.Preview](w, http.StatusOK, call{path: "/pipelines/shop/stages/staging/preview?freight=v1.1.0"})
	if got.Freight != w.mid.ID || got.Alias != "kind-v1.1.0" || got.Summary != "shop:v1.1.0" || got.Digest == "" || len(got.Carries) != 1 || len(got.Applications) != 2 {
		t.Fatalf("the preview is %+v", got)
	}
	want := v1.PreviewApplication{
		Namespace: control, Name: "shop-staging", Digest: digestOf("1"), Total: 3, Prunes: true, Today: "it has no waybill", Clipped: true,
		Added:  []v1.Resource{{Version: "v1", Kind: "ConfigMap", Name: "new"}},
		Pruned: []v1.Resource{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "shop"}},
		Changed: []v1.PreviewChange{{
			Resource: v1.Resource{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "shop"},
			Diff:     "- a\n+ b\n", Clipped: true, Immutable: []string{"spec.selector"},
		}},
		Images: []v1.PreviewImage{{Repository: "registry.example.com/shop", Before: []string{}, After: []string{"v2"}}},
		CRDs:   []v1.PreviewCRD{{Name: "shops.example.com", Goes: true}, {Name: "carts.example.com", Versions: []string{"v1alpha1"}}},
	}
	if diff := cmp.Diff(want, got.Applications[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(w.writes) > 0 {
		t.Errorf("a preview writes %v", w.writes)
	}
}

func TestWhatCannotBeRenderedIsAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.git.compared.Problem = "Application shop-dev: its kustomization is broken"
	got := ask[v1.Preview](w, http.StatusOK, call{path: "/pipelines/shop/stages/dev/preview?freight=v1.1.0"})
	if got.Digest != "" || got.Applications[0].Problem != w.git.compared.Problem {
		t.Errorf("the preview is %+v", got)
	}
	w.git.down = errors.New("the Git repository does not answer: try again later")
	got = ask[v1.Preview](w, http.StatusOK, call{path: "/pipelines/shop/stages/dev/preview?freight=v1.1.0"})
	if got.Applications[0].Problem != w.git.down.Error() {
		t.Errorf("while Git is away, the preview is %+v", got)
	}
}

func TestAPreviewIsRefusedLikeEveryRead(t *testing.T) {
	w := newWorld(t)
	path := "/pipelines/shop/stages/dev/preview"
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "freight is missing", call{path: path})
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `no freight "v9"`, call{path: path + "?freight=v9"})
	w.refused(http.StatusNotFound, v1.ProblemNotFound, "no stage", call{path: "/pipelines/shop/stages/qa/preview?freight=v1.1.0"})
	w.refused(http.StatusForbidden, v1.ProblemNotBound, "bound to", call{path: path + "?freight=v1.1.0", app: "books-dev"})
	w.refused(http.StatusForbidden, v1.ProblemNotBound, "on behalf of an Application of that project", call{path: "/pipelines/shop/stages/prod/preview?freight=v1.1.0"})
	w.refused(http.StatusForbidden, v1.ProblemGate, "", call{path: path + "?freight=v1.1.0", gate: "waybill-promote"})
	if n := w.git.rendered.Load(); n > 0 {
		t.Errorf("rendered %d times for nobody", n)
	}
}

// Argo CD has checked the Application in the header, and no other.
func TestManifestsAreShownOfApplicationsThatTheCallerMayGet(t *testing.T) {
	w := newWorld(t)
	w.git.compared = preview.Application{
		Digest: digestOf("1"), Total: 3, Today: "hunter2",
		Added:   []preview.Resource{{Version: "v1", Kind: "ConfigMap", Name: "hunter2"}},
		Pruned:  []preview.Resource{{Version: "v1", Kind: "ConfigMap", Name: "hunter2"}},
		Changed: []preview.Change{{Resource: preview.Resource{Version: "v1", Kind: "ConfigMap", Name: "hunter2"}, Diff: "+ hunter2\n"}},
		Images:  []preview.Image{{Repository: "hunter2"}}, CRDs: []preview.CRD{{Name: "hunter2"}},
	}
	for _, tt := range []struct {
		user, app string
		left      []string // whose manifests are left out
	}{
		{"alice", "shop-dev", nil},
		{"bob", "shop-dev", []string{"shop-staging-eu"}},
		{"bob", "shop-staging-eu", nil},
		{"mallory", "shop-dev", []string{"shop-staging", "shop-staging-eu"}},
		{"mallory", "shop-staging", []string{"shop-staging-eu"}},
	} {
		for _, problem := range []string{"", "hunter2"} {
			w.git.compared.Problem = problem
			got := ask[v1.Preview](w, http.StatusOK, call{path: "/pipelines/shop/stages/staging/preview?freight=v1.1.0", user: tt.user, app: tt.app})
			var left []string
			for _, a := range got.Applications {
				text, err := json.Marshal(a)
				w.must(err)
				if a.Withheld != "" {
					left = append(left, a.Name)
					if line := "p, " + tt.user + ", applications, get, shop/" + a.Name + ", allow"; !strings.Contains(a.Withheld, a.Name) || !strings.HasSuffix(a.Withheld, line) {
						t.Errorf("no sentence that helps: %s", a.Withheld)
					}
				}
				if shown := strings.Contains(string(text), "hunter2"); shown != (a.Withheld == "") {
					t.Errorf("%s for %s: manifests shown: %v: %s", tt.user, tt.app, shown, text)
				}
				if a.Digest != digestOf("1") || a.Total != 3 || (a.Problem == "") != (problem == "") {
					t.Errorf("%s for %s: what tells nothing is left out: %s", tt.user, tt.app, text)
				}
			}
			if diff := cmp.Diff(tt.left, left); diff != "" || len(got.Applications) != 2 {
				t.Errorf("%s for %s: left out (-want +got):\n%s", tt.user, tt.app, diff)
			}
		}
	}
}

func TestAnApprovalIsBoundToThePresentPreview(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.mid)
	w.git.compared.Digest = digestOf("1")
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.1.0"})
	seen := ask[v1.Preview](w, http.StatusOK, call{path: "/pipelines/shop/stages/prod/preview?freight=v1.1.0", app: "shop-prod"}).Digest
	approve := func(user, digest string) call {
		c := w.decide(v1.ActionApprove, p.ID, user)
		c.body = v1.Approve{Comment: "seen", Preview: digest}
		return c
	}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "sha256: and 64 hex digits", approve("bob", "x"))
	w.refused(http.StatusConflict, v1.ProblemConflict, "look at the preview again", approve("bob", digestOf("2")))
	got := ask[v1.Promotion](w, http.StatusOK, approve("bob", seen))
	if len(got.Approvals) != 1 || got.Approvals[0].Preview != seen || got.Approvals[0].Comment != "seen" {
		t.Errorf("approvals: %+v", got.Approvals)
	}
	w.git.compared.Problem = "it is broken"
	w.refused(http.StatusConflict, v1.ProblemConflict, "it is broken", approve("carol", seen))
	w.git.compared.Problem, w.git.down = "", errors.New("the Git repository does not answer: try again later")
	w.refused(http.StatusServiceUnavailable, v1.ProblemUnavailable, "does not answer", approve("carol", seen))
	reject := w.decide(v1.ActionReject, p.ID, "carol")
	reject.body = v1.Approve{Preview: seen}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "preview", reject)
}

func TestFreightIsCompared(t *testing.T) {
	w := newWorld(t)
	compare := func(from, to string) call {
		return call{path: "/pipelines/shop/freight/compare?" + url.Values{"from": {from}, "to": {to}}.Encode()}
	}
	got := ask[v1.Comparison](w, http.StatusOK, compare("v1.0.0", "v1.2.0"))
	want := v1.Comparison{
		From: summaryOf(w.old), To: summaryOf(w.new), Between: []v1.FreightSummary{summaryOf(w.mid)},
		Artifacts: []v1.ComparisonArtifact{{Difference: freight.Difference{
			Kind: freight.KindImage, Artifact: "registry.example.com/shop", Changed: true,
			From: &freight.Version{Name: "v1.0.0", ID: w.old.Images[0].Digest}, To: &freight.Version{Name: "v1.2.0", ID: w.new.Images[0].Digest},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if back := ask[v1.Comparison](w, http.StatusOK, compare("v1.2.0", "v1.0.0")); !back.Backwards || len(back.Between) != 1 {
		t.Errorf("backwards: %+v", back)
	}
	if same := ask[v1.Comparison](w, http.StatusOK, compare("v1.2.0", "v1.2.0")); same.Artifacts[0].Changed || len(same.Between) != 0 {
		t.Errorf("with itself: %+v", same)
	}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "from or to is missing", call{path: "/pipelines/shop/freight/compare?from=v1.0.0"})
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `no freight "v9"`, compare("v1.0.0", "v9"))
}

func summaryOf(f freight.Freight) v1.FreightSummary {
	return v1.FreightSummary{ID: f.ID, Alias: f.Alias, Summary: f.Summary(), DiscoveredAt: f.DiscoveredAt}
}

func TestTheCommitsBetweenTwoPiecesOfFreightAreListed(t *testing.T) {
	w := newWorld(t)
	pin := func(digit string, age time.Duration) freight.Freight {
		f := freight.New(shop.String(), "shop", freight.Artifacts{Commits: []freight.Commit{{RepoURL: repoURL, ID: strings.Repeat(digit, 40)}}}, noon.Add(age))
		_, err := w.store.CreateFreight(t.Context(), f)
		w.must(err)
		return f
	}
	from, to := pin("1", -30*time.Minute), pin("2", -20*time.Minute)
	w.git.between = gitrepo.Between{More: true, Commits: []gitrepo.Entry{{ID: strings.Repeat("2", 40), Subject: "Sell more", Author: "Ann", At: noon}}}
	path := "/pipelines/shop/freight/compare?from=" + from.ID + "&to=" + to.ID
	got := ask[v1.Comparison](w, http.StatusOK, call{path: path}).Artifacts[0]
	want := []v1.ComparisonCommit{{ID: strings.Repeat("2", 40), Subject: "Sell more", Author: "Ann", At: noon}}
	if diff := cmp.Diff(want, got.Commits); diff != "" || !got.More {
		t.Errorf("more: %v (-want +got):\n%s", got.More, diff)
	}
	w.git.down = errors.New("the Git repository does not answer: try again later")
	if got := ask[v1.Comparison](w, http.StatusOK, call{path: path}).Artifacts[0]; got.Problem != w.git.down.Error() {
		t.Errorf("while Git is away: %+v", got)
	}
}

// More freight than an answer holds.
func TestALongComparisonIsCut(t *testing.T) {
	w := newWorld(t)
	for i := range 105 {
		f := freight.New(shop.String(), "shop", freight.Artifacts{
			Charts: []freight.Chart{{RepoURL: "oci://registry.example.com/chart", Version: time.Duration(i).String()}},
		}, noon.Add(-150*time.Minute+time.Duration(i)*time.Second))
		_, err := w.store.CreateFreight(t.Context(), f)
		w.must(err)
	}
	got := ask[v1.Comparison](w, http.StatusOK, call{path: "/pipelines/shop/freight/compare?from=v1.0.0&to=v1.1.0"})
	if len(got.Between) != 100 || !got.More {
		t.Errorf("%d in between, more: %v", len(got.Between), got.More)
	}
}
