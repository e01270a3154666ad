package cli

import (
	"net/http"
	"strings"
	"testing"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func TestTheExitCodeTellsAScriptWhatHappened(t *testing.T) {
	const promotions = "POST /pipelines/shop/stages/prod/promotions"
	promote := []string{"promote", "--stage", "prod", "--freight", "v1.2.0"}
	problem := func(kind string, status int) func(*standIn) {
		return func(s *standIn) {
			s.on(promotions, func(w http.ResponseWriter, _ *http.Request) {
				p := v1.Problem{Type: kind, Status: status, Detail: "no: because"}
				if kind == v1.ProblemIneligible {
					verdict := s.verdict(s.freight[0], "prod", false)
					p.Verdict = &verdict
				}
				refuse(w, p)
			})
		}
	}
	for name, tc := range map[string]struct {
		args   []string
		change func(*standIn)
		code   int
		err    string
	}{
		"help":                            {code: ExitOK},
		"an unknown command":              {args: []string{"promot"}, code: ExitUsage, err: `unknown command "promot" for "argocd-waybill": did you mean promote?`},
		"an unknown thing to get":         {args: []string{"get", "satges"}, code: ExitUsage, err: "for \"argocd-waybill get\": did you mean stages?\nsee: argocd-waybill get --help\n"},
		"an unknown thing to create":      {args: []string{"create", "frieght"}, code: ExitUsage, err: "did you mean freight?\nsee: argocd-waybill create --help\n"},
		"one of two":                      {args: []string{"pr"}, code: ExitUsage, err: "did you mean preview or promote?\nsee: argocd-waybill --help\n"},
		"nothing like it":                 {args: []string{"webhook", "xyzzy"}, code: ExitUsage, err: "unknown command \"xyzzy\" for \"argocd-waybill webhook\"\nsee: argocd-waybill webhook --help\n"},
		"a misused command":               {args: []string{"create", "freight"}, code: ExitUsage, err: "see: argocd-waybill create freight --help\n"},
		"an unknown flag":                 {args: []string{"why", "--nope"}, code: ExitUsage, err: "see: argocd-waybill why --help"},
		"an unknown format":               {args: []string{"why", "-o", "wide"}, code: ExitUsage, err: "-o wide is not known here: use json, yaml"},
		"nothing to get":                  {args: []string{"get"}, code: ExitUsage, err: "name what to get"},
		"no freight":                      {args: []string{"promote", "--stage", "prod"}, code: ExitUsage, err: "--freight"},
		"no stage":                        {args: []string{"why", "--freight", "v1.2.0"}, code: ExitUsage, err: "--stage"},
		"no reason":                       {args: []string{"rollback", "--stage", "prod"}, code: ExitUsage, err: "--reason"},
		"no promotion":                    {args: []string{"approve"}, code: ExitUsage, err: "an argument is missing: write argocd-waybill approve <promotion>\nsee: argocd-waybill approve --help\n"},
		"two promotions":                  {args: []string{"approve", "one", "two"}, code: ExitUsage, err: `"two" is one argument too many: write argocd-waybill approve <promotion>`},
		"one piece of freight to compare": {args: []string{"compare", "v1"}, code: ExitUsage, err: "write argocd-waybill compare <from> <to>\n"},
		"arguments in the place of flags": {args: []string{"promote", "prod", "v1.2.0"}, code: ExitUsage, err: `"prod" is not understood: argocd-waybill promote takes flags alone`},
		"no file":                         {args: []string{"lint"}, code: ExitUsage, err: "write argocd-waybill lint <file>..."},
		"a negative limit":                {args: []string{"get", "freight", "--limit", "-1"}, code: ExitUsage},
		"a name that is a path":           {args: []string{"why", "--stage", "a/b", "--freight", "v1"}, code: ExitUsage, err: "must not be empty, nor hold a slash"},
		"a pipeline's name that is none":  {args: []string{"get", "stages", "-p", "Shop"}, code: ExitUsage, err: "is not the name of a pipeline"},
		"a pipeline that nobody joined":   {args: []string{"get", "stages", "-p", "web"}, code: ExitError, err: "annotate one with waybill.dev/stage: web/<stage>, or correct --pipeline: you can read shop"},
		"an Application that is not read": {args: []string{"get", "stages", "--app", "none"}, code: ExitError, err: "Application none cannot be read, or does not exist"},
		"a stage that is not there":       {args: []string{"get", "stage", "qa"}, code: ExitError, err: `pipeline shop has no stage "qa": it has dev, staging, prod`},
		"a warehouse that is not there":   {args: []string{"get", "warehouse", "qa"}, code: ExitError, err: `pipeline shop has no warehouse "qa": it has shop, tools`},
		"freight that is not there":       {args: []string{"get", "freight", "v9"}, code: ExitError, err: `there is no freight "v9"`},
		"a tag with a slash":              {args: []string{"get", "freight", "release/9"}, code: ExitError, err: `there is no freight "release/9"`},
		"a promotion that is not there":   {args: []string{"get", "promotion", "shop-prod-1"}, code: ExitError},
		"no Application at all": {
			args: []string{"get", "stages"}, change: func(s *standIn) { s.applications = nil }, code: ExitError,
			err: "no Application that you can read is bound to a pipeline",
		},
		"a verdict that forbids":        {args: []string{"why", "--stage", "prod", "--freight", "v1.2.0"}, code: ExitRefused},
		"ineligible":                    {args: promote, change: problem(v1.ProblemIneligible, 409), code: ExitRefused, err: "`- [ok] turn"},
		"another gate":                  {args: promote, change: problem(v1.ProblemGate, 403), code: ExitRefused, err: "argocd-waybill: no: because\n"},
		"Argo CD's policy":              {args: promote, change: problem(v1.ProblemForbidden, 403), code: ExitRefused},
		"not of the stage":              {args: promote, change: problem(v1.ProblemNotBound, 403), code: ExitRefused},
		"the promoter's own approval":   {args: promote, change: problem(v1.ProblemPromoter, 403), code: ExitRefused},
		"too late":                      {args: promote, change: problem(v1.ProblemConflict, 409), code: ExitRefused},
		"not found":                     {args: promote, change: problem(v1.ProblemNotFound, 404), code: ExitError},
		"a fault of the proxy":          {args: promote, change: problem(v1.ProblemInternal, 500), code: ExitError},
		"a request that is not allowed": {args: promote, change: problem(v1.ProblemInvalid, 400), code: ExitError},
		"a gate that Argo CD shuts": {
			args: promote, change: func(s *standIn) { s.refused = []string{"waybill-promote"} }, code: ExitRefused,
			err: "p, role:<role>, extensions, invoke, waybill-promote, allow",
		},
		"a session that has ended": {
			args: promote, change: func(s *standIn) { s.loggedIn = false }, code: ExitError, err: "has ended: set another token in ARGOCD_AUTH_TOKEN",
		},
		"a page instead of an answer": {
			args: promote, change: func(s *standIn) {
				s.on(promotions, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
			}, code: ExitError, err: "proxy extensions are not enabled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			if tc.change != nil {
				tc.change(s)
			}
			got := run(t, s, tc.args...)
			if got.code != tc.code || !strings.Contains(got.err, tc.err) {
				t.Errorf("got %+v, want code %d and %q", got, tc.code, tc.err)
			}
			if strings.Contains(got.out+got.err, token) {
				t.Error("the token is printed")
			}
		})
	}
}

func TestTheCodesAreToldInHelp(t *testing.T) {
	got := run(t, newStandIn(t), "--help")
	for _, line := range []string{"  0    ", "  1    ", "  2    ", "  3    ", "  4    ", "  5    ", "  130  "} {
		if !strings.Contains(got.out, "\n"+line) {
			t.Errorf("help lacks the exit code %q", line)
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	c := &command{}
	for _, cmd := range c.root().Commands() {
		if cmd.Example == "" && cmd.Name() != "version" {
			t.Errorf("%s has none", cmd.Name())
		}
	}
}
