// All calls of the API, one function each. No other file knows a URL.
import {call, type Caller, type Fresh} from './client'
import type {Action, ActionName, Application, Comparison, Freight, FreightPage, Me, Pipeline, Preview, Promotion, PromotionPage, Verdict} from './wire'

// read is the gate of every read.
const read = 'waybill'

export interface Reading {
  etag?: string
  signal?: AbortSignal
}

export type Answer<T> = Promise<Fresh<T> | undefined>

const get = <T>(caller: Caller, path: string, r: Reading = {}): Answer<T> => call<T>(caller, path, {gate: read, ...r})

export const getMe = (caller: Caller, r?: Reading): Answer<Me> => get(caller, '/me', r)

export const getApplication = (caller: Caller, r?: Reading): Answer<Application> => get(caller, '/application', r)

export async function getPipeline(caller: Caller, pipeline: string, r?: Reading): Answer<Pipeline> {
  const fresh = await get<Pipeline>(caller, of(pipeline), r)
  return fresh && {...fresh, value: whole(fresh.value)}
}

// whole gives an empty list where the server has none: Go writes both as null.
function whole(p: Pipeline): Pipeline {
  return {...p, gates: p.gates || [], warehouses: p.warehouses || [], stages: p.stages || [], edges: p.edges || [], freight: p.freight || []}
}

export const listFreight = (caller: Caller, pipeline: string, cursor: string, r?: Reading): Answer<FreightPage> =>
  get(caller, of(pipeline) + '/freight' + query({limit: '200', cursor}), r)

export const getFreight = (caller: Caller, pipeline: string, id: string, r?: Reading): Answer<Freight> =>
  get(caller, `${of(pipeline)}/freight/${encodeURIComponent(id)}`, r)

export const listPromotions = (caller: Caller, pipeline: string, stage: string, cursor: string, r?: Reading): Answer<PromotionPage> =>
  get(caller, of(pipeline) + '/promotions' + query({limit: '100', stage, cursor}), r)

export const getPromotion = (caller: Caller, pipeline: string, id: string, r?: Reading): Answer<Promotion> =>
  get(caller, `${of(pipeline)}/promotions/${encodeURIComponent(id)}`, r)

export const getEligibility = (caller: Caller, pipeline: string, stage: string, freight: string, rollback: boolean, r?: Reading): Answer<Verdict> =>
  get(caller, `${ofStage(pipeline, stage)}/eligibility` + query({freight, rollback: rollback ? 'true' : ''}), r)

export const getPreview = (caller: Caller, pipeline: string, stage: string, freight: string, rollback: boolean, r?: Reading): Answer<Preview> =>
  get(caller, `${ofStage(pipeline, stage)}/preview` + query({freight, rollback: rollback ? 'true' : ''}), r)

export const compareFreight = (caller: Caller, pipeline: string, from: string, to: string, r?: Reading): Answer<Comparison> =>
  get(caller, `${of(pipeline)}/freight/compare` + query({from, to}), r)

// Ask is what a person asks of a stage or of a promotion.
export type Ask =
  | {action: 'promote'; stage: string; freight: string; reason: string; key: string}
  | {action: 'rollback'; stage: string; freight: string; reason: string; key: string}
  | {action: 'approve'; promotion: string; comment: string; preview?: string}
  | {action: 'reject' | 'abort'; promotion: string; comment: string}
  | {action: 'refresh'; warehouse: string}

// ask makes a change, through the gate that the server told for it.
export async function ask(caller: Caller, pipeline: string, actions: Action[], a: Ask): Promise<Promotion | undefined> {
  const [path, body] = request(pipeline, a)
  const answer = await call<Promotion>(caller, path, {gate: gateOf(actions, a.action), method: 'POST', body})
  return answer && answer.value
}

export function gateOf(actions: Action[], name: ActionName): string {
  const action = actions.find(a => a.name === name)
  return action ? action.gate : read
}

function request(pipeline: string, a: Ask): [path: string, body: unknown] {
  switch (a.action) {
    case 'promote':
      return [`${ofStage(pipeline, a.stage)}/promotions`, {freight: a.freight, reason: a.reason, key: a.key}]
    case 'rollback':
      return [`${ofStage(pipeline, a.stage)}/rollback`, {freight: a.freight, reason: a.reason, key: a.key}]
    case 'approve':
      return [`${ofPromotion(pipeline, a.promotion)}/approve`, {comment: a.comment, preview: a.preview}]
    case 'reject':
    case 'abort':
      return [`${ofPromotion(pipeline, a.promotion)}/${a.action}`, {comment: a.comment}]
    case 'refresh':
      return [`${of(pipeline)}/warehouses/${encodeURIComponent(a.warehouse)}/refresh`, {}]
  }
}

// of names a pipeline in a path: the proxy takes a colon for the slash that stands
// before a name, which Argo CD would take for the path's own.
const of = (pipeline: string) => '/pipelines/' + pipeline.split('/').map(encodeURIComponent).join(':')
const ofStage = (pipeline: string, stage: string) => `${of(pipeline)}/stages/${encodeURIComponent(stage)}`
const ofPromotion = (pipeline: string, id: string) => `${of(pipeline)}/promotions/${encodeURIComponent(id)}`

function query(values: Record<string, string>): string {
  const params = new URLSearchParams()
  Object.keys(values).forEach(k => values[k] && params.set(k, values[k]))
  const written = params.toString()
  return written && '?' + written
}
