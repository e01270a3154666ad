import {text} from '../strings'
import type {Freight, Load, Pipeline, Stage} from '../api/wire'
import {goDuration} from './time'
import {called, type Called} from './names'
import {matches} from './search'

// Health is Argo CD's word for the Applications of a stage together: the worst of them.
export type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown' | ''
const worst: Health[] = ['Degraded', 'Missing', 'Unknown', 'Progressing', 'Suspended', 'Healthy']

export type Sync = 'Synced' | 'OutOfSync' | 'Unknown' | ''

// Card is a stage as the graph and the list draw it.
export interface Card {
  name: string
  own: boolean
  freight: Array<Called & {id: string; since: string; verified: boolean; origin: string}>
  health: Health
  sync: Sync
  // activity is the promotion that runs.
  activity: string
  failed: boolean
  held: boolean
  queue: number
  waiting: string
  // until is when what waits may go on by itself.
  until?: string
  auto: boolean
  approvals: number
  trouble: boolean
  empty: string
  // words are what the search looks in.
  words: string
}

// cardOf makes a stage's card; soak is until when what it gets next soaks upstream.
export function cardOf(stage: Stage, own: boolean, pipeline?: Pipeline, soak?: string): Card {
  const apps = stage.applications || []
  const waiting = (stage.pending || [])[0]
  const running = stage.running
  return {
    name: stage.name,
    own,
    freight: (stage.current || []).map(l => ({id: l.freight, ...calledOf(l), since: l.since, verified: !!l.verifiedAt, origin: l.origin})),
    health: worst.find(h => apps.some(a => (a.health || 'Unknown') === h)) || '',
    sync: apps.length === 0 ? '' : apps.some(a => a.sync === 'OutOfSync') ? 'OutOfSync' : apps.every(a => a.sync === 'Synced') ? 'Synced' : 'Unknown',
    activity: running ? aliasIn(pipeline, stage, running.freight) : '',
    failed: !running && failed(stage),
    held: (stage.holds || []).length > 0,
    queue: (stage.pending || []).length,
    waiting: waiting ? waiting.waiting : '',
    until: untilIn(waiting ? waiting.waiting : '') || soak,
    auto: stage.autoPromotion,
    approvals: stage.approval ? stage.approval.required : 0,
    trouble: (stage.problems || []).length > 0 || apps.some(a => a.trouble),
    empty: stage.controlFlow ? text.stage.controlFlow : apps.length === 0 ? text.stage.noApplications : text.stage.empty,
    words: [stage.name, ...(stage.current || []).map(l => `${l.alias || ''} ${l.summary} ${l.freight}`), ...apps.map(a => a.name)].join(' '),
  }
}

// isDim tells whether a card steps back: it does not match the search, or the freight
// that is selected was never in the stage.
export const isDim = (query: string, touched: Set<string> | undefined, card: Card): boolean => !matches(card.words, query) || (touched !== undefined && !touched.has(card.name))

// candidateAlias names what a warehouse selects now; empty where it selects nothing.
export function candidateAlias(pipeline: Pipeline, warehouse: string): string {
  const w = pipeline.warehouses.find(one => one.name === warehouse)
  return w && w.candidate ? aliasIn(pipeline, undefined, w.candidate) : ''
}

// failed tells whether the newest promotion that ran brought no freight.
export const failed = (stage: Stage): boolean => !!stage.last && (stage.last.phase === 'Failed' || stage.last.phase === 'Errored')

// calledOf names freight in a stage.
export const calledOf = (l: Pick<Load, 'alias' | 'summary' | 'freight'>): Called => called({...l, id: l.freight})

// calledIn names freight of which only the ID is at hand.
export function calledIn(pipeline: Pipeline | undefined, stage: Stage | undefined, id: string): Called {
  const loads = stage ? [...(stage.current || []), ...(stage.history || [])] : []
  const recent = pipeline && pipeline.freight.find(f => f.id === id)
  const load = loads.find(l => l.freight === id)
  return load ? calledOf(load) : called(recent || {id})
}

export const aliasIn = (pipeline: Pipeline | undefined, stage: Stage | undefined, id: string): string => calledIn(pipeline, stage, id).alias

// untilIn reads when a wait ends from the server's sentence: it ends with the moment
// ("wait until 2026-11-26T18:00:00Z").
export function untilIn(sentence: string): string | undefined {
  const m = /until (\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))/.exec(sentence)
  return m ? m[1] : undefined
}

// sourcesOf tells in words where a stage takes freight from.
export function sourcesOf(stage: Stage): Array<{origin: string; words: string}> {
  return stage.requestedFreight.map(r => {
    const s = r.sources
    const ups = (s.stages || []).join(s.availabilityStrategy === 'All' ? text.stage.all : text.stage.oneOf)
    const from = [s.direct ? text.stage.direct(r.origin.name) : '', ups].filter(Boolean).join(text.stage.oneOf)
    const soak = s.requiredSoakTime && s.requiredSoakTime !== '0s' ? ' ' + text.stage.soak(goDuration(s.requiredSoakTime)) : ''
    return {origin: r.origin.name, words: from + soak}
  })
}

// offered returns, for each origin, the newest freight that a stage's upstream holds
// or its warehouse selects: what it would get next.
export function offered(pipeline: Pipeline, stage: Stage): Array<{origin: string; freight: string}> {
  const rank = ranks(pipeline.freight)
  return stage.requestedFreight.flatMap(r => {
    const origin = r.origin.name
    const ids: string[] = []
    if (r.sources.direct) {
      const w = pipeline.warehouses.find(one => one.name === origin)
      if (w && w.candidate) {
        ids.push(w.candidate)
      }
    }
    for (const name of r.sources.stages || []) {
      const up = pipeline.stages.find(s => s.name === name)
      const load = up && up.current.find(l => l.origin === origin)
      if (load) {
        ids.push(load.freight)
      }
    }
    const newest = ids.sort((a, b) => at(rank, a) - at(rank, b))[0]
    return newest ? [{origin, freight: newest}] : []
  })
}

const ranks = (freight: Freight[]) => new Map(freight.map((f, i) => [f.id, i] as [string, number]))
const at = (rank: Map<string, number>, id: string): number => rank.get(id) ?? Infinity

// Behind is how many pieces of freight a stage is behind its upstream; `more` where
// the pipeline's list of recent freight does not reach back to what it holds.
export interface Behind {
  n: number
  more: boolean
}

export function behind(pipeline: Pipeline, stage: Stage): Behind {
  let worstSoFar: Behind = {n: 0, more: false}
  for (const next of offered(pipeline, stage)) {
    const line = pipeline.freight.filter(f => f.origin === next.origin)
    const from = line.findIndex(f => f.id === next.freight)
    const held = stage.current.find(l => l.origin === next.origin)
    const to = held ? line.findIndex(f => f.id === held.freight) : -1
    if (from < 0 || (to >= 0 && to <= from)) {
      continue // it has the newest, or something newer, by a person's choice
    }
    const one = to < 0 ? {n: held ? line.length - from : 1, more: !!held} : {n: to - from, more: false}
    worstSoFar = one.n > worstSoFar.n ? one : worstSoFar
  }
  return worstSoFar
}
