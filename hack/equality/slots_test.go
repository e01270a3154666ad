package equality

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestRendersOfChartsWaitForOneSlotEach runs several where one may run at a
// time. With a lock that went over to what the plugin becomes, and that did not
// know of it, none of them would ever end.
func TestRendersOfChartsWaitForOneSlotEach(t *testing.T) {
	const renders = 4
	root := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml":        "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
		"templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	temporary := t.TempDir()
	var all sync.WaitGroup
	for range renders {
		all.Go(func() {
			var stdout, stderr bytes.Buffer
			command := exec.CommandContext(t.Context(), programs.plugin, "generate")
			command.Dir, command.Stdout, command.Stderr = root, &stdout, &stderr
			command.Env = []string{
				"ARGOCD_APP_NAME=" + application, "ARGOCD_APP_SOURCE_PATH=.", `ARGOCD_APP_PARAMETERS=[{"name":"unpinned","string":"allow"}]`,
				"GOMAXPROCS=1", "TMPDIR=" + temporary,
			}
			if err := command.Run(); err != nil || !strings.Contains(stdout.String(), "name: "+application) {
				t.Errorf("%v: %s%s", err, stdout.String(), stderr.String())
			}
		})
	}
	all.Wait()
	if taken, err := filepath.Glob(filepath.Join(temporary, "*", "0")); err != nil || len(taken) != 1 {
		t.Errorf("nobody waited: %v", err)
	}
}
