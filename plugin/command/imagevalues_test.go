package command

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/pin"
)

func TestImageValuesNameTheMirrorOfTheStage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("1", 64)
	pins, err := pin.New(waybill.Waybill{
		Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: []freight.Image{
			{RepoURL: "registry.example.com/shop", Tag: "v1", Digest: digest}, {RepoURL: "nginx", Tag: "1.27", Digest: digest},
		}}}},
		Mirrors: []freight.Mirror{{From: "registry.example.com", To: "mirror.example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"registry.example.com/shop#repository": "mirror.example.com/shop",
		"registry.example.com/shop#reference":  "mirror.example.com/shop:v1@" + digest,
		"registry.example.com/shop#tag":        "v1@" + digest,
		"docker.io/nginx#repository":           "docker.io/nginx", // as it is written
	} {
		values, err := parseImageValues(map[string]string{"image": from})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := values[0].of(pins); got != want || err != nil {
			t.Errorf("%s = %q, %v, want %q", from, got, err, want)
		}
	}
}
