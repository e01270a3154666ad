package pin_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/pin"
)

func ExamplePins_Apply() {
	pins, err := pin.New(waybill.Waybill{Freight: []waybill.Freight{{Origin: "shop", Artifacts: freight.Artifacts{Images: []freight.Image{
		{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: "sha256:" + strings.Repeat("7d", 32)},
	}}}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	objects, err := manifest.Parse([]byte(`
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - {name: shop, image: "registry.example.com/shop:latest"}
  - {name: proxy, image: "registry.example.com/proxy:2"}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := pins.Apply(objects, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = manifest.Write(os.Stdout, objects)
	fmt.Println("not pinned:", result.Unpinned)
	// Output:
	// apiVersion: v1
	// kind: Pod
	// metadata:
	//   name: shop
	// spec:
	//   containers:
	//   - image: registry.example.com/shop:v1.4.2@sha256:7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d
	//     name: shop
	//   - image: registry.example.com/proxy:2
	//     name: proxy
	// not pinned: [registry.example.com/proxy:2]
}

func ExampleParsePath() {
	path, err := pin.ParsePath(`Deployment.apps:spec.template.metadata.annotations["sidecar.istio.io/proxyImage"]`)
	fmt.Println(path, err)
	_, err = pin.ParsePath("spec.image")
	fmt.Println(err)
	// Output:
	// Deployment.apps:spec.template.metadata.annotations["sidecar.istio.io/proxyImage"] <nil>
	// the image path "spec.image" has no colon: write Kind.group:field.list[*].image, with ["…"] around a field that holds dots
}
