package cli

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func aPreview(s *standIn) v1.Preview {
	deployment := v1.Resource{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "shop"}
	return v1.Preview{
		Stage: "prod", Freight: s.freight[0].ID, Summary: "shop:v1.2.0", Digest: "sha256:" + strings.Repeat("7", 64),
		Applications: []v1.PreviewApplication{
			{
				Namespace: "argocd", Name: "shop-prod", Digest: "sha256:" + strings.Repeat("1", 64), Total: 4,
				Added:  []v1.Resource{{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "new"}},
				Pruned: []v1.Resource{{Version: "v1", Kind: "Service", Namespace: "shop", Name: "old"}},
				Changed: []v1.PreviewChange{{
					Resource: deployment, Immutable: []string{"spec.selector"}, Clipped: true,
					Diff: "--- now\n+++ then\n@@ -5,7 +5,7 @@\n spec:\n   selector:\n-    app: shop\n+    app: books\n",
				}},
				Images:  []v1.PreviewImage{{Repository: "registry.example.com/shop", Before: []string{"v1.1.0"}, After: []string{"v1.2.0"}}, {Repository: "nginx", Before: []string{}, After: []string{"1"}}},
				CRDs:    []v1.PreviewCRD{{Name: "shops.example.com", Goes: true}, {Name: "carts.example.com", Versions: []string{"v1alpha1"}}, {Name: "tills.example.com"}},
				Clipped: true,
			},
			{Namespace: "argocd", Name: "shop-prod-eu", Total: 2, Prunes: true, Digest: "sha256:" + strings.Repeat("2", 64)},
			{Namespace: "argocd", Name: "shop-prod-us", Total: 1, Today: "it has no waybill", Added: []v1.Resource{{Version: "v1", Kind: "Namespace", Name: "shop"}}},
		},
	}
}

func (s *standIn) shows(p v1.Preview) {
	s.on("GET /pipelines/shop/stages/prod/preview", func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, p) })
}

func TestARollbackIsPreviewedAsOne(t *testing.T) {
	s := newStandIn(t)
	s.shows(aPreview(s))
	if got := run(t, s, "preview", "--stage", "prod", "--freight", "v1.2.0", "--rollback"); got.code != ExitOK {
		t.Errorf("code %d: %s", got.code, got.err)
	}
	if calls := s.calls(); !strings.HasSuffix(calls[len(calls)-1], "/preview?freight=v1.2.0&rollback=true") {
		t.Errorf("the calls are %q", calls)
	}
}

func TestAPreviewIsShown(t *testing.T) {
	for name, args := range map[string][]string{
		"preview.txt":      {"preview", "--stage", "prod", "--freight", "v1.2.0"},
		"preview-wide.txt": {"preview", "--app", "shop-prod", "--freight", "v1.2.0", "-o", "wide"},
		"preview-yaml.txt": {"preview", "--stage", "prod", "--freight", "v1.2.0", "-o", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			s.shows(aPreview(s))
			got := run(t, s, args...)
			if got.err != "" || got.code != ExitOK {
				t.Errorf("code %d: %s", got.code, got.err)
			}
			golden(t, name, got.out)
			if calls := s.calls(); !strings.Contains(calls[len(calls)-1], "argocd:shop-prod GET /pipelines/shop/stages/prod/preview?freight=v1.2.0") {
				t.Errorf("the calls are %q", calls)
			}
		})
	}
}

func TestADifferenceIsColouredForATerminal(t *testing.T) {
	s := newStandIn(t)
	got := style{terminal: true, colour: true}.preview(aPreview(s), true)
	for _, want := range []string{"\x1b[31m-    app: shop\x1b[0m", "\x1b[32m+    app: books\x1b[0m", "\x1b[36m@@ -5,7 +5,7 @@\x1b[0m", "\x1b[32m+ ConfigMap shop/new\x1b[0m", "\x1b[31m✗\x1b[0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if plain := (style{terminal: true}).preview(aPreview(s), true); strings.Contains(plain, "\x1b") {
		t.Errorf("colours without colour: %q", plain)
	}
}

func TestAPreviewThatIsNoWholeOneIsAnError(t *testing.T) {
	s := newStandIn(t)
	p := aPreview(s)
	p.Digest = ""
	p.Applications[1] = v1.PreviewApplication{Namespace: "argocd", Name: "shop-prod-eu", Problem: "there is no deploy/x.yaml\x1b[2J"}
	s.shows(p)
	got := run(t, s, "preview", "--stage", "prod", "--freight", "v1.2.0")
	if got.code != ExitError || !strings.Contains(got.out, "[no] argocd/shop-prod-eu: there is no deploy/x.yaml") || !strings.Contains(got.err, "argocd/shop-prod-eu cannot be rendered") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.out, "\x1b") || strings.Contains(got.out, "preview sha256") {
		t.Errorf("got %q", got.out)
	}
	if got := run(t, s, "preview", "--stage", "prod"); got.code != ExitUsage || !strings.Contains(got.err, "--freight") {
		t.Errorf("without freight: %+v", got)
	}
	if got := run(t, s, "preview", "--freight", "v1.2.0"); got.code != ExitUsage {
		t.Errorf("without a stage: %+v", got)
	}
}

func TestManifestsDoNotMoveTheTerminal(t *testing.T) {
	s := newStandIn(t)
	evil := "a\x1b[2J\u202e\nb\a"
	p := aPreview(s)
	p.Applications[0].Changed[0].Diff = " x: \x1b]0;title\a\u202e\r\n"
	p.Applications[0].Changed[0].Name, p.Applications[0].Images[0].Repository, p.Applications[0].CRDs[0].Name = evil, evil, evil
	p.Applications[0].Added[0].Name, p.Applications[0].Today, p.Summary = evil, evil, evil
	got := style{terminal: true}.preview(p, true)
	if strings.ContainsAny(got, "\x1b\a\u202e\r") {
		t.Errorf("got %q", got)
	}
}

func TestAnApprovalCanBeBoundToAPreview(t *testing.T) {
	s := newStandIn(t)
	id := s.pending().ID
	s.on("POST /pipelines/shop/promotions/"+id+"/approve", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.pending()) })
	got := run(t, s, "approve", id, "--comment", "seen", "--preview", "sha256:1", "-o", "name")
	calls := s.calls()
	if want := `approve {"comment":"seen","preview":"sha256:1"}`; got.code != ExitOK || !strings.HasSuffix(calls[len(calls)-1], want) {
		t.Errorf("got %+v, call %s", got, calls[len(calls)-1])
	}
	s.on("POST /pipelines/shop/promotions/"+id+"/approve", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, v1.Problem{Type: v1.ProblemConflict, Status: http.StatusConflict, Detail: "look at the preview again"})
	})
	if got := run(t, s, "approve", id, "--preview", "sha256:1"); got.code != ExitRefused || !strings.Contains(got.err, "look at the preview again") {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, "reject", id, "--preview", "sha256:1"); got.code != ExitUsage {
		t.Errorf("a rejection of a preview: %+v", got)
	}
}

func TestProgressTellsThatAnApprovalIsOutdated(t *testing.T) {
	s := newStandIn(t)
	p := s.pending()
	p.Approvals = []promotion.Decision{{By: "bob", At: now, Comment: "seen", Preview: "sha256:1", Outdated: "what would be rendered has changed since"}}
	var out bytes.Buffer
	progress := newProgress(&out, style{})
	progress.show(p)
	p.Approvals[0].Preview, p.Approvals[0].Outdated = "sha256:2", ""
	progress.show(p)
	want := "[ok] approved by bob, as previewed: seen\n[no] the approval by bob counts no longer: what would be rendered has changed since\n"
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Count(got, "approved by bob, as previewed") != 2 {
		t.Errorf("got %q", got)
	}
}

func TestAComparisonIsShown(t *testing.T) {
	s := newStandIn(t)
	summary := func(f freight.Freight) v1.FreightSummary {
		return v1.FreightSummary{ID: f.ID, Alias: f.Alias, Summary: f.Summary(), DiscoveredAt: f.DiscoveredAt}
	}
	from, to := s.freight[1], s.freight[0]
	compared := v1.Comparison{From: summary(from), To: summary(to), Between: []v1.FreightSummary{summary(shop("v1.1.5", time.Hour))}, More: true}
	for _, d := range freight.Compare(from.Artifacts, to.Artifacts) {
		compared.Artifacts = append(compared.Artifacts, v1.ComparisonArtifact{Difference: d})
	}
	pin := func(digit string) *freight.Version { return &freight.Version{ID: strings.Repeat(digit, 40)} }
	compared.Artifacts = append(compared.Artifacts,
		v1.ComparisonArtifact{
			Difference: freight.Difference{Kind: freight.KindCommit, Artifact: "https://git.example.com/shop.git", From: pin("1"), To: pin("2"), Changed: true},
			Commits:    []v1.ComparisonCommit{{ID: strings.Repeat("2", 40), Subject: "Sell\x1b more", Author: "Ann", At: before(time.Hour)}}, More: true, Backwards: true,
		},
		v1.ComparisonArtifact{Difference: freight.Difference{Kind: freight.KindCommit, Artifact: "https://git.example.com/other.git", From: pin("3"), To: pin("4"), Changed: true}, Problem: "it does not answer"},
		v1.ComparisonArtifact{Difference: freight.Difference{Kind: freight.KindChart, Artifact: "oci://registry.example.com/db", From: &freight.Version{Name: "1"}, To: &freight.Version{Name: "1"}}},
		v1.ComparisonArtifact{Difference: freight.Difference{Kind: freight.KindChart, Artifact: "oci://registry.example.com/new", Subscription: "next", To: &freight.Version{Name: "1"}, Changed: true}},
	)
	s.on("GET /pipelines/shop/freight/compare", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, compared) })
	got := run(t, s, "compare", "v1.1.0", "v1.2.0")
	if diff := cmp.Diff(ran{out: got.out}, got, cmp.AllowUnexported(ran{})); diff != "" {
		t.Error(diff)
	}
	golden(t, "compare.txt", got.out)
	calls := s.calls()
	if !strings.Contains(calls[len(calls)-1], "from=v1.1.0&to=v1.2.0") {
		t.Errorf("the call is %s", calls[len(calls)-1])
	}
	if got := run(t, s, "compare", "v1.1.0"); got.code != ExitUsage {
		t.Errorf("with one: %+v", got)
	}
}

func TestBothPiecesOfFreightOfAComparisonAreCompleted(t *testing.T) {
	s := newStandIn(t)
	for _, args := range [][]string{{"__complete", "compare", ""}, {"__complete", "compare", "v1.1.0", ""}, {"__complete", "preview", "--stage", "prod", "--freight", ""}} {
		if got := run(t, s, args...); !strings.Contains(got.out, "v1.2.0") {
			t.Errorf("%q: %+v", args, got)
		}
	}
	if got := run(t, s, "__complete", "compare", "a", "b", ""); strings.Contains(got.out, "v1.2.0") {
		t.Errorf("a third is offered: %q", got.out)
	}
}
