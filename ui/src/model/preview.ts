import {sentence} from '../api/problem'
import {text} from '../strings'
import type {Preview, PreviewApplication, Resource} from '../api/wire'
import {parseDiff, type Diff} from './diff'
import {matches} from './search'

export type Change = 'added' | 'changed' | 'pruned'

export interface ResourceView {
  key: string
  change: Change
  kind: string
  name: string
  // place is the API group and the namespace.
  place: string
  diff?: Diff
  clipped: boolean
  warning: string
  // found is how many lines match the search.
  found: number
}

export interface ImageView {
  repository: string
  before: string[]
  after: string[]
}

export interface ApplicationPreview {
  key: string
  name: string
  counts: Record<Change, number>
  total: number
  problem: string
  // withheld is why nothing of its manifests is told.
  withheld: string
  today: string
  warnings: string[]
  images: ImageView[]
  resources: ResourceView[]
  clipped: boolean
  notPruned: boolean
}

export interface PreviewView {
  summary: string
  digest: string
  empty: boolean
  applications: ApplicationPreview[]
}

export function previewView(p: Preview): PreviewView {
  // What cannot be shown stands first, so that nobody takes the rest for all of it.
  const hidden = (a: ApplicationPreview) => (a.problem || a.withheld ? 0 : 1)
  const applications = (p.applications || []).map(applicationView).sort((a, b) => hidden(a) - hidden(b))
  const sum = (c: Change) => applications.reduce((n, a) => n + a.counts[c], 0)
  const summary = text.preview.summary(sum('added'), sum('changed'), sum('pruned'))
  return {
    summary: applications.some(a => a.withheld !== '') ? text.preview.summaryOfShown(summary) : summary,
    digest: p.digest || '',
    empty: applications.every(a => a.resources.length === 0 && a.problem === '' && a.withheld === ''),
    applications,
  }
}

function applicationView(a: PreviewApplication): ApplicationPreview {
  const key = `${a.namespace}/${a.name}`
  const of = (change: Change, all: Resource[] | undefined) => (all || []).map(r => resourceView(key, change, r))
  const changed = (a.changed || []).map(c => ({
    ...resourceView(key, 'changed', c),
    diff: c.diff ? parseDiff(c.diff) : undefined,
    clipped: !!c.clipped,
    warning: c.immutable && c.immutable.length > 0 ? text.preview.immutable(c.immutable.join(', ')) : '',
  }))
  const added = of('added', a.added)
  const pruned = of('pruned', a.pruned)
  return {
    key,
    name: a.name,
    counts: {added: added.length, changed: changed.length, pruned: pruned.length},
    total: a.total,
    problem: sentence(a.problem || ''),
    withheld: sentence(a.withheld || ''),
    today: sentence(a.today || ''),
    warnings: (a.crds || []).map(c =>
      c.goes ? text.preview.crdGoes(c.name) : c.versions && c.versions.length > 0 ? text.preview.crdVersions(c.name, c.versions.join(', ')) : text.preview.crdChanges(c.name),
    ),
    images: (a.images || []).map(i => ({repository: i.repository, before: i.before || [], after: i.after || []})),
    // What cannot be undone stands first.
    resources: [...pruned, ...changed, ...added],
    clipped: !!a.clipped,
    notPruned: pruned.length > 0 && !a.prunes,
  }
}

function resourceView(app: string, change: Change, r: Resource): ResourceView {
  return {
    key: [app, change, r.group, r.kind, r.namespace, r.name].join('|'),
    change,
    kind: r.kind,
    name: r.name,
    place: [r.group, r.namespace].filter(Boolean).join(' · '),
    clipped: false,
    warning: '',
    found: 0,
  }
}

// searchPreview keeps the resources whose title, or a line of whose difference, match.
export function searchPreview(p: PreviewView, query: string): PreviewView {
  if (query.trim() === '') {
    return p
  }
  const applications = p.applications.map(a => ({
    ...a,
    resources: a.resources
      .map(r => ({...r, found: r.diff ? r.diff.lines.filter(l => l.kind !== 'hunk' && matches(l.text, query)).length : 0}))
      .filter(r => r.found > 0 || matches(`${r.kind} ${r.name} ${r.place}`, query)),
  }))
  return {...p, applications}
}

export const foundIn = (p: PreviewView): number => p.applications.reduce((n, a) => n + a.resources.length, 0)
