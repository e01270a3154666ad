package browser

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/waybill-cd/waybill/hack/chromium"
)

// largest is what every page of Argo CD may be made to load: the server sends it
// uncached.
const largest = 60 << 10

func TestTheBundleThatArgoCDServesIsSmall(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL()+"extensions.js", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s, %q", response.Status, response.Header.Get("Content-Encoding"))
	}
	t.Logf("%d bytes gzipped", len(body))
	if len(body) > largest {
		t.Errorf("it has %d bytes, more than %d", len(body), largest)
	}
}

// TestOnReact16 runs the page's tests as on Argo CD up to 3.4.
func TestOnReact16(t *testing.T) { runPage(t, "16", "flow", "behaviour") }

// TestOnReact19 runs them as on Argo CD from 3.5 on.
func TestOnReact19(t *testing.T) { runPage(t, "19", "flow", "behaviour") }

// runPage runs tests of ui/browser, in this order: each leaves what the next works
// on.
func runPage(t *testing.T, react string, names ...string) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", filepath.Join("browser", name+".test.mjs"))
			cmd.Dir = filepath.Join(root, "ui")
			cmd.Env = append(os.Environ(), environment(react)...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				log, _ := theStack.Log("waybill-proxy")
				t.Errorf("the page's tests failed: %v\nthe proxy's log ends:\n%s", err, log[max(0, len(log)-2000):])
			}
		})
	}
}

func environment(react string) []string {
	return []string{
		"WAYBILL_REACT=" + react,
		"WAYBILL_SITE=" + site.URL(),
		"WAYBILL_BELOW=" + below.URL(),
		"WAYBILL_CONTROL=" + hand.url(),
		"WAYBILL_CHROMIUM=" + chromium.Path,
		"WAYBILL_FIRST=" + firstVersion,
	}
}
