// Argo CD's own API, as far as its page asks it: one Application for each stage.
import type {Pipeline} from '../src/api/wire'

export interface ArgoCD {
  pipeline: Pipeline
  // bound tells whether the Applications say which stage they join.
  bound: boolean
  signedIn: boolean
  // may tells whether the viewer may invoke more than the gate of reads.
  may: boolean
}

const revision = '4b1c27cd0e2b7a95c1f3d8e64a0b92f7d5e81c36'

function application(a: ArgoCD, name: string) {
  const stage = a.pipeline.stages.find(s => s.applications.some(one => one.name === name))
  const told = stage && stage.applications.find(one => one.name === name)
  return {
    metadata: {namespace: 'argocd', name, annotations: a.bound && stage ? {'waybill.dev/stage': `${a.pipeline.name}/${stage.name}`} : {}},
    spec: {project: stage ? stage.project : 'default', source: {repoURL: 'https://git.example.com/acme/shop.git', path: 'deploy'}, destination: {namespace: 'shop'}},
    status: {
      health: {status: told ? told.health : 'Healthy'},
      sync: {status: told ? told.sync : 'Synced', revision},
      operationState: {phase: 'Succeeded', finishedAt: new Date().toISOString(), syncResult: {revision}},
    },
  }
}

// argocd answers a call of Argo CD's API; nothing where it is none.
export function argocd(a: ArgoCD, path: string): unknown {
  const call = /^\/api\/(?:v1\/)?(.+)$/.exec(path)
  if (!call) {
    return undefined
  }
  const [room, name, part] = call[1].split('/')
  switch (room) {
    case 'version':
      return {Version: 'v2.14.21'}
    case 'session':
      return a.signedIn ? {loggedIn: true, username: 'dana'} : {}
    case 'account':
      return {value: a.may ? 'yes' : 'no'}
    case 'applications':
      if (part === 'resource-tree') {
        return {nodes: ['Deployment', 'Service', 'ConfigMap'].map(kind => ({uid: kind, kind, name: 'web', health: {status: 'Healthy'}}))}
      }
      return name ? application(a, name) : {items: a.pipeline.stages.flatMap(s => s.applications.map(one => application(a, one.name)))}
  }
  return undefined
}

// Quiet is the stream of an Argo CD in which nothing happens.
export class Quiet {
  onmessage = null
  close() {}
}
