package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/argocd"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
)

func promoteTo(stage, app string, change ...func(*call)) call {
	c := call{method: post, gate: "waybill-promote", app: app, path: "/pipelines/shop/stages/" + stage + "/promotions", body: v1.Promote{Freight: "v1.2.0"}}
	for _, do := range change {
		do(&c)
	}
	return c
}

func by(user string) func(*call)      { return func(c *call) { c.user = user } }
func through(gate string) func(*call) { return func(c *call) { c.gate = gate } }

func TestACallThatDidNotComeThroughArgoCDIsRefused(t *testing.T) {
	w := newWorld(t)
	w.pending("shop")
	w.writes = nil
	for name, header := range map[string]map[string]string{
		"no secret":       {"Waybill-Gate-Secret": ""},
		"a wrong secret":  {"Waybill-Gate-Secret": "$waybill-gates:waybill"},
		"no username":     {"Argocd-Username": ""},
		"no Application":  {"Argocd-Application-Name": ""},
		"no project":      {"Argocd-Project-Name": ""},
		"our own account": {"Argocd-Username": "waybill:system"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			for path, item := range described(t).Paths.Map() {
				for method := range item.Operations() {
					filled := strings.NewReplacer("{pipeline}", "shop", "{stage}", "dev", "{warehouse}", "shop", "{promotion}", "x", "{freight}", "x").Replace(path)
					w.refused(http.StatusUnauthorized, v1.ProblemUnauthenticated, "did not come through Argo CD", call{method: method, path: filled, header: header})
				}
			}
			w.refused(http.StatusUnauthorized, v1.ProblemUnauthenticated, "did not come through Argo CD", call{path: "/nothing", header: header})
		})
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

// A caller of whom nothing tells yet that it is of the pipeline's project.
func TestWhoNamesAStageThatIsNotThereLearnsNothingOfTheOthers(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/application", "/pipelines/shop"} {
		p := w.refused(http.StatusNotFound, v1.ProblemNotFound, `pipeline shop has no stage "qa"`, call{path: path, app: "lost-stage"})
		if strings.Contains(p.Detail, "staging") {
			t.Errorf("%s: %s", path, p.Detail)
		}
	}
}

func TestWhatIsRefusedAndWhoCanChangeIt(t *testing.T) {
	for name, test := range map[string]struct {
		call   call
		status int
		kind   string
		tells  string
	}{
		"a read through another gate": {
			call{path: "/application", gate: "waybill-promote"}, 403, v1.ProblemGate,
			"goes through the gate waybill, and came through waybill-promote: call /extensions/waybill/…; whom it lets through is written in Argo CD's RBAC (extensions, invoke, waybill)",
		},
		"a promotion through the gate to read": {
			promoteTo("dev", "shop-dev", through("waybill")), 403, v1.ProblemGate, "goes through the gate waybill-promote, and came through waybill:",
		},
		"a promotion through the gate to approve": {
			promoteTo("dev", "shop-dev", through("waybill-approve")), 403, v1.ProblemGate, "goes through the gate waybill-promote",
		},
		"a promotion through the gate of another pipeline": {
			promoteTo("dev", "shop-dev", through("books-promote")), 403, v1.ProblemGate, "goes through the gate waybill-promote",
		},
		"a promotion through a gate that the pipeline does not name": {
			call{method: post, gate: "waybill-promote", app: "books-dev", path: "/pipelines/books/stages/dev/promotions", body: v1.Promote{Freight: "v1"}},
			403, v1.ProblemGate, "goes through the gate books-promote",
		},
		"an Application that is bound to nothing": {
			call{path: "/application", app: "loose"}, 403, v1.ProblemNotBound,
			"Application argocd/loose is bound to no stage: whoever may edit it sets the annotation waybill.dev/stage: <pipeline>/<stage>",
		},
		"an annotation that names no stage":     {call{path: "/application", app: "typo"}, 403, v1.ProblemNotBound, `"prod" is not the name of a stage`},
		"an Application that is not there":      {call{path: "/application", app: "none"}, 404, v1.ProblemNotFound, "Application argocd/none"},
		"an Application of another pipeline":    {call{path: "/pipelines/shop", app: "books-dev"}, 403, v1.ProblemNotBound, "is bound to pipeline books, not to shop"},
		"a pipeline that is not there":          {call{path: "/pipelines/nothing", app: "lost"}, 404, v1.ProblemNotFound, "there is no pipeline nothing"},
		"a stage that is not there":             {call{path: "/application", app: "lost-stage"}, 404, v1.ProblemNotFound, `pipeline shop has no stage "qa"`},
		"another pipeline than the one bound":   {call{path: "/pipelines/other", app: "shop-dev"}, 403, v1.ProblemNotBound, "is bound to pipeline shop, not to other"},
		"a name that no pipeline can have":      {call{path: "/pipelines/Shop"}, 400, v1.ProblemInvalid, `"Shop" is not the name of a pipeline`},
		"the pipeline of another namespace":     {call{path: "/pipelines/team-a:shop"}, 403, v1.ProblemNotBound, "is bound to pipeline shop, not to team-a/shop"},
		"a project that is not the Application": {call{path: "/application", project: "other"}, 403, v1.ProblemNotBound, "Application argocd/shop-dev is in AppProject shop, not in other"},
		"a project that is not the stage's":     {call{path: "/application", app: "foreign"}, 403, v1.ProblemNotBound, "stage shop/prod takes Applications of AppProject shop-prod, this one is of shop"},
		"a list on behalf of nothing":           {call{path: "/pipelines", app: "loose"}, 403, v1.ProblemNotBound, "is bound to no stage"},
		"a change of another stage than the one bound": {
			promoteTo("prod", "shop-dev"), 403, v1.ProblemNotBound, "Application argocd/shop-dev is bound to stage shop/dev: to change shop/prod, call on behalf of an Application that is bound to it",
		},
		"a change of a stage that is not there": {promoteTo("qa", "shop-dev"), 404, v1.ProblemNotFound, `pipeline shop has no stage "qa": it has dev, staging, prod`},
		"a change on behalf of an Application that has not joined": {
			promoteTo("prod", "stray"), 403, v1.ProblemNotBound, "Application argocd/stray has not joined stage shop/prod: Application argocd/stray tracks main",
		},
		"a change by somebody whom Argo CD's policy does not allow it": {
			promoteTo("dev", "shop-dev", by("bob")), 403, v1.ProblemForbidden,
			"bob may not promote in stage shop/dev: Argo CD's policy does not allow (applications, action/waybill.dev/Stage/promote, shop/shop-dev); an administrator of Argo CD, or of the AppProject, can",
		},
		"a change by somebody who may it for some Applications of the stage alone": {
			promoteTo("staging", "shop-staging", by("dave")), 403, v1.ProblemForbidden, "shop/shop-staging-eu",
		},
		"a change by a role's name":       {promoteTo("dev", "shop-dev", by("role:admin")), 403, v1.ProblemForbidden, "role:admin may not promote"},
		"a change by forged groups":       {promoteTo("dev", "shop-dev", by("eve"), func(c *call) { c.header = map[string]string{"Argocd-User-Groups": "role:admin,role:prod"} }), 403, v1.ProblemForbidden, "eve may not promote"},
		"a look by somebody without it":   {call{method: post, gate: "waybill-promote", user: "bob", path: "/pipelines/shop/warehouses/shop/refresh"}, 403, v1.ProblemForbidden, "bob may not refresh in stage shop/dev"},
		"a rollback by somebody without":  {call{method: post, gate: "waybill-promote", user: "bob", path: "/pipelines/shop/stages/dev/rollback", body: v1.Rollback{Reason: "x"}}, 403, v1.ProblemForbidden, "bob may not rollback in stage shop/dev"},
		"a rollback through another gate": {call{method: post, gate: "waybill-approve", path: "/pipelines/shop/stages/dev/rollback", body: v1.Rollback{Reason: "x"}}, 403, v1.ProblemGate, "goes through the gate waybill-promote"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.refused(test.status, test.kind, test.tells, test.call)
			if len(w.writes) > 0 {
				t.Errorf("wrote %q", w.writes)
			}
		})
	}
}

func TestADecisionNeedsItsOwnGateAndRight(t *testing.T) {
	w := newWorld(t)
	w.passed("dev", w.new)
	p := w.asked("prod", "shop-prod", v1.Promote{Freight: "v1.2.0"})
	w.writes = nil
	for name, test := range map[string]struct {
		call  call
		kind  string
		tells string
	}{
		"approval through the gate to promote":  {changed(w.decide("approve", p.ID, "bob"), through("waybill-promote")), v1.ProblemGate, "goes through the gate waybill-approve"},
		"rejection through the gate to promote": {changed(w.decide("reject", p.ID, "bob"), through("waybill-promote")), v1.ProblemGate, "goes through the gate waybill-approve"},
		"abort through the gate to approve":     {changed(w.decide("abort", p.ID, "bob"), through("waybill-approve")), v1.ProblemGate, "goes through the gate waybill-promote"},
		"approval without the right":            {w.decide("approve", p.ID, "eve"), v1.ProblemForbidden, "eve may not approve in stage shop/prod: Argo CD's policy does not allow (applications, action/waybill.dev/Stage/approve, shop-prod/shop-prod)"},
		"rejection without the right":           {w.decide("reject", p.ID, "eve"), v1.ProblemForbidden, "eve may not reject"},
		"abort without the right":               {w.decide("abort", p.ID, "eve"), v1.ProblemForbidden, "eve may not abort"},
		"on behalf of another stage":            {changed(w.decide("approve", p.ID, "bob"), func(c *call) { c.app = "shop-dev" }), v1.ProblemNotBound, "is bound to stage shop/dev: to change shop/prod"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(http.StatusForbidden, test.kind, test.tells, test.call)
		})
	}
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func changed(c call, do func(*call)) call {
	do(&c)
	return c
}

func TestARightThatIsTakenAwayCountsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.asked("dev", "shop-dev", v1.Promote{Freight: "v1.2.0"})
	var cm corev1.ConfigMap
	w.must(w.cluster.Get(t.Context(), client.ObjectKey{Namespace: control, Name: argocd.RBACConfigMap}, &cm))
	cm.Data["policy.csv"] = ""
	w.must(w.cluster.Update(t.Context(), &cm))
	w.refused(http.StatusForbidden, v1.ProblemForbidden, "alice may not promote", promoteTo("dev", "shop-dev"))
}

func TestAPolicyThatIsNotValidAllowsNobodyAndTellsNothing(t *testing.T) {
	w := newWorld(t)
	var cm corev1.ConfigMap
	w.must(w.cluster.Get(t.Context(), client.ObjectKey{Namespace: control, Name: argocd.RBACConfigMap}, &cm))
	cm.Data["policy.csv"] += "p, too, few\n"
	w.must(w.cluster.Update(t.Context(), &cm))
	w.writes = nil
	w.refused(http.StatusInternalServerError, v1.ProblemInternal, "the proxy's log tells what", promoteTo("dev", "shop-dev"))
	if len(w.writes) > 0 {
		t.Errorf("wrote %q", w.writes)
	}
}

func TestAnApplicationThatMovedToAnotherProjectIsOutAtOnce(t *testing.T) {
	w := newWorld(t)
	var app v1alpha1.Application
	w.must(w.cluster.Get(t.Context(), client.ObjectKey{Namespace: control, Name: "shop-dev"}, &app))
	app.Spec.Project = "other"
	w.must(w.cluster.Update(t.Context(), &app))
	// Argo CD has checked the project that it was in.
	w.refused(http.StatusForbidden, v1.ProblemNotBound, "is in AppProject other, not in shop", call{path: "/application"})
	w.refused(http.StatusForbidden, v1.ProblemNotBound, "stage shop/dev takes Applications of AppProject shop, this one is of other", call{path: "/application", project: "other"})
}

func TestAnErrorInsideIsToldWithoutItsCause(t *testing.T) {
	w := newWorld(t)
	w.before = func(verb, _ string) error {
		if verb == "list" {
			return errors.New("dial tcp 10.0.0.1:443: the password is hunter2")
		}
		return nil
	}
	for _, c := range []call{{path: "/application"}, {path: "/pipelines"}, promoteTo("dev", "shop-dev")} {
		p := w.refused(http.StatusInternalServerError, v1.ProblemInternal, "something failed inside Waybill: the proxy's log tells what", c)
		if strings.Contains(p.Detail+p.Title, "hunter2") {
			t.Errorf("%s: %q", c.path, p.Detail)
		}
	}
}

// Whoever calls past Argo CD can name any address in a header.
func TestTheLogTellsWhereARefusedCallCameFrom(t *testing.T) {
	w := newWorld(t)
	var lines []string
	logger := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
	r := httptest.NewRequestWithContext(log.IntoContext(t.Context(), logger), http.MethodGet, "/api/v1/me", http.NoBody)
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.Header.Set("X-Real-Ip", "203.0.113.9")
	response := httptest.NewRecorder()
	w.handler.ServeHTTP(response, r)
	if told := strings.Join(lines, "\n"); response.Code != http.StatusUnauthorized || !strings.Contains(told, "192.0.2.7") || strings.Contains(told, "203.0.113.9") {
		t.Errorf("status %d, and the log tells %q", response.Code, told)
	}
}
