package equality

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

// parameter is one of spec.source.plugin.parameters.
type parameter struct {
	Name   string            `json:"name"`
	String *string           `json:"string,omitempty"`
	Array  []string          `json:"array,omitempty"`
	Map    map[string]string `json:"map,omitempty"`
}

// The Application that everything is rendered for.
const (
	application = "shop-prod"
	namespace   = "shop"
	revision    = "0123456789abcdef0123456789abcdef01234567"
	repository  = "https://git.example.com/shop.git"
	branch      = "main"
)

// generate runs the plugin as Argo CD does, with nothing pinned. It returns what
// is on standard output, and what is on standard error when it fails.
func generate(t *testing.T, root, path string, parameters []parameter) (manifests, refusal string) {
	t.Helper()
	allow := "allow"
	text, err := json.Marshal(append(parameters, parameter{Name: "unpinned", String: &allow}))
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), programs.plugin, "generate")
	command.Dir, command.Stdout, command.Stderr = filepath.Join(root, path), &stdout, &stderr
	// As argo-cd, reposerver/repository, newEnv and getPluginEnvs.
	command.Env = []string{
		"ARGOCD_APP_NAME=" + application, "ARGOCD_APP_NAMESPACE=" + namespace,
		"ARGOCD_APP_REVISION=" + revision, "ARGOCD_APP_REVISION_SHORT=" + revision[:7], "ARGOCD_APP_REVISION_SHORT_8=" + revision[:8],
		"ARGOCD_APP_SOURCE_REPO_URL=" + repository, "ARGOCD_APP_SOURCE_PATH=" + path, "ARGOCD_APP_SOURCE_TARGET_REVISION=" + branch,
		"ARGOCD_APP_PARAMETERS=" + string(text), "TMPDIR=" + t.TempDir(),
	}
	var exit *exec.ExitError
	switch err := command.Run(); {
	case errors.As(err, &exit):
		return "", stderr.String()
	case err != nil:
		t.Fatal(err)
	}
	return stdout.String(), ""
}

// objects reads manifests. Empty text has none.
func objects(t *testing.T, text string) []manifest.Object {
	t.Helper()
	all, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
