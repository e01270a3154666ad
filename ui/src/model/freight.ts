import type {Freight, Pipeline} from '../api/wire'
import {artifactsOf, called, person, short, type Artifact} from './names'
import {joined} from './pages'
import {matches} from './search'

// FreightRow is a piece of freight in the line.
export interface FreightRow {
  id: string
  short: string
  alias: string
  // summary is empty where it stands for the alias.
  summary: string
  // subject and author tell what changed, by the first artifact that knows.
  subject: string
  author: string
  createdBy: string
  // reason is why they did.
  reason: string
  origin: string
  at: string
  artifacts: Artifact[]
  // stages hold it now; passed are others in which it passed before.
  stages: string[]
  passed: string[]
  candidate: boolean
  words: string
}

export function freightRow(f: Freight, candidates: string[] = []): FreightRow {
  const artifacts = artifactsOf(f)
  const stages = f.stages || []
  const verified = f.verifiedIn || []
  const told = artifacts.map(a => a.about).find(a => a.subject !== '') || artifacts.map(a => a.about).find(a => a.author !== '')
  return {
    id: f.id,
    short: short(f.id),
    ...called(f),
    subject: told ? told.subject : '',
    author: told ? told.author : '',
    createdBy: f.createdBy ? person(f.createdBy) : '',
    reason: f.reason || '',
    origin: f.origin,
    at: f.discoveredAt,
    artifacts,
    stages,
    passed: verified.filter(s => !stages.includes(s)),
    candidate: candidates.includes(f.id),
    words: [f.id, f.alias, f.summary, f.origin, f.createdBy, f.reason, ...stages, ...verified, ...artifacts.map(a => [a.name, a.version, a.pin, ...Object.values(a.about)].join(' '))].join(' '),
  }
}

export const candidatesOf = (p: Pipeline): string[] => p.warehouses.flatMap(w => (w.candidate ? [w.candidate] : []))

export function filterFreight(rows: FreightRow[], query: string, origin: string): FreightRow[] {
  return rows.filter(r => (origin === '' || r.origin === origin) && matches(r.words, query))
}

// lineOf puts older freight behind the recent one of the pipeline's view. Where it is and
// passed may have changed since it was asked for: the stages know.
export function lineOf(p: Pipeline, older: Freight[]): Freight[] {
  const recent = new Set(p.freight.map(f => f.id))
  const holders = new Map<string, string[]>()
  const passed = new Map<string, string[]>()
  const add = (to: Map<string, string[]>, id: string, stage: string) => to.set(id, [...(to.get(id) || []), stage])
  for (const s of p.stages) {
    s.current.forEach(l => add(holders, l.freight, s.name))
    const loads = [...s.current, ...(s.history || [])]
    new Set(loads.filter(l => l.verifiedAt).map(l => l.freight)).forEach(id => add(passed, id, s.name))
  }
  const now = (f: Freight): Freight =>
    recent.has(f.id) ? f : {...f, stages: holders.get(f.id) || [], verifiedIn: [...new Set([...(f.verifiedIn || []), ...(passed.get(f.id) || [])])]}
  return joined(p.freight, older).map(now)
}

// touchedBy returns the stages in which freight is or passed; nothing where it is not
// among the recent ones.
export function touchedBy(p: Pipeline, id: string): Set<string> | undefined {
  const f = p.freight.find(one => one.id === id)
  return f && new Set([...(f.stages || []), ...(f.verifiedIn || [])])
}

// onward returns the stages that freight may go to next: those that request it, do not
// hold it, and take it from where it is or passed. The verdicts are the server's.
export function onward(p: Pipeline, f: Pick<Freight, 'id' | 'origin' | 'stages' | 'verifiedIn'>): string[] {
  const been = new Set([...(f.stages || []), ...(f.verifiedIn || [])])
  return p.stages
    .filter(s => !(f.stages || []).includes(s.name))
    .filter(s => s.requestedFreight.some(r => r.origin.name === f.origin && (r.sources.direct || (r.sources.stages || []).some(up => been.has(up)))))
    .map(s => s.name)
}

// reachable returns the freight that a stage could ask for at all.
export const reachable = (p: Pipeline, stage: string, all: Freight[]): Freight[] => {
  const s = p.stages.find(one => one.name === stage)
  return s ? all.filter(f => s.requestedFreight.some(r => r.origin.name === f.origin)) : []
}
