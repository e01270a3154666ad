// Answers Argo CD's page and the extension in the place of their servers, from recorded
// answers. `?scenario=` chooses the state, `?theme=` the theme.
import {manyFreight} from '../test/fixtures/large'
import {Shop} from '../test/fixtures/shop'
import type {Pipeline, Promotion} from '../src/api/wire'
import {argocd, Quiet} from './argocd'
import {broken, onChanges, onReads, pipelines, previews, type Refusal} from './scenarios'

const query = new URLSearchParams(window.location.search)

// Page is what tests read and change of a page: `window.page`.
interface Page {
  scenario: string
  // latency of each answer, in milliseconds.
  latency: number
  // calls of extensions, such as "GET /extensions/waybill/api/v1/me", with the time of each.
  calls: Array<{call: string; at: number}>
  // answered is when the page first had the pipeline.
  answered: number
  inFlight: number
  mostInFlight: number
  // ids of what a place in the tab may name.
  ids: Record<string, string>
  // news brings newer freight into a stage upstream.
  news(): void
}

const now = Date.now()
const shop = new Shop(now)
const ids = {freight: shop.id(10), eldest: shop.id(1), ended: shop.promotion('prod-eu', 8).id, failed: 'shop-prod-us-1', waiting: shop.waiting().id, running: shop.running().id}
const page: Page = {scenario: query.get('scenario') || '', latency: Number(query.get('latency') || 20), calls: [], answered: 0, inFlight: 0, mostInFlight: 0, ids, news}
const change = pipelines[page.scenario]
let pipeline: Pipeline = change ? change(shop.pipeline(), shop) : shop.pipeline()
const freight = page.scenario === 'large' ? manyFreight(now, 2000) : pipeline.freight
pipeline = {...pipeline, freight: freight.slice(0, 20)}
let etag = 1
let asked: Promotion | undefined

const tag = () => `"${etag}"`
const json = (body: unknown, status = 200, type = 'application/json') => new Response(JSON.stringify(body), {status, headers: {'Content-Type': type, ETag: tag()}})
const refuse = ({type, ...r}: Refusal, more = {}) => json({...r, type: 'urn:waybill:problem:' + type, ...more}, r.status, 'application/problem+json')
const promotions = (): Promotion[] => (page.scenario === 'empty' ? [] : asked ? [asked, ...shop.promotions()] : shop.promotions())
const version = (id: string | null) => Number((/v1\.(\d+)/.exec((pipeline.freight.find(f => f.id === id) || {summary: ''}).summary) || ['', '10'])[1])

const pause = (ms: number, signal?: AbortSignal | null) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new DOMException('', 'AbortError'))
    })
  })

function news(): void {
  etag++
  pipeline = {...pipeline, stages: pipeline.stages.map(s => (s.name === 'staging' ? {...s, current: [shop.load(11, 0)]} : s))}
}

// run makes what was asked for go on, a step each second and a half.
function run(stage: string, n: number, reason: string): void {
  const names = ['write-waybill', 'argocd-sync', 'argocd-wait']
  const at = () => new Date().toISOString()
  const steps: NonNullable<Promotion['steps']> = names.map(name => ({name, phase: 'Pending' as const}))
  const begun = {...shop.promotion(stage, n), id: 'shop-asked-' + etag, request: {by: 'dana', at: at(), reason}, startedAt: at(), finishedAt: undefined, phase: 'Running' as const, applications: undefined}
  const show = (one: Promotion) => {
    asked = one
    etag++
    const {alias, summary, ...record} = one
    const ended = one.phase === 'Succeeded'
    pipeline = {
      ...pipeline,
      stages: pipeline.stages.map(s =>
        s.name === stage ? {...s, running: ended ? undefined : record, current: ended ? [{origin: 'shop', freight: one.freight, promotion: one.id, since: at(), alias, summary, verifiedAt: at()}] : s.current} : s,
      ),
    }
  }
  const next = (i: number) => {
    if (i > 0) {
      steps[i - 1] = {...steps[i - 1], phase: 'Succeeded', finishedAt: at()}
    }
    if (i < names.length) {
      steps[i] = {...steps[i], phase: 'Running', startedAt: at()}
      setTimeout(() => next(i + 1), 1500)
    }
    show({...begun, steps: [...steps], ...(i < names.length ? {} : {phase: 'Succeeded', finishedAt: at(), applications: shop.promotion(stage, n).applications})})
  }
  next(0)
}

// post answers what a person asks for.
async function post(call: string, body: string): Promise<Response> {
  await pause(500)
  if (page.scenario === 'unanswered') {
    return broken.down()
  }
  const refusal = onChanges[page.scenario]
  if (refusal) {
    return refuse(refusal, page.scenario === 'refused' ? {verdict: shop.verdict('prod-eu', 10, 'refused')} : {})
  }
  if (call.endsWith('refresh')) {
    return new Response('', {status: 202})
  }
  const decided = pipeline.stages.flatMap(s => [...(s.pending || []), ...(s.running ? [s.running] : [])]).find(p => call.includes(p.id))
  if (decided) {
    return json({...decided, ...shop.known(10)})
  }
  const {freight: id, reason} = JSON.parse(body) as {freight: string; reason: string}
  run(call.split('/')[4], version(id), reason)
  return json({...asked!, phase: 'Pending', steps: undefined, startedAt: undefined, serial: undefined}, 201)
}

// read answers a GET; its path begins behind /api/v1.
async function read(call: string, params: URLSearchParams, signal?: AbortSignal | null): Promise<Response> {
  const [, , , room, name, what] = call.split('/')
  const own = /shop-([^/?]+)/.exec(window.location.pathname)![1]
  if (call === '/application') {
    return json({...shop.application('dev'), name: 'shop-' + own, stage: pipeline.stages.find(s => s.name === own), actions: pipeline.gates})
  }
  if (call === '/me') {
    return json({username: 'dana', gate: 'waybill', application: 'argocd/shop-' + own, project: 'shop'})
  }
  if (what === 'eligibility') {
    return json(shop.verdict(name, version(params.get('freight')), page.scenario === 'refused' || name === 'prod-us' ? 'refused' : name === 'dev' ? 'ready' : 'waits'))
  }
  if (what === 'preview') {
    await pause(page.scenario === 'rendering' ? 1e8 : 300, signal)
    if (page.scenario === 'no-preview') {
      return refuse({status: 503, type: 'unavailable', title: 'Try again', detail: 'the Git repository does not answer'})
    }
    return json((previews[page.scenario] || (p => p))(shop.preview(name, version(params.get('freight')))))
  }
  if (name === 'compare') {
    return json(shop.comparison(version(params.get('from')), version(params.get('to'))))
  }
  if (room === 'promotions') {
    if (!name) {
      return json({items: promotions().filter(p => !params.get('stage') || p.stage === params.get('stage'))})
    }
    const waiting = pipeline.stages.flatMap(s => s.pending || []).find(p => p.id === name)
    const found = promotions().find(p => p.id === name)
    const approvals = page.scenario === 'postponed' ? 2 : page.scenario === 'outdated' ? 0 : 1
    return found ? json({...found, ...waiting, ...(waiting && {verdict: shop.approved(found.stage, 10, approvals)})}) : refuse({status: 404, type: 'not-found', title: 'Not found', detail: 'there is no such promotion'})
  }
  if (room === 'freight') {
    if (name) {
      return json(freight.find(f => f.id === name))
    }
    const from = Number(params.get('cursor') || 0)
    return json({items: freight.slice(from, from + 200), ...(from + 200 < freight.length ? {next: String(from + 200)} : {})})
  }
  page.answered = page.answered || performance.now()
  // No server says `null`: the views must fail without harm.
  return json(page.scenario === 'crash' ? {...pipeline, freight: [null]} : pipeline)
}

async function answer(url: URL, init: RequestInit): Promise<Response> {
  const method = init.method || 'GET'
  page.calls.push({call: `${method} ${url.pathname}${url.search}`, at: performance.now()})
  await (page.scenario === 'loading' ? new Promise(() => undefined) : pause(page.latency, init.signal))
  if (broken[page.scenario]) {
    return broken[page.scenario]()
  }
  if (onReads[page.scenario]) {
    return refuse(onReads[page.scenario])
  }
  const call = url.pathname.replace(/^.*\/api\/v1/, '')
  if (method === 'POST') {
    return post(call, String(init.body))
  }
  const fresh = (init.headers as Record<string, string>)['If-None-Match'] !== tag()
  return fresh ? read(call, url.searchParams, init.signal) : new Response(null, {status: 304, headers: {ETag: tag()}})
}

// Argo CD's page has its data once all scripts have run, as it has from a server.
const ready = new Promise(done => window.addEventListener('DOMContentLoaded', done))

const state = () => ({pipeline, bound: page.scenario !== 'unbound', signedIn: page.scenario !== 'signed-out' || page.calls.length === 0, may: page.scenario !== 'viewer'})

Object.assign(window, {
  page,
  EventSource: Quiet,
  fetch: async (input: RequestInfo, init: RequestInit = {}) => {
    const url = new URL(String(input), document.baseURI)
    const own = argocd(state(), url.pathname)
    if (own !== undefined) {
      await ready
      return json(own)
    }
    page.mostInFlight = Math.max(page.mostInFlight, ++page.inFlight)
    try {
      return await answer(url, init)
    } finally {
      page.inFlight--
    }
  },
})

if (query.get('theme')) {
  localStorage.setItem('view_preferences', JSON.stringify({theme: query.get('theme')}))
}
