package cli

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestWhatIsShownIsTerseAndAligned(t *testing.T) {
	for name, args := range map[string][]string{
		"pipelines.txt":       {"get", "pipelines"},
		"pipeline-json.txt":   {"get", "pipelines", "-o", "json"},
		"stages.txt":          {"get", "stages", "-p", "shop"},
		"stages-wide.txt":     {"get", "stages", "-p", "shop", "-o", "wide"},
		"stage-yaml.txt":      {"get", "stage", "dev", "-p", "shop", "-o", "yaml"},
		"stages-name.txt":     {"get", "stages", "-p", "waybill/shop", "-o", "name"},
		"freight.txt":         {"get", "freight"},
		"freight-wide.txt":    {"get", "freight", "-o", "wide"},
		"freight-one.txt":     {"get", "freight", "v1.1.0"},
		"warehouses.txt":      {"get", "warehouses"},
		"warehouses-wide.txt": {"get", "warehouses", "-o", "wide"},
		"candidates.txt":      {"get", "candidates", "--warehouse", "shop"},
		"candidates-wide.txt": {"get", "candidates", "--warehouse", "shop", "-o", "wide"},
		"candidates-name.txt": {"get", "candidates", "--warehouse", "shop", "-o", "name"},
		"promotions.txt":      {"get", "promotions", "--app", "shop-prod"},
		"promotions-wide.txt": {"get", "promotions", "--app", "argocd/shop-prod", "-o", "wide"},
		"why-refused.txt":     {"why", "--stage", "prod", "--freight", "v1.2.0"},
		"why-waits.txt":       {"why", "--app", "shop-prod", "--freight", "v1.1.0"},
		"why-ready.txt":       {"why", "--stage", "dev", "--freight", "v1.2.0"},
		"why-rollback.txt":    {"why", "--stage", "prod", "--freight", "v1.1.0", "--rollback"},
		"whoami.txt":          {"whoami", "--app", "shop-prod"},
		"version.txt":         {"version"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			s.refused = []string{"qa-approve"}
			got := run(t, s, args...)
			if got.err != "" {
				t.Errorf("on standard error: %s", got.err)
			}
			golden(t, name, got.out)
		})
	}
}

func TestAVerdictIsDrawnForATerminal(t *testing.T) {
	s := newStandIn(t)
	verdict := s.verdict(s.freight[0], "prod", false)
	golden(t, "verdict-terminal.txt", style{terminal: true}.verdict(verdict, "v1.2.0", now))
	coloured := style{terminal: true, colour: true}.verdict(verdict, "v1.2.0", now)
	if !strings.Contains(coloured, "\x1b[31m✗\x1b[0m") || !strings.Contains(coloured, "\x1b[32m✓\x1b[0m") {
		t.Errorf("no colours in %q", coloured)
	}
}

func TestOutputThatIsNoTerminalIsPlain(t *testing.T) {
	got := run(t, newStandIn(t), "why", "--stage", "prod", "--freight", "v1.2.0").out
	if i := strings.IndexFunc(got, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("not ASCII at %d: %q", i, got)
	}
}

func TestOtherPeoplesWordsDoNotMoveTheTerminal(t *testing.T) {
	s := newStandIn(t)
	evil := s.pending()
	evil.Request.Reason = "fine\x1b[2J\u009b2J\u202e\nshop-prod-1   prod"
	evil.Waiting = "\x1b]0;title\a"
	s.on("GET /pipelines/shop/promotions", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, v1.PromotionPage{Items: []v1.Promotion{evil}})
	})
	s.on("GET /pipelines/shop/stages/prod/eligibility", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, v1.Problem{Type: v1.ProblemInvalid, Status: http.StatusBadRequest, Detail: "no\x1b[2J"})
	})
	table := run(t, s, "get", "promotions", "-o", "wide")
	failure := run(t, s, "why", "--stage", "prod", "--freight", "v1.2.0")
	for _, text := range []string{table.out, failure.err} {
		if strings.ContainsAny(text, "\x1b\a\u009b\u202e") || text == "" {
			t.Errorf("got %q", text)
		}
	}
	if lines := strings.Count(table.out, "\n"); lines != 2 {
		t.Errorf("a table of one promotion has %d lines", lines)
	}
}

func TestDocumentsAreWrittenAsTheServerSentThem(t *testing.T) {
	s := newStandIn(t)
	s.on("GET /pipelines/shop", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"stages": [{"name": "dev", "steps": ["write-waybill", "notify <ops>"], "newer": {"field": 1}}]}`))
	})
	var fromJSON, fromYAML map[string]any
	if err := json.Unmarshal([]byte(run(t, s, "get", "stage", "dev", "-o", "json").out), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(run(t, s, "get", "stage", "dev", "-o", "yaml").out), &fromYAML); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"name": "dev", "steps": []any{"write-waybill", "notify <ops>"}, "newer": map[string]any{"field": 1.0}}
	if diff := cmp.Diff([]any{want, want}, []any{fromJSON, fromYAML}); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestAnEmptyListIsAnEmptyListForProgramsAndASentenceForPeople(t *testing.T) {
	s := newStandIn(t)
	s.on("GET /pipelines/shop/freight", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, v1.FreightPage{})
	})
	if got := run(t, s, "get", "freight", "-o", "json"); strings.Join(strings.Fields(got.out), "") != `{"items":[]}` {
		t.Errorf("got %+v", got)
	}
	if got := run(t, s, "get", "freight"); got.code != ExitOK || got.out != "" || got.err != "No freight in pipeline shop yet.\n" {
		t.Errorf("got %+v", got)
	}
}

func TestPagesAreFollowedUpToTheLimit(t *testing.T) {
	s := newStandIn(t)
	s.on("GET /pipelines/shop/freight", func(w http.ResponseWriter, r *http.Request) {
		page := v1.FreightPage{Items: []v1.Freight{{Freight: s.freight[0]}}, Next: "second"}
		if r.URL.Query().Get("cursor") == "second" {
			page = v1.FreightPage{Items: []v1.Freight{{Freight: s.freight[1]}}}
		}
		reply(w, http.StatusOK, page)
	})
	for limit, want := range map[string]int{"0": 2, "1": 1, "7": 2} {
		got := run(t, s, "get", "freight", "-o", "name", "--limit", limit)
		if lines := strings.Count(got.out, "\n"); lines != want || got.code != ExitOK {
			t.Errorf("limit %s: %d lines, %+v", limit, lines, got)
		}
	}
}

func TestAListThatNeverEndsIsGivenUp(t *testing.T) {
	s := newStandIn(t)
	s.on("GET /pipelines/shop/freight", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, v1.FreightPage{Items: []v1.Freight{{Freight: s.freight[0]}}, Next: "again"})
	})
	if got := run(t, s, "get", "freight", "--limit", "0"); got.code != ExitError || !strings.Contains(got.err, "ask for fewer with --limit") {
		t.Errorf("got %+v", got)
	}
}

func TestTheShellIsOfferedWhatThereIs(t *testing.T) {
	s := newStandIn(t)
	other := tools("v1.1.0", "calm-heron")
	other.Commits = []freight.Commit{{Tag: "r7"}, {ID: "c0c0"}}
	other.Charts = []freight.Chart{{Version: "2.1.0"}}
	s.freight = append(s.freight, other)
	s.document.Stages[1].RequestedFreight[0].Origin.Name = "tools"
	pending, newer, older := s.pending().ID, s.freight[0].ID[:7], s.freight[1].ID[:7]
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"pipelines":                          {args: []string{"get", "stages", "--pipeline", ""}, want: []string{"shop"}},
		"stages":                             {args: []string{"get", "stages", ""}, want: []string{"dev", "staging", "prod"}},
		"stages of a flag":                   {args: []string{"promote", "--stage", ""}, want: []string{"dev", "staging", "prod"}},
		"stages as an annotation names them": {args: []string{"convert", "app.yaml", "--stage", ""}, want: []string{"shop/dev", "shop/staging", "shop/prod"}},
		"freight by ID and version":          {args: []string{"promote", "--freight", ""}, want: []string{newer, "v1.2.0", older, "v1.1.0", "brave-otter", other.ID[:7], "calm-heron", "2.1.0", "r7"}},
		"freight of the warehouses that a stage requests": {args: []string{"promote", "--stage", "dev", "--freight", ""}, want: []string{newer, "v1.2.0", older, "v1.1.0", "brave-otter"}},
		"freight of the stage of --app":                   {args: []string{"why", "--app", "shop-prod", "--freight", ""}, want: []string{newer, "v1.2.0", older, "v1.1.0", "brave-otter"}},
		"freight of another warehouse":                    {args: []string{"create", "freight", "--warehouse", "tools", "--from", ""}, want: []string{other.ID[:7], "calm-heron", "v1.1.0", "2.1.0", "r7"}},
		"freight of a stage that takes the other":         {args: []string{"preview", "--stage", "staging", "--freight", ""}, want: []string{other.ID[:7], "calm-heron", "v1.1.0", "2.1.0", "r7"}},
		"freight of a stage that is none":                 {args: []string{"promote", "--stage", "nope", "--freight", ""}},
		"open promotions":                                 {args: []string{"approve", ""}, want: []string{pending}},
		"a second argument":                               {args: []string{"approve", "one", ""}},
		"warehouses":                                      {args: []string{"refresh", ""}, want: []string{"shop", "tools"}},
		"artifacts": {args: []string{"create", "freight", "--warehouse", "shop", "--artifact", ""}, want: []string{
			"web=v1.2.0", "web=v1.1.0", "worker=v1.2.0", "worker=v1.1.0", "https://git.example.com/config.git=c0c0c0c", "https://charts.example.com/db=2.1.0",
		}},
		"artifacts of the warehouse of --from": {args: []string{"create", "freight", "--from", "brave-otter", "--artifact", "w"}, want: []string{
			"web=v1.2.0", "web=v1.1.0", "worker=v1.2.0", "worker=v1.1.0", "https://git.example.com/config.git=c0c0c0c", "https://charts.example.com/db=2.1.0",
		}},
		"formats":             {args: []string{"why", "-o", ""}, want: []string{"json", "yaml"}},
		"an unknown pipeline": {args: []string{"get", "stages", "-p", "nope", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, s, append([]string{"__complete"}, tc.args...)...)
			var words []string
			for _, line := range strings.Split(strings.TrimSpace(got.out), "\n") {
				word, _, _ := strings.Cut(line, "\t")
				if !strings.HasPrefix(word, ":") {
					words = append(words, word)
				}
			}
			slices.Sort(words)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, words); diff != "" || got.code != ExitOK {
				t.Errorf("words (-want +got), code %d:\n%s", got.code, diff)
			}
		})
	}
}

func TestTheShellIsNotBotheredWithErrors(t *testing.T) {
	at(t, "")
	got := run(t, nil, "__complete", "get", "stages", "")
	if got.code != ExitOK || strings.Contains(got.err, "argocd-waybill:") || strings.TrimSpace(got.out) != ":4" {
		t.Errorf("got %+v", got)
	}
}

func TestATableShowsTheBeginningOfTheFirstProblemAndHowManyMoreThereAre(t *testing.T) {
	long := "subscriptions[0] (web): the registry registry.example.com says that you may not read"
	for problems, want := range map[string]string{
		"":                           "",
		"a reason: do this; or that": "a reason: do this; or that",
		long:                         long[:60] + "...",
		strings.Repeat("é", 60):      strings.Repeat("é", 60),
		strings.Repeat("é", 61):      strings.Repeat("é", 60) + "...",
		"subscriptions[0]: no; ask; subscriptions[1]: no":                                           "subscriptions[0]: no; ask (and 1 more)",
		long + "; subscriptions[2]: no; subscriptions[11] (x): no; and so for 4 more subscriptions": long[:60] + "... (and 6 more)",
	} {
		if got := brief(problems); got != want {
			t.Errorf("%q: got %q, want %q", problems, got, want)
		}
	}
}
