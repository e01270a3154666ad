import {sentence} from '../api/problem'
import type {Comparison} from '../api/wire'
import {called, commitLink, repository, short, type Called} from './names'

export interface ArtifactChange {
  key: string
  kind: 'image' | 'commit' | 'chart'
  name: string
  from: string
  to: string
  // gone and fresh tell that only one side has the artifact.
  gone: boolean
  fresh: boolean
  changed: boolean
  backwards: boolean
  more: boolean
  problem: string
  commits: Array<{id: string; subject: string; author: string; at: string; link: string}>
}

export interface ComparisonView {
  same: boolean
  backwards: boolean
  // between does not hold the two ends.
  between: Array<Called & {id: string; at: string}>
  more: boolean
  artifacts: ArtifactChange[]
}

export function comparisonView(c: Comparison): ComparisonView {
  const artifacts = (c.artifacts || []).map(a => ({
    key: [a.kind, a.artifact, a.subscription].join(' ').trim(),
    kind: a.kind,
    name: [repository(a.artifact), a.subscription].filter(Boolean).join(' '),
    from: a.from ? a.from.name || short(a.from.id || '') : '',
    to: a.to ? a.to.name || short(a.to.id || '') : '',
    gone: !a.to,
    fresh: !a.from,
    changed: a.changed,
    backwards: !!a.backwards,
    more: !!a.more,
    problem: sentence(a.problem || ''),
    commits: (a.commits || []).map(one => ({...one, link: commitLink(a.artifact, one.id)})),
  }))
  return {
    same: c.from.id === c.to.id || artifacts.every(a => !a.changed),
    backwards: !!c.backwards,
    between: (c.between || []).filter(f => f.id !== c.from.id && f.id !== c.to.id).map(f => ({id: f.id, ...called(f), at: f.discoveredAt})),
    more: !!c.more,
    artifacts,
  }
}
