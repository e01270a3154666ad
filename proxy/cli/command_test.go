package cli

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestAChangeGoesThroughItsGateOnBehalfOfAnApplicationOfTheStage(t *testing.T) {
	id := newStandIn(t).pending().ID
	for name, tc := range map[string]struct {
		args []string
		on   string
		want string
		out  string
	}{
		"promote": {
			args: []string{"promote", "--stage", "prod", "--freight", "v1.1.0", "--reason", "release 1.1", "--key", "run-7"},
			on:   "POST /pipelines/shop/stages/prod/promotions",
			want: `waybill-promote argocd:shop-prod POST /pipelines/shop/stages/prod/promotions {"freight":"v1.1.0","reason":"release 1.1","key":"run-7"}`,
			out:  "asked for promotion " + id + " of brave-otter shop:v1.1.0 to shop/prod\n[..] Pending: approval 0 of 1: somebody who may approve in prod, other than alice, approves it\n",
		},
		"promote into the stage of an Application": {
			args: []string{"promote", "--app", "shop-prod", "--freight", "v1.1.0", "--key", "k", "-o", "name"},
			on:   "POST /pipelines/shop/stages/prod/promotions",
			want: `waybill-promote argocd:shop-prod POST /pipelines/shop/stages/prod/promotions {"freight":"v1.1.0","key":"k"}`,
			out:  id + "\n",
		},
		"rollback": {
			args: []string{"rollback", "--stage", "prod", "--reason", "checkout fails", "--key", "k", "-o", "name"},
			on:   "POST /pipelines/shop/stages/prod/rollback",
			want: `waybill-promote argocd:shop-prod POST /pipelines/shop/stages/prod/rollback {"reason":"checkout fails","key":"k"}`,
			out:  id + "\n",
		},
		"approve": {
			args: []string{"approve", id, "--comment", "tested", "-o", "name"},
			on:   "POST /pipelines/shop/promotions/" + id + "/approve",
			want: "qa-approve argocd:shop-prod POST /pipelines/shop/promotions/" + id + `/approve {"comment":"tested"}`,
			out:  id + "\n",
		},
		"reject": {
			args: []string{"reject", id, "-o", "name"},
			on:   "POST /pipelines/shop/promotions/" + id + "/reject",
			want: "qa-approve argocd:shop-prod POST /pipelines/shop/promotions/" + id + `/reject {}`,
			out:  id + "\n",
		},
		"abort": {
			args: []string{"abort", id, "-o", "name"},
			on:   "POST /pipelines/shop/promotions/" + id + "/abort",
			want: "waybill-promote argocd:shop-prod POST /pipelines/shop/promotions/" + id + `/abort {}`,
			out:  id + "\n",
		},
		"refresh": {
			args: []string{"refresh", "shop"},
			want: "waybill-promote argocd:shop-dev POST /pipelines/shop/warehouses/shop/refresh {}",
			out:  "warehouse shop of shop looks for new versions now\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			if tc.on != "" {
				s.on(tc.on, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusCreated, s.pending()) })
			}
			got := run(t, s, tc.args...)
			calls := s.calls()
			if diff := cmp.Diff(tc.want, calls[len(calls)-1]); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(ran{out: tc.out}, got, cmp.AllowUnexported(ran{})); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARequestIsRepeatedWithItsKeyWhenNoAnswerCame(t *testing.T) {
	s := newStandIn(t)
	var keys []string
	s.on("POST /pipelines/shop/stages/prod/promotions", func(w http.ResponseWriter, _ *http.Request) {
		calls := s.calls()
		_, body, _ := strings.Cut(calls[len(calls)-1], "promotions ")
		var asked v1.Promote
		if err := json.Unmarshal([]byte(body), &asked); err != nil {
			t.Error(err)
		}
		keys = append(keys, asked.Key)
		if len(keys) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		reply(w, http.StatusOK, s.pending())
	})
	got := run(t, s, "promote", "--stage", "prod", "--freight", "v1.1.0")
	if got.code != ExitOK || !strings.HasPrefix(got.out, "was asked for already: promotion ") {
		t.Errorf("got %+v", got)
	}
	if len(keys) != 2 || keys[0] != keys[1] || len(keys[0]) < 20 {
		t.Errorf("the keys are %q", keys)
	}
}

func TestAPromotionOfWhatTheStageHoldsIsToldSo(t *testing.T) {
	s := newStandIn(t)
	again := s.pending()
	var waits []v1.Pending
	s.on("GET /application", func(w http.ResponseWriter, r *http.Request) {
		a := v1.Application{Actions: s.actions(), Stage: v1.Stage{Name: "dev", Current: []v1.Load{{Load: promotion.Load{
			Held: promotion.Held{Origin: again.Origin, Freight: again.Freight},
		}}}, Pending: waits}}
		if r.Header.Get("Argocd-Application-Name") == "argocd:shop-prod" {
			a.Stage.Name = "prod"
		}
		reply(w, http.StatusOK, a)
	})
	status := http.StatusCreated
	s.on("POST /pipelines/shop/stages/prod/promotions", func(w http.ResponseWriter, _ *http.Request) { reply(w, status, again) })
	ask := []string{"promote", "--stage", "prod", "--freight", "v1.1.0"}
	const told = "[!!] prod holds brave-otter shop:v1.1.0 already: it is promoted again\n"
	if got := run(t, s, ask...); got.code != ExitOK || !strings.HasPrefix(got.out, told+"asked for promotion ") {
		t.Errorf("what prod holds: %+v", got)
	}
	if got := run(t, s, append(ask, "-o", "name")...); got.out != again.ID+"\n" || got.err != "" {
		t.Errorf("for a program: %+v", got)
	}
	waits = []v1.Pending{{Promotion: promotion.Promotion{ID: "shop-prod-1", Origin: again.Origin, Freight: again.Freight}}}
	const twin = "[!!] promotion shop-prod-1 of brave-otter shop:v1.1.0 waits already: abort the one that is not wanted\n"
	if got := run(t, s, ask...); got.code != ExitOK || !strings.HasPrefix(got.out, twin+"asked for promotion ") {
		t.Errorf("what waits for prod: %+v", got)
	}
	waits, status = nil, http.StatusOK
	if got := run(t, s, ask...); strings.Contains(got.out, told) {
		t.Errorf("one that was asked for before: %+v", got)
	}
	status = http.StatusCreated
	// Without an Application of the stage, another's tells nothing of it.
	s.applications = s.applications[:1]
	if got := run(t, s, ask...); strings.Contains(got.out, "already") {
		t.Errorf("what another stage holds: %+v", got)
	}
}

func TestADryRunShowsTheVerdictAndChangesNothing(t *testing.T) {
	s := newStandIn(t)
	refused := run(t, s, "promote", "--stage", "prod", "--freight", "v1.2.0", "--dry-run")
	allowed := run(t, s, "promote", "--stage", "prod", "--freight", "v1.1.0", "--dry-run")
	if refused.code != ExitRefused || !strings.HasPrefix(refused.out, "[no] v1.2.0 to prod is refused\n") || refused.err != "" {
		t.Errorf("refused: %+v", refused)
	}
	if allowed.code != ExitOK || !strings.HasPrefix(allowed.out, "[..] v1.1.0 to prod may be asked for, and would wait\n") {
		t.Errorf("allowed: %+v", allowed)
	}
	for _, call := range s.calls() {
		if strings.Contains(call, "POST") {
			t.Errorf("a change was asked for: %s", call)
		}
	}
}

func TestTheWordsOfADecisionTellWhatFollows(t *testing.T) {
	s := newStandIn(t)
	id := s.pending().ID
	rejected := s.pending()
	if err := rejected.Reject(promotion.Decision{By: "bob", At: now, Comment: "not on a Friday"}); err != nil {
		t.Fatal(err)
	}
	s.on("POST /pipelines/shop/promotions/"+id+"/reject", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, rejected) })
	got := run(t, s, "reject", id, "--comment", "not on a Friday")
	want := "rejected promotion " + id + " of brave-otter shop:v1.1.0 to shop/prod\n[..] rejected by bob: not on a Friday\n"
	if got.out != want || got.code != ExitOK {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestAnApplicationThatMayNotJoinIsPassedOver(t *testing.T) {
	s := newStandIn(t)
	s.applications = append([][3]string{{"a-stray", "default", "shop/dev"}}, s.applications...)
	s.on("GET /pipelines/shop", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Argocd-Application-Name") == "argocd:a-stray" {
			refuse(w, v1.Problem{Type: v1.ProblemNotBound, Status: http.StatusForbidden, Detail: "Application argocd/a-stray is of another project"})
			return
		}
		s.answer(w, r)
	})
	if got := run(t, s, "get", "stages", "-o", "name"); got.code != ExitOK || got.out != "dev\nstaging\nprod\n" {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, "get", "stages", "--app", "a-stray"); got.code != ExitRefused || !strings.Contains(got.err, "is of another project") {
		t.Errorf("with --app: got %+v", got)
	}
}

func TestAPipelineOfAnotherNamespaceIsOneSegment(t *testing.T) {
	s := newStandIn(t)
	s.applications = [][3]string{{"api", "api", "team-a/shop/dev"}}
	s.on("GET /pipelines/team-a:shop", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.pipeline()) })
	if got := run(t, s, "get", "stages", "-p", "team-a/shop", "-o", "name"); got.code != ExitOK {
		t.Errorf("got %+v", got)
	}
}

func TestThePipelineOfAPromotionIsReadFromItsID(t *testing.T) {
	s := newStandIn(t)
	s.applications = append(s.applications, [3]string{"web", "web", "web/prod"})
	if got := run(t, s, "get", "promotion", s.pending().ID, "-o", "name"); got.code != ExitOK {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, "get", "promotions"); got.code != ExitUsage || !strings.Contains(got.err, "name the pipeline with --pipeline: you can read shop, web") {
		t.Errorf("without an ID: got %+v", got)
	}
}

func TestThePipelinesOfAllProjectsAreListedOnce(t *testing.T) {
	s := newStandIn(t)
	if got := run(t, s, "get", "pipelines", "-o", "name"); got.out != "shop\n" || got.code != ExitOK {
		t.Errorf("got %+v", got)
	}
	want := []string{"waybill argocd:shop-dev GET /pipelines", "waybill argocd:shop-prod GET /pipelines"}
	if diff := cmp.Diff(want, s.calls()); diff != "" {
		t.Errorf("one call for each project (-want +got):\n%s", diff)
	}
}

func TestLintTellsEachProblemWithItsPath(t *testing.T) {
	for name, tc := range map[string]struct {
		args  []string
		input string
		code  int
	}{
		"lint-good.txt":  {args: []string{"lint", "testdata/shop.yaml"}},
		"lint-wrong.txt": {args: []string{"lint", "testdata/wrong.yaml"}, code: ExitError},
		"lint-json.txt":  {args: []string{"lint", "testdata/shop.yaml", "testdata/wrong.yaml", "-o", "json"}, code: ExitError},
		"lint-stdin.txt": {args: []string{"lint", "-"}, input: "stages: [\n", code: ExitError},
	} {
		t.Run(name, func(t *testing.T) {
			got := runWith(t, t.Context(), nil, tc.input, tc.args...)
			if got.code != tc.code {
				t.Errorf("code %d, want %d", got.code, tc.code)
			}
			golden(t, name, got.out+got.err)
		})
	}
	for input, want := range map[string]string{
		"": "holds no pipeline",
		"# A comment.\n---\napiVersion: v1\nkind: Secret\ndata: [1]\n": "holds no pipeline",
		"apiVersion: v1\nkind: ConfigMap\n":                            "holds no pipeline",
		"kind: ConfigMap\ndata: {pipeline.yaml: [1]}\n":                "there is one problem",
		"- one\n":                             "there is one problem",
		strings.Repeat("# long\n", 1<<19):     "there is one problem",
		strings.Repeat("# long\n", maxFile/6): "is larger than 16 MiB",
	} {
		if got := runWith(t, t.Context(), nil, input, "lint", "-"); got.code != ExitError || !strings.Contains(got.err, want) {
			t.Errorf("%.40q: got %+v, want %q", input, got, want)
		}
	}
	if got := runWith(t, t.Context(), nil, "", "lint", "testdata/none.yaml"); got.code != ExitError || !strings.Contains(got.err, "testdata/none.yaml cannot be read") {
		t.Errorf("got %+v", got)
	}
}

func TestLintPrintsTheSchemaForEditors(t *testing.T) {
	got := run(t, nil, "lint", "--schema")
	if got.code != ExitOK || got.err != "" || got.out != pipeline.Schema || !json.Valid([]byte(got.out)) {
		t.Errorf("code %d, error %q, and not the schema:\n%.200s", got.code, got.err, got.out)
	}
	if got := run(t, nil, "lint", "--schema", "testdata/shop.yaml"); got.code == ExitOK || got.out != "" {
		t.Errorf("a file beside --schema is passed over: %+v", got)
	}
	if got := run(t, nil, "lint"); got.code == ExitOK {
		t.Errorf("nothing to check is good: %+v", got)
	}
}

func TestGateSecretsAreFreshAndTheSameOnBothSides(t *testing.T) {
	first := run(t, nil, "gate-secrets", "--gate", "qa-approve", "--namespace", "wb", "--argocd-namespace", "cd")
	again := run(t, nil, "gate-secrets")
	if first.code != ExitOK || first.err != "" {
		t.Fatalf("got %+v", first)
	}
	var secrets []secret
	for _, text := range strings.Split(strings.TrimPrefix(first.out, "---\n"), "---\n") {
		var s secret
		if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	if len(secrets) != 2 {
		t.Fatalf("there are %d Secrets", len(secrets))
	}
	proxy, argocd := secrets[0], secrets[1]
	if diff := cmp.Diff(proxy.StringData, argocd.StringData); diff != "" {
		t.Errorf("the values differ:\n%s", diff)
	}
	got := []string{proxy.Metadata.Name, proxy.Metadata.Namespace, argocd.Metadata.Name, argocd.Metadata.Namespace, argocd.Metadata.Labels["app.kubernetes.io/part-of"]}
	if diff := cmp.Diff([]string{"waybill-gates", "wb", "waybill-gates", "cd", "argocd"}, got); diff != "" {
		t.Errorf("the Secrets (-want +got):\n%s", diff)
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	for _, gate := range []string{"waybill", "waybill-promote", "waybill-approve", "qa-approve"} {
		if value := proxy.StringData[gate]; !form.MatchString(value) || strings.Contains(again.out, value) {
			t.Errorf("the value of %s is not fresh, or not 32 bytes in base64url", gate)
		}
	}
	if got := run(t, nil, "gate-secrets", "--gate", "a b"); got.code != ExitUsage {
		t.Errorf("a wrong name: got %+v", got)
	}
}
