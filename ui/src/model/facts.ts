import type {Pipeline, Stage} from '../api/wire'

// factsOf names what a verdict on a stage rests on, so that the server is asked again
// only when that has changed: not at each step of a promotion somewhere else.
export function factsOf(p: Pipeline, stage: Stage): string {
  const upstream = new Set(stage.requestedFreight.flatMap(r => r.sources.stages || []))
  const loads = (s: Stage) => [...s.current, ...(s.history || [])].map(l => [l.freight, l.since, l.until, l.verifiedAt])
  return JSON.stringify([
    p.document,
    stage.serial,
    loads(stage),
    stage.holds,
    stage.applications.length,
    stage.running && stage.running.id,
    (stage.pending || []).map(q => [q.id, (q.approvals || []).map(a => [a.by, a.outdated])]),
    p.stages.filter(s => upstream.has(s.name)).map(s => [s.name, loads(s), s.last]),
  ])
}

// phasesOf names which promotions wait, run and ended, and what the stages hold since, so
// that lists of them are asked for again only when that has changed: not at each step.
export const phasesOf = (p: Pipeline): string =>
  JSON.stringify(
    p.stages.map(s => [s.serial, s.running && s.running.id, (s.pending || []).map(q => q.id), s.last && [s.last.promotion, s.last.phase], s.current.map(l => [l.promotion, l.verifiedAt])]),
  )
