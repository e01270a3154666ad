import {text} from '../strings'
import type {Detail, Freight} from '../api/wire'

// short is an ID as people read it: seven digits, as Git's.
export const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 7)

// Called is how freight is called: its alias, and its artifacts in a few words. Without an
// alias the words stand for it, and are not said again.
export interface Called {
  alias: string
  summary: string
}

export const called = (f: {id: string; alias?: string; summary?: string}): Called => (f.alias ? {alias: f.alias, summary: f.summary || ''} : {alias: f.summary || short(f.id), summary: ''})

// fullName is the name in one piece.
export const fullName = (c: Called): string => [c.alias, c.summary].filter(Boolean).join(' ')

// webLink is a URL that a page may link to: what an image says of itself is anybody's.
export const webLink = (url: string | undefined): string => (/^https?:\/\//i.test(url || '') ? url! : '')

// person names who did something; Waybill itself acts under a name with a colon.
export const person = (by: string): string => (by.startsWith('waybill:') ? text.system : by)

// repository is what is left of a URL for a reader who knows the host.
export function repository(url: string): string {
  return url.replace(/^[a-z+]+:\/\//, '').replace(/\.git$/, '')
}

// commitLink is where a Git host shows a commit: a guess by the host's name, as Argo
// CD makes it (util/git-url); empty where the repository has no page.
export function commitLink(repoURL: string | undefined, id: string | undefined): string {
  const m = /^(?:https?:\/\/(?:[^@/]*@)?|ssh:\/\/(?:[^@/]*@)?|[^@/]+@)([^/:]+(?::\d+(?=\/))?)[/:](.+?)(?:\.git)?\/?$/.exec(repoURL || '')
  if (!m || !id || !/^[0-9a-f]+$/i.test(id)) {
    return ''
  }
  if (!m[2].includes('/')) {
    return '' // a bare repository, which no host of pages serves
  }
  const scheme = /^http:/.test(repoURL!) ? 'http' : 'https'
  const host = /^ssh:/.test(repoURL!) ? m[1].replace(/:\d+$/, '') : m[1]
  const path = /gitlab/.test(host) ? '/-/commit/' : /bitbucket/.test(host) ? '/commits/' : '/commit/'
  return `${scheme}://${host}/${m[2]}${path}${id}`
}

export interface Artifact {
  kind: 'image' | 'commit' | 'chart'
  // name is the repository, and for a chart of an index its name after a slash.
  name: string
  version: string
  pin: string
  link: string
  about: About
}

// About is what is known of an artifact beyond what pins it. What is not known is empty.
export interface About {
  subject: string
  author: string
  at: string
  // source is where it was built from, with a link where that is a page.
  source: string
  sourceLink: string
  appVersion: string
}

// Found is by what an artifact is told from others; subscription where one repository has
// several.
interface Found {
  repoURL: string
  name?: string
  subscription?: string
}

export function artifactsOf(f: Pick<Freight, 'images' | 'commits' | 'charts' | 'details'>): Artifact[] {
  const details: Array<Detail & Found> = f.details || []
  const about = (kind: Artifact['kind'], of: Found) =>
    aboutOf(details.find(d => d.kind === kind && d.repoURL === of.repoURL && (d.name || '') === (of.name || '') && (d.subscription || '') === (of.subscription || '')))
  return [
    ...(f.images || []).map(i => ({kind: 'image' as const, name: repository(i.repoURL), version: i.tag || '', pin: i.digest, link: '', about: about('image', i)})),
    ...(f.commits || []).map(c => ({kind: 'commit' as const, name: repository(c.repoURL), version: c.tag || '', pin: c.id, link: commitLink(c.repoURL, c.id), about: about('commit', c)})),
    ...(f.charts || []).map(c => ({
      kind: 'chart' as const,
      name: repository(c.repoURL) + (c.name ? '/' + c.name : ''),
      version: c.version,
      pin: c.digest || '',
      link: '',
      about: about('chart', c),
    })),
  ]
}

function aboutOf(d: Detail | undefined): About {
  const {subject = '', author = '', createdAt = '', source = '', revision = '', appVersion = ''} = d || {}
  return {
    subject,
    author,
    at: createdAt,
    source: source ? repository(source) + (revision ? ' ' + short(revision) : '') : revision && short(revision),
    sourceLink: commitLink(source, revision) || webLink(source),
    appVersion,
  }
}
