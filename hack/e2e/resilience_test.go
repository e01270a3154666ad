package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/install"
	"github.com/waybill-cd/waybill/hack/stack/git"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// deliver pushes a version and has the warehouse look.
func deliver(t *testing.T, tag string) (digest string) {
	t.Helper()
	digest, err := theShop.Push(t.Context(), tag)
	if err != nil {
		t.Fatal(err)
	}
	must(t, alice, "refresh", "shop", "--app", "shop-dev")
	return digest
}

// toDev returns the promotions of a version to dev.
func toDev(t *testing.T, tag string) []v1.Promotion {
	t.Helper()
	var all []v1.Promotion
	for _, p := range get[v1.PromotionPage](t, "shop-dev", "/pipelines/shop/promotions?stage=dev&limit=200").Items {
		if strings.HasSuffix(p.Summary, ":"+tag) {
			all = append(all, p)
		}
	}
	return all
}

func commitsOf(t *testing.T, promotion string) int {
	t.Helper()
	history, err := theStack.Git().Log(t.Context(), "shop", "main")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, entry := range history {
		if strings.Contains(entry.Message, "Waybill-Promotion: "+promotion) {
			n++
		}
	}
	return n
}

func TestAProxyKilledAtAnyStepCarriesOn(t *testing.T) {
	// The moments are seen from outside, in the order in which they come.
	asked := func(tag string) (string, bool) {
		all := toDev(t, tag)
		if len(all) == 0 {
			return "", false
		}
		return all[0].ID, true
	}
	for _, moment := range []struct {
		name, tag string
		come      func(tag string) bool
	}{
		{"right after the version was pushed", "v2.0.0", func(string) bool { return true }},
		{"when the promotion was asked for", "v2.1.0", func(tag string) bool { _, ok := asked(tag); return ok }},
		{"when the waybill was committed", "v2.2.0", func(tag string) bool {
			id, ok := asked(tag)
			return ok && commitsOf(t, id) > 0
		}},
		{"when the sync was started", "v2.3.0", func(tag string) bool {
			id, ok := asked(tag)
			return ok && strings.Contains(kubectl(t, "get", "application", "shop-dev", "-n", "argocd", "-o", "jsonpath={.operation}{.status.operationState.operation}"), id)
		}},
	} {
		t.Run(moment.name, func(t *testing.T) {
			before := transitions(t)
			digest := deliver(t, moment.tag)
			eventually(t, moment.name, func() (string, bool) { return "", moment.come(moment.tag) })
			if err := theStack.Kill(install.Proxy); err != nil {
				t.Fatal(err)
			}
			if err := theStack.StartComponent(t.Context(), install.Proxy); err != nil {
				t.Fatal(err)
			}
			waitLive(t, "dev", digest)
			waitVerified(t, "dev", moment.tag)
			all := toDev(t, moment.tag)
			if len(all) != 1 {
				t.Fatalf("there are %d promotions of %s to dev", len(all), moment.tag)
			}
			if n := commitsOf(t, all[0].ID); n != 1 {
				t.Errorf("there are %d commits of promotion %s", n, all[0].ID)
			}
			if all[0].Phase != promotion.Succeeded {
				t.Errorf("it ended as %s: %s", all[0].Phase, all[0].Message)
			}
			// It is the same replica, which need not wait for the Lease to expire.
			if after := transitions(t); after != before {
				t.Errorf("the Lease went from hand to hand: %s times, %s before", after, before)
			}
		})
	}
}

// transitions is how many times the Lease has had another holder.
func transitions(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "lease", "waybill-proxy", "-n", install.Namespace, "-o", "jsonpath={.spec.leaseTransitions}")
}

func TestASecondReplicaTakesOver(t *testing.T) {
	name, err := waybill.AddReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	digest, err := theShop.Push(t.Context(), "v2.4.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := theStack.Kill(install.Proxy); err != nil {
		t.Fatal(err)
	}
	waitDeployed(t, "dev", digest)
	if err := theStack.StartComponent(t.Context(), install.Proxy); err != nil {
		t.Fatal(err)
	}
	waitVerified(t, "dev", "v2.4.0")
	// The first replica answers the API while the other one runs the loops.
	must(t, alice, "get", "stages", "-p", "shop")
	if err := theStack.StopComponent(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// waitDeployed is waitLive without the API.
func waitDeployed(t *testing.T, stage, digest string) {
	t.Helper()
	eventually(t, stage+" runs "+digest, func() (string, bool) {
		image, ready := liveImage(t, stage)
		return image, ready && strings.HasSuffix(image, "@"+digest)
	})
}

func TestAPushLostToARaceIsMadeAgainOnTheNewTip(t *testing.T) {
	raced := make(chan error, 1)
	theStack.Git().BeforeNextPush("shop", func() {
		_, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: "Somebody else", Files: map[string]string{"NOTES": "mine\n"}})
		raced <- err
	})
	digest := deliver(t, "v2.5.0")
	waitLive(t, "dev", digest)
	select {
	case err := <-raced:
		if err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatal("there was no race")
	}
	notes, err := theStack.Git().File(t.Context(), "shop", "main", "NOTES")
	if err != nil || notes != "mine\n" {
		t.Errorf("the other's change is lost: %q %v", notes, err)
	}
	waitVerified(t, "dev", "v2.5.0")
	if all := toDev(t, "v2.5.0"); len(all) != 1 || commitsOf(t, all[0].ID) != 1 {
		t.Errorf("promotions: %+v", all)
	}
}

// summaryOf returns the line of a pipeline in the list of all.
func summaryOf(t *testing.T, pipeline string) v1.PipelineSummary {
	t.Helper()
	for _, summary := range get[v1.Pipelines](t, "shop-dev", "/pipelines").Items {
		if summary.Name == pipeline {
			return summary
		}
	}
	t.Fatalf("the list lacks pipeline %s", pipeline)
	return v1.PipelineSummary{}
}

func TestAnInvalidDocumentLeavesTheLastGoodOneInForce(t *testing.T) {
	setPipeline(t, "required: 1", "required: 0")
	summary := summaryOf(t, "shop")
	if len(summary.Problems) != 1 || summary.Problems[0].Path != "stages[2].approval.required" {
		t.Errorf("problems: %+v", summary.Problems)
	}
	waitEvent(t, "PipelineInvalid")
	digest := deliver(t, "v2.6.0")
	waitLive(t, "dev", digest)
	setPipeline(t)
	eventually(t, "the problem is gone", func() (string, bool) {
		summary := summaryOf(t, "shop")
		return "", len(summary.Problems) == 0
	})
	waitVerified(t, "staging", "v2.6.0")
}

func TestAnApplicationThatJoinsGetsTheCurrentWaybill(t *testing.T) {
	all, err := theShop.Manifest("applications.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dev, _, _ := strings.Cut(all, "---\n")
	joined := strings.Replace(dev, "name: shop-dev\n", "name: shop-dev-eu\n", 1)
	var app map[string]any
	if err := yaml.Unmarshal([]byte(joined), &app); err != nil {
		t.Fatal(err)
	}
	// Its own overlay, in a namespace that the first one does not use.
	joined = strings.NewReplacer("path: deploy/dev", "path: deploy/eu", "namespace: shop-dev}", "namespace: shop-staging}").Replace(joined)
	overlay := "resources:\n- ../base\nnamespace: shop-staging\nnamePrefix: eu-\n"
	if _, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: "Add the EU", Files: map[string]string{"deploy/eu/kustomization.yaml": overlay}}); err != nil {
		t.Fatal(err)
	}
	apply(t, joined)
	current := get[v1.Application](t, "shop-dev", "/application").Stage.Current[0]
	digest := ""
	for _, i := range get[v1.Freight](t, "shop-dev", "/pipelines/shop/freight/"+current.Freight).Images {
		digest = i.Digest
	}
	eventually(t, "the EU runs what dev runs", func() (string, bool) {
		image, err := theStack.Kubectl(t.Context(), nil, "get", "deployment", "eu-shop", "-n", "shop-staging", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
		if err != nil {
			return err.Error() + stageSummary(t, "dev"), false
		}
		return string(image), strings.HasSuffix(string(image), "@"+digest)
	})
	next := deliver(t, "v2.7.0")
	waitLive(t, "dev", next)
	waitVerified(t, "dev", "v2.7.0")
	p := toDev(t, "v2.7.0")[0]
	if len(p.Applications) != 2 {
		t.Errorf("the next promotion covers %+v", p.Applications)
	}
	if n := commitsOf(t, p.ID); n != 1 {
		t.Errorf("two Applications of one branch took %d commits", n)
	}
	kubectl(t, "delete", "application", "shop-dev-eu", "-n", "argocd")
}

func TestNothingIsWrittenWhenNothingChanged(t *testing.T) {
	waitVerified(t, "staging", "v2.7.0")
	eventually(t, "nothing runs or waits", func() (string, bool) {
		for _, stage := range []string{"dev", "staging"} {
			s := get[v1.Application](t, "shop-"+stage, "/application").Stage
			if s.Running != nil || len(s.Pending) > 0 {
				return stageSummary(t, stage), false
			}
		}
		return "", true
	})
	looks := func() float64 { return metric(t, "waybill_warehouse_looks_total") }
	idle := func(d time.Duration) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-t.Context().Done():
		}
	}
	// The Events of what has just ended are written with a little delay.
	eventually(t, "five seconds pass without a write", func() (string, bool) {
		counter.reset()
		idle(5 * time.Second)
		writes := counter.written()
		return strings.Join(writes, "\n"), len(writes) == 0
	})
	before := looks()
	counter.reset()
	idle(time.Minute)
	if writes := counter.written(); len(writes) > 0 {
		t.Errorf("an idle minute wrote %d times: %s", len(writes), strings.Join(writes, "\n"))
	}
	if looks() <= before {
		t.Error("the warehouse did not look, so the minute proves nothing")
	}
}

// metric returns the sum of a metric of the proxy over its labels.
func metric(t *testing.T, name string) float64 {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, waybill.MetricsURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, text := do(t, r)
	sum, found := sumOf(string(text), name)
	if !found {
		t.Fatalf("there is no metric %s in %d bytes of %s: %.300s", name, len(text), waybill.MetricsURL(), text)
	}
	return sum
}
