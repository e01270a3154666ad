package preview_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

// archive is a chart whose one manifest tells its version.
func archive(t *testing.T, name, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	for file, text := range map[string]string{
		"Chart.yaml":         fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version),
		"templates/map.yaml": fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {version: %q}\n", name, version),
	} {
		if err := files.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is vendored in a promotion's commit, the plugin takes for what the freight
// pins, and renders as the preview has shown.
func TestAChartThatIsVendoredRendersAsPreviewed(t *testing.T) {
	w := newWorld(t, preview.Options{})
	binary := filepath.Join(filepath.Dir(w.plugin), "waybill-plugin-chart")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/waybill-cd/waybill/plugin/chart").CombinedOutput(); err != nil {
		t.Fatalf("building the plugin for charts: %v\n%s", err, out)
	}
	app := w.application(nil)
	old := w.push("main", map[string]string{
		"deploy/Chart.yaml":          "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- name: db\n  version: ~1.0.0\n  repository: https://charts.example.com\n",
		"deploy/charts/db-1.0.0.tgz": string(archive(t, "db", "1.0.0")),
	})
	content := archive(t, "db", "2.1.0")
	artifacts := freight.Artifacts{Charts: []freight.Chart{{RepoURL: "https://charts.example.com/", Name: "db", Version: "2.1.0", Digest: chart.Digest(content)}}}
	bill, err := waybill.Waybill{
		Application: "shop-prod", Stage: "shop/prod", Serial: 1,
		Freight:   []waybill.Freight{{ID: freight.ID("waybill/shop", "shop", artifacts), Origin: "shop", Artifacts: artifacts}},
		Promotion: waybill.Promotion{ID: "p", By: "alice", At: time.Unix(0, 0)},
	}.Marshal()
	w.must(err)
	c := gitrepo.Change{
		RepoURL: w.url, Branch: "env/prod", Own: true, Base: old.Revision, Message: "Promote", Promotion: "p", At: time.Unix(0, 0),
		Files: map[string][]byte{waybillPath: bill},
	}
	unvendored := w.compare(app, old, preview.Tree{Revision: old.Revision, Files: maps.Clone(c.Files)})
	if !strings.Contains(unvendored.Problem, "Chart.yaml names ~1.0.0") {
		t.Errorf("what is not vendored is told as %q", unvendored.Problem)
	}

	files, err := w.exports.Glob(t.Context(), w.url, old.Revision, "deploy", "Chart.yaml", "charts/*.tgz")
	w.must(err)
	edits, err := chart.Vendor(files, artifacts.Charts, c.At, func(freight.Chart) ([]byte, error) { return content, nil })
	w.must(err)
	for name, text := range edits.Files {
		c.Files[path.Join("deploy", name)] = text
	}
	for _, name := range edits.Removed {
		c.Removed = append(c.Removed, path.Join("deploy", name))
	}
	next := preview.Tree{Revision: old.Revision, Files: c.Files, Removed: c.Removed}
	shown := w.compare(app, old, next)
	if shown.Problem != "" || len(shown.Changed) != 1 {
		t.Fatalf("the preview shows %+v", shown)
	}
	written, err := w.exports.Commit(t.Context(), c)
	w.must(err)
	committed, err := w.renderer.Digest(t.Context(), app, preview.Tree{Revision: written.Commit})
	w.must(err)
	if shown.Digest != committed {
		t.Errorf("the preview has %s, and the commit renders %s", shown.Digest, committed)
	}
}
