package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/stack/git"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// ask asks for a promotion with the command line, and returns its ID.
func ask(t *testing.T, person string, args ...string) string {
	t.Helper()
	out := must(t, person, append(args, "-o", "name")...)
	id := strings.TrimSpace(out)
	return id[strings.LastIndex(id, "/")+1:]
}

// TestFromCommitToProduction is "The flow, end to end" of the article that the
// project starts from. Its parts build on each other.
func TestFromCommitToProduction(t *testing.T) {
	const v1tag, v2tag = "v1.0.0", "v1.1.0"
	digests := map[string]string{}
	push := func(t *testing.T, tag string) {
		t.Helper()
		digest, err := theShop.Push(t.Context(), tag)
		if err != nil {
			t.Fatal(err)
		}
		digests[tag] = digest
	}
	prodHead := func(t *testing.T) string {
		t.Helper()
		head, err := theStack.Git().Head(t.Context(), "shop", "env/prod")
		if err != nil {
			t.Fatal(err)
		}
		return head
	}

	t.Run("without freight an Application is an error, and nothing is deployed", func(t *testing.T) {
		eventually(t, "Argo CD says why", func() (string, bool) {
			conditions := kubectl(t, "get", "application", "shop-dev", "-n", "argocd", "-o", "jsonpath={.status.conditions[*].message}")
			return conditions, strings.Contains(conditions, "Application shop-dev: it has no waybill: promote freight into its stage")
		})
		if out := kubectl(t, "get", "deployments", "-A", "-o", "name"); strings.Contains(out, "/shop\n") {
			t.Errorf("deployed without a waybill: %s", out)
		}
	})

	t.Run("a tag that CI pushes becomes freight, and goes to dev by itself", func(t *testing.T) {
		push(t, "not-a-version") // is skipped
		push(t, v1tag)
		start := time.Now()
		must(t, alice, "refresh", "shop", "--app", "shop-dev")
		waitLive(t, "dev", digests[v1tag])
		fmt.Printf("from refresh to dev's live Deployment: %s\n", time.Since(start).Round(10*time.Millisecond))
		waitVerified(t, "dev", v1tag)
	})

	t.Run("verified in dev, it goes to staging", func(t *testing.T) {
		waitLive(t, "staging", digests[v1tag])
		waitVerified(t, "staging", v1tag)
	})

	var toProd string
	t.Run("a promotion to prod stays Pending, and nothing is written", func(t *testing.T) {
		head := prodHead(t)
		toProd = ask(t, alice, "promote", "-p", "shop", "--stage", "prod", "--freight", v1tag, "--reason", "release")
		p := get[v1.Promotion](t, "shop-prod", "/pipelines/shop/promotions/"+toProd)
		if p.Phase != promotion.Pending || !strings.HasPrefix(p.Waiting, "approval 0 of 1") {
			t.Errorf("phase %s, waiting %q", p.Phase, p.Waiting)
		}
		if now := prodHead(t); now != head {
			t.Errorf("env/prod moved from %s to %s", head, now)
		}
		if op := kubectl(t, "get", "application", "shop-prod", "-n", "argocd", "-o", "jsonpath={.operation}{.status.operationState}"); op != "" {
			t.Errorf("an operation was started: %s", op)
		}
	})

	t.Run("the same key asks for the same promotion", func(t *testing.T) {
		body := v1.Promote{Freight: v1tag, Key: "run 7"}
		var ids [2]string
		for i, want := range []int{http.StatusCreated, http.StatusOK} {
			status, answer := call(t, alice, "waybill-promote", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/promotions", body)
			var p v1.Promotion
			if err := json.Unmarshal(answer, &p); err != nil || status != want {
				t.Fatalf("%d %s", status, answer)
			}
			ids[i] = p.ID
		}
		if ids[0] != ids[1] {
			t.Errorf("two promotions: %v", ids)
		}
		must(t, alice, "abort", ids[0], "--app", "shop-prod")
		if p := waitEnded(t, ids[0]); p.Phase != promotion.Aborted || p.Reason != promotion.ReasonWithdrawn {
			t.Errorf("aborted: %s %s", p.Phase, p.Reason)
		}
	})

	t.Run("the promoter does not get through the gate of approvals", func(t *testing.T) {
		out, code := cli(t, alice, "approve", toProd, "--app", "shop-prod")
		if code != 3 || !strings.Contains(out, "extensions, invoke, waybill-approve") {
			t.Errorf("%d: %s", code, out)
		}
	})

	t.Run("the promoter's own approval is refused even where they may approve", func(t *testing.T) {
		access, err := theShop.Manifest("access.yaml")
		if err != nil {
			t.Fatal(err)
		}
		apply(t, strings.Replace(access, "g, alice, role:shop-promoter\n", "g, alice, role:shop-promoter\n    g, alice, role:shop-approver\n", 1))
		eventually(t, "Argo CD has read its policy", func() (string, bool) {
			status, answer := call(t, alice, "waybill-approve", "shop-prod", http.MethodPost, "/pipelines/shop/promotions/"+toProd+"/approve", v1.Decide{})
			if status == http.StatusUnauthorized {
				return string(answer), false
			}
			p := problem(t, answer)
			if p.Type == v1.ProblemForbidden {
				return p.Detail, false
			}
			if status != http.StatusForbidden || p.Type != v1.ProblemPromoter {
				t.Fatalf("%d %s", status, answer)
			}
			return p.Detail, strings.Contains(p.Detail, "alice asked for this promotion")
		})
	})

	var seen v1.Preview
	t.Run("before the approval, the preview shows what would be added, and the image", func(t *testing.T) {
		head := prodHead(t)
		shown := must(t, bob, "preview", "-p", "shop", "--stage", "prod", "--freight", v1tag, "-o", "wide")
		seen = previewed(t, v1tag)
		for _, want := range []string{
			"2 added, 0 changed, 0 pruned of 2 resources", "+ Deployment.apps shop-prod/shop\n", "+ Service shop-prod/shop\n",
			"image " + theShop.Image + ": none -> " + v1tag + "@" + digests[v1tag], "preview " + seen.Digest + "\n",
		} {
			if !strings.Contains(shown, want) {
				t.Errorf("it does not say %q:\n%s", want, shown)
			}
		}
		if now := prodHead(t); now != head {
			t.Errorf("the preview moved env/prod from %s to %s", head, now)
		}
	})

	t.Run("somebody else's approval of what was seen lets it go live, the same digest as in dev", func(t *testing.T) {
		out := must(t, bob, "approve", toProd, "--preview", seen.Digest, "--comment", "tested", "--wait")
		if !strings.Contains(out, "Succeeded") {
			t.Error(out)
		}
		waitLive(t, "prod", digests[v1tag])
		inDev, _ := liveImage(t, "dev")
		inProd, _ := liveImage(t, "prod")
		if inDev != inProd {
			t.Errorf("dev runs %s, prod %s", inDev, inProd)
		}
	})

	t.Run("what Argo CD renders at the promoted commit is what was seen, and so says the record", func(t *testing.T) {
		p, _ := record(t, toProd)
		if len(p.Approvals) != 1 || p.Approvals[0].Preview != seen.Digest || promotion.PreviewDigest(p.Rendered) != seen.Digest {
			t.Errorf("the record has the approvals %+v of %s, and rendered %+v", p.Approvals, seen.Digest, p.Rendered)
		}
		rendered, recorded := p.RenderedOf("argocd", "shop-prod")
		if !recorded || len(seen.Applications) != 1 {
			t.Fatalf("the record has %+v, the preview had %+v", p.Rendered, seen.Applications)
		}
		if got := digestOf(t, renderedManifests(t, "shop-prod", prodHead(t))); got != rendered.Digest || got != seen.Applications[0].Digest {
			t.Errorf("Argo CD renders %s, the record has %s, the preview had %s", got, rendered.Digest, seen.Applications[0].Digest)
		}
	})

	t.Run("freight that is not verified in staging is refused with its verdict", func(t *testing.T) {
		setPipeline(t, "sources: {stages: [dev]}}]\n      autoPromotion: true", "sources: {stages: [dev]}}]")
		push(t, v2tag)
		must(t, alice, "refresh", "shop", "--app", "shop-dev")
		waitVerified(t, "dev", v2tag)
		out, code := cli(t, alice, "promote", "--stage", "prod", "--freight", v2tag, "-p", "shop")
		if code != 3 || !strings.Contains(out, "is not verified in staging") {
			t.Errorf("%d: %s", code, out)
		}
		status, answer := call(t, alice, "waybill-promote", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/promotions", v1.Promote{Freight: v2tag})
		p := problem(t, answer)
		if status != http.StatusConflict || p.Type != v1.ProblemIneligible || p.Verdict == nil || p.Verdict.Allowed {
			t.Fatalf("%d %s", status, answer)
		}
		if out, code = cli(t, alice, "why", "--stage", "prod", "--freight", v2tag, "-p", "shop"); code != 3 && code != 0 || !strings.Contains(out, "promote it to staging first") {
			t.Errorf("%d: %s", code, out)
		}
		verdict := get[eligibility.Verdict](t, "shop-prod", "/pipelines/shop/stages/prod/eligibility?freight="+v2tag)
		if verdict.Allowed || verdict.Refusal() != p.Detail {
			t.Errorf("the verdict says %q, the refusal %q", verdict.Refusal(), p.Detail)
		}
	})

	t.Run("the next version goes the same way", func(t *testing.T) {
		setPipeline(t)
		waitVerified(t, "staging", v2tag)
		id := ask(t, alice, "promote", "-p", "shop", "--stage", "prod", "--freight", v2tag)
		must(t, bob, "approve", id, "--wait")
		waitLive(t, "prod", digests[v2tag])
	})

	var back string
	t.Run("rolling back needs a reason and no approval", func(t *testing.T) {
		status, answer := call(t, alice, "waybill-promote", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/rollback", v1.Rollback{})
		if status != http.StatusBadRequest || !strings.Contains(problem(t, answer).Detail, "needs a reason") {
			t.Errorf("%d %s", status, answer)
		}
		// What has come to main since goes to prod by an approval, and not along.
		if _, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: "Nobody has approved this", Files: map[string]string{"deploy/prod/NOTES": "new\n"}}); err != nil {
			t.Fatal(err)
		}
		back = ask(t, alice, "rollback", "-p", "shop", "--stage", "prod", "--reason", "v1.1.0 is slow")
		if p := waitEnded(t, back); p.Phase != promotion.Succeeded {
			t.Fatalf("%s: %s", p.Phase, p.Message)
		}
		waitLive(t, "prod", digests[v1tag])
		before, _ := record(t, toProd)
		after, _ := record(t, back)
		if got, want := after.Applications[0].Base, before.Applications[0].Base; got == "" || got != want {
			t.Errorf("it has the tree of %q, want that of the promotion that it returns to, %q", got, want)
		}
	})

	t.Run("the records name who did each", func(t *testing.T) {
		first, cm := record(t, toProd)
		if first.Request.By != alice || first.Request.Reason != "release" || len(first.Approvals) != 1 || first.Approvals[0].By != bob || first.Approvals[0].Comment != "tested" {
			t.Errorf("the first promotion: %+v", first)
		}
		passed := map[string]bool{}
		for _, e := range first.Evidence {
			passed[e.Stage] = true
		}
		if !passed["dev"] || !passed["staging"] {
			t.Errorf("its evidence: %+v", first.Evidence)
		}
		if cm.Immutable == nil || !*cm.Immutable {
			t.Error("its record is not immutable")
		}
		last, _ := record(t, back)
		if !last.Request.Rollback || last.Request.By != alice || last.Request.Reason != "v1.1.0 is slow" {
			t.Errorf("the rollback: %+v", last)
		}
		out := must(t, alice, "get", "promotions", "-p", "shop", "--stage", "prod")
		if !strings.Contains(out, "bob") || !strings.Contains(out, "alice") {
			t.Error(out)
		}
		history, err := theStack.Git().Log(t.Context(), "shop", "env/prod")
		if err != nil {
			t.Fatal(err)
		}
		if m := history[0].Message; !strings.Contains(m, "Roll back to shop:v1.0.0") || !strings.Contains(m, "Asked for by alice.") || !strings.Contains(m, "Waybill-Promotion: "+back) {
			t.Errorf("the last commit says:\n%s", m)
		}
	})
}

// TestTheStateIsInConfigMaps runs after the flow, on what it left.
func TestTheStateIsInConfigMaps(t *testing.T) {
	t.Run("freight and ended promotions are immutable", func(t *testing.T) {
		for _, kind := range []string{"freight", "promotion"} {
			all := records(t, kind)
			if len(all) == 0 {
				t.Errorf("there is no %s", kind)
			}
			for _, cm := range all {
				if cm.Immutable == nil || !*cm.Immutable {
					t.Errorf("%s %s is not immutable", kind, cm.Name)
				}
			}
		}
	})

	t.Run("the ended promotions of a stage are a chain whose head the stage holds", func(t *testing.T) {
		next := map[string]promotion.Promotion{}
		texts := map[string]string{}
		for _, cm := range records(t, "promotion") {
			p, _ := record(t, cm.Name)
			if p.Stage == "prod" {
				next[p.Previous] = p
				texts[p.ID] = cm.Data["promotion.yaml"]
			}
		}
		head, links := "", 0
		for p, ok := next[head]; ok; p, ok = next[head] {
			head = promotion.Hash(texts[p.ID])
			links++
		}
		if links != len(texts) {
			t.Errorf("the chain has %d links, there are %d promotions", links, len(texts))
		}
		if held := kubectl(t, "get", "configmap", "waybill.shop.stage.prod", "-n", "waybill", "-o", "jsonpath={.data}"); !strings.Contains(held, head) {
			t.Errorf("the stage does not hold the head %s: %s", head, held)
		}
	})

	t.Run("no record holds a secret", func(t *testing.T) {
		all := kubectl(t, "get", "configmap,event", "-n", "waybill", "-o", "yaml")
		for _, gate := range []string{"waybill", "waybill-promote", "waybill-approve"} {
			secret, err := waybill.GateSecret(gate)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(all, secret) {
				t.Errorf("the secret of gate %s is in a ConfigMap or an Event", gate)
			}
		}
		if strings.Contains(all, theStack.Git().Password()) {
			t.Error("the Git password is in a ConfigMap or an Event")
		}
	})
}
