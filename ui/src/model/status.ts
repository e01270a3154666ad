import type {Action, Application, Pipeline, Stage} from '../api/wire'
import {text} from '../strings'
import {waitingFor, type Viewer} from './actions'
import {aliasIn, behind, cardOf, failed, type Card} from './stage'

// Snapshot is what one look at Waybill told: the Application first, and soon after its
// pipeline.
export interface Snapshot {
  application: Application
  pipeline?: Pipeline
}

// ownStage is the newest that is known of the Application's stage.
export function ownStage(s: Snapshot): Stage {
  const name = s.application.stage.name
  return (s.pipeline && s.pipeline.stages.find(one => one.name === name)) || s.application.stage
}

export const actionsOf = (s: Snapshot): Action[] => (s.pipeline ? s.pipeline.gates : s.application.actions)

// runs tells whether something moves, so that it is asked again soon.
export function runs(s: Snapshot): boolean {
  const stages = s.pipeline ? s.pipeline.stages : [s.application.stage]
  return stages.some(stage => stage.running || (stage.pending || []).some(p => p.waiting === '' || p.rejection || p.abort))
}

export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'none'

// Status is what the status panel shows.
export interface Status {
  stage: string
  card: Card
  tone: Tone
  alias: string
  // summary is what is in it; empty where it stands for the alias.
  summary: string
  since: string
  verified: boolean
  // line tells how far it is behind, or what goes on.
  line: string
  // badge tells what waits for the viewer.
  badge: string
}

export function statusOf(s: Snapshot, viewer: Viewer): Status {
  const stage = ownStage(s)
  const card = cardOf(stage, true, s.pipeline)
  const load = card.freight[0]
  const mine = waitingFor(actionsOf(s), viewer, stage).length
  return {
    stage: stage.name,
    card,
    tone: toneOf(card, stage),
    alias: load ? card.freight.map(f => f.alias).join(', ') : text.status.noFreight,
    summary: card.freight.map(f => f.summary).filter(Boolean).join(', '),
    since: load ? load.since : '',
    verified: card.freight.length > 0 && card.freight.every(f => f.verified),
    line: lineOf(s, stage, card),
    badge: mine > 0 ? text.status.yours(mine) : '',
  }
}

export function toneOf(card: Card, stage: Stage): Tone {
  if (stage.running) {
    return 'busy'
  }
  if (card.failed || card.trouble || card.health === 'Degraded' || card.health === 'Missing') {
    return 'bad'
  }
  if (card.freight.length === 0) {
    return 'none'
  }
  return card.freight.every(f => f.verified) ? 'good' : 'wait'
}

function lineOf(s: Snapshot, stage: Stage, card: Card): string {
  if (stage.running) {
    return text.status.running(aliasIn(s.pipeline, stage, stage.running.freight))
  }
  if (failed(stage)) {
    return text.status.failed
  }
  if (card.queue > 0) {
    return text.status.waits(card.queue)
  }
  if (!s.pipeline) {
    return ''
  }
  const b = behind(s.pipeline, stage)
  return b.n > 0 ? text.status.behind(b.n, b.more) : card.freight.length > 0 ? text.status.upToDate : text.status.noFreightHint
}
