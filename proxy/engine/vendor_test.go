package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/source"
)

// chartHost stands in for chart repositories: it has every version of every chart.
type chartHost struct {
	fails    error
	fetched  int
	insecure bool
}

func (l *link) Archive(_ context.Context, _ string, pin freight.Chart, insecure bool) ([]byte, error) {
	if l.killed {
		return nil, errKilled
	}
	l.charts.fetched++
	l.charts.insecure = insecure
	if l.charts.fails != nil {
		return nil, l.charts.fails
	}
	return archive(pin.Name, pin.Version), nil
}

var _ Charts = (*link)(nil)

func archive(name, version string) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	text := fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)
	err := files.WriteHeader(&tar.Header{Name: name + "/Chart.yaml", Mode: 0o644, Size: int64(len(text))})
	if err == nil {
		_, err = files.Write([]byte(text))
	}
	if err = errors.Join(err, files.Close(), zip.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const chartsURL = "https://charts.example.com"

func dbPin(version string) freight.Chart {
	return freight.Chart{RepoURL: chartsURL, Name: "db", Version: version, Digest: chart.Digest(archive("db", version))}
}

// umbrella is the chart in the path of the Application prod, with what it vendors.
func umbrella(version string) map[string][]byte {
	return map[string][]byte{
		"deploy/prod/Chart.yaml": fmt.Appendf(nil, "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- name: db\n  version: %s # by hand\n  repository: %s/\n",
			version, chartsURL),
		"deploy/prod/charts/db-" + version + ".tgz": archive("db", version),
	}
}

// pinChart stores freight that pins charts, beside an image that is tagged as the
// first.
func (w *world) pinChart(pins ...freight.Chart) freight.Freight {
	w.t.Helper()
	f := freight.New(shop.String(), "shop", freight.Artifacts{
		Images: []freight.Image{imageOf(shopImage, pins[0].Version)}, Charts: pins,
	}, w.clock.now)
	if _, err := w.people.store.CreateFreight(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestAPinnedChartIsVendoredByThePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.git.push(shopRepo, "main", umbrella("1.0.0"))
	w.pinChart(dbPin("2.1.0"))
	w.approve("bob", w.promote("alice", "prod", "2.1.0").ID)
	w.until("it is verified", w.verified("prod", "2.1.0"))

	tip, _ := w.git.tip(shopRepo, "env/prod")
	want := []string{"README", "deploy/prod/Chart.lock", "deploy/prod/Chart.yaml", "deploy/prod/charts/db-2.1.0.tgz", "deploy/prod/waybill-prod.yaml"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(tip.files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if text := string(tip.files["deploy/prod/Chart.yaml"]); !strings.Contains(text, "  version: 2.1.0 # by hand\n") {
		t.Errorf("Chart.yaml is %s", text)
	}
	at := w.last("prod").StartedAt.UTC().Format(time.RFC3339)
	if text := string(tip.files["deploy/prod/Chart.lock"]); !strings.Contains(text, at) {
		t.Errorf("Chart.lock, generated at %s, is %s", at, text)
	}
	// Nothing is fetched for nothing.
	w.charts.fetched = 0
	w.pass(time.Hour)
	if w.charts.fetched != 0 {
		t.Errorf("%d archives are fetched for nothing", w.charts.fetched)
	}
	// The next one begins with the base again, not with what was vendored before.
	w.pinChart(dbPin("3.0.0"))
	w.approve("bob", w.promote("alice", "prod", "3.0.0").ID)
	w.until("it is verified", w.verified("prod", "3.0.0"))
	tip, _ = w.git.tip(shopRepo, "env/prod")
	want[3] = "deploy/prod/charts/db-3.0.0.tgz"
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(tip.files))); diff != "" {
		t.Errorf("files of the next promotion (-want +got):\n%s", diff)
	}
}

func TestThePreviewShowsTheChartThatIsVendored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.git.push(shopRepo, "main", umbrella("1.0.0"))
	w.pinChart(dbPin("2.1.0"))
	shown := w.preview("prod", "2.1.0")
	situation := w.situation("prod")
	plans, err := w.people.plan(t.Context(), &situation, promotion.Held{Origin: shown.Freight.Origin, Freight: shown.Freight.ID}, false)
	if err != nil {
		t.Fatal(err)
	}
	next := plans[0].next
	if diff := cmp.Diff([]string{"deploy/prod/charts/db-1.0.0.tgz"}, next.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if !bytes.Equal(next.Files["deploy/prod/charts/db-2.1.0.tgz"], archive("db", "2.1.0")) {
		t.Errorf("the archive is not in the preview, which has %v", slices.Sorted(maps.Keys(next.Files)))
	}
}

func TestAPinnedChartNeedsAStageBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(prodDocument, "branch: env/prod", ""), application("prod", "prod", "main"))
	w.git.push(shopRepo, "main", umbrella("1.0.0"))
	w.pinChart(dbPin("2.1.0"))
	want := "give stage prod a branch of its own (branch: env/prod), so that it can be vendored there"
	if shown := w.preview("prod", "2.1.0"); !strings.Contains(shown.Applications[0].Problem, want) {
		t.Errorf("the preview says %q", shown.Applications[0].Problem)
	}
	p := w.promote("alice", "prod", "2.1.0")
	w.approve("bob", p.ID)
	w.until("it ends", w.ended(p.ID))
	if p = w.promotion(p.ID); p.Phase != promotion.Errored || !strings.Contains(p.Message, want) {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
	if n := len(w.git.branches[ref(shopRepo, "main")]); n != 2 || w.charts.fetched != 0 {
		t.Error("it was written, or fetched, all the same")
	}
}

func TestAChartThatIsVendoredAsPinnedNeedsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(prodDocument, "branch: env/prod", ""), application("prod", "prod", "main"))
	w.git.push(shopRepo, "main", umbrella("2.1.0"))
	w.pinChart(dbPin("2.1.0"))
	w.approve("bob", w.promote("alice", "prod", "2.1.0").ID)
	w.until("it is verified", w.verified("prod", "2.1.0"))
	if w.charts.fetched != 0 {
		t.Errorf("%d archives are fetched", w.charts.fetched)
	}
}

func TestAChartThatNothingDependsOnIsPromotedAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(prodDocument, "branch: env/prod", ""), application("prod", "prod", "main"))
	w.pinChart(dbPin("2.1.0"))
	w.approve("bob", w.promote("alice", "prod", "2.1.0").ID)
	w.until("it is verified", w.verified("prod", "2.1.0"))
}

func TestAChartRepositoryThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(prodDocument, "- image: {repoURL: registry.example.com/shop}",
		"- chart: {repoURL: '"+chartsURL+"', name: db, insecureSkipTLSVerify: true}"), application("prod", "prod", "env/prod"))
	w.git.push(shopRepo, "main", umbrella("1.0.0"))
	w.pinChart(dbPin("2.1.0"))
	w.charts.fails = errOutage
	p := w.promote("alice", "prod", "2.1.0")
	w.approve("bob", p.ID)
	w.until("it waits", func() bool {
		steps := w.promotion(p.ID).Steps
		return len(steps) > 0 && strings.Contains(steps[0].Message, errOutage.Error())
	})
	w.charts.fails = nil
	w.until("it is verified", w.verified("prod", "2.1.0"))
	if !w.charts.insecure {
		t.Error("what the subscription says of the certificate is not heeded")
	}

	w.pinChart(dbPin("3.0.0"))
	w.charts.fails = fmt.Errorf("there is no chart db 3.0.0: promote another version%w", source.ErrRefused)
	p = w.promote("alice", "prod", "3.0.0")
	w.approve("bob", p.ID)
	w.until("it ends", w.ended(p.ID))
	if p = w.promotion(p.ID); p.Phase != promotion.Errored || !strings.Contains(p.Message, "there is no chart db 3.0.0") {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
}
