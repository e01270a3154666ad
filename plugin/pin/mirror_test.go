package pin_test

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/pin"
)

func TestAMirrorChangesTheRegistryAndNotTheDigest(t *testing.T) {
	pins, err := pin.New(waybill.Waybill{
		Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: []freight.Image{
			{RepoURL: "registry.dev.example.com/shop", Tag: "v1", Digest: one},
			{RepoURL: "nginx", Digest: two},
		}}}},
		Mirrors: []freight.Mirror{
			{From: "registry.dev.example.com", To: "registry.prod.example.com"},
			{From: "registry.prod.example.com", To: "registry.other.example.com"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, reference, want string }{
		{"what the freight names comes from the mirror", "registry.dev.example.com/shop:latest", "registry.prod.example.com/shop:v1@" + one},
		{"what names the mirror already is pinned there", "registry.prod.example.com/shop", "registry.prod.example.com/shop:v1@" + one},
		{"what no mirror is for stays", "docker.io/nginx:1", "docker.io/nginx@" + two},
		{"what no freight pins is left alone", "registry.dev.example.com/other:1", "registry.dev.example.com/other:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _, _ := pins.Image(tt.reference); got != tt.want {
				t.Errorf("Image(%q) = %q, want %q", tt.reference, got, tt.want)
			}
		})
	}
}

func TestAMirrorThatMakesTwoImagesOneIsRefused(t *testing.T) {
	_, err := pin.New(waybill.Waybill{
		Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: []freight.Image{
			{RepoURL: "a.example.com/shop", Tag: "v1", Digest: one}, {RepoURL: "b.example.com/shop", Tag: "v2", Digest: two},
		}}}},
		Mirrors: []freight.Mirror{{From: "a.example.com", To: "b.example.com"}},
	})
	if err == nil || !strings.Contains(err.Error(), "pins b.example.com/shop twice, to v1 and to v2") {
		t.Errorf("error %v, want one that names both", err)
	}
}
