package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestMeIsWhomTheProxyTakesTheCallerFor(t *testing.T) {
	w := newWorld(t)
	for gate := range secrets {
		// It needs neither a binding nor a right.
		got := ask[v1.Me](w, http.StatusOK, call{path: "/me", gate: gate, user: "eve@example.com", app: "loose"})
		want := v1.Me{Username: "eve@example.com", Gate: gate, Application: "argocd/loose", Project: "shop"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("through %s (-want +got):\n%s", gate, diff)
		}
	}
}

func TestTheApplicationsStageIsAllThatItsTabShowsFirst(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old, w.mid)
	waiting := w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0", Reason: "try it"})
	got := ask[v1.Application](w, http.StatusOK, call{path: "/application"})
	if got.Namespace != control || got.Name != "shop-dev" || got.Project != "shop" || got.Pipeline != "shop" || got.Stage.Name != "dev" {
		t.Errorf("got %+v", got)
	}
	actions := []v1.Action{
		{Name: "promote", Gate: "waybill-promote"}, {Name: "approve", Gate: "waybill-approve"}, {Name: "reject", Gate: "waybill-approve"},
		{Name: "abort", Gate: "waybill-promote"}, {Name: "rollback", Gate: "waybill-promote"}, {Name: "refresh", Gate: "waybill-promote"},
		{Name: "assemble", Gate: "waybill-promote"},
	}
	if diff := cmp.Diff(actions, got.Actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	stage := got.Stage
	if len(stage.Current) != 1 || stage.Current[0].Freight != w.mid.ID || stage.Current[0].Alias != "kind-v1.1.0" || stage.Current[0].Summary != "shop:v1.1.0" || stage.Current[0].VerifiedAt == nil {
		t.Errorf("current %+v", stage.Current)
	}
	if len(stage.History) != 1 || stage.History[0].Freight != w.old.ID || stage.History[0].Until == nil {
		t.Errorf("history %+v", stage.History)
	}
	if len(stage.Pending) != 1 || stage.Pending[0].ID != waiting.ID || stage.Pending[0].Waiting != "" {
		t.Errorf("pending %+v", stage.Pending)
	}
	if diff := cmp.Diff([]v1.Automation{{Origin: "shop", Candidate: w.new.ID, Why: "promotion " + waiting.ID + " of the candidate is under way"}}, stage.Automation); diff != "" {
		t.Errorf("automation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]v1.BoundApplication{{Namespace: control, Name: "shop-dev", Sync: "Synced", Health: "Healthy"}}, stage.Applications); diff != "" {
		t.Errorf("Applications (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"write-waybill", "argocd-sync", "argocd-wait"}, stage.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	w.run(waiting.ID)
	stage = ask[v1.Application](w, http.StatusOK, call{path: "/application"}).Stage
	if stage.Running == nil || stage.Running.ID != waiting.ID || len(stage.Pending) != 0 {
		t.Errorf("running %+v, pending %+v", stage.Running, stage.Pending)
	}
}

func TestAnApplicationThatArgoCDCannotRenderTellsWhy(t *testing.T) {
	w := newWorld(t)
	var app v1alpha1.Application
	w.must(w.cluster.Get(t.Context(), client.ObjectKey{Namespace: control, Name: "shop-dev"}, &app))
	app.Status.Sync.Status, app.Status.Health.Status = "Unknown", "Missing"
	app.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: v1alpha1.ApplicationConditionComparisonError, Message: "no waybill"}}
	w.must(w.cluster.Update(t.Context(), &app))
	want := []v1.BoundApplication{{Namespace: control, Name: "shop-dev", Sync: "Unknown", Health: "Missing", Trouble: "no waybill"}}
	if diff := cmp.Diff(want, ask[v1.Application](w, http.StatusOK, call{path: "/application"}).Stage.Applications); diff != "" {
		t.Errorf("Applications (-want +got):\n%s", diff)
	}
}

func TestTheActionsOfAPipelineNameItsOwnGates(t *testing.T) {
	got := ask[v1.Application](newWorld(t), http.StatusOK, call{path: "/application", app: "books-dev"})
	for _, a := range got.Actions {
		if want := map[string]string{"approve": "books-approve", "reject": "books-approve"}[a.Name]; want != "" && a.Gate != want || want == "" && a.Gate != "books-promote" {
			t.Errorf("%s goes through %s", a.Name, a.Gate)
		}
	}
}

func TestPipelinesAreThoseOfTheCallersProject(t *testing.T) {
	w := newWorld(t)
	for app, want := range map[string][]string{"shop-dev": {"books", "shop"}, "shop-prod": {"shop"}} {
		var names []string
		for _, p := range ask[v1.Pipelines](w, http.StatusOK, call{path: "/pipelines", app: app}).Items {
			names = append(names, p.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("for %s (-want +got):\n%s", app, diff)
		}
	}
	summary := ask[v1.Pipelines](w, http.StatusOK, call{path: "/pipelines", app: "shop-prod"}).Items[0]
	if diff := cmp.Diff(v1.PipelineSummary{Name: "shop", Project: "shop", Warehouses: []string{"shop"}, Stages: []string{"dev", "staging", "prod"}}, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestAPipelineIsSeenWholeOnBehalfOfAnyOfItsApplications(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old)
	for _, app := range []string{"shop-dev", "shop-staging-eu", "shop-prod"} {
		for _, path := range []string{"/pipelines/shop", "/pipelines/waybill:shop"} {
			got := ask[v1.Pipeline](w, http.StatusOK, call{path: path, app: app})
			if got.Name != "shop" || got.Project != "shop" || got.Document != pipeline.Hash(shopDocument) || len(got.Stages) != 3 || len(got.Warehouses) != 1 || len(got.Gates) != 7 {
				t.Fatalf("got %+v", got)
			}
			if got.Warehouses[0].Candidate != w.new.ID || time.Duration(got.Warehouses[0].Interval) != 5*time.Minute {
				t.Errorf("warehouse %+v", got.Warehouses[0])
			}
			edges := []v1.Edge{
				{From: "shop", Kind: "Warehouse", To: "dev", Origin: "shop"},
				{From: "dev", Kind: "Stage", To: "staging", Origin: "shop"},
				{From: "dev", Kind: "Stage", To: "prod", Origin: "shop"},
			}
			if diff := cmp.Diff(edges, got.Edges); diff != "" {
				t.Errorf("edges (-want +got):\n%s", diff)
			}
			if len(got.Freight) != 3 || got.Freight[0].ID != w.new.ID || !cmp.Equal(got.Freight[2].Stages, []string{"dev"}) || !cmp.Equal(got.Freight[2].VerifiedIn, []string{"dev"}) {
				t.Errorf("freight %+v", got.Freight)
			}
			if problems := got.Stages[2].Problems; len(problems) != 2 || got.Stages[2].Applications[0].Name != "shop-prod" {
				t.Errorf("problems of prod %q", problems)
			}
		}
	}
}

func TestAPipelineWithProblemsShowsThemBesideTheDocumentInForce(t *testing.T) {
	w := newWorld(t)
	r, err := w.store.Accepted(t.Context(), shop)
	w.must(err)
	r.Value.Refused, r.Value.Problems = "x", []pipeline.Problem{{Path: "stages[0].name", Message: "is taken"}}
	w.must(w.store.PutAccepted(t.Context(), shop, &r))
	got := ask[v1.Pipeline](w, http.StatusOK, call{path: "/pipelines/shop"})
	if diff := cmp.Diff(r.Value.Problems, got.Problems); diff != "" || got.Document != pipeline.Hash(shopDocument) {
		t.Errorf("document %s, problems (-want +got):\n%s", got.Document, diff)
	}
}

func TestFreightIsNamedByIDPrefixOrVersion(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{w.mid.ID, w.mid.ID[:7], "v1.1.0"} {
		got := ask[v1.Freight](w, http.StatusOK, call{path: "/pipelines/shop/freight/" + name})
		if got.ID != w.mid.ID || got.Summary != "shop:v1.1.0" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `there is no freight "v9"`, call{path: "/pipelines/shop/freight/v9"})
}

func TestListsComeInPagesThatNothingNewMoves(t *testing.T) {
	w := newWorld(t)
	want := []string{w.new.ID, w.mid.ID, w.old.ID}
	var got []string
	next := ""
	for page := 0; page == 0 || next != ""; page++ {
		list := ask[v1.FreightPage](w, http.StatusOK, call{path: "/pipelines/shop/freight?limit=1&cursor=" + next})
		if len(list.Items) != 1 {
			t.Fatalf("page %d holds %d", page, len(list.Items))
		}
		got = append(got, list.Items[0].ID)
		next = list.Next
		w.freight(fmt.Sprintf("v2.%d.0", page), time.Duration(page)*time.Minute) // newer than all
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for i := range 60 {
		w.freight(fmt.Sprintf("v3.%d.0", i), time.Duration(i)*time.Hour)
	}
	if list := ask[v1.FreightPage](w, http.StatusOK, call{path: "/pipelines/shop/freight"}); len(list.Items) != 50 || list.Next != list.Items[49].ID {
		t.Errorf("the usual page holds %d, next %q", len(list.Items), list.Next)
	}
	if list := ask[v1.FreightPage](w, http.StatusOK, call{path: "/pipelines/shop/freight?limit=200"}); len(list.Items) != 66 || list.Next != "" {
		t.Errorf("the whole holds %d, next %q", len(list.Items), list.Next)
	}
	for _, limit := range []string{"0", "-1", "201", "x", "1.5", "999999999999999999999"} {
		w.refused(http.StatusBadRequest, v1.ProblemInvalid, "limit is a number from 1 to 200", call{path: "/pipelines/shop/freight?limit=" + limit})
		w.refused(http.StatusBadRequest, v1.ProblemInvalid, "limit is a number from 1 to 200", call{path: "/pipelines/shop/promotions?limit=" + limit})
	}
	w.refused(http.StatusBadRequest, v1.ProblemInvalid, "the cursor's item is gone: list from the beginning", call{path: "/pipelines/shop/freight?cursor=gone"})
}

func TestAListOfNothingIsEmpty(t *testing.T) {
	response := newWorld(t).do(call{path: "/pipelines/books/freight", app: "books-dev"})
	if got := strings.TrimSpace(response.Body.String()); got != `{"items":[]}` {
		t.Errorf("got %s", got)
	}
}

func TestPromotionsAreListedByStage(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old, w.mid)
	dev := w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0"})
	prod := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.1.0"})
	ids := func(query string) []string {
		var all []string
		for _, p := range ask[v1.PromotionPage](w, http.StatusOK, call{path: "/pipelines/shop/promotions" + query}).Items {
			all = append(all, p.ID)
		}
		return all
	}
	both := []string{dev.ID, prod.ID} // asked for at the same time, so by ID
	for query, want := range map[string][]string{"": both, "?limit=1": both[:1], "?cursor=" + dev.ID: both[1:], "?stage=prod": {prod.ID}, "?stage=staging": nil} {
		if diff := cmp.Diff(want, ids(query)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `has no stage "qa"`, call{path: "/pipelines/shop/promotions?stage=qa"})
	got := ask[v1.Promotion](w, http.StatusOK, call{path: "/pipelines/shop/promotions/" + prod.ID})
	if got.Alias != "kind-v1.1.0" || got.Summary != "shop:v1.1.0" || !strings.HasPrefix(got.Waiting, "approval 0 of 2: somebody who may approve in prod, other than alice,") || got.Verdict == nil || got.Verdict.Ready {
		t.Errorf("got %+v", got)
	}
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline shop has no promotion "none"`, call{path: "/pipelines/shop/promotions/none"})
	w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline books has no promotion`, call{path: "/pipelines/books/promotions/" + prod.ID, app: "books-dev"})
}

func TestEligibilityIsTheVerdictThatAPromotionWouldGet(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old)
	verdict := func(stage, query string) eligibility.Verdict {
		return ask[eligibility.Verdict](w, http.StatusOK, call{path: "/pipelines/shop/stages/" + stage + "/eligibility?freight=" + query})
	}
	for query, want := range map[[2]string]struct{ allowed, ready bool }{
		{"dev", "v1.2.0"}:                {true, true},
		{"staging", "v1.0.0"}:            {true, true},
		{"staging", "v1.2.0"}:            {false, false},
		{"prod", "v1.0.0"}:               {true, false},
		{"dev", "v1.0.0&rollback=true"}:  {true, true},
		{"dev", "v1.2.0&rollback=true"}:  {false, false},
		{"dev", "v1.2.0&rollback=false"}: {true, true},
	} {
		if got := verdict(query[0], query[1]); got.Allowed != want.allowed || got.Ready != want.ready {
			t.Errorf("%v: allowed %v, ready %v", query, got.Allowed, got.Ready)
		}
	}
	for path, problem := range map[string]struct {
		status int
		kind   string
		tells  string
	}{
		"dev/eligibility":                               {400, v1.ProblemInvalid, "freight is missing: name an ID"},
		"dev/eligibility?freight=":                      {400, v1.ProblemInvalid, "freight is missing"},
		"dev/eligibility?freight=v9":                    {404, v1.ProblemNotFound, `there is no freight "v9"`},
		"qa/eligibility?freight=v1.0.0":                 {404, v1.ProblemNotFound, `has no stage "qa"`},
		"dev/eligibility?freight=v1.0.0&rollback=maybe": {400, v1.ProblemInvalid, "rollback is true or false"},
		"dev/preview?freight=v1.0.0&rollback=maybe":     {400, v1.ProblemInvalid, "rollback is true or false"},
	} {
		w.refused(problem.status, problem.kind, problem.tells, call{path: "/pipelines/shop/stages/" + path})
	}
}

func TestAnAnswerThatTheClientHasIsNotSentAgain(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/me", "/application", "/pipelines", "/pipelines/shop", "/pipelines/shop/freight", "/openapi.yaml"} {
		first := w.do(call{path: path})
		tag := first.Header().Get("ETag")
		if first.Code != http.StatusOK || len(tag) < 10 || tag[0] != '"' || first.Header().Get("Cache-Control") != "no-cache" || first.Header().Get("Vary") != "Cookie" {
			t.Fatalf("%s: status %d, header %v", path, first.Code, first.Header())
		}
		for _, has := range []string{tag, "W/" + tag, `"other", ` + tag, `"other",W/` + tag} {
			again := w.do(call{path: path, header: map[string]string{"If-None-Match": has}})
			if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
				t.Errorf("%s, %s: status %d, %d bytes, ETag %s", path, has, again.Code, again.Body.Len(), again.Header().Get("ETag"))
			}
		}
		for _, has := range []string{"", `"other"`, tag[1:], strings.ToUpper(tag)} {
			if again := w.do(call{path: path, header: map[string]string{"If-None-Match": has}}); again.Code != http.StatusOK || again.Body.Len() == 0 {
				t.Errorf("%s, %s: status %d, %d bytes", path, has, again.Code, again.Body.Len())
			}
		}
	}
}

func TestAChangedAnswerHasAnotherTag(t *testing.T) {
	w := newWorld(t)
	tag := w.do(call{path: "/application"}).Header().Get("ETag")
	w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0"})
	if again := w.do(call{path: "/application", header: map[string]string{"If-None-Match": tag}}); again.Code != http.StatusOK || again.Header().Get("ETag") == tag {
		t.Errorf("status %d, ETag %s", again.Code, again.Header().Get("ETag"))
	}
}

func TestAProblemHasNoTag(t *testing.T) {
	w := newWorld(t)
	for _, c := range []call{{path: "/pipelines/shop/freight/v9", header: map[string]string{"If-None-Match": "*"}}, {path: "/application", gate: "waybill-promote"}} {
		if response := w.do(c); response.Header().Get("ETag") != "" || response.Body.Len() == 0 {
			t.Errorf("%s: header %v", c.path, response.Header())
		}
	}
}

func TestAReadNeverChangesAnything(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.old, w.mid)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.1.0"})
	w.writes = nil
	for path, item := range described(t).Paths.Map() {
		if item.Get == nil {
			continue
		}
		filled := strings.NewReplacer("{pipeline}", "shop", "{stage}", "prod", "{promotion}", p.ID, "{freight}", "v1.1.0", "{warehouse}", "shop").Replace(path)
		for range 3 {
			if response := w.do(call{path: filled + "?freight=v1.2.0&from=v1.0.0&to=v1.1.0", app: "shop-prod"}); response.Code != http.StatusOK {
				t.Errorf("%s: %d %s", filled, response.Code, response.Body)
			}
		}
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestFreightThatSomebodyDeletedIsShownWithoutItsName(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.mid)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.1.0"})
	w.must(w.store.Delete(t.Context(), w.mid.ID))
	if got := ask[v1.Promotion](w, http.StatusOK, call{path: "/pipelines/shop/promotions/" + p.ID}); got.Summary != "" || got.Verdict != nil {
		t.Errorf("promotion %+v", got)
	}
	stage := ask[v1.Application](w, http.StatusOK, call{path: "/application"}).Stage
	if len(stage.Current) != 1 || stage.Current[0].Freight != w.mid.ID || stage.Current[0].Alias != "" || stage.Current[0].Summary != "" {
		t.Errorf("current %+v", stage.Current)
	}
	if got := ask[v1.Application](w, http.StatusOK, call{path: "/application", app: "shop-prod"}).Stage; len(got.Pending) != 1 {
		t.Errorf("pending %+v", got.Pending)
	}
}
