import {sentence} from '../api/problem'
import {text} from '../strings'
import type {Decision, Phase, Pipeline, Promotion, PromotionRecord, Stage} from '../api/wire'
import {called, commitLink, person, short, type Called} from './names'
import {matches} from './search'
import {calledIn} from './stage'
import {between} from './time'

export interface CommitView {
  id: string
  link: string
  branch: string
}

// PromotionRow is a promotion in the history.
export interface PromotionRow extends Called {
  id: string
  stage: string
  phase: Phase
  phaseName: string
  by: string
  automatic: boolean
  rollback: boolean
  at: string
  took: string
  reason: string
  commits: CommitView[]
  words: string
}

export const promotionRow = (p: Promotion): PromotionRow => rowOf(p, called({...p, id: p.freight}))

function rowOf(p: PromotionRecord, name: Called): PromotionRow {
  const commits = commitsOf(p)
  return {
    id: p.id,
    stage: p.stage,
    ...name,
    phase: p.phase,
    phaseName: phaseName(p),
    by: person(p.request.by),
    automatic: !!p.request.automatic,
    rollback: !!p.request.rollback,
    at: p.request.at,
    took: between(p.startedAt, p.finishedAt),
    reason: p.request.reason || '',
    commits,
    words: [p.id, p.stage, name.alias, name.summary, p.freight, p.request.by, p.request.reason, p.message, ...(p.approvals || []).map(a => a.by), ...commits.map(c => c.id)].join(' '),
  }
}

// hasEnded tells whether a promotion changes no more.
export const hasEnded = (p: PromotionRecord): boolean => p.phase !== 'Pending' && p.phase !== 'Running'

export const phaseName = (p: PromotionRecord): string => (p.phase === 'Aborted' && p.reason && text.reasons[p.reason]) || text.phases[p.phase] || p.phase

function commitsOf(p: PromotionRecord): CommitView[] {
  const seen = new Set<string>()
  return (p.applications || [])
    .filter(a => a.revision && !seen.has(a.revision) && seen.add(a.revision))
    .map(a => ({id: a.revision!, link: commitLink(a.repoURL, a.revision), branch: a.branch || ''}))
}

export function filterPromotions(rows: PromotionRow[], query: string, phase: string): PromotionRow[] {
  return rows.filter(r => (phase === '' || r.phase === phase) && matches(r.words, query))
}

export type Mark = 'done' | 'busy' | 'todo' | 'bad' | 'stopped'

// StepView is a step of a promotion, or what became of one Application.
export interface StepView {
  key: string
  mark: Mark
  name: string
  took: string
  startedAt: string
  message: string
}

export const markOf = (phase: Phase): Mark =>
  ({Pending: 'todo', Running: 'busy', Succeeded: 'done', Failed: 'bad', Errored: 'bad', Aborted: 'stopped', Superseded: 'stopped'} as Record<Phase, Mark>)[phase]

// Event is what happened to a promotion, with who did it and when.
export interface Event {
  key: string
  mark: Mark
  what: string
  at: string
  said: string
  note: string
}

export interface PromotionView extends PromotionRow {
  freight: string
  message: string
  waiting: string
  open: boolean
  steps: StepView[]
  results: Array<StepView & {commit?: CommitView; application: {namespace: string; name: string}}>
  events: Event[]
  evidence: Array<{stage: string; at: string; promotion: string}>
}

// promotionView shows one promotion. A promotion of the pipeline's view has no summary:
// its freight is looked up there.
export function promotionView(p: Promotion | (PromotionRecord & {waiting?: string}), pipeline?: Pipeline, stage?: Stage): PromotionView {
  const row = 'summary' in p && p.summary ? promotionRow(p) : rowOf(p, calledIn(pipeline, stage, p.freight))
  return {
    ...row,
    freight: p.freight,
    message: sentence(p.message || ''),
    waiting: p.phase === 'Pending' ? sentence(p.waiting || '') || text.promotion.waitsToStart : '',
    open: !hasEnded(p),
    steps: stepsOf(p, stage),
    results: (p.applications || []).map(a => ({
      key: `${a.namespace}/${a.name}`,
      application: {namespace: a.namespace, name: a.name},
      mark: markOf(a.phase),
      name: a.name,
      took: '',
      startedAt: '',
      message: sentence(a.message || ''),
      commit: a.revision ? {id: a.revision, link: commitLink(a.repoURL, a.revision), branch: a.branch || ''} : undefined,
    })),
    events: eventsOf(p),
    evidence: (p.evidence || []).map(e => ({stage: e.stage, at: e.verifiedAt, promotion: e.promotion || ''})),
  }
}

// stepsOf shows, for a promotion that has not started, the steps that the stage has.
function stepsOf(p: PromotionRecord, stage: Stage | undefined): StepView[] {
  const steps: Array<{name: string; phase: Phase; startedAt?: string; finishedAt?: string; message?: string}> =
    p.steps && p.steps.length > 0 ? p.steps : p.phase === 'Pending' && stage ? stage.steps.map(name => ({name, phase: 'Pending' as const})) : []
  return steps.map((s, i) => ({
    key: String(i),
    mark: markOf(s.phase),
    name: text.steps[s.name] || s.name,
    took: between(s.startedAt, s.finishedAt),
    startedAt: s.startedAt || '',
    message: sentence(s.message || ''),
  }))
}

function eventsOf(p: PromotionRecord): Event[] {
  const t = text.promotion
  const decided = (d: Decision | undefined, mark: Mark, what: (by: string) => string): Event[] =>
    d ? [{key: what(d.by) + d.at, mark: d.outdated ? 'stopped' : mark, what: what(person(d.by)), at: d.at, said: d.comment || '', note: noteOf(d)}] : []
  const ended: Event[] = p.finishedAt
    ? [{key: 'ended', mark: markOf(p.phase), what: phaseName(p), at: p.finishedAt, said: '', note: sentence(p.message || '')}]
    : []
  return [
    {key: 'asked', mark: 'done', what: t.requested(person(p.request.by)), at: p.request.at, said: p.request.reason || '', note: ''} as Event,
    ...(p.approvals || []).flatMap(a => decided(a, 'done', t.approved)),
    ...(p.startedAt ? [{key: 'started', mark: 'done', what: t.started, at: p.startedAt, said: '', note: ''} as Event] : []),
    ...decided(p.rejection, 'bad', t.rejected),
    ...decided(p.abort, 'stopped', t.aborted),
    ...ended,
  ]
}

const noteOf = (d: Decision): string =>
  d.outdated ? text.promotion.outdated(d.outdated) : d.preview ? `${text.promotion.boundTo} ${short(d.preview)}` : ''

// openPromotion finds a promotion that has not ended in the pipeline's view, which is
// newer than what was asked for it alone.
export function openPromotion(pipeline: Pipeline | undefined, id: string): {record: PromotionRecord & {waiting?: string}; stage: Stage} | undefined {
  for (const stage of pipeline ? pipeline.stages : []) {
    if (stage.running && stage.running.id === id) {
      return {record: stage.running, stage}
    }
    const pending = (stage.pending || []).find(p => p.id === id)
    if (pending) {
      return {record: pending, stage}
    }
  }
  return undefined
}
