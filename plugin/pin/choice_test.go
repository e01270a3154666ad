package pin_test

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/pin"
)

const shopImage = "registry.example.com/shop"

// severalPins pins one repository by three subscriptions. The image tag of the
// last is the name of the first, which nobody can rule out.
func severalPins(t testing.TB) pin.Pins {
	t.Helper()
	return newPins(t,
		freight.Image{RepoURL: shopImage, Tag: "v2", Digest: one, Subscription: "web"},
		freight.Image{RepoURL: shopImage, Tag: "v1", Digest: two, Subscription: "worker"},
		freight.Image{RepoURL: shopImage, Tag: "web", Digest: other, Subscription: "night"},
		freight.Image{RepoURL: "nginx", Digest: two, Subscription: "edge"},
	)
}

func TestOfSeveralPinsTheTagNamesTheSubscription(t *testing.T) {
	const unclear = "its waybill pins " + shopImage + " 3 times (night, web, worker)"
	const remedy = ": write one of these names as the image's tag"
	pins := severalPins(t)
	for reference, want := range map[string]string{
		shopImage + ":web":               shopImage + ":v2@" + one,
		shopImage + ":worker":            shopImage + ":v1@" + two,
		shopImage + ":night":             shopImage + ":web@" + other,
		shopImage + ":worker@" + one:     shopImage + ":v1@" + two,    // a name goes before a digest
		shopImage + ":web@" + other:      shopImage + ":web@" + other, // what is pinned stays
		shopImage + "@" + two:            shopImage + ":v1@" + two,
		shopImage + ":v0@" + two:         shopImage + ":v1@" + two,
		"Registry.Example.com/shop:web":  "Registry.Example.com/shop:v2@" + one,
		"nginx":                          "nginx@" + two, // one pin alone needs no name
		"nginx:1.27":                     "nginx@" + two,
		shopImage + ":*":                 shopImage + ":*",
		"registry.example.com/other:web": "registry.example.com/other:web",

		shopImage:                             unclear + remedy,
		shopImage + ":v2":                     unclear + ", and the tag v2 is none of these" + remedy,
		shopImage + ":Web":                    unclear + ", and the tag Web is none of these" + remedy,
		shopImage + "@sha256:" + "0123456789": unclear + remedy,
	} {
		got, _, err := pins.Image(reference)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Image(%s) = %s, want %s", reference, got, want)
		}
	}
}

func TestAnImageValueNamesTheSubscription(t *testing.T) {
	pins := severalPins(t)
	for reference, want := range map[string]string{
		shopImage + ":worker":        shopImage + " v1",
		shopImage + ":web":           shopImage + " v2",
		"docker.io/nginx":            "docker.io/nginx ",
		"docker.io/nginx:edge":       "docker.io/nginx ",
		"registry.example.com/other": "none",
		shopImage:                    "its waybill pins " + shopImage + " 3 times (night, web, worker): write one of these names as the image's tag",
		shopImage + ":v1":            "its waybill pins " + shopImage + " 3 times (night, web, worker), and the tag v1 is none of these: write one of these names as the image's tag",
		"nginx:1.27":                 "its waybill pins nginx (edge), and no subscription to it is called 1.27: write that name as the image's tag, or none",
	} {
		image, found, err := pins.Lookup(reference)
		got := image.RepoURL + " " + image.Tag
		switch {
		case err != nil:
			got = err.Error()
		case !found:
			got = "none"
		}
		if got != want {
			t.Errorf("Lookup(%s) = %s, want %s", reference, got, want)
		}
	}
	if _, _, err := newPins(t, freight.Image{RepoURL: "nginx", Digest: one}).Lookup("nginx:web"); err == nil ||
		err.Error() != "its waybill pins nginx, and no subscription to it is called web: leave the tag out" {
		t.Errorf("a name that no subscription has: %v", err)
	}
}

// Two warehouses may pin one repository, one of them without a name.
func TestAPinWithoutANameCannotBeNamed(t *testing.T) {
	pins := newPins(t, freight.Image{RepoURL: "nginx", Tag: "1", Digest: one}, freight.Image{RepoURL: "nginx", Tag: "2", Digest: two, Subscription: "edge"})
	if got, _, err := pins.Image("nginx:edge"); got != "nginx:2@"+two || err != nil {
		t.Errorf("Image(nginx:edge) = %s, %v", got, err)
	}
	_, _, err := pins.Image("nginx:1")
	const want = "its waybill pins nginx twice (edge, one without a name), and the tag 1 is none of these: " +
		"give each subscription to it a name, and write one of the names as the image's tag"
	if err == nil || err.Error() != want {
		t.Errorf("Image(nginx:1) says %v, want %s", err, want)
	}
}

func TestOneNameForTwoDigestsIsRefused(t *testing.T) {
	origin := func(name, tag, digest string) waybill.Freight {
		return waybill.Freight{Origin: name, Artifacts: freight.Artifacts{Images: []freight.Image{{RepoURL: "nginx", Tag: tag, Digest: digest, Subscription: "edge"}}}}
	}
	_, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{origin("a", "1.25", one), origin("b", "1.27", two)}})
	const want = "its waybill pins docker.io/library/nginx twice as edge, to 1.25 and to 1.27: give each subscription a name of its own"
	if err == nil || err.Error() != want {
		t.Errorf("New says %v, want %s", err, want)
	}
	if _, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{origin("a", "1.25", one), origin("b", "1.25", one)}}); err != nil {
		t.Errorf("one digest of one name from two warehouses is refused: %v", err)
	}
}

func TestTwoImagesThatAMirrorMakesOneAreToldApartByTheirNames(t *testing.T) {
	pins, err := pin.New(waybill.Waybill{
		Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: []freight.Image{
			{RepoURL: "a.example.com/shop", Tag: "v1", Digest: one, Subscription: "web"}, {RepoURL: "b.example.com/shop", Tag: "v2", Digest: two, Subscription: "worker"},
		}}}},
		Mirrors: []freight.Mirror{{From: "a.example.com", To: "b.example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		"a.example.com/shop:latest": "b.example.com/shop:v1@" + one,
		"b.example.com/shop:web":    "b.example.com/shop:v1@" + one,
		"b.example.com/shop:worker": "b.example.com/shop:v2@" + two,
	} {
		if got, _, err := pins.Image(reference); got != want || err != nil {
			t.Errorf("Image(%s) = %s, %v, want %s", reference, got, err, want)
		}
	}
	if _, _, err := pins.Image("b.example.com/shop:latest"); err == nil {
		t.Error("what could be either is pinned")
	}
}

// Of several images that are not clear, the same one is always told.
func TestARefusalIsTheSameEachTime(t *testing.T) {
	const text = `{apiVersion: v1, kind: Pod, spec: {containers: [{image: "` + shopImage + `:z"}, {image: "` + shopImage + `:b"}, {image: nginx}], initContainers: [{image: "` + shopImage + `:c"}]}}`
	for range 20 {
		result, err := severalPins(t).Apply(parse(t, text), nil)
		if err == nil || !strings.Contains(err.Error(), "the tag b is none of these") {
			t.Fatalf("Apply says %v", err)
		}
		if result.Pinned != 0 || result.Unpinned != nil {
			t.Errorf("a refusal comes with a result: %+v", result)
		}
	}
}

func FuzzAnImageThatIsPinnedByNameStaysPinned(f *testing.F) {
	for _, seed := range []string{
		"", shopImage, shopImage + ":web", shopImage + ":worker@" + one, shopImage + ":web@" + other, shopImage + "@" + two, shopImage + "@" + other,
		"nginx", "nginx:edge", shopImage + ":*", shopImage + ":" + strings.Repeat("w", 200),
	} {
		f.Add(seed)
	}
	pins := severalPins(f)
	f.Fuzz(func(t *testing.T, reference string) {
		pinned, found, err := pins.Image(reference)
		if err != nil {
			if found || pinned != reference {
				t.Errorf("%q is refused, and yet pinned to %q", reference, pinned)
			}
			return
		}
		again, _, err := pins.Image(pinned)
		if err != nil || again != pinned {
			t.Errorf("%q is pinned to %q, and that to %q, %v", reference, pinned, again, err)
		}
	})
}
