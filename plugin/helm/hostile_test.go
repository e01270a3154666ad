package helm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/plugin/helm"
	"github.com/waybill-cd/waybill/plugin/render"
)

const chartFile = "apiVersion: v2\nname: app\nversion: 1.0.0\n"

// archive packs files as a chart's archive, below the folder app.
func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	pack := tar.NewWriter(zip)
	for name, content := range files {
		if err := pack.WriteHeader(&tar.Header{Name: "app/" + name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := pack.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// refused renders a chart of these files and returns why that fails.
func refused(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return refusedIn(t, dir)
}

func refusedIn(t *testing.T, dir string) string {
	t.Helper()
	checkout, err := render.Open(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	objects, err := helm.Render(checkout, render.ChartOptions{ReleaseName: "shop"})
	if err == nil {
		t.Fatalf("it renders to %d objects", len(objects))
	}
	if strings.Contains(err.Error(), dir) {
		t.Errorf("the error tells a path of the machine: %s", err)
	}
	return err.Error()
}

func TestWhatUnpacksToTooMuchIsRefused(t *testing.T) {
	zeros := archive(t, map[string][]byte{"Chart.yaml": []byte(chartFile), "zeros": make([]byte, 4<<20)})
	many := map[string][]byte{"Chart.yaml": []byte(chartFile)}
	for i := range 30 {
		many[fmt.Sprintf("charts/c%d.tgz", i)] = zeros
	}
	empty := map[string][]byte{"Chart.yaml": []byte(chartFile)}
	for i := range 250_000 { // half a kilobyte of header each
		empty[fmt.Sprintf("f%d", i)] = nil
	}
	nested := archive(t, map[string][]byte{"Chart.yaml": []byte(chartFile)})
	for range 20 {
		nested = archive(t, map[string][]byte{"Chart.yaml": []byte(chartFile), "charts/app.tgz": nested})
	}
	for name, test := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"many archives":                 {many, "unpack to more than 100 MiB"},
		"an archive of empty files":     {map[string][]byte{"Chart.yaml": []byte(chartFile), "charts/c.tgz": archive(t, empty)}, "unpack to more than 100 MiB"},
		"archives in archives":          {map[string][]byte{"Chart.yaml": []byte(chartFile), "charts/c.tgz": nested}, "nested more than 16 deep"},
		"a large file in an archive":    {map[string][]byte{"Chart.yaml": []byte(chartFile), "charts/c.tgz": archive(t, map[string][]byte{"a": make([]byte, 6<<20)})}, "maximum file size"},
		"a large file":                  {map[string][]byte{"Chart.yaml": []byte(chartFile), "video.mp4": make([]byte, 6<<20)}, "video.mp4 is larger than 5 MiB"},
		"an archive that leaves":        {map[string][]byte{"Chart.yaml": []byte(chartFile), "charts/c.tgz": archive(t, map[string][]byte{"../../evil": nil})}, "parent directory"},
		"values that repeat themselves": {map[string][]byte{"Chart.yaml": []byte(chartFile), "values.yaml": billionLaughs()}, "values.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refused(t, test.files); !strings.Contains(got, test.want) {
				t.Errorf("refused with %q, want %q in it", got, test.want)
			}
		})
	}
}

// billionLaughs is YAML whose aliases make a few lines ten to the ninth.
func billionLaughs() []byte {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return []byte(text)
}

func TestFoldersWithoutEndAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(chartFile), 0o644); err != nil {
		t.Fatal(err)
	}
	// Each folder holds two links to the next one: two to the twentieth paths.
	const folders = 20
	for i := range folders {
		folder := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{"a", "b"} {
			if i+1 < folders {
				if err := os.Symlink(fmt.Sprintf("../%d", i+1), filepath.Join(folder, link)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if got := refusedIn(t, dir); !strings.Contains(got, "more than") {
		t.Errorf("refused with %q", got)
	}
}
