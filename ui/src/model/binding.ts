import type {Caller} from '../api/client'

// HostApplication is what is read of the Application that Argo CD hands to an
// extension. Argo CD makes a new object at each of its watch events.
export interface HostApplication {
  metadata: {name: string; namespace: string; annotations?: Record<string, string>}
  spec?: {project?: string}
}

const annotation = 'waybill.dev/stage'

// stageOf returns what the Application says of its stage; empty where it has none.
export function stageOf(app: HostApplication | undefined): string {
  const annotations = app && app.metadata && app.metadata.annotations
  return ((annotations && annotations[annotation]) || '').trim()
}

export function callerOf(app: HostApplication): Caller {
  return {namespace: app.metadata.namespace, name: app.metadata.name, project: (app.spec && app.spec.project) || 'default'}
}
