package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func sumOf(text, name string) (sum float64, found bool) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == '{' || rest[0] == ' ') {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
			if err == nil {
				sum, found = sum+value, true
			}
		}
	}
	return sum, found
}

func TestArgoCDSaysWhoCalls(t *testing.T) {
	t.Run("me is the account that logged in, whatever a client claims", func(t *testing.T) {
		r := request(t, alice, "waybill", "shop-dev", http.MethodGet, "/me", nil)
		r.Header.Set("Argocd-Username", "admin")
		r.Header.Set("Argocd-User-Groups", "admins")
		r.Header.Set("Waybill-Gate-Secret", "guessed")
		status, answer := do(t, r)
		if status != http.StatusOK || !strings.Contains(string(answer), `"username":"alice"`) {
			t.Errorf("%d %s", status, answer)
		}
	})

	t.Run("a call that does not come through Argo CD is refused", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, waybill.URL()+v1.Prefix+"/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Argocd-Username", "admin")
		r.Header.Set("Argocd-Application-Name", "argocd:shop-dev")
		r.Header.Set("Argocd-Project-Name", "shop")
		if status, answer := do(t, r); status != http.StatusUnauthorized || problem(t, answer).Type != v1.ProblemUnauthenticated {
			t.Errorf("%d %s", status, answer)
		}
	})

	t.Run("a header that a client has deleted on the way is missed", func(t *testing.T) {
		r := request(t, alice, "waybill", "shop-dev", http.MethodGet, "/me", nil)
		r.Header.Set("Connection", "Argocd-Username, Waybill-Gate-Secret")
		if status, answer := do(t, r); status != http.StatusUnauthorized {
			t.Errorf("%d %s", status, answer)
		}
	})

	t.Run("a write through the gate of reads is refused", func(t *testing.T) {
		status, answer := call(t, alice, "waybill", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/promotions", v1.Promote{Freight: "v1.0.0"})
		if p := problem(t, answer); status != http.StatusForbidden || p.Type != v1.ProblemGate || !strings.Contains(p.Detail, "waybill-promote") {
			t.Errorf("%d %s", status, answer)
		}
	})

	t.Run("a write on behalf of another stage's Application is refused", func(t *testing.T) {
		status, answer := call(t, alice, "waybill-promote", "shop-dev", http.MethodPost, "/pipelines/shop/stages/prod/promotions", v1.Promote{Freight: "v1.0.0"})
		if p := problem(t, answer); status != http.StatusForbidden || p.Type != v1.ProblemNotBound {
			t.Errorf("%d %s", status, answer)
		}
	})

	t.Run("who may not invoke the extension does not get through Argo CD", func(t *testing.T) {
		status, _ := call(t, bob, "waybill-promote", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/promotions", v1.Promote{Freight: "v1.0.0"})
		if status != http.StatusUnauthorized {
			t.Errorf("%d", status)
		}
	})

	t.Run("Argo CD's policy decides for each stage", func(t *testing.T) {
		access, err := theShop.Manifest("access.yaml")
		if err != nil {
			t.Fatal(err)
		}
		apply(t, strings.Replace(access, "action/waybill.dev/Stage/promote, shop/*", "action/waybill.dev/Stage/promote, shop/shop-dev", 1))
		eventually(t, "alice may not promote to prod any more", func() (string, bool) {
			status, answer := call(t, alice, "waybill-promote", "shop-prod", http.MethodPost, "/pipelines/shop/stages/prod/rollback", v1.Rollback{Reason: "try"})
			return string(answer), status == http.StatusForbidden && problem(t, answer).Type == v1.ProblemForbidden &&
				strings.Contains(string(answer), "action/waybill.dev/Stage/promote, shop/shop-prod")
		})
		status, answer := call(t, alice, "waybill-promote", "shop-dev", http.MethodPost, "/pipelines/shop/warehouses/shop/refresh", nil)
		if status != http.StatusAccepted {
			t.Errorf("%d %s", status, answer)
		}
		apply(t, access)
	})
}
