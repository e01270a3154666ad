import {gateOf} from '../api/calls'
import type {Caller} from '../api/client'
import {text} from '../strings'
import type {Action, ActionName, Pending, Promotion, PromotionRecord, Stage} from '../api/wire'

// Viewer is who looks, as far as Argo CD tells.
export interface Viewer {
  // username is empty until it is known.
  username: string
  // gates that Argo CD's can-i says the viewer may invoke. A gate that is not in it
  // has not been asked for yet.
  gates: Record<string, boolean>
}

// Known are the actions that there is a word, and a dialog, for.
export type Known = Extract<ActionName, keyof typeof text.actions>

// Offer is an action that the server has. `why` tells why it is not for the viewer
// now; it is for display, and the server decides.
export interface Offer {
  name: Known
  why: string
}

function offer(actions: Action[], viewer: Viewer, name: Known, why = ''): Offer[] {
  if (!actions.some(a => a.name === name)) {
    return []
  }
  const gate = gateOf(actions, name)
  return [{name, why: viewer.gates[gate] === false ? text.actions.noGate(gate) : why}]
}

// onStage are the actions on a stage.
export function onStage(actions: Action[], viewer: Viewer, stage: Stage): Offer[] {
  const unreachable = stage.applications.length === 0 ? text.actions.noApplication : ''
  const back = rollbackChoices(stage).length === 0 ? text.actions.nothingToRollBack : ''
  return [...offer(actions, viewer, 'promote', unreachable), ...offer(actions, viewer, 'rollback', unreachable || back)]
}

// onPromotion are the actions on a promotion that has not ended.
export function onPromotion(actions: Action[], viewer: Viewer, p: PromotionRecord, stage: Stage | undefined): Offer[] {
  if (p.phase === 'Running') {
    return offer(actions, viewer, 'abort')
  }
  if (p.phase !== 'Pending' || p.rejection || p.abort) {
    return []
  }
  const needs = stage !== undefined && needsApproval(p, stage)
  return [
    ...(needs ? offer(actions, viewer, 'approve', whyNotApprove(p, stage!, viewer)) : []),
    ...(needs ? offer(actions, viewer, 'reject') : []),
    ...offer(actions, viewer, 'abort'),
  ]
}

// needsApproval tells whether an approval would count. What is required stands in the
// stage; whether enough count is the server's verdict.
export function needsApproval(p: PromotionRecord, stage: Stage): boolean {
  const rule = stage.approval
  if (p.phase !== 'Pending' || !rule || (p.request.rollback && !rule.rollback) || p.request.applications?.length) {
    return false
  }
  return (p.approvals || []).filter(a => !a.outdated).length < rule.required
}

function whyNotApprove(p: PromotionRecord, stage: Stage, viewer: Viewer): string {
  if ((p.approvals || []).some(a => a.by === viewer.username && !a.outdated)) {
    return text.actions.alreadyApproved
  }
  return stage.approval && stage.approval.notBy === 'promoter' && p.request.by === viewer.username ? text.actions.ownPromotion : ''
}

// waitingFor returns the promotions of a stage that wait for the viewer's approval.
export function waitingFor(actions: Action[], viewer: Viewer, stage: Stage): Pending[] {
  // Who looks is not known yet: it may be the promoter.
  if (viewer.username === '') {
    return []
  }
  return (stage.pending || []).filter(p => onPromotion(actions, viewer, p, stage).some(o => o.name === 'approve' && o.why === ''))
}

// rollbackChoices are what the stage verified before and does not hold now.
export function rollbackChoices(stage: Stage): Stage['current'] {
  const seen = new Set(stage.current.map(l => l.freight))
  return (stage.history || []).filter(l => l.verifiedAt && !seen.has(l.freight) && seen.add(l.freight))
}

// holds tells whether a promotion by a person would hold the stage against automation,
// because it is of other freight than the candidate.
export const holds = (stage: Stage, freight: string): boolean => (stage.automation || []).length > 0 && !(stage.automation || []).some(a => a.candidate === freight)

// onTheWay tells whether freight waits for a stage, or goes into it now; empty for neither.
export const onTheWay = (stage: Stage, freight: string): 'goes' | 'waits' | '' =>
  stage.running && stage.running.freight === freight ? 'goes' : (stage.pending || []).some(p => p.freight === freight) ? 'waits' : ''

// callerFor returns the Application on whose behalf a stage is changed: the proxy takes
// only one that is bound to that very stage. The viewer's own goes first.
export function callerFor(stage: Stage, own: Caller): Caller | undefined {
  if (stage.applications.some(a => a.namespace === own.namespace && a.name === own.name)) {
    return own
  }
  const first = stage.applications[0]
  return first && {namespace: first.namespace, name: first.name, project: stage.project}
}

export const labelOf = (name: Known, p?: PromotionRecord | Promotion): string =>
  name === 'abort' && p && p.phase === 'Pending' ? text.actions.withdraw : text.actions[name]
