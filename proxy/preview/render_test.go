package preview_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/preview"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-%d}
spec:
  selector: {matchLabels: {app: shop-%d}}
  template: {metadata: {labels: {app: shop-%d}}, spec: {containers: [{name: shop, image: registry.example.com/shop}]}}
`

// large is an Application of 200 Deployments that share an image.
func large() map[string]string {
	files := map[string]string{"deploy/kustomization.yaml": "resources:\n"}
	for i := range 200 {
		files[fmt.Sprintf("deploy/d%d.yaml", i)] = fmt.Sprintf(deployment, i, i, i)
		files["deploy/kustomization.yaml"] += fmt.Sprintf("- d%d.yaml\n", i)
	}
	return files
}

const waybillPath = "deploy/waybill-shop-prod.yaml"

// with is a tree with a waybill in it.
func with(t *testing.T, tree preview.Tree, promotion, tag string) preview.Tree {
	t.Helper()
	return preview.Tree{Revision: tree.Revision, Files: map[string][]byte{waybillPath: bill(t, promotion, tag)}}
}

func TestAWarmPreviewRunsAndFetchesNothing(t *testing.T) {
	w := newWorld(t, preview.Options{})
	app := w.application(nil)
	tree := w.push("main", large())
	now, next := with(t, tree, "p1", "v1"), with(t, tree, "p2", "v2")
	cold := w.compare(app, now, next)
	if len(cold.Changed) != 200 || len(cold.Images) != 1 || cold.Problem != "" || cold.Total != 200 {
		t.Fatalf("%d changed of %d, %v, %q", len(cold.Changed), cold.Total, cold.Images, cold.Problem)
	}
	w.Traffic.Reset()
	exports, runs := w.exports.exports.Load(), preview.Children(t)
	start := time.Now()
	warm := w.compare(app, now, next)
	t.Logf("a warm preview of 200 resources takes %s", time.Since(start))
	if diff := cmp.Diff(cold, warm); diff != "" {
		t.Errorf("the warm preview is another one (-cold +warm):\n%s", diff)
	}
	if n := w.Traffic.Count(nil); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	if more, children := w.exports.exports.Load()-exports, preview.Children(t)-runs; more != 0 || children != 0 {
		t.Errorf("%d exports and %d children, want none", more, children)
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("folders stay: %v", left)
	}
}

func TestBothTreesAreRenderedAtTheSameTime(t *testing.T) {
	// Who opens a pipe waits until somebody opens its other end.
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, preview.Options{MaxChildren: 2, Plugin: script(t, "[ $1 = digest ] && echo sha256:0 && exit\n"+
		"if grep -q 'tag: v1' waybill-*; then echo >"+pipe+"; else read line <"+pipe+"; fi\n"+
		"echo 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}'\n")})
	tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	got := w.compare(w.application(nil), with(t, tree, "p1", "v1"), with(t, tree, "p2", "v2"))
	if got.Total != 1 || got.Today+got.Problem != "" {
		t.Errorf("it shows %d manifests, %q and %q", got.Total, got.Today, got.Problem)
	}
}

func TestTwoTreesThatAreAlikeAreRenderedOnce(t *testing.T) {
	w := newWorld(t, preview.Options{})
	tree := w.push("main", map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1)})
	same := with(t, tree, "p1", "v1")
	runs := preview.Children(t)
	got := w.compare(w.application(nil), same, same)
	if got.Total != 1 || len(got.Changed) != 0 || preview.Children(t) != runs+2 {
		t.Errorf("%d of %d change, by %d children, want 2: generate and digest", len(got.Changed), got.Total, preview.Children(t)-runs)
	}
}

func TestACommitThatChangesNothingNeededIsNotRenderedAgain(t *testing.T) {
	w := newWorld(t, preview.Options{})
	narrow := w.application(func(app *v1alpha1.Application) {
		app.Annotations[v1alpha1.AnnotationKeyManifestGeneratePaths] = ".;/base"
	})
	tree := w.push("main", map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1), "base/x": "1", "other/y": "1"})
	first, err := w.renderer.Digest(t.Context(), narrow, with(t, tree, "p1", "v1"))
	w.must(err)
	runs := preview.Children(t)
	tree = w.push("main", map[string]string{"other/y": "2"})
	again, err := w.renderer.Digest(t.Context(), narrow, with(t, tree, "p1", "v1"))
	w.must(err)
	if first != again || preview.Children(t) != runs {
		t.Errorf("a commit elsewhere is rendered again, and gives %s after %s", again, first)
	}
	tree = w.push("main", map[string]string{"base/x": "2"})
	_, err = w.renderer.Digest(t.Context(), narrow, with(t, tree, "p1", "v1"))
	w.must(err)
	if preview.Children(t) != runs+4 {
		t.Errorf("%d children after a change of the base, want 4: generate and digest, twice", preview.Children(t)-runs)
	}
}

// Who promoted, when and by whose approval stands in the waybill and in no
// manifest.
func TestTheDigestIsThatOfTheFreight(t *testing.T) {
	w := newWorld(t, preview.Options{})
	app := w.application(nil)
	tree := w.push("main", map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1)})
	digest := func(promotion, tag string) string {
		t.Helper()
		d, err := w.renderer.Digest(t.Context(), app, with(t, tree, promotion, tag))
		w.must(err)
		return d
	}
	first := digest("p1", "v1")
	if other := digest("p2", "v1"); other != first {
		t.Errorf("two promotions of the same freight give %s and %s", first, other)
	}
	if other := digest("p1", "v2"); other == first {
		t.Error("other freight gives the same digest")
	}
	if !strings.HasPrefix(first, "sha256:") || digest("p3", "v1") != first {
		t.Errorf("the digest is %q", first)
	}
}

// Two replicas, each of which has seen another commit first, and manifests that
// name their commit.
func TestTheDigestDoesNotDependOnTheCommit(t *testing.T) {
	w := newWorld(t, preview.Options{Plugin: script(t, "[ $1 = digest ] && exec sha256sum\n"+
		"echo ---; echo \"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {commit: '$ARGOCD_APP_REVISION'}}\"\n")})
	app := w.application(nil)
	one := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	two := w.push("main", map[string]string{"README.md": "Another commit"})
	if one.Revision == two.Revision {
		t.Fatal("there is one commit")
	}
	first, err := w.renderer.Digest(t.Context(), app, one)
	w.must(err)
	other, err := preview.New(w.exports, preview.Options{Plugin: w.plugin, Dir: t.TempDir()})
	w.must(err)
	second, err := other.Digest(t.Context(), app, two)
	w.must(err)
	if first != second {
		t.Errorf("the digests are %s and %s", first, second)
	}
	if got := w.compare(app, one, two); len(got.Changed) > 0 || got.Total != 1 || got.Problem != "" {
		t.Errorf("the preview is %+v", got)
	}
}

// A chart with random values never renders what was seen: that is told, and the
// preview is shown all the same.
func TestWhatRendersRandomValuesHasNoDigestToBeBoundTo(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "runs")
	w := newWorld(t, preview.Options{Plugin: script(t, "[ $1 = digest ] && exec sha256sum\necho run >>"+seen+
		"\nprintf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\ndata: {random: r%s}\\n' $(wc -l <"+seen+")\n")})
	app := w.application(nil)
	tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	for range 2 {
		if got := w.compare(app, preview.Tree{}, tree); got.Problem != "" || len(got.Added) != 1 {
			t.Errorf("the preview is %+v", got)
		}
		_, err := w.renderer.Digest(t.Context(), app, tree)
		if !errors.As(err, new(*preview.Refusal)) || !strings.Contains(err.Error(), "random values or the time") || !strings.Contains(err.Error(), "approve without a preview") {
			t.Errorf("error %v", err)
		}
	}
	text, err := os.ReadFile(seen)
	w.must(err)
	if n := strings.Count(string(text), "run"); n != 2 {
		t.Errorf("%d renders, want two", n)
	}
}

// script is a program in the place of the plugin.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waybill-plugin")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheChildIsGivenWhatArgoCDPassesAndNothingElse(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("SECRET_OF_THE_PROXY", "hunter2")
	out := filepath.Join(t.TempDir(), "environment")
	cluster := func(context.Context, argocd.Application) ([]string, error) { return []string{"KUBE_VERSION=1.34"}, nil }
	w := newWorld(t, preview.Options{Cluster: cluster, Plugin: script(t, "[ $1 = digest ] && echo sha256:0 && exit\ntr '\\0' '\\n' </proc/self/environ >"+out+"\npwd >>"+out+"\necho 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}'\n")})
	app := w.application(func(app *v1alpha1.Application) {
		app.Spec.Source.Plugin.Env = v1alpha1.Env{{Name: "OWN", Value: "of $ARGOCD_APP_NAME"}}
	})
	tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	_, err := w.renderer.Digest(t.Context(), app, tree)
	w.must(err)
	told, err := os.ReadFile(out)
	w.must(err)
	lines := strings.Split(strings.TrimSpace(string(told)), "\n")
	dir := lines[len(lines)-1]
	want := []string{
		"ARGOCD_APP_NAME=shop-prod", "ARGOCD_APP_NAMESPACE=shop", "ARGOCD_APP_REVISION=" + strings.Repeat("0", 40),
		"ARGOCD_APP_REVISION_SHORT=0000000", "ARGOCD_APP_REVISION_SHORT_8=00000000",
		"ARGOCD_APP_SOURCE_PATH=deploy", "ARGOCD_APP_SOURCE_REPO_URL=" + w.url, "ARGOCD_APP_SOURCE_TARGET_REVISION=main",
		"ARGOCD_ENV_OWN=of shop-prod", `ARGOCD_APP_PARAMETERS=[{"name":"unpinned","string":"allow"}]`,
		"KUBE_VERSION=1.34",
	}
	if diff := cmp.Diff(want, lines[:len(lines)-1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(dir, filepath.Join(w.dir, "preview")) || filepath.Base(dir) != "deploy" {
		t.Errorf("it runs in %s", dir)
	}
}

func TestAChildIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		script  string
		options preview.Options
		refused bool
		want    string
	}{
		"too much output":    {script: "exec yes 0123456789012345678901234567890123456789", refused: true, want: "larger than 8 MiB"},
		"too long":           {script: "exec sleep 60", options: preview.Options{Timeout: 200 * time.Millisecond}, want: "took too long"},
		"killed":             {script: "kill -9 $$", want: "was ended while it rendered"},
		"its own refusal":    {script: "echo 'Application shop-prod: no' >&2; echo more >&2; exit 1", refused: true, want: "Application shop-prod: no"},
		"an endless refusal": {script: "i=0; while [ $i -lt 3000 ]; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >&2; i=$((i+1)); done; exit 1", refused: true, want: "aaa"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.options.Plugin = script(t, tt.script)
			w := newWorld(t, tt.options)
			tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
			_, err := w.renderer.Digest(t.Context(), w.application(nil), tree)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.As(err, new(*preview.Refusal)) != tt.refused {
				t.Errorf("error %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), w.dir) || len(err.Error()) > 600) {
				t.Errorf("not a sentence to show: %s", err)
			}
			if left := w.left(); len(left) > 0 {
				t.Errorf("folders stay: %v", left)
			}
		})
	}
}

func TestTheMemoryOfAChildIsBounded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux bounds another process")
	}
	// The child waits until the kernel says that it is limited.
	w := newWorld(t, preview.Options{MaxMemory: 123 << 20, Plugin: script(t, fmt.Sprintf(
		"until grep -q 'Max data size *%d' /proc/$$/limits; do :; done; echo it is limited >&2; exit 1", 123<<20))})
	tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	_, err := w.renderer.Digest(t.Context(), w.application(nil), tree)
	if err == nil || err.Error() != "it is limited" {
		t.Errorf("error %v", err)
	}
}

func TestNothingIsRenderedWithoutABoundOfMemory(t *testing.T) {
	w := newWorld(t, preview.Options{Plugin: script(t, "exec sleep 60")})
	w.renderer.FailLimits(errors.New("operation not permitted"))
	tree := w.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	_, err := w.renderer.Digest(t.Context(), w.application(nil), tree)
	if err == nil || !strings.Contains(err.Error(), "prlimit64") || errors.As(err, new(*preview.Refusal)) {
		t.Errorf("error %v", err)
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("folders stay: %v", left)
	}
}

func TestNoMoreChildrenRunAtOnceThanAreAllowed(t *testing.T) {
	dir := t.TempDir()
	text := fmt.Sprintf("[ $1 = digest ] && echo sha256:0 && exit\ntouch %[1]s/$$; ls %[1]s | wc -l >>%[1]s.log; sleep 0.05; rm %[1]s/$$; echo 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}'\n", dir)
	w := newWorld(t, preview.Options{Plugin: script(t, text), MaxChildren: 2})
	app := w.application(nil)
	var group sync.WaitGroup
	for i := range 8 {
		tree := w.push(fmt.Sprint("b", i), map[string]string{"deploy/a.yaml": fmt.Sprint("a: ", i)})
		group.Go(func() {
			if _, err := w.renderer.Digest(context.Background(), app, tree); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	log, err := os.ReadFile(dir + ".log")
	w.must(err)
	for _, n := range strings.Fields(string(log)) {
		if n != "1" && n != "2" {
			t.Errorf("%s children ran at once", n)
		}
	}
}

func TestAPluginThatFailsWithoutAWordIsNoRenderOfNothing(t *testing.T) {
	for name, says := range map[string]string{"nothing": "", "an empty line": "echo >&2\n", "Argo CD's words alone": "echo '`waybill-plugin generate` failed exit status 1: ' >&2\n"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, preview.Options{Plugin: script(t, says+"exit 1")})
			tree := w.push("main", map[string]string{"deploy/a.yaml": "a: 1"})
			_, err := w.renderer.Digest(t.Context(), w.application(nil), tree)
			if err == nil || errors.As(err, new(*preview.Refusal)) || !strings.Contains(err.Error(), "the plugin was ended while it rendered") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRendersThatFailAreRememberedUnlessTheyMaySucceedLater(t *testing.T) {
	w := newWorld(t, preview.Options{})
	app := w.application(nil)
	tree := w.push("main", map[string]string{"deploy/kustomization.yaml": "resources: [none.yaml]"})
	runs := preview.Children(t)
	for range 3 {
		if _, err := w.renderer.Digest(t.Context(), app, tree); !errors.As(err, new(*preview.Refusal)) {
			t.Errorf("error %v", err)
		}
	}
	if n := preview.Children(t) - runs; n != 1 {
		t.Errorf("%d children, want one", n)
	}
	slow := newWorld(t, preview.Options{Plugin: script(t, "exec sleep 60"), Timeout: 50 * time.Millisecond})
	tree = slow.push("main", map[string]string{"deploy/a.yaml": "a: b"})
	runs = preview.Children(t)
	for range 2 {
		_, _ = slow.renderer.Digest(t.Context(), slow.application(nil), tree)
	}
	if n := preview.Children(t) - runs; n != 2 {
		t.Errorf("%d children, want two", n)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	w := newWorld(t, preview.Options{MaxCache: 3000})
	app := w.application(nil)
	tree := w.push("main", map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1)})
	digest := func(tag string) {
		_, err := w.renderer.Digest(t.Context(), app, with(t, tree, "p", tag))
		w.must(err)
	}
	for i := range 9 {
		digest(fmt.Sprint("v", i))
	}
	runs := preview.Children(t)
	digest("v8")
	if preview.Children(t) != runs {
		t.Error("the newest is forgotten")
	}
	digest("v0")
	if preview.Children(t) == runs {
		t.Error("the oldest is remembered")
	}
}

func TestHostilePathsOfAnApplication(t *testing.T) {
	w := newWorld(t, preview.Options{})
	tree := w.push("main", map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1)})
	for path, want := range map[string]string{"nothing": "no folder nothing", "deploy/a.yaml": "no folder deploy/a.yaml"} {
		app := w.application(func(app *v1alpha1.Application) { app.Spec.Source.Path = path })
		if _, err := w.renderer.Digest(t.Context(), app, tree); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, paths := range []string{"/../../etc", "../../../etc;.", "/", "*", "[", "/**/x;\x00"} {
		app := w.application(func(app *v1alpha1.Application) {
			app.Annotations[v1alpha1.AnnotationKeyManifestGeneratePaths] = paths
		})
		_, err := w.renderer.Digest(t.Context(), app, tree)
		if err != nil && strings.Contains(err.Error(), w.dir) {
			t.Errorf("%q: %v", paths, err)
		}
	}
}

// Argo CD merges these files into a source before it renders.
func TestParametersInGitCount(t *testing.T) {
	w := newWorld(t, preview.Options{})
	app := w.application(nil)
	files := map[string]string{"deploy/a.yaml": fmt.Sprintf(deployment, 1, 1, 1)}
	digest := func(branch string, more map[string]string) (string, error) {
		all := maps.Clone(files)
		maps.Copy(all, more)
		return w.renderer.Digest(t.Context(), app, with(t, w.push(branch, all), "p", "v1"))
	}
	plain, err := digest("plain", nil)
	w.must(err)
	same, err := digest("same", map[string]string{"deploy/.argocd-source.yaml": "path: elsewhere\nplugin: {parameters: [{name: strict, string: \"true\"}]}"})
	if err != nil || same != plain {
		t.Errorf("with all pinned: %s, %v, want %s", same, err, plain)
	}
	for name, tt := range map[string]struct{ file, text, want string }{
		"for all":          {".argocd-source.yaml", "plugin: {parameters: [{name: unknown, string: x}]}", "unknown"},
		"for this one":     {".argocd-source-shop-prod.yaml", "plugin: {parameters: [{name: unknown, string: x}]}", "unknown"},
		"another plugin":   {".argocd-source.yaml", "plugin: {name: other}", "without Waybill"},
		"no YAML":          {".argocd-source.yaml", "a: {", "cannot be merged"},
		"too large":        {".argocd-source.yaml", strings.Repeat("# long\n", 1<<18), "cannot be merged"},
		"of another name":  {".argocd-source-other.yaml", "plugin: {parameters: [{name: unknown, string: x}]}", ""},
		"no map in itself": {".argocd-source.yaml", "[1]", "cannot be merged"},
	} {
		_, err := digest(strings.ReplaceAll(name, " ", "-"), map[string]string{"deploy/" + tt.file: tt.text})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePluginMustBeThere(t *testing.T) {
	_, err := preview.New(nil, preview.Options{Plugin: filepath.Join(t.TempDir(), "none"), Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "--plugin") {
		t.Errorf("error %v", err)
	}
}
