package pin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/pin"
)

var (
	one   = "sha256:" + strings.Repeat("1", 64)
	two   = "sha256:" + strings.Repeat("2", 64)
	other = "sha256:" + strings.Repeat("f", 64)
)

func shopPins(t testing.TB) pin.Pins {
	t.Helper()
	return newPins(t,
		freight.Image{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: one},
		freight.Image{RepoURL: "nginx", Digest: two},
	)
}

func newPins(t testing.TB, images ...freight.Image) pin.Pins {
	t.Helper()
	pins, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: images}}}})
	if err != nil {
		t.Fatal(err)
	}
	return pins
}

func TestAnImageIsPinnedByItsRepositoryAlone(t *testing.T) {
	pins := shopPins(t)
	tests := []struct {
		reference string
		want      string // empty when it is not pinned
	}{
		{"registry.example.com/shop", "registry.example.com/shop:v1.4.2@" + one},
		{"registry.example.com/shop:latest", "registry.example.com/shop:v1.4.2@" + one},
		{"registry.example.com/shop@" + other, "registry.example.com/shop:v1.4.2@" + one},
		{"registry.example.com/shop:v1@" + other, "registry.example.com/shop:v1.4.2@" + one},
		{"REGISTRY.example.com/shop:v1", "REGISTRY.example.com/shop:v1.4.2@" + one},
		{"nginx", "nginx@" + two},
		{"library/nginx:1", "library/nginx@" + two},
		{"docker.io/library/nginx:1", "docker.io/library/nginx@" + two},
		{"registry.example.com/shop/api:v1", ""},
		{"registry.example.com/Shop:v1", ""},
		{"registry.example.com:5000/shop:v1", ""},
		{"mirror.example.com/shop:v1", ""},
		{"shop:v1", ""},
		{"registry.example.com/shop:*", ""},
		{"registry.example.com/shop:" + strings.Repeat("v", 129), ""},
		{"registry.example.com/shop@sha256:?", ""},
		{"registry.example.com/*", ""},
		{":v1", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, pinned, err := pins.Image(tt.reference)
		want := tt.want
		if want == "" {
			want = tt.reference
		}
		if got != want || pinned != (tt.want != "") || err != nil {
			t.Errorf("Image(%q) = %q, %t, want %q", tt.reference, got, pinned, want)
		}
	}
}

func TestTwoDigestsForOneRepositoryAreRefused(t *testing.T) {
	origin := func(name, repository, tag, digest string) waybill.Freight {
		return waybill.Freight{Origin: name, Artifacts: freight.Artifacts{Images: []freight.Image{{RepoURL: repository, Tag: tag, Digest: digest}}}}
	}
	_, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{origin("a", "nginx", "1.25", one), origin("b", "docker.io/library/nginx", "1.27", two)}})
	if err == nil || !strings.Contains(err.Error(), "1.25") || !strings.Contains(err.Error(), "1.27") {
		t.Errorf("the error names not both pins: %v", err)
	}
	pins, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{origin("a", "nginx", "", one), origin("b", "docker.io/library/nginx", "1.27", one)}})
	if err != nil {
		t.Fatalf("one digest from two warehouses is refused: %v", err)
	}
	if got, _, _ := pins.Image("nginx"); got != "nginx:1.27@"+one {
		t.Errorf("Image(nginx) = %s, want the tag that one of the pins has", got)
	}
}

func TestTheResultNamesWhatIsNotPinned(t *testing.T) {
	objects := parse(t, `
kind: Pod
apiVersion: v1
spec:
  initContainers: [{image: z.example.com/b}, {image: nginx}]
  containers: [{image: z.example.com/b}, {image: a.example.com/a:1}, {image: ""}, {name: none}]
`)
	got, err := shopPins(t).Apply(objects, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := pin.Result{Pinned: 1, Unpinned: []string{"a.example.com/a:1", "z.example.com/b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOddShapesAreLeftAlone(t *testing.T) {
	const text = `
apiVersion: example.com/v1
kind: Odd
containers: text
spec:
  containers: {image: nginx}
  initContainers: [nginx, null, 7, [{image: {nested: nginx}}]]
  volumes: [{image: nginx}, {image: {reference: 7}}, null]
`
	objects := parse(t, text)
	if _, err := shopPins(t).Apply(objects, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parse(t, text), objects); diff != "" {
		t.Error(diff)
	}
}

// FuzzImage feeds image references from manifests, which anybody may write.
func TestARepositoryIsLookedUpHoweverItIsWritten(t *testing.T) {
	pins := shopPins(t)
	for _, repository := range []string{"nginx", "docker.io/library/nginx", "https://index.docker.io/nginx/"} {
		if image, found, err := pins.Lookup(repository); !found || err != nil || image.Digest != two {
			t.Errorf("Lookup(%s) = %v, %t", repository, image, found)
		}
	}
	if image, found, err := pins.Lookup("registry.example.com/nginx"); found || err != nil {
		t.Errorf("another repository is %v", image)
	}
}

func FuzzImage(f *testing.F) {
	for _, seed := range []string{
		"", "nginx", "nginx:1", "nginx@" + two, "localhost:5000/a/b:c@" + one, "registry.example.com/shop:*",
		"@", ":", "a@b@c", "https://registry.example.com/shop", "registry.example.com/shop/", " nginx ", "\x00",
	} {
		f.Add(seed)
	}
	pins := shopPins(f)
	f.Fuzz(func(t *testing.T, reference string) {
		pinned, found, err := pins.Image(reference)
		if err != nil {
			t.Fatalf("%q is refused: %v", reference, err)
		}
		if !found {
			if pinned != reference {
				t.Errorf("%q is not pinned and yet changed to %q", reference, pinned)
			}
			return
		}
		before, _, _ := freight.SplitImage(reference)
		after, _, digest := freight.SplitImage(pinned)
		if before != after {
			t.Errorf("pinning %q changes the repository to %q", reference, after)
		}
		if digest != one && digest != two {
			t.Errorf("%q is pinned to %q, which no freight holds", reference, pinned)
		}
		if again, _, _ := pins.Image(pinned); again != pinned {
			t.Errorf("%q is pinned to %q, and that to %q", reference, pinned, again)
		}
	})
}

func parse(t testing.TB, text string) []manifest.Object {
	t.Helper()
	objects, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
