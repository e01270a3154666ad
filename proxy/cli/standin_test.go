package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// now is the time of all tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return now.Add(-d) }

const token = "token-of-alice"

// standIn answers as argocd-server with a proxy behind it: its own checks and
// words, and documents made by Waybill's own rules.
type standIn struct {
	t    *testing.T
	http *httptest.Server

	mu sync.Mutex
	// applications are what the user may read: name, project, stage.
	applications [][3]string
	// refused are the gates that Argo CD's policy does not let the user through.
	refused  []string
	loggedIn bool
	// answers replace what stands in answer, by method and path.
	answers map[string]http.HandlerFunc
	// asked are the calls that came through: gate, Application, method, path, body.
	asked []string

	document pipeline.Document
	records  map[string]promotion.Stage
	freight  []freight.Freight
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{
		t: t, loggedIn: true, answers: map[string]http.HandlerFunc{},
		applications: [][3]string{
			{"shop-dev", "shop", "shop/dev"}, {"shop-staging", "shop", "shop/staging"}, {"shop-prod", "shop-prod", "shop/prod"},
		},
		document: document(t),
		freight:  []freight.Freight{shop("v1.2.0", 5*time.Minute), shop("v1.1.0", 26*time.Hour)},
		records:  map[string]promotion.Stage{},
	}
	s.freight[1].Alias, s.freight[1].CreatedBy, s.freight[1].Reason = "brave-otter", "bob", "to try it"
	s.freight[1].Details = []freight.Detail{{Kind: freight.KindCommit, RepoURL: "https://git.example.com/config.git", Subject: "Say hello", Author: "Ada"}}
	held := func(f freight.Freight, ago time.Duration) promotion.Load {
		return promotion.Load{Held: promotion.Held{Origin: "shop", Freight: f.ID}, Promotion: "p", Since: before(ago)}
	}
	passed := func(f freight.Freight, ago time.Duration) promotion.Verification {
		return promotion.Verification{Freight: f.ID, Promotion: "p", At: before(ago), Soaked: 3600}
	}
	newer, older := s.freight[0], s.freight[1]
	fresh := passed(newer, 4*time.Minute)
	fresh.Soaked = 0
	s.records["dev"] = promotion.Stage{Current: []promotion.Load{held(newer, 5*time.Minute)}, Verified: []promotion.Verification{fresh, passed(older, 25*time.Hour)}}
	s.records["staging"] = promotion.Stage{Current: []promotion.Load{held(older, 25*time.Hour)}, Verified: []promotion.Verification{passed(older, 24*time.Hour)}}
	s.records["prod"] = promotion.Stage{}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.http.Close)
	return s
}

func document(t *testing.T) pipeline.Document {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	d, err := pipeline.Parse(pipeline.Name{Namespace: "waybill", Name: "shop"}, m.Data[pipeline.Key])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func shop(tag string, ago time.Duration) freight.Freight {
	digest := "sha256:" + strings.Repeat(tag[3:4], 64)
	return freight.New("waybill/shop", "shop", freight.Artifacts{
		Images: []freight.Image{{RepoURL: "registry.example.com/shop", Tag: tag, Digest: digest}},
	}, before(ago))
}

func (s *standIn) on(call string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[call] = answer
}

func (s *standIn) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *standIn) serve(w http.ResponseWriter, r *http.Request) {
	rest, extension := strings.CutPrefix(r.URL.Path, "/extensions/")
	if !extension {
		s.serveArgoCD(w, r)
		return
	}
	cookie, err := r.Cookie("argocd.token")
	switch {
	case err != nil:
		http.Error(w, "Auth cookie not found", http.StatusBadRequest)
		return
	case cookie.Value != token || !s.loggedIn:
		http.Error(w, "Invalid token", http.StatusUnauthorized)
		return
	}
	gate, path, _ := strings.Cut(rest, v1.Prefix)
	application := r.Header.Get("Argocd-Application-Name")
	known := slices.ContainsFunc(s.applications, func(a [3]string) bool {
		return "argocd:"+a[0] == application && a[1] == r.Header.Get("Argocd-Project-Name")
	})
	if slices.Contains(s.refused, gate) || !known {
		http.Error(w, "Unauthorized extension request", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	call := r.Method + " " + path
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s", gate, application, call, query(r), body)))
	answer := s.answers[call]
	s.mu.Unlock()
	if answer == nil {
		answer = s.answer
	}
	answer(w, r)
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

func (s *standIn) serveArgoCD(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token && r.URL.Path != "/api/v1/session/userinfo" {
		http.Error(w, `{"error":"no session information","code":16,"message":"no session information"}`, http.StatusUnauthorized)
		return
	}
	object := func(a [3]string) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"name": a[0], "namespace": "argocd", "annotations": map[string]string{"waybill.dev/stage": a[2]}},
			"spec":     map[string]any{"project": a[1]},
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	switch {
	case path == "/api/version":
		reply(w, http.StatusOK, map[string]any{"Version": "v3.4.2"})
	case path == "session/userinfo":
		reply(w, http.StatusOK, map[string]any{"loggedIn": s.loggedIn, "username": "alice"})
	case !s.loggedIn:
		http.Error(w, `{"message":"invalid session"}`, http.StatusUnauthorized)
	case strings.HasPrefix(path, "account/can-i/extensions/invoke/"):
		value := "yes"
		if slices.Contains(s.refused, path[strings.LastIndex(path, "/")+1:]) {
			value = "no"
		}
		reply(w, http.StatusOK, map[string]string{"value": value})
	case strings.HasPrefix(path, "account/can-i/"):
		reply(w, http.StatusOK, map[string]string{"value": "yes"})
	case path == "applications":
		items := []map[string]any{}
		for _, a := range s.applications {
			items = append(items, object(a))
		}
		reply(w, http.StatusOK, map[string]any{"items": items})
	default:
		for _, a := range s.applications {
			if path == "applications/"+a[0] {
				reply(w, http.StatusOK, object(a))
				return
			}
		}
		reply(w, http.StatusForbidden, map[string]any{"error": "permission denied", "code": 7, "message": "permission denied"})
	}
}

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

func refuse(w http.ResponseWriter, p v1.Problem) {
	w.Header().Set("Content-Type", v1.ContentTypeProblem)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// answer is what the proxy says unless a test says otherwise.
func (s *standIn) answer(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(r.URL.Path, v1.Prefix)
	switch {
	case path == "/me":
		reply(w, http.StatusOK, v1.Me{Username: "alice", Gate: "waybill", Application: strings.Replace(r.Header.Get("Argocd-Application-Name"), ":", "/", 1), Project: r.Header.Get("Argocd-Project-Name")})
	case path == "/application":
		reply(w, http.StatusOK, v1.Application{Pipeline: "waybill/shop", Actions: s.actions()})
	case path == "/pipelines":
		reply(w, http.StatusOK, v1.Pipelines{Items: []v1.PipelineSummary{s.pipeline().PipelineSummary}})
	case path == "/pipelines/shop":
		reply(w, http.StatusOK, s.pipeline())
	case path == "/pipelines/shop/freight":
		reply(w, http.StatusOK, v1.FreightPage{Items: s.pipeline().Freight})
	case strings.HasPrefix(path, "/pipelines/shop/freight/"):
		f, err := freight.Find(s.freight, path[strings.LastIndex(path, "/")+1:])
		if err != nil {
			refuse(w, v1.Problem{Type: v1.ProblemNotFound, Status: http.StatusNotFound, Detail: err.Error()})
			return
		}
		for _, view := range s.pipeline().Freight {
			if view.ID == f.ID {
				reply(w, http.StatusOK, view)
			}
		}
	case path == "/pipelines/shop/promotions":
		reply(w, http.StatusOK, v1.PromotionPage{Items: []v1.Promotion{s.pending(), s.failed()}})
	case path == "/pipelines/shop/promotions/"+s.pending().ID:
		reply(w, http.StatusOK, s.pending())
	case strings.HasSuffix(path, "/eligibility"):
		s.judge(w, r, strings.Split(path, "/")[4])
	case path == "/pipelines/shop/warehouses/shop/candidates":
		reply(w, http.StatusOK, s.candidates())
	case path == "/pipelines/shop/warehouses/shop/freight":
		made := s.freight[1]
		reply(w, http.StatusCreated, v1.Freight{Freight: made, Summary: made.Summary()})
	case path == "/pipelines/shop/warehouses/shop/refresh":
		w.WriteHeader(http.StatusAccepted)
	default:
		refuse(w, v1.Problem{Type: v1.ProblemNotFound, Title: "Not found", Status: http.StatusNotFound, Detail: "there is no " + path})
	}
}

func (s *standIn) actions() []v1.Action {
	return []v1.Action{
		{Name: v1.ActionPromote, Gate: "waybill-promote"}, {Name: v1.ActionRollback, Gate: "waybill-promote"},
		{Name: v1.ActionAbort, Gate: "waybill-promote"}, {Name: v1.ActionRefresh, Gate: "waybill-promote"},
		{Name: v1.ActionAssemble, Gate: "waybill-promote"},
		{Name: v1.ActionApprove, Gate: "qa-approve"}, {Name: v1.ActionReject, Gate: "qa-approve"},
	}
}

func (s *standIn) judge(w http.ResponseWriter, r *http.Request, stage string) {
	f, err := freight.Find(s.freight, r.URL.Query().Get("freight"))
	if err != nil {
		refuse(w, v1.Problem{Type: v1.ProblemNotFound, Status: http.StatusNotFound, Detail: err.Error()})
		return
	}
	reply(w, http.StatusOK, s.verdict(f, stage, r.URL.Query().Get("rollback") == "true"))
}

func (s *standIn) verdict(f freight.Freight, stage string, rollback bool) eligibility.Verdict {
	st, _ := s.document.Stage(stage)
	return eligibility.Eligible(f, st, eligibility.Facts{Stages: s.records, Applications: 1, Rollback: rollback}, now)
}

func (s *standIn) pipeline() v1.Pipeline {
	p := v1.Pipeline{
		PipelineSummary: v1.PipelineSummary{Name: "waybill/shop", Project: "shop", Warehouses: []string{"shop"}, Stages: []string{"dev", "staging", "prod"}},
		Warehouses:      s.warehouses(),
	}
	pending := s.pending()
	for _, f := range s.freight {
		p.Freight = append(p.Freight, v1.Freight{Freight: f, Summary: f.Summary()})
	}
	p.Freight[0].Stages, p.Freight[0].VerifiedIn = []string{"dev"}, []string{"dev"}
	p.Freight[1].Stages, p.Freight[1].VerifiedIn = []string{"staging"}, []string{"dev", "staging"}
	for _, st := range s.document.Stages {
		record := s.records[st.Name]
		stage := v1.Stage{
			Name: st.Name, Pipeline: "waybill/shop", Project: s.document.ProjectOf(st), RequestedFreight: st.RequestedFreight,
			AutoPromotion: st.AutoPromotion, Approval: st.Approval, Steps: []string{"write-waybill", "sync", "wait"},
			Applications: []v1.BoundApplication{{Namespace: "argocd", Name: "shop-" + st.Name, Sync: "Synced", Health: "Healthy", Waybill: true}},
		}
		for _, l := range record.Current {
			load := v1.Load{Load: l}
			for _, f := range s.freight {
				if f.ID == l.Freight {
					load.Alias, load.Summary = f.Alias, f.Summary()
				}
			}
			if v, ok := record.VerificationOf(l.Freight); ok {
				load.VerifiedAt = &v.At
			}
			stage.Current = append(stage.Current, load)
		}
		p.Stages = append(p.Stages, stage)
	}
	p.Stages[1].Holds = []promotion.Hold{{Held: promotion.Held{Origin: "shop", Freight: s.freight[1].ID}, By: "bob", At: before(time.Hour)}}
	p.Stages[1].Applications = append(p.Stages[1].Applications, v1.BoundApplication{Namespace: "argocd", Name: "shop-staging-eu", Sync: "OutOfSync", Health: "Degraded"})
	p.Stages[2].Pending = []v1.Pending{{Promotion: pending.Promotion, Waiting: pending.Waiting}}
	return p
}

// warehouses are one that looked and one of which nobody knows whether it did.
func (s *standIn) warehouses() []v1.Warehouse {
	looked, next, requests := before(3*time.Minute), now.Add(2*time.Minute), int64(21)
	return []v1.Warehouse{{
		Name: "shop", Interval: pipeline.Duration(5 * time.Minute), Candidate: s.freight[0].ID,
		LookedAt: &looked, NextLookAt: &next, Requests: &requests, Skipped: []string{"v1.3.0 has no image for linux/arm64"},
		Reason: "no freight is made of shop:v1.3.0, because it does not meet freightCreationCriteria",
	}, {
		Name: "tools", Interval: pipeline.Duration(time.Hour), Manual: true, Candidate: strings.Repeat("ab", 32),
		Error: "subscriptions[0] (registry.example.com/tools): the registry wants credentials",
	}}
}

// candidates are what the warehouse shop offers: two subscriptions to one image, a
// repository and a chart.
func (s *standIn) candidates() v1.Candidates {
	c := v1.Candidates{Warehouse: "shop", At: now}
	made := before(time.Hour)
	for _, name := range []string{"web", "worker"} {
		item := v1.Offers{Subscription: name, Kind: freight.KindImage, RepoURL: "registry.example.com/shop"}
		for _, tag := range []string{"v1.2.0", "v1.1.0"} {
			image := shop(tag, 0).Images[0]
			image.Subscription = name
			item.Offers = append(item.Offers, v1.Offer{Version: tag, Offer: freight.Offer{Image: &image, Detail: freight.Detail{Kind: freight.KindImage, CreatedAt: &made, Revision: "4b1c27c"}}})
		}
		c.Items = append(c.Items, item)
	}
	id := strings.Repeat("c0", 20)
	commit := freight.Commit{RepoURL: "https://git.example.com/config.git", ID: id}
	chart := freight.Chart{RepoURL: "https://charts.example.com", Name: "db", Version: "2.1.0"}
	return v1.Candidates{Warehouse: "shop", At: now, Items: append(c.Items,
		v1.Offers{Kind: freight.KindCommit, RepoURL: commit.RepoURL, Offers: []v1.Offer{{Version: id[:7], Offer: freight.Offer{Commit: &commit, Detail: freight.Detail{Kind: freight.KindCommit, Subject: "Say hello", Author: "Ada"}}}}},
		v1.Offers{Kind: freight.KindChart, RepoURL: chart.RepoURL, Name: "db", Offers: []v1.Offer{{Version: "2.1.0", Offer: freight.Offer{Chart: &chart, Detail: freight.Detail{Kind: freight.KindChart, AppVersion: "16.2"}}}}},
	)}
}

// pending is a promotion to prod that waits for an approval.
func (s *standIn) pending() v1.Promotion {
	f := s.freight[1]
	p := promotion.New("waybill/shop", "prod", promotion.Held{Origin: "shop", Freight: f.ID},
		promotion.Request{By: "alice", At: before(3 * time.Minute), Reason: "release 1.1"}, "key")
	return s.described(p)
}

// failed is one to staging that came to a bad end.
func (s *standIn) failed() v1.Promotion {
	p := promotion.New("waybill/shop", "staging", promotion.Held{Origin: "shop", Freight: s.freight[0].ID},
		promotion.Request{By: promotion.System, At: before(2 * time.Hour), Automatic: true}, "automatic")
	p.Start(3, nil, nil, []string{"write-waybill", "sync", "wait"}, before(2*time.Hour))
	p.End(promotion.Failed, "", "Application argocd/shop-staging is Degraded", "", before(119*time.Minute))
	return s.described(p)
}

func (s *standIn) described(p promotion.Promotion) v1.Promotion {
	d := v1.Promotion{Promotion: p}
	for _, f := range s.freight {
		if f.ID != p.Freight {
			continue
		}
		d.Alias, d.Summary = f.Alias, f.Summary()
		if p.Phase == promotion.Pending {
			st, _ := s.document.Stage(p.Stage)
			verdict := eligibility.Eligible(f, st, eligibility.Facts{Stages: s.records, Applications: 1, Promotion: &p}, now)
			d.Verdict, d.Waiting = &verdict, verdict.Waiting()
		}
	}
	return d
}
