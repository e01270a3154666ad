import type {Pipeline} from '../api/wire'

// Probe is a question for the server: how long freight has to soak before it may go
// into a stage.
export interface Probe {
  // key changes when the answer may.
  key: string
  stage: string
  freight: string
}

// most bounds how many questions one pipeline makes.
const most = 8

// soakProbes returns the stages whose upstream holds verified freight that they do not
// have, and that they take only after some time. The viewer's own stage goes first.
export function soakProbes(p: Pipeline, own: string): Probe[] {
  const probes: Probe[] = []
  for (const stage of [...p.stages].sort((a, b) => Number(b.name === own) - Number(a.name === own))) {
    const has = new Set([...stage.current.map(l => l.freight), ...(stage.running ? [stage.running.freight] : [])])
    for (const {origin, sources} of stage.requestedFreight) {
      if (!sources.requiredSoakTime || sources.requiredSoakTime === '0s') {
        continue
      }
      for (const up of p.stages.filter(s => (sources.stages || []).includes(s.name))) {
        const load = up.current.find(l => l.origin === origin.name)
        if (load && load.verifiedAt && !has.has(load.freight)) {
          has.add(load.freight)
          probes.push({key: [stage.name, load.freight, up.name, load.since, load.verifiedAt, p.document].join(' '), stage: stage.name, freight: load.freight})
        }
      }
    }
  }
  return probes.slice(0, most)
}
