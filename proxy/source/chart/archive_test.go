package chart_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"

	vendoring "github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/proxy/source"
	"github.com/waybill-cd/waybill/proxy/source/chart"
)

type basic struct{ user, password string }

func (b basic) Authorization() (*authn.AuthConfig, error) {
	return &authn.AuthConfig{Username: b.user, Password: b.password}, nil
}

func TestAnArchiveIsGotOnceAndCheckedEachTime(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0")
	pin := w.pinOf(pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}, "1.0.0")
	requests(&c.Traffic)
	get := func() []byte {
		t.Helper()
		archive, err := w.Archive(t.Context(), namespace, pin, false)
		w.must(err)
		if vendoring.Digest(archive) != pin.Digest {
			t.Errorf("digest %s, want %s", vendoring.Digest(archive), pin.Digest)
		}
		return archive
	}
	get()
	w.open(chart.Options{})
	get()
	if diff := cmp.Diff([]string{"GET /db-1.0.0.tgz"}, requests(&c.Traffic)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	// What a disk has made of it is not used.
	kept, err := filepath.Glob(filepath.Join(w.cache, "charts", "*.tgz"))
	w.must(err)
	if len(kept) != 1 {
		t.Fatalf("%d archives are kept", len(kept))
	}
	w.must(os.WriteFile(kept[0], []byte("damaged"), 0o600))
	get()
	if diff := cmp.Diff([]string{"GET /db-1.0.0.tgz"}, requests(&c.Traffic)); diff != "" {
		t.Errorf("requests after damage (-want +got):\n%s", diff)
	}
}

func TestArchivesOnDiskAreBounded(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0", "1.1.0", "1.2.0")
	w.open(chart.Options{MaxArchives: int64(2*len(packaged(t, "db", "1.0.0")) + 50)})
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		_, err := w.Archive(t.Context(), namespace, w.pinOf(sub, version), false)
		w.must(err)
	}
	kept, err := os.ReadDir(filepath.Join(w.cache, "charts"))
	w.must(err)
	if len(kept) != 2 {
		t.Errorf("%d archives are kept, want 2", len(kept))
	}
}

func TestAnArchiveThatIsNotAsPinnedIsRefused(t *testing.T) {
	w, c := newWorld(t), newClassic(t)
	c.publish("db", "1.0.0", "1.1.0")
	sub := pipeline.ChartSubscription{RepoURL: c.URL, Name: "db"}
	first, second := w.pinOf(sub, "1.0.0"), w.pinOf(sub, "1.1.0")
	refused := func(pin freight.Chart, want string) {
		t.Helper()
		archive, err := w.Archive(t.Context(), namespace, pin, false)
		if archive != nil || !errors.Is(err, source.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	// Another archive under the same name.
	other, err := os.ReadFile(filepath.Join(c.dir, "db-1.1.0.tgz"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(c.dir, "db-1.0.0.tgz"), other, 0o600))
	refused(first, "it was published anew, promote freight that pins what is there now")
	refused(freight.Chart{RepoURL: c.URL, Name: "db", Version: "1.0.0"}, "is pinned without a digest")
	refused(freight.Chart{RepoURL: c.URL, Name: "db", Version: "9.9.9", Digest: first.Digest}, "has no version 9.9.9 any more")
	w.must(os.WriteFile(filepath.Join(c.dir, "db-1.0.0.tgz"), make([]byte, 6<<20), 0o600))
	refused(first, "is larger than 5 MiB")
	w.must(os.Remove(filepath.Join(c.dir, "db-1.0.0.tgz")))
	refused(first, "is not at")

	// What may pass is no refusal.
	c.SetFault(func(*http.Request) *fault.Fault { return &fault.Fault{Status: http.StatusBadGateway} })
	if _, err := w.Archive(t.Context(), namespace, second, false); err == nil || errors.Is(err, source.ErrRefused) {
		t.Errorf("error %v", err)
	}
	c.SetFault(nil)
	// Nor is an archive that has moved, with the index telling where to.
	w.must(os.Rename(filepath.Join(c.dir, "db-1.1.0.tgz"), filepath.Join(c.dir, "moved.tgz")))
	c.edit = func(index []byte) []byte {
		return []byte(strings.ReplaceAll(string(index), "db-1.1.0.tgz", c.URL+"/moved.tgz"))
	}
	if _, err := w.Archive(t.Context(), namespace, second, false); err != nil {
		t.Error(err)
	}
}
