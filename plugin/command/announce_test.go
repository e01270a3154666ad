package command

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/parameters"
)

const shopFreight = `
- origin: shop
  images:
  - {repoURL: registry.example.com/shop, tag: v1.4.2, digest: "sha256:` + digestOfOnes + `"}
  commits:
  - {repoURL: "https://git.example.com/shop.git", id: "` + digestOfOnes + `"}
  charts:
  - {repoURL: "oci://registry.example.com/charts/db", version: 2.1.0}
`

const digestOfOnes = "1111111111111111111111111111111111111111111111111111111111111111"

// announced is the JSON that Argo CD reads, by Argo CD's own field names.
type announced struct {
	Name           string            `json:"name"`
	Title          string            `json:"title"`
	Tooltip        string            `json:"tooltip"`
	Required       bool              `json:"required"`
	ItemType       string            `json:"itemType"`
	CollectionType string            `json:"collectionType"`
	String         string            `json:"string"`
	Array          []string          `json:"array"`
	Map            map[string]string `json:"map"`
}

func announcements(t *testing.T, path string, env map[string]string) map[string]announced {
	t.Helper()
	stdout, stderr := runIn(t, path, env, "parameters")
	if stderr != "" {
		t.Errorf("Argo CD would show no parameters: %s", stderr)
	}
	var list []announced
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		t.Fatal(err)
	}
	byName := map[string]announced{}
	for _, a := range list {
		byName[a.Name] = a
	}
	return byName
}

func TestTheParametersTabTellsWhatIsPinned(t *testing.T) {
	path := t.TempDir()
	promote(t, path, shopFreight)
	got := announcements(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: "."})

	for _, want := range []string{"from shop", "v1.4.2", "in shop/prod", "shop.prod.42"} {
		if held := got[parameters.Freight].String; !strings.Contains(held, want) {
			t.Errorf("the freight is told as %q, which lacks %q", held, want)
		}
	}
	want := map[string]string{
		"registry.example.com/shop":            "v1.4.2@sha256:" + digestOfOnes,
		"https://git.example.com/shop.git":     digestOfOnes,
		"oci://registry.example.com/charts/db": "2.1.0",
	}
	if diff := cmp.Diff(want, got[parameters.Pins].Map); diff != "" {
		t.Error(diff)
	}
}

func TestTheParametersTabTellsPinsOfOneRepositoryApart(t *testing.T) {
	path := t.TempDir()
	promote(t, path, readCase(t, "testdata/pins-by-subscription", "freight.yaml"))
	got := announcements(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: "."})
	want := map[string]string{
		"registry.example.com/shop (web)":    "v1.4.2@sha256:" + strings.Repeat("1", 64),
		"registry.example.com/shop (worker)": "v1.4.1@sha256:" + strings.Repeat("2", 64),
		"registry.example.com/proxy (edge)":  "2@sha256:" + strings.Repeat("3", 64),
	}
	if diff := cmp.Diff(want, got[parameters.Pins].Map); diff != "" {
		t.Error(diff)
	}
	if held := got[parameters.Freight].String; !strings.Contains(held, "shop:v1.4.2 (web), shop:v1.4.1 (worker)") {
		t.Errorf("the freight is told as %q", held)
	}
}

func TestTheParametersTabFindsTheWaybillOfAnApplicationInAnotherNamespace(t *testing.T) {
	// A render gets team-a_shop-prod here, the parameters tab the bare name.
	path := t.TempDir()
	promote(t, path, shopFreight)
	data, err := os.ReadFile(filepath.Join(path, "waybill-shop-prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	data = []byte(strings.Replace(string(data), "application: shop-prod", "application: team-a_shop-prod", 1))
	if err := os.Rename(filepath.Join(path, "waybill-shop-prod.yaml"), filepath.Join(path, "waybill-team-a_shop-prod.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "waybill-team-a_shop-prod.yaml"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{envApplication: "shop-prod", envSourcePath: "."}
	if got := announcements(t, path, env)[parameters.Freight].String; !strings.Contains(got, "v1.4.2") {
		t.Errorf("the freight is told as %q", got)
	}
	if err := os.WriteFile(filepath.Join(path, "waybill-team-b_shop-prod.yaml"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := announcements(t, path, env)[parameters.Freight].String; strings.Contains(got, "v1.4.2") {
		t.Errorf("of two namesakes one is taken: %q", got)
	}
}

func TestTheParametersTabSaysWhyNothingIsPinned(t *testing.T) {
	for _, tt := range []struct {
		name, waybill, want string
		env                 map[string]string
	}{
		{name: "no waybill", want: "none yet"},
		{name: "a broken waybill", waybill: "a: {", want: "cannot be read"},
		{name: "a waybill of another Application", waybill: "apiVersion: waybill.dev/v1\nkind: Waybill\napplication: other\n", want: "Application other"},
		{name: "no Application", env: map[string]string{envApplication: ""}, want: "ARGOCD_APP_NAME"},
		{name: "the other carrier", env: map[string]string{envWaybill: "{}"}, want: "variable WAYBILL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			if tt.waybill != "" {
				if err := os.WriteFile(filepath.Join(path, "waybill-shop-prod.yaml"), []byte(tt.waybill), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			env := map[string]string{envApplication: "shop-prod"}
			maps.Copy(env, tt.env)
			got := announcements(t, path, env)
			if held := got[parameters.Freight].String; !strings.Contains(held, tt.want) {
				t.Errorf("the freight is told as %q, which lacks %q", held, tt.want)
			}
			if len(got[parameters.Pins].Map) > 0 {
				t.Errorf("pins are announced: %v", slices.Collect(maps.Keys(got[parameters.Pins].Map)))
			}
		})
	}
}
