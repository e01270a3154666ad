package chart_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// archive makes the archive of a chart that a golden folder writes as "name
// version".
func archive(t testing.TB, text string) []byte {
	t.Helper()
	name, version, _ := strings.Cut(strings.TrimSpace(text), " ")
	return tarOf(t, name+"/Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %q\n", name, version))
}

func tarOf(t testing.TB, file, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	err := files.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = files.Write([]byte(content))
	}
	if err := errors.Join(err, files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder reads the files of a golden folder. Archives are written as "name
// version".
func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if filepath.Ext(path) == ".tgz" && !bytes.HasPrefix(content, []byte("no archive")) {
			content = archive(t, string(content))
		}
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = content
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// pins reads freight.yaml. The digest of a pin is that of the archive, unless it
// says another one.
func pins(t *testing.T, dir string) []freight.Chart {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "freight.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []freight.Chart
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for i, pin := range all {
		if pin.Digest == "" {
			all[i].Digest = chart.Digest(published(t, pin))
		}
	}
	return all
}

func published(t testing.TB, pin freight.Chart) []byte {
	name := pin.Name
	if name == "" {
		name = pin.RepoURL[strings.LastIndex(pin.RepoURL, "/")+1:]
	}
	return archive(t, name+" "+chart.Version(pin.Version))
}

// apply makes the edits.
func apply(files map[string][]byte, e chart.Edits) map[string][]byte {
	after := maps.Clone(files)
	maps.DeleteFunc(after, func(name string, _ []byte) bool {
		return slices.ContainsFunc(e.Removed, func(r string) bool { return name == r || strings.HasPrefix(name, r+"/") })
	})
	maps.Copy(after, e.Files)
	return after
}

// text shows files, an archive by what is in it.
func text(files map[string][]byte) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		if about, err := chart.Describe(content); err == nil {
			content = fmt.Appendf(nil, "the archive of %s %s\n", about.Name, about.Version)
		}
		fmt.Fprintf(&b, "-- %s\n%s", name, content)
	}
	return b.String()
}

func TestVendor(t *testing.T) {
	cases, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Name() == "fuzz" {
			continue
		}
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join("testdata", c.Name())
			files, pins := folder(t, filepath.Join(dir, "before")), pins(t, dir)
			fetched := 0
			vendor := func(files map[string][]byte) (chart.Edits, error) {
				return chart.Vendor(files, pins, at, func(pin freight.Chart) ([]byte, error) {
					fetched++
					return published(t, pin), nil
				})
			}
			edits, err := vendor(files)
			got := ""
			if err != nil {
				got = "error: " + err.Error() + "\n"
			} else {
				got = fmt.Sprintf("fetched: %d\nwritten: %s\nremoved: %s\n%s", fetched,
					slices.Sorted(maps.Keys(edits.Files)), edits.Removed, text(apply(files, edits)))
			}
			golden := filepath.Join(dir, "after.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("after (-want +got):\n%s", diff)
			}
			if strings.HasPrefix(got, "error") {
				return
			}
			if again, err := vendor(apply(files, edits)); err != nil || !again.Empty() {
				t.Errorf("what is vendored is edited again: %v, %v", again, err)
			}
		})
	}
}

func TestAnArchiveIsTakenOnlyWithTheDigestOfThePin(t *testing.T) {
	files := map[string][]byte{"Chart.yaml": []byte("dependencies: [{name: db, version: 1.0.0, repository: https://charts.example.com}]\n")}
	pin := freight.Chart{RepoURL: "https://charts.example.com", Name: "db", Version: "2.0.0"}
	for content, want := range map[string]string{
		"db 2.0.0":    "",
		"db 2.0.1":    `the archive of the chart db 2.0.0 holds "db" in version "2.0.1": promote another version`,
		"cache 2.0.0": `the archive of the chart db 2.0.0 holds "cache" in version "2.0.0": promote another version`,
	} {
		pin.Digest = chart.Digest(archive(t, content))
		_, err := chart.Vendor(files, []freight.Chart{pin}, at, func(freight.Chart) ([]byte, error) { return archive(t, content), nil })
		if got := fmt.Sprint(err); want != "" && got != want || want == "" && err != nil {
			t.Errorf("%s: error %q, want %q", content, got, want)
		}
	}
	_, err := chart.Vendor(files, []freight.Chart{pin}, at, func(freight.Chart) ([]byte, error) { return []byte("forged"), nil })
	if err == nil || !strings.Contains(err.Error(), "has the digest "+chart.Digest([]byte("forged"))) {
		t.Errorf("of a forged archive it says %v", err)
	}
	_, err = chart.Vendor(files, []freight.Chart{pin}, at, func(freight.Chart) ([]byte, error) { return nil, errors.ErrUnsupported })
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestPinsThatExcludeEachOtherAreAlwaysRefusedWithTheSameWords(t *testing.T) {
	files := map[string][]byte{"Chart.yaml": []byte("dependencies: [{name: db, version: 1.0.0, repository: https://a.example.com}, {name: db, version: 1.0.0, repository: https://b.example.com}]\n")}
	var pins []freight.Chart
	for _, repository := range []string{"https://a.example.com", "https://b.example.com"} {
		pins = append(pins, freight.Chart{RepoURL: repository, Name: "db", Version: "2.0.0", Digest: chart.Digest(nil)})
	}
	const want = "Chart.yaml depends on two charts db, of https://a.example.com and of https://b.example.com, which cannot lie in charts/ together: keep one"
	for range 50 { // maps have no order
		if _, err := chart.Depends(files, pins); err == nil || err.Error() != want {
			t.Fatalf("error %v, want %s", err, want)
		}
	}
}

func TestOfAnArchiveIsReadWhatIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"no archive":               {[]byte("x"), "it is no archive: unexpected EOF"},
		"one without a Chart.yaml": {tarOf(t, "db/values.yaml", ""), "it holds no Chart.yaml"},
		"one that is not a chart":  {tarOf(t, "Chart.yaml", "name: db"), "it holds no Chart.yaml"},
		"a subchart's":             {tarOf(t, "db/charts/x/Chart.yaml", "name: x"), "it holds no Chart.yaml"},
		"no YAML":                  {tarOf(t, "db/Chart.yaml", "a: ["), "its Chart.yaml cannot be read: line 1: did not find expected node content"},
	} {
		if _, err := chart.Describe(c.archive); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// Whatever a chart says, what is vendored is as pinned, and is vendored once.
func FuzzVendor(f *testing.F) {
	f.Add("name: shop\ndependencies:\n- name: db\n  version: ~1.0.0 # x\n  repository: https://charts.example.com/\n", "", "2.0.0")
	f.Add("dependencies: [{name: db, version: '1', repository: https://charts.example.com, alias: a}, {name: db, version: \"1\", repository: https://charts.example.com}]",
		"dependencies: []\ndigest: x\ngenerated: \"2020\"\n", "2_1")
	f.Add("a: &a {name: db, version: 1, repository: https://charts.example.com}\ndependencies: [*a, *a]\r\n", "a", "1.10")
	f.Fuzz(func(t *testing.T, metadata, lock, version string) {
		files := map[string][]byte{"Chart.yaml": []byte(metadata)}
		if lock != "" {
			files["Chart.lock"] = []byte(lock)
		}
		pin := freight.Chart{RepoURL: "https://charts.example.com", Name: "db", Version: version}
		content := tarOf(t, "db/Chart.yaml", fmt.Sprintf("name: db\nversion: %q\n", chart.Version(version)))
		pin.Digest = chart.Digest(content)
		get := func(freight.Chart) ([]byte, error) { return content, nil }
		edits, err := chart.Vendor(files, []freight.Chart{pin}, at, get)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), ": ") {
				t.Errorf("%q is no sentence with a remedy", err)
			}
			return
		}
		for name := range edits.Files {
			if !filepath.IsLocal(name) || strings.Count(name, "/") > 1 {
				t.Errorf("it writes %q", name)
			}
		}
		after := apply(files, edits)
		depends, err := chart.Depends(after, []freight.Chart{pin})
		if err != nil {
			t.Fatalf("%s\nis broken: %v", after["Chart.yaml"], err)
		}
		if (len(depends) > 0) != (after["charts/db-"+chart.Version(version)+".tgz"] != nil) {
			t.Errorf("it depends on %v and vendors %v", depends, slices.Collect(maps.Keys(after)))
		}
		if again, err := chart.Vendor(after, []freight.Chart{pin}, at, get); err != nil || !again.Empty() {
			t.Errorf("%s\n%s\nis edited again: %v, %v", after["Chart.yaml"], after["Chart.lock"], again, err)
		}
	})
}
