package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// served is which files argocd-server takes for extensions (server/server.go of
// Argo CD 2.14 and 3.5).
var served = regexp.MustCompile(`^extension(.*)\.js$`)

func TestTheExtensionIsPutWhereArgoCDServesIt(t *testing.T) {
	source := filepath.Join(t.TempDir(), fileName)
	folder := t.TempDir()
	for _, content := range []string{"first", "second"} { // the container starts again with the same volume
		if err := os.WriteFile(source, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := deliver(source, folder); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, fileName))
		if err != nil || string(got) != content {
			t.Errorf("%q, %v; want %q", got, err, content)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || !served.MatchString(entries[0].Name()) {
		t.Errorf("the folder has %v", entries)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	source := filepath.Join(t.TempDir(), fileName)
	if err := deliver(source, t.TempDir()); err == nil || !strings.Contains(err.Error(), "the image lacks the UI extension") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(source, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := deliver(source, filepath.Join(t.TempDir(), "nowhere")); err == nil || !strings.Contains(err.Error(), "mount the volume") {
		t.Errorf("without the volume: %v", err)
	}
}
