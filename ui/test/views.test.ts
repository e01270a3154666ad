// The view models of a shop, compared with those on record.
import assert from 'node:assert/strict'
import {test} from 'node:test'
import {comparisonView} from '../src/model/compare'
import {candidatesOf, freightRow} from '../src/model/freight'
import {draw} from '../src/model/graph'
import {foundIn, previewView, searchPreview} from '../src/model/preview'
import {promotionRow, promotionView} from '../src/model/promotion'
import {cardOf} from '../src/model/stage'
import {statusOf} from '../src/model/status'
import {untilOf, verdictView} from '../src/model/verdict'
import {large} from './fixtures/large'
import {Shop} from './fixtures/shop'
import {golden, now} from './golden'

const shop = new Shop(now)
const pipeline = shop.pipeline()
const viewer = {username: 'dana', gates: {'waybill-promote': true, 'waybill-approve': true}}

test('a stage shows its freight, health, queue, hold and failures', () => {
  golden('cards', pipeline.stages.map(s => cardOf(s, s.name === 'prod-eu', pipeline)))
})

test('the status panel tells of the stage, how far it is behind, and what waits for the viewer', () => {
  golden('status', pipeline.stages.map(s => statusOf({application: shop.application(s.name, pipeline), pipeline}, viewer)))
})

test('the status panel shows the stage before the pipeline is known', () => {
  const status = statusOf({application: shop.application('prod-eu', pipeline)}, viewer)
  assert.deepEqual([status.alias, status.summary], [shop.called(8), shop.alias(8)])
  assert.equal(status.badge, 'Waits for your approval')
})

test('freight shows its artifacts, where it is and where it passed', () => {
  golden('freight', pipeline.freight.map(f => freightRow(f, candidatesOf(pipeline))))
})

for (const kind of ['ready', 'waits', 'refused'] as const) {
  test(`a verdict that is ${kind} shows each gate once`, () => {
    golden(`verdict-${kind}`, verdictView(shop.verdict('prod-eu', 10, kind)))
  })
}

test('a verdict tells when it may change by itself', () => {
  assert.equal(untilOf(shop.verdict('prod-eu', 10, 'refused')), '2026-11-26T12:04:00Z')
  assert.equal(untilOf(shop.verdict('prod-eu', 10, 'ready')), undefined)
})

test('a preview shows what is pruned first, with its warnings', () => {
  golden('preview', previewView(shop.preview('prod-eu', 10)))
})

test('a search of a preview finds titles and lines', () => {
  const view = previewView(shop.preview('prod-eu', 10))
  assert.equal(foundIn(searchPreview(view, 'guests')), 1)
  assert.equal(foundIn(searchPreview(view, 'cronjob')), 1)
  assert.equal(foundIn(searchPreview(view, '')), 4)
  assert.equal(foundIn(searchPreview(view, 'nothing of it')), 0)
})

test('a preview of an Application that renders nothing has no digest and tells why', () => {
  const view = previewView({...shop.preview('prod-eu', 10), digest: undefined, applications: [{namespace: 'argocd', name: 'shop', prunes: true, total: 0, problem: 'the chart is missing', today: 'no waybill yet'}]})
  assert.equal(view.digest, '')
  assert.equal(view.empty, false)
  assert.deepEqual([view.applications[0].problem, view.applications[0].today], ['The chart is missing.', 'No waybill yet.'])
})

test('a preview of which a part is withheld says so, and is not taken for no change', () => {
  const withheld = 'the manifests of Application argocd/payments are left out'
  const view = previewView({...shop.preview('prod-eu', 10), applications: [{namespace: 'argocd', name: 'payments', prunes: true, total: 14, withheld}]})
  assert.deepEqual([view.empty, view.summary, view.applications[0].withheld], [false, '0 added, 0 changed, 0 pruned in what you may see', 'The manifests of Application argocd/payments are left out.'])
})

test('a comparison shows versions, commits and what is passed over', () => {
  golden('comparison', comparisonView(shop.comparison(8, 10)))
  golden('comparison-back', comparisonView(shop.comparison(10, 8)))
  const {artifacts, ...rest} = shop.comparison(8, 10)
  const both = comparisonView({...rest, artifacts: ['web', 'worker'].map(subscription => ({...artifacts[0], subscription}))}).artifacts
  assert.deepEqual(both.map(a => a.name), ['registry.example.com/shop web', 'registry.example.com/shop worker'])
  assert.equal(new Set(both.map(a => a.key)).size, 2)
})

test('the history shows who, what and how it ended', () => {
  golden('history', shop.promotions().map(p => promotionRow(p)))
})

test('a promotion shows its steps, what became of each Application, and what happened in order', () => {
  golden('promotions', shop.promotions().map(p => promotionView(p, pipeline, pipeline.stages.find(s => s.name === p.stage))))
})

test('the drawing of a pipeline goes from left to right', () => {
  const drawing = draw(pipeline)
  golden('drawing', drawing)
  const x = (id: string) => drawing.nodes.find(n => n.id === id)!.x
  assert.ok(x('warehouse/shop') < x('stage/dev') && x('stage/dev') < x('stage/staging') && x('stage/staging') < x('stage/prod-eu'))
})

test('no two of 200 stages stand on each other', () => {
  const {nodes, lines} = draw(large(now, 200))
  assert.equal(nodes.length, 201)
  assert.equal(lines.length, 219)
  for (const [i, a] of nodes.entries()) {
    for (const b of nodes.slice(i + 1)) {
      assert.ok(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y, `${a.id} stands on ${b.id}`)
    }
  }
})
