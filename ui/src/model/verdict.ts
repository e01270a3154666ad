import {sentence} from '../api/problem'
import {text} from '../strings'
import type {Gate, Verdict} from '../api/wire'

export type GateState = 'pass' | 'wait' | 'fail'

// GateView is a gate as it is drawn.
export interface GateView {
  key: string
  state: GateState
  name: string
  fact: string
  remedy: string
  until?: string
  any: boolean
  gates: GateView[]
}

export interface VerdictView {
  state: GateState
  headline: string
  gates: GateView[]
}

// verdictView shows a verdict: on freight that may be asked for, or on a promotion that
// was.
export function verdictView(v: Verdict, asked = false): VerdictView {
  const state: GateState = v.ready ? 'pass' : v.allowed ? 'wait' : 'fail'
  const headline = {pass: text.verdict.ready, wait: asked ? text.verdict.asked : text.verdict.waits, fail: text.verdict.refused}[state]
  return {state, headline, gates: (v.gates || []).map((g, i) => gateView(g, String(i), false))}
}

function gateView(gate: Gate, key: string, waits: boolean): GateView {
  // A gate of one gate says nothing that the one does not.
  if (gate.gates && gate.gates.length === 1) {
    return gateView(gate.gates[0], key, waits || !!gate.waits)
  }
  const gates = (gate.gates || []).map((g, i) => gateView(g, `${key}.${i}`, waits || !!gate.waits))
  const name = text.verdict.names[gate.name] || gate.name
  // What gates inside tell is not told twice, nor is the name.
  const fact = gates.length > 0 && !gate.pass ? '' : sentence(gate.fact)
  return {
    key,
    state: gate.pass ? 'pass' : gate.waits || waits ? 'wait' : 'fail',
    name,
    fact: fact.startsWith(name + ' ') ? fact.slice(name.length + 1) : fact,
    remedy: gate.pass || gates.length > 0 ? '' : sentence(gate.remedy || ''),
    until: gate.pass ? undefined : gate.until,
    any: gates.length > 0 && !!gate.any,
    gates,
  }
}

// untilOf is when the verdict may change by itself: the earliest `until` in it.
export function untilOf(v: Verdict): string | undefined {
  const all: string[] = []
  const walk = (gates: Gate[] | undefined) =>
    (gates || []).forEach(g => {
      if (!g.pass && g.until) {
        all.push(g.until)
      }
      walk(g.gates)
    })
  walk(v.gates)
  return all.sort((a, b) => Date.parse(a) - Date.parse(b))[0]
}
