import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {Stage} from '../src/api/wire'
import {callerFor, holds, needsApproval, onPromotion, onStage, onTheWay, rollbackChoices, waitingFor} from '../src/model/actions'
import {callerOf, stageOf} from '../src/model/binding'
import {factsOf, phasesOf} from '../src/model/facts'
import {parseDiff} from '../src/model/diff'
import {filterFreight, freightRow, lineOf, onward, touchedBy} from '../src/model/freight'
import {draw, neighbour, structureOf} from '../src/model/graph'
import {artifactsOf, called, commitLink, person, repository, short} from '../src/model/names'
import {delay} from '../src/model/pace'
import {joined} from '../src/model/pages'
import {nextFor, promotePicks, rollbackPicks, whyNot} from '../src/model/picks'
import {placeOf, searchOf, type Place} from '../src/model/permalink'
import {filterPromotions, openPromotion, promotionRow} from '../src/model/promotion'
import {soakProbes} from '../src/model/soak'
import {behind, candidateAlias, offered, untilIn} from '../src/model/stage'
import {runs} from '../src/model/status'
import {age, between, duration, goDuration} from '../src/model/time'
import {subscriptionView, type Subscribed} from '../src/model/subscription'
import {begun, fitted, revealed, zoomed} from '../src/model/viewport'
import {windowOf} from '../src/model/window'
import {Shop} from './fixtures/shop'
import {now} from './golden'

const shop = new Shop(now)
const pipeline = shop.pipeline()
const stage = (name: string, change: Partial<Stage> = {}) => ({...pipeline.stages.find(s => s.name === name)!, ...change})
const viewer = {username: 'dana', gates: {}}
const names = (offers: Array<{name: string; why: string}>) => offers.map(o => o.name + (o.why ? ' (not now)' : ''))

test('an Application without the annotation has no stage', () => {
  assert.equal(stageOf({metadata: {name: 'a', namespace: 'b'}}), '')
  assert.equal(stageOf(undefined), '')
  assert.equal(stageOf({metadata: {name: 'a', namespace: 'b', annotations: {'waybill.dev/stage': ' shop/dev '}}}), 'shop/dev')
  assert.deepEqual(callerOf({metadata: {name: 'a', namespace: 'b'}, spec: {project: ''}}), {namespace: 'b', name: 'a', project: 'default'})
})

test('only actions that the server offers are shown', () => {
  assert.deepEqual(names(onStage(pipeline.gates, viewer, stage('prod-eu'))), ['promote', 'rollback'])
  assert.deepEqual(names(onStage([{name: 'promote', gate: 'waybill-promote'}], viewer, stage('prod-eu'))), ['promote'])
  assert.deepEqual(onStage([], viewer, stage('prod-eu')), [])
})

test('an action whose gate the viewer does not hold tells what to ask for', () => {
  const [promote] = onStage(pipeline.gates, {username: 'dana', gates: {'waybill-promote': false}}, stage('prod-eu'))
  assert.match(promote.why, /extensions, invoke, waybill-promote/)
})

test('a stage without Applications, or without history, cannot be acted on', () => {
  assert.deepEqual(names(onStage(pipeline.gates, viewer, stage('prod-eu', {applications: []}))), ['promote (not now)', 'rollback (not now)'])
  assert.deepEqual(names(onStage(pipeline.gates, viewer, stage('prod-eu', {history: []}))), ['promote', 'rollback (not now)'])
})

test('approving is for others than the promoter, once each, while approvals are missing', () => {
  const waiting = shop.waiting()
  const of = (username: string, p = waiting, s = stage('prod-eu')) => names(onPromotion(pipeline.gates, {username, gates: {}}, p, s))
  assert.deepEqual(of('dana'), ['approve', 'reject', 'abort'])
  assert.deepEqual(of('alice'), ['approve (not now)', 'reject', 'abort'])
  assert.deepEqual(of('bob'), ['approve (not now)', 'reject', 'abort'])
  assert.deepEqual(of('dana', waiting, stage('prod-eu', {approval: undefined})), ['abort'])
  assert.deepEqual(of('dana', {...waiting, rejection: {by: 'bob', at: shop.at(0)}}), [])
  assert.equal(needsApproval({...waiting, approvals: [...waiting.approvals!, {by: 'eve', at: shop.at(0)}]}, stage('prod-eu')), false)
  assert.equal(needsApproval({...waiting, approvals: [{by: 'bob', at: shop.at(0), outdated: 'it changed'}, {by: 'eve', at: shop.at(0)}]}, stage('prod-eu')), true)
  assert.equal(needsApproval({...waiting, request: {...waiting.request, rollback: true}}, stage('prod-eu')), false)
  assert.equal(waitingFor(pipeline.gates, {username: 'dana', gates: {'waybill-approve': false}}, stage('prod-eu')).length, 0)
})

test('a promotion that runs can be aborted, and one that ended cannot', () => {
  assert.deepEqual(names(onPromotion(pipeline.gates, viewer, shop.running(), stage('staging'))), ['abort'])
  assert.deepEqual(names(onPromotion(pipeline.gates, viewer, shop.promotion('dev', 1), stage('dev'))), [])
})

test('a rollback offers what the stage verified and does not hold', () => {
  assert.deepEqual(rollbackChoices(stage('prod-eu')).map(l => l.freight), [shop.id(7), shop.id(5)])
})

test('automation is held by other freight than the candidate, where there is any', () => {
  assert.deepEqual([holds(stage('dev'), shop.id(12)), holds(stage('dev'), shop.id(9)), holds(stage('prod-eu'), shop.id(9))], [false, true, false])
})

test('freight that waits for a stage, or goes into it, is told from other freight', () => {
  assert.equal(onTheWay(stage('staging'), shop.id(11)), 'goes')
  assert.equal(onTheWay(stage('prod-eu'), shop.id(10)), 'waits')
  assert.equal(onTheWay(stage('prod-eu'), shop.id(11)), '')
})

test('a stage is changed on behalf of an Application of its own', () => {
  const own = {namespace: 'argocd', name: 'shop-dev', project: 'shop'}
  assert.equal(callerFor(stage('dev'), own), own)
  assert.deepEqual(callerFor(stage('prod-eu'), own), {namespace: 'argocd', name: 'shop-prod-eu', project: 'shop-prod'})
  assert.equal(callerFor(stage('dev', {applications: []}), own), undefined)
})

test('how far a stage is behind is counted along its own origin', () => {
  const at = (name: string, change: Partial<Stage> = {}) => {
    const stages = pipeline.stages.map(s => (s.name === name ? {...s, ...change} : s))
    return behind({...pipeline, stages}, stages.find(s => s.name === name)!)
  }
  assert.deepEqual(at('dev'), {n: 0, more: false})
  assert.deepEqual(at('staging'), {n: 2, more: false})
  assert.deepEqual(at('prod-eu'), {n: 2, more: false})
  assert.deepEqual(at('prod-eu', {current: []}), {n: 1, more: false})
  assert.deepEqual(at('prod-eu', {current: [shop.load(1, 0)]}), {n: 8, more: true})
  assert.deepEqual(at('prod-eu', {current: [shop.load(12, 0)]}), {n: 0, more: false})
  assert.deepEqual(offered(pipeline, stage('prod-eu')), [{origin: 'shop', freight: shop.id(10)}])
})

test('what a stage would get next is picked at first', () => {
  assert.equal(nextFor(pipeline, stage('prod-eu')), shop.id(10))
  assert.equal(nextFor(pipeline, stage('dev')), '')
  const picks = promotePicks(pipeline, stage('prod-eu'), pipeline.freight)
  assert.deepEqual(picks.slice(0, 5).map(p => p.notes), [['selected now', 'dev'], [], ['staging'], [], ['in the stage now']])
  assert.deepEqual(rollbackPicks(stage('prod-eu')).map(p => p.alias), [shop.called(7), shop.called(5)])
})

test('nothing is promoted unseen, and a rollback needs a reason alone', () => {
  const asked = {stage: stage('prod-eu'), freight: shop.id(10), rollback: false, reason: '', unseen: false}
  const back = {...asked, rollback: true, freight: shop.id(7), unseen: true}
  const whys = [asked, {...asked, unseen: true}, {...asked, freight: ''}, {...asked, freight: shop.id(8)}, {...asked, verdict: shop.verdict('prod-eu', 10, 'refused')}, {...asked, verdict: shop.verdict('prod-eu', 10, 'waits')}, back, {...back, reason: 'It loses sessions'}]
  assert.deepEqual(whys.map(whyNot), ['', 'Wait until you see what changes.', 'Pick freight', 'The stage has this freight already.', 'It may not be asked for yet.', '', 'A rollback needs a reason.', ''])
})

test('selected freight shows where it has been', () => {
  assert.deepEqual([...touchedBy(pipeline, shop.id(10))!], ['staging', 'dev'])
  assert.equal(touchedBy(pipeline, 'x'), undefined)
  assert.equal(candidateAlias(pipeline, 'shop'), shop.called(12))
})

test('freight goes on from where it is or passed', () => {
  assert.deepEqual(onward(pipeline, pipeline.freight[0]), ['staging'])
  assert.deepEqual(onward(pipeline, pipeline.freight[2]), ['dev', 'prod-eu', 'prod-us'])
})

test('what waits or runs is found in the pipeline, and makes it lively', () => {
  assert.equal(openPromotion(pipeline, shop.running().id)!.stage.name, 'staging')
  assert.equal(openPromotion(pipeline, shop.waiting().id)!.stage.name, 'prod-eu')
  assert.equal(openPromotion(pipeline, 'x'), undefined)
  const quiet = {...pipeline, stages: [stage('prod-eu')]}
  assert.equal(runs({application: shop.application('prod-eu'), pipeline}), true)
  assert.equal(runs({application: shop.application('prod-eu'), pipeline: quiet}), false)
  assert.equal(runs({application: shop.application('prod-eu'), pipeline: {...quiet, stages: [stage('prod-eu', {pending: [{...shop.waiting(), waiting: ''}]})]}}), true)
})

test('how long freight soaks is asked for stages whose upstream has something verified for them', () => {
  const probes = (own: string) => soakProbes(pipeline, own).map(p => `${p.stage} ${p.freight === shop.id(10)}`)
  assert.deepEqual(probes('prod-us'), ['prod-us true', 'prod-eu true'])
  assert.equal(soakProbes({...pipeline, stages: pipeline.stages.map(s => ({...s, requestedFreight: shop.stage('x', {}).requestedFreight}))}, 'dev').length, 0)
})

test('a wait that ends by itself is read from the sentence', () => {
  assert.equal(untilIn('freight 7d3f0c has soaked 2m of 10m in dev: wait until 2026-11-26T12:04:00Z'), '2026-11-26T12:04:00Z')
  assert.equal(untilIn('approval 0 of 2: wait until somebody approves'), undefined)
})

test('filters take every word, in any case', () => {
  const rows = pipeline.freight.map(f => freightRow(f))
  assert.equal(filterFreight(rows, 'V1.8 prod-eu', '').length, 1)
  assert.equal(filterFreight(rows, '', 'other').length, 0)
  const history = shop.promotions().map(p => promotionRow(p))
  assert.equal(filterPromotions(history, 'carol sessions', '').length, 1)
  assert.equal(filterPromotions(history, '', 'Failed').length, 1)
})

test('freight is found by its alias, its author, what changed and who put it together', () => {
  const rows = pipeline.freight.map(f => freightRow(f))
  const found = (query: string) => filterFreight(rows, query, '').map(r => r.alias)
  assert.deepEqual(found('brisk'), ['brisk-otter'])
  assert.deepEqual(found('okafor provider'), ['mellow-vole', 'ivory-lynx'])
  assert.deepEqual(found('carol'), ['keen-plover'])
  assert.deepEqual(found('acme/shop ' + rows[0].artifacts[0].about.source.slice(-7)), ['brisk-otter'])
})

test('freight without an alias is called by its artifacts, and tells nothing that is not known', () => {
  const {alias: _, details: __, ...bare} = shop.freight(12)
  const row = freightRow(bare)
  assert.deepEqual([row.alias, row.summary, row.subject, row.author, row.createdBy], [shop.alias(12), '', '', '', ''])
  assert.deepEqual(row.artifacts[0].about, {subject: '', author: '', at: '', source: '', sourceLink: '', appVersion: ''})
  assert.deepEqual(called({id: 'sha256:0123456789'}), {alias: '0123456', summary: ''})
})

test('two artifacts of one repository are told apart by their subscriptions', () => {
  const image = (subscription: string) => ({repoURL: 'a', digest: 'sha256:' + subscription, subscription})
  const of = ['web', 'batch'].map(image)
  const details = ['batch', 'web'].map(subscription => ({kind: 'image' as const, repoURL: 'a', subscription, appVersion: subscription}))
  assert.deepEqual(artifactsOf({images: of, details}).map(a => a.about.appVersion), ['web', 'batch'])
})

test('a warehouse tells each kind of its subscriptions', () => {
  const of = (s: Subscribed) => Object.values(subscriptionView(s)!)
  assert.deepEqual(of({image: {repoURL: 'registry.example.com/shop', constraint: '^1.0.0', imageSelectionStrategy: 'SemVer'}}), ['image', 'registry.example.com/shop', ['^1.0.0'], 'SemVer'])
  assert.deepEqual(of({git: {repoURL: 'https://git.example.com/shop.git', branch: 'main', includePaths: ['deploy/']}}), ['commit', 'git.example.com/shop', ['main', 'deploy/'], ''])
  assert.deepEqual(of({chart: {repoURL: 'https://charts.example.com', name: 'db', semverConstraint: '2.x'}}), ['chart', 'charts.example.com/db', ['2.x'], ''])
  assert.equal(subscriptionView({}), undefined)
})

test('a link to where an image was built from leads to a page and to nothing else', () => {
  const link = (source: string, revision?: string) => artifactsOf({images: [{repoURL: 'a', digest: 'sha256:1'}], details: [{kind: 'image', repoURL: 'a', source, revision}]})[0].about.sourceLink
  assert.equal(link('https://git.example.com/acme/shop', '4b1c27c'), 'https://git.example.com/acme/shop/commit/4b1c27c')
  assert.equal(link('https://git.example.com/acme/shop'), 'https://git.example.com/acme/shop')
  assert.equal(link('javascript:alert(1)', '4b1c27c'), '')
  assert.equal(link('data:text/html,x'), '')
})

test('older freight follows the recent one, nothing twice, and stands where it is by now', () => {
  const f = (n: number, more = {}) => shop.freight(n, more)
  const p = {...pipeline, freight: [f(12), f(11, {stages: ['staging']})]}
  const line = lineOf(p, [f(11), f(9, {stages: ['prod-eu']}), f(8, {verifiedIn: ['dev', 'prod-eu']}), f(1)])
  assert.deepEqual(line.map(x => x.id), [12, 11, 9, 8, 1].map(shop.id))
  assert.deepEqual(line.map(x => x.stages), [undefined, ['staging'], [], ['prod-eu'], []])
  assert.deepEqual(line.map(x => x.verifiedIn).slice(2), [['staging'], ['dev', 'prod-eu', 'staging', 'prod-us'], []])
})

test('what the newest of a list no longer reach back to stays in it', () => {
  const of = (...ids: string[]) => ids.map(id => ({id}))
  assert.deepEqual(joined(of('5', '4', '3'), joined(of('3', '2'), of('2', '1'))).map(x => x.id), ['5', '4', '3', '2', '1'])
})

test('a place in the tab is a link, beside parameters of Argo CD', () => {
  const places: Place[] = [
    {tab: 'pipeline'},
    {tab: 'pipeline', form: 'list', stage: 'prod-eu', query: 'a;b=c & d'},
    {tab: 'history', promotion: 'shop-prod-1', of: 'prod-eu', phase: 'Failed'},
    {tab: 'freight', freight: 'abc', doing: 'promote', target: 'prod', pick: 'abc'},
  ]
  for (const place of places) {
    const search = searchOf('?view=Promotion&resource=', place)
    assert.deepEqual(placeOf(search), place)
    assert.equal(new URLSearchParams(search).get('view'), 'Promotion')
  }
  assert.equal(searchOf('?view=tree&waybill=history', {tab: 'pipeline'}), '?view=tree')
  assert.deepEqual(placeOf('?waybill=nonsense;x=y;stage=%25E0%25A4%25A;form=round'), {tab: 'pipeline', stage: '%E0%A4%A'})
})

test('only the rows in sight are drawn', () => {
  assert.deepEqual(windowOf(2000, 50, 0, 600), {from: 0, to: 18})
  assert.deepEqual(windowOf(2000, 50, 50000, 600), {from: 994, to: 1018})
  assert.deepEqual(windowOf(3, 50, 9000, 600), {from: 3, to: 3})
  assert.deepEqual(windowOf(0, 50, 0, 600), {from: 0, to: 0})
})

test('time is written as people say it', () => {
  assert.deepEqual([0, 1000, 61000, 3600000, 90061000].map(ms => duration(ms)), ['0s', '1s', '1m 1s', '1h', '1d 1h'])
  assert.equal(age('2026-11-26T11:55:10Z', now), '4m')
  assert.equal(age('2026-11-26T12:00:09Z', now), '0s')
  assert.equal(between('2026-11-26T11:00:00Z', undefined), '')
  assert.deepEqual(['10m0s', '1h30m0s', '45s', '500ms'].map(goDuration), ['10m', '1h 30m', '45s', '1s'])
})

test('a commit is a link where its host has pages', () => {
  const links: Record<string, string> = {
    'https://github.com/acme/shop.git': 'https://github.com/acme/shop/commit/4b1c27c',
    'https://user@gitlab.example.com/a/b/shop': 'https://gitlab.example.com/a/b/shop/-/commit/4b1c27c',
    'git@bitbucket.org:acme/shop.git': 'https://bitbucket.org/acme/shop/commits/4b1c27c',
    'ssh://git@git.example.com:2222/acme/shop.git': 'https://git.example.com/acme/shop/commit/4b1c27c',
    'http://localhost:3000/acme/shop.git': 'http://localhost:3000/acme/shop/commit/4b1c27c',
    'http://localhost:3000/shop.git': '',
    'file:///srv/shop.git': '',
    'javascript:alert(1)//a/b': '',
    '': '',
  }
  for (const [url, want] of Object.entries(links)) {
    assert.equal(commitLink(url, '4b1c27c'), want, url)
  }
  assert.equal(commitLink('https://github.com/acme/shop', '"onclick=x'), '')
  assert.equal(short('sha256:0123456789'), '0123456')
  assert.equal(person('waybill:system'), 'Waybill')
  assert.equal(repository('oci://registry.example.com/charts/db'), 'registry.example.com/charts/db')
})

test('a unified difference is read line by line', () => {
  const diff = parseDiff('--- a\n+++ b\n@@ -1,3 +1,3 @@\n kind: Pod\n--- text\n+++ text\n\\ No newline at end of file\n')
  assert.deepEqual(diff.lines.map(l => l.kind), ['hunk', 'same', 'delete', 'add'])
  assert.deepEqual([diff.added, diff.deleted], [1, 1])
})

test('arrow keys go along the edges and up and down a column', () => {
  const drawing = draw(pipeline)
  assert.equal(neighbour(drawing, 'stage/dev', 'right'), 'stage/staging')
  assert.equal(neighbour(drawing, 'stage/dev', 'left'), 'warehouse/shop')
  const up = neighbour(drawing, 'stage/prod-eu', 'up') || neighbour(drawing, 'stage/prod-eu', 'down')
  assert.equal(up, 'stage/prod-us')
  assert.equal(neighbour(drawing, 'warehouse/shop', 'left'), undefined)
})

test('the history is asked for again when a promotion waits, begins or ends, and not at each step', () => {
  const phases = (change: Partial<Stage>) => phasesOf({...pipeline, stages: pipeline.stages.map(s => (s.name === 'staging' ? {...s, ...change} : s))})
  const running = shop.running()
  assert.equal(phases({}), phases({running: {...running, steps: [], message: 'x'}, applications: []}))
  for (const change of [{running: undefined}, {running: {...running, id: 'next'}}, {pending: [shop.waiting()]}, {last: {promotion: running.id, freight: running.freight, phase: 'Failed' as const}}, {current: []}]) {
    assert.notEqual(phases({}), phases(change), JSON.stringify(change))
  }
})

test('a verdict is asked for again when what it rests on changes, and not at each step elsewhere', () => {
  const facts = (change: Record<string, Partial<Stage>>) => {
    const stages = pipeline.stages.map(s => ({...s, ...change[s.name]}))
    return factsOf({...pipeline, stages}, stages.find(s => s.name === 'prod-eu')!)
  }
  assert.equal(facts({}), facts({dev: {current: []}, staging: {running: {...shop.running(), message: 'x'}}, 'prod-us': {serial: 99}}))
  const changes: Array<Record<string, Partial<Stage>>> = [{staging: {current: []}}, {'prod-eu': {serial: 8}}, {'prod-eu': {pending: []}}, {'prod-eu': {applications: []}}]
  for (const change of changes) {
    assert.notEqual(facts({}), facts(change))
  }
})

test('news of a stage changes nothing in the drawing', () => {
  assert.equal(structureOf(pipeline), structureOf({...pipeline, stages: pipeline.stages.map(s => ({...s, current: []}))}))
  assert.notEqual(structureOf(pipeline), structureOf({...pipeline, edges: []}))
})

test('a drawing fits its window, and a zoom keeps what is under the pointer', () => {
  const fit = fitted({width: 2000, height: 400}, {width: 1000, height: 600})
  assert.deepEqual(fit, {scale: 0.5, x: 0, y: 200})
  const from = {scale: 1, x: 10, y: 20}
  const to = zoomed(from, 2, {x: 110, y: 120})
  assert.deepEqual(to, {scale: 2, x: -90, y: -80})
  assert.equal(zoomed(from, 100, {x: 0, y: 0}).scale, 2)
  const pane = {width: 800, height: 600}
  assert.deepEqual(revealed({x: 100, y: 100, width: 50, height: 50}, from, pane), from)
  assert.deepEqual(revealed({x: 1000, y: -50, width: 50, height: 50}, from, pane), {scale: 1, x: -274, y: 74})
})

test('a drawing that cannot be read as a whole begins at its own size, around a stage', () => {
  const pane = {width: 800, height: 600}
  const at = (x: number, y: number) => begun({width: 2000, height: 400}, {x, y, width: 100, height: 50}, pane)
  assert.deepEqual(begun({width: 900, height: 400}, undefined, pane), fitted({width: 900, height: 400}, pane))
  assert.deepEqual(at(1000, 0), {scale: 1, x: -650, y: 100})
  assert.deepEqual([at(20, 0).x, at(1900, 0).x], [0, -1200])
})

test('it asks each second while something runs, and less often the longer nobody answers', () => {
  assert.deepEqual([delay(0, 1000), delay(0, 15000), delay(1, 1000), delay(3, 1000), delay(3, 15000), delay(20, 1000)], [1000, 15000, 2000, 8000, 15000, 60000])
})
