package engine

import "strings"

// shopDocument is the pipeline of most tests: dev and staging promote by
// themselves, prod wants an approval by somebody else and has a branch of its
// own.
const shopDocument = `
apiVersion: waybill.dev/v1
project: shop
warehouses:
- name: shop
  interval: 5m
  subscriptions:
  - image: {repoURL: registry.example.com/shop}
stages:
- name: dev
  requestedFreight: [{origin: shop, sources: {direct: true}}]
  autoPromotion: true
- name: staging
  requestedFreight: [{origin: shop, sources: {stages: [dev]}}]
  autoPromotion: true
- name: prod
  requestedFreight: [{origin: shop, sources: {stages: [staging]}}]
  approval: {required: 1, notBy: promoter}
  branch: env/prod
`

// devDocument is the shortest pipeline: one stage that promotes by itself.
const devDocument = `
apiVersion: waybill.dev/v1
project: shop
warehouses:
- name: shop
  interval: 5m
  subscriptions:
  - image: {repoURL: registry.example.com/shop}
stages:
- name: dev
  requestedFreight: [{origin: shop, sources: {direct: true}}]
  autoPromotion: true
`

// with replaces parts of a document: old, new, old, new.
func with(document string, parts ...string) string {
	changed := strings.NewReplacer(parts...).Replace(document)
	if changed == document {
		panic("nothing of the document is replaced: " + strings.Join(parts, ", "))
	}
	return changed
}

// prodDocument has one stage, with approvals and a branch of its own.
const prodDocument = `
apiVersion: waybill.dev/v1
project: shop
warehouses:
- name: shop
  interval: 5m
  subscriptions:
  - image: {repoURL: registry.example.com/shop}
stages:
- name: prod
  requestedFreight: [{origin: shop, sources: {direct: true}}]
  approval: {required: 1, notBy: promoter}
  branch: env/prod
`

// baseWarehouse is a second warehouse.
const baseWarehouse = `- name: base
  interval: 5m
  subscriptions:
  - image: {repoURL: registry.example.com/base}
`

// twoOrigins has one stage that takes freight of two warehouses.
var twoOrigins = with(devDocument,
	"stages:", baseWarehouse+"stages:",
	"[{origin: shop, sources: {direct: true}}]", "[{origin: base, sources: {direct: true}}, {origin: shop, sources: {direct: true}}]")
