package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cut is a checkout of the folder apps of a repository, as Argo CD unpacks it
// when manifest-generate-paths names nothing above.
func cut(t *testing.T) *Checkout {
	t.Helper()
	work := filepath.Join(t.TempDir(), workFolder, "0c9e")
	for name, content := range map[string]string{
		"shop/Chart.yaml": "shop", "shop/values.yaml": "beside", "common/values.yaml": "common", "shop/templates/a.yaml": "a", "shop/templates/skip/b.yaml": "b",
		"../secret": "outside",
	} {
		file := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"shop/shared": "../common", "shop/link.yaml": "shared/values.yaml", "shop/out.yaml": "../../secret"} {
		if err := os.Symlink(target, filepath.Join(work, link)); err != nil {
			t.Fatal(err)
		}
	}
	checkout, err := Open(filepath.Join(work, "shop"), "apps/shop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checkout.Close() })
	return checkout
}

func TestAFileIsReadAsTheSettingsNameIt(t *testing.T) {
	checkout := cut(t)
	for _, tt := range []struct {
		name, want string
		err        string // what the error holds
		missing    bool
	}{
		{name: "values.yaml", want: "beside"},
		{name: "./values.yaml", want: "beside"},
		{name: "../common/values.yaml", want: "common"},
		{name: "/apps/common/values.yaml", want: "common"},
		{name: "link.yaml", want: "common"},
		{name: "gone.yaml", err: "there is no apps/shop/gone.yaml", missing: true},
		{name: "/common/values.yaml", err: "common/values.yaml lies outside"},
		{name: "/environments/prod.yaml", err: "environments/prod.yaml lies outside"},
		{name: "/apps", err: "apps lies outside"},
		{name: "../../../secret", err: "lies outside"},
		{name: "out.yaml", err: "lies outside"},
		{name: "../common", err: "apps/common is no file"},
		{name: "", err: "is no file"},
		{name: "https://user:pass@example.com/values.yaml?token=x", err: "https://example.com/values.yaml is remote"},
		{name: "s3://bucket/values.yaml", err: "s3://bucket/values.yaml is remote"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := checkout.ReadNamed(tt.name)
			if tt.err == "" {
				if err != nil || string(data) != tt.want {
					t.Errorf("ReadNamed = %q, %v, want %q", data, err, tt.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) || errors.Is(err, fs.ErrNotExist) != tt.missing {
				t.Errorf("the error is %v, want %q in it", err, tt.err)
			}
			if err != nil && (strings.Contains(err.Error(), checkout.base) || strings.Contains(err.Error(), "pass")) {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func TestATreeIsReadInTheOrderOfItsNames(t *testing.T) {
	checkout := cut(t)
	files, err := checkout.Files(".", func(name string, _ fs.FileInfo) bool { return name == "templates/skip" || name == "out.yaml" })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, file.Name+"="+string(file.Data))
	}
	want := []string{"Chart.yaml=shop", "link.yaml=common", "shared/values.yaml=common", "templates/a.yaml=a", "values.yaml=beside"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for dir, want := range map[string]string{"gone": "there is no apps/shop/gone", "../../..": "lies outside", "values.yaml": "apps/shop/values.yaml is no folder"} {
		if _, err := checkout.Files(dir, func(string, fs.FileInfo) bool { return false }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error of %s is %v, want %q in it", dir, err, want)
		}
	}
}

func TestALinkOutOfTheCheckoutEndsTheReading(t *testing.T) {
	_, err := cut(t).Files(".", func(string, fs.FileInfo) bool { return false })
	if err == nil || !strings.Contains(err.Error(), "lies outside") || !strings.Contains(err.Error(), "remove the link out.yaml") {
		t.Errorf("the error is %v", err)
	}
}
