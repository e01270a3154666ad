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

// bindingOf names an Application in a stage: it is the same in all objects that Argo CD
// makes of one, and another for each other Application and each other stage.
export function bindingOf(app: HostApplication | undefined): string {
  return app && app.metadata ? bindingKey(callerOf(app), stageOf(app)) : ''
}

export const bindingKey = (caller: Caller, stage: string): string => [caller.namespace, caller.name, caller.project, stage].join('|')

export function callerOf(app: HostApplication): Caller {
  return {namespace: app.metadata.namespace, name: app.metadata.name, project: (app.spec && app.spec.project) || 'default'}
}
