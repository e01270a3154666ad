package git_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Git's own defaults let a client ask for nothing but what references name, and
// leave nothing out.
func TestAHostWithGitsDefaultsIsReadToo(t *testing.T) {
	w := old(t)
	for name, sub := range scenarios() {
		w.restart(t)
		want := w.look(t, sub)
		for _, setting := range []string{"uploadpack.allowReachableSHA1InWant", "uploadpack.allowFilter"} {
			w.git(t, "config", setting, "false")
		}
		w.restart(t)
		if diff := cmp.Diff(want, w.look(t, sub)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, setting := range []string{"uploadpack.allowReachableSHA1InWant", "uploadpack.allowFilter"} {
			w.git(t, "config", setting, "true")
		}
	}
}

// The commit at which the host's own history ends cannot be compared with the one
// before, so it is not offered.
func TestAHostWithAPartOfItsHistoryIsReadAsFarAsItGoes(t *testing.T) {
	w := newWorld(t)
	for _, message := range []string{"one", "two", "three", "four"} {
		w.push(t, message, "app.yaml")
	}
	w.git(t, "tag", "v1.0.0", "main")
	w.git(t, "clone", "--quiet", "--bare", "--depth=3", "file://"+filepath.Join(w.dir, "shop.git"), filepath.Join(w.dir, "part.git"))
	sub := pipeline.GitSubscription{RepoURL: w.URL("part")}
	for range 2 {
		if diff := cmp.Diff([]string{"four", "three"}, subjects(w.look(t, sub))); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
	}
	sub.CommitSelectionStrategy = pipeline.StrategySemVer
	if diff := cmp.Diff([]string{"v1.0.0"}, subjects(w.look(t, sub))); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
}
