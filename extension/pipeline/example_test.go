package pipeline_test

import (
	"errors"
	"fmt"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Every problem of a document is told at once, with the path of its field and
// what is allowed there.
func ExampleParse() {
	_, err := pipeline.Parse(pipeline.Name{Namespace: "waybill", Name: "shop"}, `
apiVersion: waybill.dev/v1
project: shop
warehouses:
- name: shop
  subscriptions: [{image: {repoURL: registry.example.com/shop, constraint: latest}}]
stages:
- name: dev
  requestedFreight: [{origin: shop, sources: {direct: true}}]
- name: prod
  requestedFreight: [{origin: shop, sources: {stages: [staging]}}]
  approval: {required: 0}
`)
	var invalid *pipeline.Invalid
	if errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			fmt.Println(problem)
		}
	}
	// Output:
	// warehouses[0].subscriptions[0].image.constraint: "latest" is not a version range: write for example ^1.2.0 or >=1.2.0 <2.0.0
	// stages[1].requestedFreight[0].sources.stages[0]: there is no stage "staging"
	// stages[1].approval.required: must be 1 to 20
}
