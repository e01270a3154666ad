package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *folder {
	t.Helper()
	f, err := openFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.close() })
	return f
}

func TestFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(dir); err == nil || !strings.Contains(err.Error(), "is not empty and no stack has used it") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestFolderIsOfOneStackAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "stack")
	first := open(t, dir)
	if err := os.WriteFile(first.join("log/etcd.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(dir); err == nil || !strings.Contains(err.Error(), "another stack runs in the folder stack") {
		t.Errorf("error %v", err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first.join("log/etcd.log")); err != nil {
		t.Errorf("the log was not kept: %v", err)
	}
	second := open(t, dir)
	if _, err := os.Stat(second.join("log/etcd.log")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the next stack sees the log of the one before (%v)", err)
	}
}

func TestTemporaryFolderGoesWithFoldersThatNobodyMayRead(t *testing.T) {
	f := open(t, "")
	if err := os.MkdirAll(f.join("tmp/_argocd-repo/clone"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(f.join("tmp/_argocd-repo"), 0o300); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a stack may be stopped twice
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(f.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left (%v)", err)
	}
}

func TestPluginSocketIsNamedAsArgoCDNamesIt(t *testing.T) {
	for _, test := range []struct{ config, want, problem string }{
		{"metadata: {name: waybill}", "waybill.sock", ""},
		{"metadata: {name: waybill}\nspec: {version: v1.0}", "waybill-v1.0.sock", ""},
		{"kind: ConfigManagementPlugin", "", "has no metadata.name"},
		{"{", "", "reading the configuration of the plugin"},
	} {
		got, err := pluginSocket([]byte(test.config))
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.config, got, test.want)
		}
		if (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: error %v", test.config, err)
		}
	}
}
