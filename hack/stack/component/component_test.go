package component_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/component"
)

const (
	goMod  = "module example.com/hello\n\ngo 1.26\n"
	mainGo = "package main\n\nvar version string\n\nfunc main() { print(version) }\n"
)

// repository is a repository with one module, whose program prints a variable
// that the linker sets.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", goMod)
	write(t, root, "go.sum", "")
	write(t, root, "main.go", mainGo)
	write(t, root, "assets/crd.yaml", "kind: Hello\n")
	write(t, root, "assets/embed.go", "package assets\n")
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, "hack", "components", "hello", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func hello(version string) component.Set {
	return component.Set{
		Name:    "hello",
		LDFlags: "-X main.version=" + version,
		Tools:   []component.Tool{{Name: "hello", Package: "example.com/hello"}},
		Assets:  []component.Asset{{Name: "manifests", Module: "example.com/hello", Folder: "assets"}},
	}
}

func build(t *testing.T, b *component.Builder, set component.Set) string {
	t.Helper()
	dir, err := b.Build(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBuildMakesTheProgramAndCopiesTheAssets(t *testing.T) {
	var log bytes.Buffer
	b := &component.Builder{Root: repository(t), Cache: t.TempDir(), Log: &log}
	dir := build(t, b, hello("v1"))
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "hello")).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != "v1" {
		t.Errorf("the program says %q, want v1", out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "manifests", "crd.yaml")}, names); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	for _, want := range []string{"building hello (1 of 1 of hello)\n", "built hello (1 of 1 of hello) in "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the progress lacks %q:\n%s", want, log.String())
		}
	}
}

func TestSecondBuildIsTakenFromTheCache(t *testing.T) {
	b := &component.Builder{Root: repository(t), Cache: t.TempDir(), Log: t.Output()}
	first := build(t, b, hello("v1"))
	var log bytes.Buffer
	b.Log = &log
	if second := build(t, b, hello("v1")); second != first {
		t.Errorf("built in %s, want %s", second, first)
	}
	if log.Len() > 0 {
		t.Errorf("the second build was not silent:\n%s", log.String())
	}
}

func TestChangedVersionsFlagsAndToolsAreBuiltAnew(t *testing.T) {
	root, cache := repository(t), t.TempDir()
	b := &component.Builder{Root: root, Cache: cache, Log: t.Output()}
	first := build(t, b, hello("v1"))

	renamed := hello("v1")
	renamed.Tools[0].Name = "hallo"
	for name, change := range map[string]func() component.Set{
		"flags": func() component.Set { return hello("v2") },
		"tools": func() component.Set { return renamed },
		"go.mod": func() component.Set {
			write(t, root, "go.mod", "module example.com/hello\n\ngo 1.25\n")
			return hello("v1")
		},
		"go.sum": func() component.Set {
			write(t, root, "go.mod", goMod)
			write(t, root, "go.sum", "\n")
			return hello("v1")
		},
		"source": func() component.Set {
			write(t, root, "main.go", "package main\n\nfunc main() {}\n")
			return hello("v1")
		},
	} {
		if got := build(t, b, change()); got == first {
			t.Errorf("a change of %s was not built anew", name)
		}
		for file, content := range map[string]string{"go.mod": goMod, "go.sum": "", "main.go": mainGo} {
			write(t, root, file, content)
		}
	}
	if got := build(t, b, hello("v1")); got != first {
		t.Errorf("the first version was built again, in %s", got)
	}
}

func TestRunsAtTheSameTimeBuildOnce(t *testing.T) {
	root, cache := repository(t), t.TempDir()
	const runs = 4
	logs := make([]bytes.Buffer, runs)
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			b := &component.Builder{Root: root, Cache: cache, Log: &logs[i]}
			if _, err := b.Build(t.Context(), hello("v1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	built := 0
	for i := range logs {
		built += strings.Count(logs[i].String(), "built hello")
	}
	if built != 1 {
		t.Errorf("built %d times, want once", built)
	}
}

func TestFailedBuildNamesTheProgramAndTheCompilersWords(t *testing.T) {
	root, cache := repository(t), t.TempDir()
	write(t, root, "main.go", "package main\n\nfunc main() { missing() }\n")
	b := &component.Builder{Root: root, Cache: cache, Log: t.Output()}
	_, err := b.Build(t.Context(), hello("v1"))
	if err == nil {
		t.Fatal("a broken program was built")
	}
	for _, want := range []string{"building hello", "undefined: missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestMissingGoIsSaidClearly(t *testing.T) {
	b := &component.Builder{Root: repository(t), Cache: t.TempDir(), Log: t.Output()}
	t.Setenv("PATH", t.TempDir())
	_, err := b.Build(t.Context(), hello("v1"))
	if err == nil || !strings.Contains(err.Error(), "the program go was not found: install it") {
		t.Errorf("error %v", err)
	}
}

func TestVersionsThatNobodyUsesLeaveTheCache(t *testing.T) {
	cache := t.TempDir()
	old := filepath.Join(cache, "hello-0123456789ab")
	fresh := filepath.Join(cache, "hello-ba9876543210")
	other := filepath.Join(cache, "other-0123456789ab")
	for _, dir := range []string{old, fresh, other} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	longAgo := time.Now().Add(-60 * 24 * time.Hour)
	for _, dir := range []string{old, other} {
		if err := os.Chtimes(dir, longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	build(t, &component.Builder{Root: repository(t), Cache: cache, Log: t.Output()}, hello("v1"))
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old version is still there (%v)", err)
	}
	for _, dir := range []string{fresh, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s was removed", filepath.Base(dir))
		}
	}
}

func TestCacheStandsWhereTheEnvironmentSays(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct {
		name         string
		waybill, xdg string
		want         string
	}{
		{"in WAYBILL_CACHE first", filepath.Join(home, "w"), filepath.Join(home, "x"), filepath.Join(home, "w")},
		{"else in XDG_CACHE_HOME", "", filepath.Join(home, "x"), filepath.Join(home, "x", "waybill")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("WAYBILL_CACHE", test.waybill)
			t.Setenv("XDG_CACHE_HOME", test.xdg)
			got, err := component.CacheDir()
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestRepositoryRootIsFoundFromASubfolder(t *testing.T) {
	root, err := component.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []component.Set{component.Kubernetes(), component.ArgoCD(), component.Kwok(), component.Kustomize(), component.Native()} {
		if _, err := os.Stat(filepath.Join(root, "hack", "components", set.Name, "go.mod")); err != nil {
			t.Errorf("the module of %s: %v", set.Name, err)
		}
	}
	t.Chdir(t.TempDir())
	if dir, err := component.RepositoryRoot(); err == nil {
		t.Errorf("found %s outside a repository", dir)
	}
}
