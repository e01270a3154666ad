package waybill_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
)

func shopInProd() waybill.Waybill {
	artifacts := freight.Artifacts{Images: []freight.Image{
		{RepoURL: "registry.example.com/shop", Tag: "v1.4.2", Digest: "sha256:" + strings.Repeat("0", 64)},
	}}
	return waybill.Waybill{
		APIVersion:  freight.APIVersion,
		Kind:        waybill.Kind,
		Application: "shop-prod",
		Stage:       "shop/prod",
		Serial:      42,
		Freight:     []waybill.Freight{{ID: freight.ID("waybill/shop", "shop", artifacts), Origin: "shop", Artifacts: artifacts}},
		Promotion: waybill.Promotion{
			ID: "shop-prod-0123456789abcdef0123", By: "alice", ApprovedBy: []string{"bob"},
			At: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC),
		},
		VerifiedIn: []string{"dev", "staging"},
	}
}

func ExampleWaybill_Marshal() {
	w := shopInProd()
	data, err := w.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s:\n%s", waybill.FileName(w.Application), data)
	// Output:
	// waybill-shop-prod.yaml:
	// # +argocd:skip-file-rendering
	// # Written by Waybill with each promotion. To change it, promote.
	// apiVersion: waybill.dev/v1
	// kind: Waybill
	// application: shop-prod
	// stage: shop/prod
	// serial: 42
	// freight:
	//   - id: 58aee429bae506ccb02b6b691f93e794502d6fe521b4f8aaea0c70c5b62639f6
	//     origin: shop
	//     images: [{repoURL: registry.example.com/shop, tag: v1.4.2, digest: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'}]
	// promotion:
	//   id: shop-prod-0123456789abcdef0123
	//   by: alice
	//   approvedBy: [bob]
	//   at: 2026-03-01T13:00:00Z
	// verifiedIn: [dev, staging]
}

// A waybill is good for the Application and the pins that it was written for.
func ExampleWaybill_Check() {
	w := shopInProd()
	fmt.Println(w.Check("shop-prod"))
	fmt.Println(w.Check("shop-dev"))
	w.Freight[0].Images[0].Tag = "v1.4.3"
	fmt.Println(w.Check("shop-prod"))
	// Output:
	// <nil>
	// the waybill was written for Application shop-prod: promote again instead of copying the file
	// freight 58aee42 does not match its pins, the waybill was edited by hand: promote again
}
