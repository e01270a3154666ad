import assert from 'node:assert/strict'
import {test} from 'node:test'
import {Feed} from '../src/api/feed'
import {Session, sessionOf} from '../src/api/session'
import {Problem} from '../src/api/problem'
import type {Reading} from '../src/api/calls'
import {Shop} from './fixtures/shop'
import {now} from './golden'
import {Page, json, problem, turns} from './page'

const page = new Page()

interface Asked {
  readings: Reading[]
  answer: (r: Reading) => {value: string; etag: string} | undefined
}

function feed(asked: Asked, pace: () => number = () => 15000): Feed<string> {
  return new Feed<string>(async r => {
    asked.readings.push(r)
    return asked.answer(r)
  }, pace)
}

test('it asks at once, and again after its pace', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const stop = feed(asked).listen(() => undefined)
  t.mock.timers.tick(0)
  await turns()
  assert.equal(asked.readings.length, 1)
  t.mock.timers.tick(14999)
  await turns()
  assert.equal(asked.readings.length, 1)
  t.mock.timers.tick(1)
  await turns()
  assert.deepEqual(asked.readings.map(r => r.etag), ['', '1'])
  stop()
})

test('it draws nothing when the answer is as before', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: r => (r.etag ? undefined : {value: 'a', etag: '1'})}
  let drawn = 0
  const f = feed(asked, () => 1000)
  const stop = f.listen(() => drawn++)
  for (let i = 0; i < 5; i++) {
    t.mock.timers.tick(i === 0 ? 0 : 1000)
    await turns()
  }
  assert.deepEqual([asked.readings.length, drawn, f.state.value], [5, 1, 'a'])
  stop()
})

test('a page in the background asks nothing, and asks what is due when it comes back', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const stop = feed(asked, () => 1000).listen(() => undefined)
  t.mock.timers.tick(0)
  await turns()
  page.hide(true)
  t.mock.timers.tick(600000)
  await turns()
  assert.equal(asked.readings.length, 1)
  page.hide(false)
  t.mock.timers.tick(0)
  await turns()
  assert.equal(asked.readings.length, 2)
  stop()
})

test('after failures it waits longer, keeps what it knew, and recovers', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  let fails = false
  const asked: Asked = {
    readings: [],
    answer: () => {
      if (fails) {
        throw new Problem('unreachable', 'down', 'down')
      }
      return {value: 'a', etag: '1'}
    },
  }
  const f = feed(asked, () => 1000)
  const stop = f.listen(() => undefined)
  const at = async (ms: number) => {
    t.mock.timers.tick(ms)
    await turns()
    return asked.readings.length
  }
  assert.equal(await at(0), 1)
  fails = true
  assert.equal(await at(1000), 2)
  assert.deepEqual([f.state.value, f.state.problem!.kind], ['a', 'unreachable'])
  assert.equal(await at(1999), 2)
  assert.equal(await at(1), 3)
  assert.equal(await at(3999), 3)
  fails = false
  assert.equal(await at(1), 4)
  assert.equal(f.state.problem, undefined)
  assert.equal(await at(1000), 5)
  stop()
})

test('nobody listens, nothing is asked', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const f = feed(asked, () => 1000)
  f.refresh()
  const stop = f.listen(() => undefined)
  stop()
  t.mock.timers.tick(60000)
  await turns()
  assert.equal(asked.readings.length, 0)
})

test('what was asked in vain, because the view had gone, is asked at once when it is back', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Reading[] = []
  const f = new Feed<string>(
    r => (asked.push(r), new Promise((_, reject) => r.signal!.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))))),
    () => 15000,
  )
  const stop = f.listen(() => undefined)
  t.mock.timers.tick(0)
  await turns()
  stop()
  const again = f.listen(() => undefined)
  t.mock.timers.tick(0)
  await turns()
  assert.equal(asked.length, 2)
  again()
})

test('two views of one feed ask once', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const f = feed(asked)
  const stops = [f.listen(() => undefined), f.listen(() => undefined)]
  t.mock.timers.tick(0)
  await turns()
  assert.equal(asked.readings.length, 1)
  stops.forEach(stop => stop())
})

test('a refresh during a call asks once more after it', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const f = feed(asked)
  const stop = f.listen(() => undefined)
  t.mock.timers.tick(0)
  f.refresh()
  await turns()
  t.mock.timers.tick(0)
  await turns()
  assert.equal(asked.readings.length, 2)
  stop()
})

test('a session asks for the Application first, then for its pipeline alone', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  const quiet = {...shop.pipeline(), stages: [shop.stage('dev', {})]}
  page.calls = []
  page.answer = c => (c.url.endsWith('/application') ? json(shop.application('dev', quiet)) : c.url.includes('/pipelines/') ? json(quiet) : json({value: 'yes', username: 'dana'}))
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const stop = session.listen(() => undefined, 'whole')
  for (let i = 0; i < 4; i++) {
    t.mock.timers.tick(i < 2 ? 0 : 15000)
    await turns()
    await turns()
  }
  stop()
  assert.deepEqual(page.calls.map(c => c.url.replace(/^.*\/(api\/v1|extensions\/waybill\/api\/v1)/, '')), [
    '/application',
    '/pipelines/shop',
    '/account/can-i/extensions/invoke/waybill-promote',
    '/account/can-i/extensions/invoke/waybill-approve',
    '/me',
    '/pipelines/shop',
    '/pipelines/shop',
  ])
  assert.deepEqual(session.viewer, {username: 'dana', gates: {'waybill-promote': true, 'waybill-approve': true}})
})

test('the status panel alone asks for the Application, and for the pipeline once a minute', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  let dev = shop.stage('dev', {})
  const pipeline = () => ({...shop.pipeline(), stages: [dev, shop.stage('staging', {running: shop.running()})]})
  page.answer = c => {
    const body = c.url.endsWith('/application') ? shop.application('dev', pipeline()) : c.url.includes('/pipelines/') ? pipeline() : {value: 'yes', username: 'dana'}
    const etag = JSON.stringify(String(dev.serial))
    return c.headers['If-None-Match'] === etag ? new Response(null, {status: 304}) : json(body, etag)
  }
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const stop = session.listen(() => undefined, 'status')
  const after = async (ms: number) => {
    t.mock.timers.tick(ms)
    await turns()
    await turns()
  }
  const asked = async (...pauses: number[]) => {
    page.calls = []
    for (const ms of pauses) {
      await after(ms)
    }
    return page.calls.map(c => c.url.split('/').slice(-2).join('/'))
  }
  await asked(0, 0)
  // What runs in another stage does not hurry it.
  assert.deepEqual(await asked(15000, 15000, 15000, 15000), ['v1/application', 'v1/application', 'v1/application', 'pipelines/shop'])
  dev = {...dev, serial: 8, running: shop.running()}
  await asked(15000)
  assert.equal(session.feed.state.value!.pipeline!.stages[0].serial, 8)
  assert.deepEqual(await asked(1000, 1000), ['v1/application', 'v1/application'])
  // What changed back meanwhile is told anew, although the pipeline's ETag was seen before.
  dev = {...dev, serial: 7, running: undefined}
  const stops = [stop, session.listen(() => undefined, 'whole')]
  assert.deepEqual(await asked(1000), ['pipelines/shop'])
  assert.equal(session.feed.state.value!.pipeline!.stages[0].serial, 7)
  assert.equal(session.feed.state.value!.application.stage.serial, 7)
  stops.forEach(s => s())
})

test('a view that opens beside the status panel does not wait for its turn', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  const quiet = {...shop.pipeline(), stages: [shop.stage('dev', {})]}
  page.answer = c => (c.url.endsWith('/application') ? json(shop.application('dev', quiet)) : json(c.url.includes('/pipelines/') ? quiet : {value: 'yes', username: 'dana'}))
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const stops = [session.listen(() => undefined, 'status')]
  for (const ms of [0, 0, 15000]) {
    t.mock.timers.tick(ms)
    await turns()
    await turns()
  }
  page.calls = []
  stops.push(session.listen(() => undefined, 'whole'))
  t.mock.timers.tick(0)
  await turns()
  assert.deepEqual(page.calls.map(c => c.url.split('/').slice(-2).join('/')), ['pipelines/shop'])
  stops.forEach(stop => stop())
})

test('a session keeps the pipeline through an outage, and finds where else it is bound', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  const quiet = {...shop.pipeline(), stages: [shop.stage('dev', {})]}
  let down: (() => Response) | undefined
  page.answer = c => {
    if (down && c.url.includes('/pipelines/')) {
      return down()
    }
    return c.url.endsWith('/application') ? json(shop.application('dev', quiet)) : json(c.url.includes('/pipelines/') ? quiet : {value: 'yes', username: 'dana'})
  }
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const stop = session.listen(() => undefined, 'whole')
  const after = async (ms: number) => {
    t.mock.timers.tick(ms)
    await turns()
    await turns()
    return session.feed.state
  }
  await after(0)
  await after(0)
  page.calls = []
  down = () => new Response('', {status: 502})
  const during = await after(15000)
  assert.deepEqual([!!during.value!.pipeline, during.problem!.kind, page.calls.length], [true, 'unreachable', 1])
  down = () => problem(403, {type: 'urn:waybill:problem:not-bound', title: 'Not bound', status: 403, detail: 'x'})
  await after(15000)
  down = undefined
  page.calls = []
  const recovered = await after(15000)
  assert.deepEqual([!!recovered.value!.pipeline, recovered.problem], [true, undefined])
  assert.deepEqual(page.calls.map(c => c.url.split('/').slice(-2).join('/')), ['v1/application', 'pipelines/shop'])
  stop()
})

test('an answer that cannot be read does not stop a feed', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const asked: Asked = {readings: [], answer: () => ({value: 'a', etag: '1'})}
  const stop = feed(asked, () => {
    throw new Error('no')
  }).listen(() => undefined)
  t.mock.timers.tick(0)
  await turns()
  t.mock.timers.tick(15000)
  await turns()
  assert.equal(asked.readings.length, 2)
  stop()
})

test('an Application has one session for each stage that it joins', () => {
  const caller = {namespace: 'argocd', name: 'shop-dev', project: 'shop'}
  assert.equal(sessionOf(caller, 'shop/dev'), sessionOf({...caller}, 'shop/dev'))
  assert.notEqual(sessionOf(caller, 'shop/dev'), sessionOf(caller, 'shop/qa'))
})

test('who comes back is asked anew who they are, and what was shown to another is not shown to them', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  const quiet = {...shop.pipeline(), stages: [shop.stage('dev', {})]}
  let who = 'dana'
  let refused = false
  page.answer = c => {
    if (refused && c.url.includes('/extensions/')) {
      return new Response('Unauthorized extension request', {status: 401})
    }
    if (c.url.includes('/pipelines/')) {
      return c.headers['If-None-Match'] ? new Response(null, {status: 304}) : json(quiet)
    }
    return json(c.url.endsWith('/application') ? shop.application('dev', quiet) : {value: 'yes', username: who, loggedIn: true})
  }
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const after = async (ms: number) => {
    t.mock.timers.tick(ms)
    for (let i = 0; i < 5; i++) {
      await turns()
    }
  }
  const visit = async () => {
    const stop = session.listen(() => undefined, 'whole')
    await after(0)
    await after(15000)
    await after(15000)
    return stop
  }
  ;(await visit())()
  assert.equal(session.viewer.username, 'dana')
  who = 'erin'
  const stop = await visit()
  assert.equal(session.viewer.username, 'erin')
  // A refusal in between is told beside what was there.
  refused = true
  await after(15000)
  assert.deepEqual([session.feed.state.problem!.kind, !!session.feed.state.value], ['no-access', true])
  stop()
  await visit()
  assert.deepEqual([session.feed.state.problem!.kind, session.feed.state.value, session.viewer.username], ['no-access', undefined, ''])
})

test('who is signed out sees nothing more of what was there', async t => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date']})
  const shop = new Shop(now)
  const quiet = {...shop.pipeline(), stages: [shop.stage('dev', {})]}
  let loggedIn = true
  page.answer = c =>
    c.url.includes('/extensions/') && !loggedIn
      ? new Response('Unauthorized extension request', {status: 401})
      : json(c.url.endsWith('/application') ? shop.application('dev', quiet) : c.url.includes('/pipelines/') ? quiet : {value: 'yes', username: 'dana', loggedIn})
  const session = new Session({namespace: 'argocd', name: 'shop-dev', project: 'shop'})
  const stop = session.listen(() => undefined, 'whole')
  const after = async (ms: number) => {
    t.mock.timers.tick(ms)
    await turns()
    await turns()
    return session.feed.state
  }
  await after(0)
  assert.ok((await after(0)).value)
  loggedIn = false
  const {value, problem: told} = await after(15000)
  assert.deepEqual([value, told!.kind], [undefined, 'signed-out'])
  loggedIn = true
  await after(15000)
  assert.ok((await after(15000)).value)
  stop()
})

test('a page that stands open for long remembers the Applications of late, and those in sight', () => {
  const caller = (name: string) => ({namespace: 'argocd', name, project: 'shop'})
  const shown = sessionOf(caller('shown'), 'shop/dev')
  const stop = shown.listen(() => undefined, 'status')
  const old = sessionOf(caller('old'), 'shop/dev')
  const many = Array.from({length: 30}, (_, n) => sessionOf(caller('app-' + n), 'shop/dev'))
  assert.equal(sessionOf(caller('shown'), 'shop/dev'), shown)
  assert.notEqual(sessionOf(caller('old'), 'shop/dev'), old)
  assert.equal(sessionOf(caller('app-25'), 'shop/dev'), many[25])
  stop()
})
