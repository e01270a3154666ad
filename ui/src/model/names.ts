import {text} from '../strings'
import type {Freight} from '../api/wire'

// short is an ID as people read it: seven digits, as Git's.
export const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 7)

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
}

export function artifactsOf(f: Pick<Freight, 'images' | 'commits' | 'charts'>): Artifact[] {
  return [
    ...(f.images || []).map(i => ({kind: 'image' as const, name: repository(i.repoURL), version: i.tag || '', pin: i.digest, link: ''})),
    ...(f.commits || []).map(c => ({kind: 'commit' as const, name: repository(c.repoURL), version: c.tag || '', pin: c.id, link: commitLink(c.repoURL, c.id)})),
    ...(f.charts || []).map(c => ({kind: 'chart' as const, name: repository(c.repoURL) + (c.name ? '/' + c.name : ''), version: c.version, pin: c.digest || '', link: ''})),
  ]
}
