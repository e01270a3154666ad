// Answers the extension's calls from recorded answers. `?scenario=` chooses the state.
import {large, manyFreight} from '../test/fixtures/large'
import {Shop} from '../test/fixtures/shop'
import type {Pipeline, Promotion} from '../src/api/wire'

export interface Options {
  scenario: string
  own: string
}

const wait = (ms: number, signal?: AbortSignal | null) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new DOMException('', 'AbortError'))
    })
  })

export function mock({scenario, own}: Options): void {
  const shop = new Shop(Date.now())
  const freight = scenario === 'large' ? manyFreight(Date.now(), 2000) : []
  let pipeline: Pipeline = scenario === 'large' ? {...large(Date.now(), 200), freight: freight.slice(0, 20)} : shop.pipeline()
  if (scenario === 'empty') {
    pipeline = {...pipeline, freight: [], warehouses: [{...pipeline.warehouses[0], candidate: undefined, error: 'registry.example.com/shop has no tag that ^1.0.0 allows'}], stages: pipeline.stages.map(s => shop.stage(s.name, {requestedFreight: s.requestedFreight}))}
  }
  if (scenario === 'idle') {
    pipeline = {...pipeline, stages: pipeline.stages.map(s => ({...s, running: undefined, pending: []}))}
  }
  if (scenario === 'document') {
    pipeline = {...pipeline, problems: [{path: 'stages[2].approval.required', message: 'must be at least 1'}]}
  }
  let etag = 1
  let asked: Promotion | undefined
  const promotions = () => (asked ? [asked, ...shop.promotions()] : scenario === 'empty' ? [] : shop.promotions())
  const json = (body: unknown, status = 200, type = 'application/json') => new Response(JSON.stringify(body), {status, headers: {'Content-Type': type, ETag: `"${etag}"`}})
  const refuse = (status: number, type: string, title: string, detail: string, more = {}) =>
    json({type: 'urn:waybill:problem:' + type, title, status, detail, ...more}, status, 'application/problem+json')

  // run makes what was asked for go on, a step each second and a half.
  const run = (stage: string, n: number, reason: string) => {
    const names = ['write-waybill', 'argocd-sync', 'argocd-wait']
    const at = () => new Date().toISOString()
    const steps: NonNullable<Promotion['steps']> = names.map(name => ({name, phase: 'Pending' as const}))
    const begun = {...shop.promotion(stage, n), id: 'shop-asked-' + etag, request: {by: 'alice', at: at(), reason}, startedAt: at(), finishedAt: undefined, phase: 'Running' as const, applications: undefined}
    const show = (one: Promotion) => {
      asked = one
      etag++
      const {summary, ...record} = one
      const ended = one.phase === 'Succeeded'
      pipeline = {
        ...pipeline,
        stages: pipeline.stages.map(s =>
          s.name === stage ? {...s, running: ended ? undefined : record, current: ended ? [{origin: 'shop', freight: one.freight, promotion: one.id, since: at(), summary, verifiedAt: at()}] : s.current} : s,
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

  const answer = async (path: string, query: URLSearchParams, init: RequestInit): Promise<Response> => {
    if (path.includes('can-i')) {
      return json({value: scenario === 'viewer' ? 'no' : 'yes'})
    }
    if (path.endsWith('userinfo')) {
      return json({loggedIn: scenario !== 'signed-out'})
    }
    if (scenario === 'down') {
      return new Response('', {status: 502})
    }
    if (scenario === 'no-access' || scenario === 'signed-out') {
      return new Response('Unauthorized extension request', {status: 401})
    }
    if (scenario === 'not-bound') {
      return refuse(403, 'not-bound', 'Not bound', 'stage waybill/shop/prod takes Applications of AppProject shop-prod, this one is of shop')
    }
    const call = path.replace(/^.*\/api\/v1/, '')
    const version = (text: string | null) => Number(/v1\.(\d+)/.exec((pipeline.freight.find(f => f.id === text) || {summary: 'v1.10'}).summary)![1])
    if (init.method === 'POST') {
      await wait(500)
      if (scenario === 'refused') {
        return refuse(409, 'ineligible', 'The freight is not eligible', 'freight 1234567 has soaked 6m0s of 10m0s in staging: wait until it has', {verdict: shop.verdict(own, 10, 'refused')})
      }
      if (scenario === 'forbidden') {
        return refuse(403, 'forbidden', 'Not allowed', `Argo CD's policy does not allow dana applications, action/waybill.dev/Stage/promote, on shop-prod/shop-${own}: an administrator grants it in argocd-rbac-cm`)
      }
      if (call.endsWith('refresh')) {
        return new Response('', {status: 202})
      }
      if (!call.endsWith('/promotions') && !call.endsWith('/rollback')) {
        const decided = pipeline.stages.flatMap(s => s.pending || []).find(p => call.includes(p.id))
        return json({...decided, summary: shop.alias(10)})
      }
      run(call.split('/')[4], version(JSON.parse(String(init.body)).freight), JSON.parse(String(init.body)).reason)
      return json({...asked!, phase: 'Pending', steps: undefined, startedAt: undefined, serial: undefined}, 201)
    }
    if (call === '/application') {
      return json({...shop.application('dev'), name: 'shop-' + own, stage: pipeline.stages.find(s => s.name === own), actions: pipeline.gates})
    }
    if (call === '/me') {
      return json({username: 'dana', gate: 'waybill', application: 'argocd/shop-' + own, project: 'shop'})
    }
    if (call.includes('/eligibility')) {
      const stage = call.split('/')[4]
      return json(shop.verdict(stage, version(query.get('freight')), scenario === 'refused' || stage === 'prod-us' ? 'refused' : stage === 'dev' ? 'ready' : 'waits'))
    }
    if (call.includes('/preview')) {
      await wait(600, init.signal)
      return scenario === 'no-preview' ? refuse(503, 'unavailable', 'Try again', 'the Git repository does not answer') : json(shop.preview(call.split('/')[4], version(query.get('freight'))))
    }
    if (call.includes('/compare')) {
      return json(shop.comparison(version(query.get('from')), version(query.get('to'))))
    }
    if (call.endsWith('/promotions')) {
      return json({items: promotions().filter(p => !query.get('stage') || p.stage === query.get('stage'))})
    }
    if (call.includes('/promotions/')) {
      const found = promotions().find(p => call.endsWith(p.id))
      return found ? json(found) : refuse(404, 'not-found', 'Not found', 'there is no such promotion')
    }
    if (call.endsWith('/freight')) {
      const from = Number(query.get('cursor') || 0)
      const all = freight.length > 0 ? freight : pipeline.freight
      return json({items: all.slice(from, from + 200), ...(from + 200 < all.length ? {next: String(from + 200)} : {})})
    }
    if (init.headers && (init.headers as Record<string, string>)['If-None-Match'] === `"${etag}"`) {
      return new Response(null, {status: 304, headers: {ETag: `"${etag}"`}})
    }
    return json(pipeline)
  }

  const log: string[] = []
  Object.assign(window, {waybillCalls: log})
  window.fetch = async (input, init = {}) => {
    const url = new URL(String(input), window.location.href)
    log.push(`${init.method || 'GET'} ${url.pathname}${url.search}`)
    if (scenario === 'loading') {
      await new Promise(() => undefined)
    }
    await wait(20, init.signal)
    return answer(url.pathname, url.searchParams, init)
  }
}
