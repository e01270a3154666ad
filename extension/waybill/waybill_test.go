package waybill_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
)

var (
	digestA = "sha256:" + strings.Repeat("a", 64)
	digestB = "sha256:" + strings.Repeat("b", 64)
)

const commitID = "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90"

// piece is freight of stage shop/prod as a waybill carries it.
func piece(origin string, artifacts freight.Artifacts) waybill.Freight {
	return waybill.Freight{ID: freight.ID("waybill/shop", origin, artifacts), Origin: origin, Artifacts: artifacts}
}

func good() waybill.Waybill {
	return waybill.Waybill{
		APIVersion:  "waybill.dev/v1",
		Kind:        "Waybill",
		Application: "shop-prod",
		Stage:       "shop/prod",
		Serial:      42,
		Freight: []waybill.Freight{
			piece("base", freight.Artifacts{Images: []freight.Image{{RepoURL: "nginx", Digest: digestB}}}),
			piece("shop", freight.Artifacts{
				Images:  []freight.Image{{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: digestA}},
				Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop.git", ID: commitID}},
				Charts:  []freight.Chart{{RepoURL: "oci://registry.example.com/charts/db", Version: "2.1.0", Digest: digestB}},
			}),
		},
		Promotion: waybill.Promotion{
			ID: "shop-prod-0123456789abcdef0123", By: "alice", ApprovedBy: []string{"bob", "carol"},
			At: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC), Reason: "release: \"spring\"\nas agreed",
		},
		VerifiedIn: []string{"dev", "staging"},
	}
}

func marshal(t testing.TB, w waybill.Waybill) string {
	t.Helper()
	data, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPinsOfOneRepositoryBearTheNamesOfTheirSubscriptions(t *testing.T) {
	w := good()
	w.Freight = []waybill.Freight{piece("shop", freight.Artifacts{
		Images: []freight.Image{
			{RepoURL: "nginx", Tag: "1.27", Digest: digestA, Subscription: "web"},
			{RepoURL: "nginx", Tag: "1.26", Digest: digestB, Subscription: "worker"},
		},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop.git", ID: commitID, Subscription: "main"}},
		Charts:  []freight.Chart{{RepoURL: "https://charts.example.com", Name: "db", Version: "2.1.0", Subscription: "stable"}},
	})}
	text := marshal(t, w)
	for _, want := range []string{
		"images: [{repoURL: nginx, tag: \"1.27\", digest: '" + digestA + "', subscription: web}, {repoURL: nginx, tag: \"1.26\", digest: '" + digestB + "', subscription: worker}]",
		"id: " + commitID + ", subscription: main}]",
		"name: db, version: 2.1.0, subscription: stable}]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %s:\n%s", want, text)
		}
	}
	read, err := waybill.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.Freight, read.Freight); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if err := read.Check("shop-prod"); err != nil {
		t.Error(err)
	}
	// The name is part of what the ID covers: it decides what is rendered.
	read.Freight[0].Images[0].Subscription, read.Freight[0].Images[1].Subscription = "worker", "web"
	if err := read.Check("shop-prod"); err == nil || !strings.Contains(err.Error(), "edited by hand") {
		t.Errorf("exchanged names: %v", err)
	}
	read.Freight[0].Images[0].Subscription = "web"
	if err := read.Check("shop-prod"); err == nil || !strings.Contains(err.Error(), "image nginx is pinned twice by the name web") {
		t.Errorf("one name for two: %v", err)
	}
}

func TestAWaybillIsAFileThatPeopleCanRead(t *testing.T) {
	w := good()
	want := `# +argocd:skip-file-rendering
# Written by Waybill with each promotion. To change it, promote.
apiVersion: waybill.dev/v1
kind: Waybill
application: shop-prod
stage: shop/prod
serial: 42
freight:
  - id: ` + w.Freight[0].ID + `
    origin: base
    images: [{repoURL: nginx, digest: '` + digestB + `'}]
  - id: ` + w.Freight[1].ID + `
    origin: shop
    images: [{repoURL: registry.example.com/shop, tag: v1.4.2, digest: '` + digestA + `'}]
    commits: [{repoURL: 'https://git.example.com/shop.git', id: ` + commitID + `}]
    charts: [{repoURL: 'oci://registry.example.com/charts/db', version: 2.1.0, digest: '` + digestB + `'}]
promotion:
  id: shop-prod-0123456789abcdef0123
  by: alice
  approvedBy: [bob, carol]
  at: 2026-03-01T13:00:00Z
  reason: |-
    release: "spring"
    as agreed
verifiedIn: [dev, staging]
`
	if diff := cmp.Diff(want, marshal(t, w)); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
}

func TestTheSameWaybillIsTheSameBytes(t *testing.T) {
	want := marshal(t, good())
	w := good()
	w.APIVersion, w.Kind = "", ""
	w.Promotion.At = w.Promotion.At.In(time.FixedZone("CET", 3600)).Add(999 * time.Millisecond)
	if diff := cmp.Diff(want, marshal(t, w)); diff != "" {
		t.Errorf("another time zone, a fraction of a second and no kind make another file:\n%s", diff)
	}
	if w.Kind != "" || w.Promotion.At.Nanosecond() == 0 {
		t.Errorf("Marshal changed its caller's waybill: %+v", w)
	}
}

func TestAWaybillIsReadAsItWasWritten(t *testing.T) {
	got, err := waybill.Parse([]byte(marshal(t, good())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(good(), got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if err := got.Check("shop-prod"); err != nil {
		t.Errorf("Check = %v", err)
	}
}

func TestAReasonThatBeginsWithATabCanBeReadAgain(t *testing.T) {
	w := good()
	w.Promotion.Reason = "\tbecause\n\tof that\n"
	got, err := waybill.Parse([]byte(marshal(t, w)))
	if err != nil || got.Promotion.Reason != "because\n\tof that" {
		t.Errorf("the reason is read as %q, %v", got.Promotion.Reason, err)
	}
}

func TestAFileThatIsNoWaybillIsRefusedInOneLine(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nothing":            {"", "the waybill is empty: promote again"},
		"only the header":    {"# +argocd:skip-file-rendering\n", "the waybill is empty: promote again"},
		"no YAML":            {"a: [", "the waybill cannot be read: line 1: did not find expected node content"},
		"another document":   {marshal(t, good()) + "---\nkind: Secret\n", "the waybill holds more than one document"},
		"broken further on":  {marshal(t, good()) + "---\n[", "the waybill holds more than one document"},
		"an unknown field":   {"kind: Waybill\nfrozen: true\n", "the waybill cannot be read: unmarshal errors: line 2: field frozen not found in type waybill.Waybill"},
		"two unknown fields": {"a: 1\nb: 2\n", "the waybill cannot be read: unmarshal errors: line 1: field a not found in type waybill.Waybill line 2: field b not found in type waybill.Waybill"},
		"an unknown pin":     {"freight: [{images: [{repoURL: r, platform: arm64}]}]\n", "the waybill cannot be read: unmarshal errors: line 1: field platform not found in type freight.Image"},
		"a field twice":      {"serial: 1\nserial: 2\n", "the waybill cannot be read: unmarshal errors: line 2: mapping key \"serial\" already defined at line 1"},
		"a wrong type":       {"serial: many\n", "the waybill cannot be read: unmarshal errors: line 1: cannot unmarshal !!str `many` into int64"},
		"too many bytes":     {"#" + strings.Repeat(" ", 256<<10), "the waybill is larger than 256 KiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := waybill.Parse([]byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Fatalf("Parse = %+v, %v\nwant %s", w, err, test.want)
			}
			if diff := cmp.Diff(waybill.Waybill{}, w); diff != "" {
				t.Errorf("what is refused is handed out all the same:\n%s", diff)
			}
		})
	}
}

func TestAFileAsLargeAsIsAllowedIsRead(t *testing.T) {
	text := marshal(t, good())
	text += "#" + strings.Repeat(" ", waybill.MaxSize-len(text)-1)
	if got, err := waybill.Parse([]byte(text)); err != nil || got.Serial != 42 {
		t.Errorf("Parse = %+v, %v", got, err)
	}
}

func TestWhatIsToldOfABadFileIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "ü%d: 1\n", i)
	}
	_, err := waybill.Parse([]byte(text.String()))
	if err == nil || len(err.Error()) > 600 || !strings.HasSuffix(err.Error(), "…") {
		t.Errorf("Parse tells %.700v", err)
	}
	if err != nil && strings.ContainsRune(err.Error(), '\uFFFD') {
		t.Errorf("a rune was cut in two: %v", err)
	}
}

func TestAWaybillThatMustNotBeRenderedIsRefused(t *testing.T) {
	other := freight.Artifacts{Images: []freight.Image{{RepoURL: "registry.example.com/shop", Tag: "v6.6.6", Digest: digestB}}}
	tests := map[string]struct {
		change func(*waybill.Waybill)
		want   string
	}{
		"a good one":             {func(*waybill.Waybill) {}, ""},
		"the first promotion":    {func(w *waybill.Waybill) { w.Serial = 1 }, ""},
		"the namespace in full":  {func(w *waybill.Waybill) { w.Stage = "waybill/shop/prod" }, ""},
		"no version and no kind": {func(w *waybill.Waybill) { w.APIVersion, w.Kind = "", "" }, `the waybill says "" "", this version of Waybill reads waybill.dev/v1 Waybill: run the proxy and the plugin of one version, and promote again`},
		"a version to come":      {func(w *waybill.Waybill) { w.APIVersion = "waybill.dev/v2" }, `the waybill says "waybill.dev/v2" "Waybill", this version of Waybill reads waybill.dev/v1 Waybill: run the proxy and the plugin of one version, and promote again`},
		"another kind":           {func(w *waybill.Waybill) { w.Kind = "Freight" }, `the waybill says "waybill.dev/v1" "Freight", this version of Waybill reads waybill.dev/v1 Waybill: run the proxy and the plugin of one version, and promote again`},
		"another Application's":  {func(w *waybill.Waybill) { w.Application = "shop-dev" }, "the waybill was written for Application shop-dev: promote again instead of copying the file"},
		"no Application's":       {func(w *waybill.Waybill) { w.Application = "" }, "the waybill was written for Application : promote again instead of copying the file"},
		"no stage":               {func(w *waybill.Waybill) { w.Stage = "prod" }, `the waybill's stage: "prod" is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod: promote again`},
		"no serial":              {func(w *waybill.Waybill) { w.Serial = 0 }, "the waybill names no promotion: promote again"},
		"a negative serial":      {func(w *waybill.Waybill) { w.Serial = -1 }, "the waybill names no promotion: promote again"},
		"the largest serial":     {func(w *waybill.Waybill) { w.Serial = 1 << 53 }, ""},
		"a serial beyond it":     {func(w *waybill.Waybill) { w.Serial = 1<<53 + 1 }, "the waybill's serial is larger than any that Waybill writes, the waybill was edited by hand: promote again"},
		"no promotion":           {func(w *waybill.Waybill) { w.Promotion.ID = "" }, "the waybill names no promotion: promote again"},
		"no freight":             {func(w *waybill.Waybill) { w.Freight = nil }, "the waybill holds no freight: promote again"},
		"two of one origin": {func(w *waybill.Waybill) {
			w.Freight[0].Origin = "shop"
			w.Freight[0].ID = piece("shop", w.Freight[0].Artifacts).ID
		}, "the waybill holds two pieces of freight from warehouse shop: promote again"},
		"pins that are none": {func(w *waybill.Waybill) { w.Freight[0].Images[0].Digest = "latest" }, `freight ` + freight.Short(good().Freight[0].ID) + `: image nginx has the digest "latest", want sha256: and 64 hex digits: promote again`},
		"no pins":            {func(w *waybill.Waybill) { w.Freight[0].Images = nil }, `freight ` + freight.Short(good().Freight[0].ID) + `: it pins no artifact: promote again`},
		"another tag":        {func(w *waybill.Waybill) { w.Freight[1].Images[0].Tag = "v1.4.3" }, edited(good().Freight[1].ID)},
		"another digest":     {func(w *waybill.Waybill) { w.Freight[1].Images[0].Digest = digestB }, edited(good().Freight[1].ID)},
		"one pin more":       {func(w *waybill.Waybill) { w.Freight[1].Images = append(w.Freight[1].Images, other.Images...) }, edited(good().Freight[1].ID)},
		"another origin":     {func(w *waybill.Waybill) { w.Freight[1].Origin = "spares" }, edited(good().Freight[1].ID)},
		"another pipeline":   {func(w *waybill.Waybill) { w.Stage = "store/prod" }, edited(good().Freight[0].ID)},
		"another namespace":  {func(w *waybill.Waybill) { w.Stage = "team/shop/prod" }, edited(good().Freight[0].ID)},
		"another ID":         {func(w *waybill.Waybill) { w.Freight[1].ID = strings.Repeat("0", 64) }, edited("0000000")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := good()
			test.change(&w)
			got := ""
			if err := w.Check("shop-prod"); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Check says %q\nwant %q", got, test.want)
			}
		})
	}
}

func edited(id string) string {
	return "freight " + freight.Short(id) + " does not match its pins, the waybill was edited by hand: promote again"
}

func TestAWaybillTooLargeToBeReadIsNotWritten(t *testing.T) {
	w := good()
	for i := range 3000 {
		w.Freight[0].Images = append(w.Freight[0].Images, freight.Image{RepoURL: fmt.Sprintf("registry.example.com/shop-%d", i), Digest: digestA})
	}
	const want = "the waybill of shop-prod is larger than 256 KiB: split the freight over several warehouses and stages"
	if data, err := w.Marshal(); err == nil || err.Error() != want {
		t.Errorf("Marshal gives %d bytes, %v, want %s", len(data), err, want)
	}
	w.Freight[0].Images = w.Freight[0].Images[:1500]
	if _, err := waybill.Parse([]byte(marshal(t, w))); err != nil {
		t.Errorf("hundreds of pins do not fit: %v", err)
	}
}

func TestAWaybillIsKnownByItsFilesName(t *testing.T) {
	if got := waybill.FileName("shop-prod"); got != "waybill-shop-prod.yaml" {
		t.Errorf("FileName = %q", got)
	}
	for path, want := range map[string]bool{
		"waybill-shop-prod.yaml":             true,
		"deploy/prod/waybill-shop-prod.yaml": true,
		"waybill-team_shop.yaml":             true,
		"waybill.yaml":                       false,
		"my-waybill-shop.yaml":               false,
		"waybill-shop.yml":                   false,
		"waybill-shop.yaml.bak":              false,
		"waybill-shop.yaml/values.yaml":      false,
		"waybill-":                           false,
		"":                                   false,
	} {
		if got := waybill.IsFile(path); got != want {
			t.Errorf("IsFile(%q) = %t, want %t", path, got, want)
		}
	}
}

func TestAnApplicationsInstanceNameIsArgoCDs(t *testing.T) {
	for _, test := range []struct{ namespace, want string }{
		{"argocd", "shop"}, {"", "shop"}, {"team", "team_shop"},
	} {
		if got := waybill.InstanceName(test.namespace, "shop", "argocd"); got != test.want {
			t.Errorf("InstanceName(%q) = %q, want %q", test.namespace, got, test.want)
		}
	}
}
