import {text} from '../strings'
import type {Freight, Pipeline, Stage, Verdict} from '../api/wire'
import {rollbackChoices} from './actions'
import {candidatesOf, freightRow, reachable} from './freight'
import type {Called} from './names'
import {calledOf, offered} from './stage'

// Pick is freight that a person may choose for a stage.
export interface Pick extends Called {
  id: string
  at: string
  origin: string
  // notes tell where it is, and what else speaks for it.
  notes: string[]
}

// nextFor is the freight that a stage would get next; empty where it has the newest.
export function nextFor(pipeline: Pipeline, stage: Stage): string {
  const held = new Set(stage.current.map(l => l.freight))
  const next = offered(pipeline, stage).find(o => !held.has(o.freight))
  return next ? next.freight : ''
}

export function promotePicks(pipeline: Pipeline, stage: Stage, all: Freight[]): Pick[] {
  const candidates = candidatesOf(pipeline)
  return reachable(pipeline, stage.name, all).map(f => {
    const row = freightRow(f, candidates)
    return {
      id: f.id,
      alias: row.alias,
      summary: row.summary,
      at: row.at,
      origin: f.origin,
      notes: [...(row.stages.includes(stage.name) ? [text.promote.current] : []), ...(row.candidate ? [text.promote.candidate] : []), ...row.stages.filter(s => s !== stage.name)],
    }
  })
}

export const rollbackPicks = (stage: Stage): Pick[] =>
  rollbackChoices(stage).map(l => ({id: l.freight, ...calledOf(l), at: l.since, origin: l.origin, notes: [text.status.verified]}))

// Asked is what a person is about to ask for.
export interface Asked {
  stage: Stage
  freight: string
  rollback: boolean
  reason: string
  verdict?: Verdict
  // unseen tells that the preview is still being rendered.
  unseen: boolean
}

// whyNot tells why it cannot be asked for yet; empty where it can.
export function whyNot({stage, freight, rollback, reason, verdict, unseen}: Asked): string {
  if (!freight) {
    return text.promote.pick
  }
  if (stage.current.some(l => l.freight === freight)) {
    return text.promote.same
  }
  if (verdict && !verdict.allowed) {
    return text.verdict.refused
  }
  // A rollback is in a hurry, and goes to what was there before.
  if (rollback) {
    return reason.trim() === '' ? text.rollback.reasonMissing : ''
  }
  return unseen ? text.promote.wait : ''
}
