import assert from 'node:assert/strict'
import {test} from 'node:test'
import {ask, compareFreight, getApplication, getPipeline, getPreview} from '../src/api/calls'
import {call, lane, mayInvoke, root} from '../src/api/client'
import {Lane} from '../src/api/lane'
import type {Problem} from '../src/api/problem'
import {Shop} from './fixtures/shop'
import {now} from './golden'
import {Page, json, problem, turns} from './page'

const page = new Page()
const shop = new Shop(now)
const caller = {namespace: 'argocd', name: 'shop-dev', project: 'shop'}
const last = () => page.calls[page.calls.length - 1]

async function failure(answer: () => Response): Promise<Problem> {
  page.answer = c => (c.url.includes('userinfo') ? json({loggedIn: signedIn}) : answer())
  return getApplication(caller).then(
    () => assert.fail('it should fail'),
    (e: Problem) => e,
  )
}
let signedIn = true

test('the root is where Argo CD stands', () => {
  const roots: Array<[string | undefined, string]> = [['/', '/'], ['/argo', '/argo/'], ['/argo/', '/argo/'], [undefined, '/']]
  for (const [base, want] of roots) {
    page.base = base
    assert.equal(root(), want)
  }
})

test('a read goes through the gate of reads, with the headers that Argo CD wants', async () => {
  page.base = '/argo/'
  page.answer = () => json(shop.application('dev'))
  await getApplication(caller)
  assert.equal(last().url, '/argo/extensions/waybill/api/v1/application')
  assert.equal(last().headers['Argocd-Application-Name'], 'argocd:shop-dev')
  assert.equal(last().headers['Argocd-Project-Name'], 'shop')
  page.base = '/'
})

test('a pipeline of another namespace has a colon in its path', async () => {
  await getPipeline(caller, 'team/shop')
  assert.equal(last().url, '/extensions/waybill/api/v1/pipelines/team:shop')
  await getPreview(caller, 'shop', 'prod', 'v1.0.0+x', false)
  assert.equal(last().url, '/extensions/waybill/api/v1/pipelines/shop/stages/prod/preview?freight=v1.0.0%2Bx')
  await getPreview(caller, 'shop', 'prod', 'v1.0.0', true)
  assert.equal(last().url, '/extensions/waybill/api/v1/pipelines/shop/stages/prod/preview?freight=v1.0.0&rollback=true')
  await compareFreight(caller, 'shop', 'a', 'b')
  assert.equal(last().url, '/extensions/waybill/api/v1/pipelines/shop/freight/compare?from=a&to=b')
})

test('a change goes through the gate that the server tells, as JSON', async () => {
  const actions = [{name: 'approve' as const, gate: 'qa-gate'}]
  await ask(caller, 'shop', actions, {action: 'approve', promotion: 'shop-prod-1', comment: 'Yes', preview: 'sha256:1'})
  assert.deepEqual([last().method, last().url, last().headers['Content-Type'], last().body], ['POST', '/extensions/qa-gate/api/v1/pipelines/shop/promotions/shop-prod-1/approve', 'application/json', '{"comment":"Yes","preview":"sha256:1"}'])
})

test('what the client has is not sent again', async () => {
  page.answer = c => (c.headers['If-None-Match'] === '"7"' ? new Response(null, {status: 304}) : json({}, '"7"'))
  const fresh = await getPipeline(caller, 'shop')
  assert.equal(fresh!.etag, '"7"')
  assert.equal(await getPipeline(caller, 'shop', {etag: '"7"'}), undefined)
})

test('a refusal carries the sentence and the tree of the server', async () => {
  const verdict = shop.verdict('dev', 10, 'refused')
  const p = await failure(() => problem(409, {type: 'urn:waybill:problem:ineligible', title: 'Not eligible', status: 409, detail: 'freight 1 is too young', verdict}))
  assert.deepEqual([p.kind, p.title, p.detail, p.type], ['refused', 'Not eligible', 'Freight 1 is too young.', 'urn:waybill:problem:ineligible'])
  assert.deepEqual(p.verdict, verdict)
})

test('who is signed out is told from who may not', async () => {
  const refused = () => new Response('Unauthorized extension request\n', {status: 401})
  assert.equal((await failure(refused)).kind, 'no-access')
  signedIn = false
  assert.equal((await failure(refused)).kind, 'signed-out')
  assert.equal((await failure(() => new Response('Auth cookie not found', {status: 400}))).kind, 'signed-out')
  signedIn = true
})

test('each other failure says what to do', async () => {
  assert.equal((await failure(() => new Response('Extension not found', {status: 404}))).kind, 'not-installed')
  assert.equal((await failure(() => new Response('', {status: 502}))).kind, 'unreachable')
  assert.equal((await failure(() => new Response('<html>', {status: 418}))).kind, 'unreachable')
  assert.equal((await failure(() => { throw new TypeError('Failed to fetch') })).kind, 'unreachable')
  assert.equal((await failure(() => new Response('<html>', {status: 200}))).kind, 'unreachable')
  assert.equal((await failure(() => problem(403, {type: 'urn:waybill:problem:not-bound', title: 'Not bound', status: 403, detail: 'x'}))).kind, 'not-bound')
})

test('a failure tells whether Waybill answered', async () => {
  assert.equal((await failure(() => new Response('', {status: 502}))).unanswered, true)
  assert.equal((await failure(() => problem(503, {type: 'urn:waybill:problem:unavailable', title: 'Try again', status: 503, detail: 'the Git repository does not answer'}))).unanswered, false)
  for (const broken of ['{"type":', 'null', '{"title": "No detail"}']) {
    const p = await failure(() => new Response(broken, {status: 500, headers: {'Content-Type': 'application/problem+json'}}))
    assert.deepEqual([p.unanswered, p.title], [true, 'Waybill could not be reached'], broken)
  }
})

test('a gate is shown as held unless Argo CD says no', async () => {
  page.answer = c => json({value: c.url.endsWith('/waybill-approve') ? 'no' : 'yes'})
  assert.deepEqual([await mayInvoke('waybill-promote'), await mayInvoke('waybill-approve')], [true, false])
  assert.equal(last().url, '/api/v1/account/can-i/extensions/invoke/waybill-approve')
  page.answer = () => new Response('', {status: 500})
  assert.equal(await mayInvoke('waybill-promote'), true)
})

test('one request is in flight, however many views ask', async () => {
  page.answer = async () => {
    await turns()
    return json({})
  }
  page.most = 0
  await Promise.all([getPipeline(caller, 'a'), getPipeline(caller, 'b'), mayInvoke('c'), getPipeline(caller, 'd')])
  assert.equal(page.most, 1)
})

test('what a person asked for goes before what waits', async () => {
  const order: string[] = []
  const one = new Lane()
  const job = (name: string) => async () => void order.push(name)
  await Promise.all([one.run(job('first')), one.run(job('poll')), one.run(job('click'), true), one.run(job('click 2'), true)])
  assert.deepEqual(order, ['first', 'click', 'click 2', 'poll'])
})

test('what a person asked for interrupts a read, which is begun anew', async () => {
  const order: string[] = []
  const one = new Lane()
  const read = one.run(
    stop =>
      new Promise<string>((resolve, reject) => {
        order.push('read')
        stop.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
        if (order.includes('click')) {
          resolve('read')
        }
      }),
  )
  await one.run(async () => void order.push('click'), true)
  assert.equal(await read, 'read')
  assert.deepEqual(order, ['read', 'click', 'read'])
})

test('one thing that a person asked for does not interrupt another', async () => {
  const one = new Lane()
  let stopped = false
  const first = one.run(async stop => {
    await turns()
    stopped = stop.aborted
  }, true)
  await Promise.all([first, one.run(async () => undefined, true)])
  assert.equal(stopped, false)
})

test('an answer that never comes is given up, and the next call is made', async t => {
  t.mock.timers.enable({apis: ['setTimeout']})
  page.answer = c => (c.url.endsWith('/application') ? new Promise(() => undefined) : json({}))
  const slow = getApplication(caller)
  const failed = assert.rejects(slow, {kind: 'unreachable'})
  await turns()
  t.mock.timers.tick(40000)
  await failed
  assert.ok(await getPipeline(caller, 'shop'))
})

test('lists that are null are empty', async () => {
  page.answer = () => json({name: 'shop', edges: null, freight: null})
  const fresh = await getPipeline(caller, 'shop')
  assert.deepEqual([fresh!.value.edges, fresh!.value.freight, fresh!.value.stages], [[], [], []])
})

test('a task that fails does not stop the lane', async () => {
  const one = new Lane()
  await assert.rejects(one.run(() => Promise.reject(new Error('no'))))
  assert.equal(await one.run(async () => 3), 3)
})

test('a call that nobody waits for any more is not made', async () => {
  const before = page.calls.length
  const control = new AbortController()
  const blocked = lane.run(turns)
  const waiting = call(caller, '/me', {gate: 'waybill', signal: control.signal})
  control.abort()
  await blocked
  await assert.rejects(waiting, {name: 'AbortError'})
  assert.equal(page.calls.length, before)
})
