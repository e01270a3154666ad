package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/proxy/store"
)

// webhook runs the command line offline, with an input.
func webhook(t *testing.T, input string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binaries.CLI, append([]string{"webhook"}, args...)...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func shopWarehouse(t *testing.T) (w store.Warehouse) {
	t.Helper()
	text := kubectl(t, "get", "configmap", "waybill.shop.warehouse.shop", "-n", "waybill", "-o", `jsonpath={.data.warehouse\.yaml}`)
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// The Secret that the command line makes, the URL that it tells, and a call of a
// sender: the warehouse looks.
func TestAWebhookHasTheWarehouseLook(t *testing.T) {
	made := webhook(t, "", "new", "generic", "--name", "hook", "--expression", "request.body.image")
	apply(t, made)
	defer kubectl(t, "delete", "secret", "hook", "-n", "waybill")
	stored := kubectl(t, "get", "secret", "-n", "waybill", "-l", "waybill.dev/webhook", "-o", "yaml")
	var urls []struct {
		Unguessable string `json:"unguessableURL"`
	}
	if err := yaml.Unmarshal([]byte(webhook(t, stored, "url", "--host", waybill.WebhookURL(), "-o", "json")), &urls); err != nil || len(urls) != 1 {
		t.Fatalf("%d URLs: %v", len(urls), err)
	}
	post := func(url, body string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	payload := `{"image": "` + theShop.Image + `"}`
	before := shopWarehouse(t).Asked
	eventually(t, "the receiver is there", func() (string, bool) {
		status := post(urls[0].Unguessable, payload)
		return http.StatusText(status), status == http.StatusAccepted
	})
	if status := post(waybill.WebhookURL()+"/webhooks/hook", payload); status != http.StatusUnauthorized {
		t.Errorf("without a proof: %d", status)
	}
	eventually(t, "the warehouse has looked", func() (string, bool) {
		now := shopWarehouse(t)
		return now.Asked, now.Asked != before && now.Asked == now.Refresh
	})
}
