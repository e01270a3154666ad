// Argo CD's own API, as far as the page needs it.
export interface Application {
  metadata: {name: string; namespace: string; annotations?: Record<string, string>}
  spec: {project: string; source?: {repoURL: string; path?: string; targetRevision?: string}; destination: {namespace?: string}}
  status?: {
    health?: {status?: string}
    sync?: {status?: string; revision?: string}
    operationState?: {phase?: string; message?: string; finishedAt?: string; syncResult?: {revision?: string}}
    conditions?: Array<{type: string; message: string}>
  }
}
export interface Tree {
  nodes?: Array<{uid: string; kind: string; name: string; namespace?: string; health?: {status?: string}}>
}

// base is where the page stands: --rootpath shows in <base> alone.
export const base = new URL(document.baseURI).pathname

export class SignedOut extends Error {}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(base + 'api/v1/' + path, {headers: {'Content-Type': 'application/json'}, ...init})
  if (answer.status === 401) {
    throw new SignedOut()
  }
  const body = await answer.json()
  if (!answer.ok) {
    throw new Error((body as {message?: string}).message || answer.statusText)
  }
  return body as T
}

const of = (app: Application) => `applications/${encodeURIComponent(app.metadata.name)}`
const where = (app: Application) => `appNamespace=${encodeURIComponent(app.metadata.namespace)}&project=${encodeURIComponent(app.spec.project)}`

export const signIn = (username: string, password: string) => call('session', {method: 'POST', body: JSON.stringify({username, password})})
export const signOut = () => call('session', {method: 'DELETE'})
export const userInfo = () => call<{loggedIn?: boolean; username?: string}>('session/userinfo')
export const version = async () => (await (await fetch(base + 'api/version')).json()) as {Version: string}
export const listApplications = async () => (await call<{items: Application[] | null}>('applications')).items || []
export const getApplication = (namespace: string, name: string) => call<Application>(`applications/${encodeURIComponent(name)}?appNamespace=${encodeURIComponent(namespace)}`)
export const getTree = (app: Application) => call<Tree>(`${of(app)}/resource-tree?${where(app)}`)
export const refresh = (app: Application) => call(`${of(app)}?refresh=normal&${where(app)}`)
export const sync = (app: Application) => call(`${of(app)}/sync`, {method: 'POST', body: JSON.stringify({appNamespace: app.metadata.namespace, project: app.spec.project})})

// watch tells each event of Argo CD's stream, until it is stopped.
export function watch(namespace: string, name: string, onEvent: (app: Application) => void): () => void {
  const source = new EventSource(`${base}api/v1/stream/applications?name=${encodeURIComponent(name)}&appNamespace=${encodeURIComponent(namespace)}`)
  source.onmessage = e => {
    const {result} = JSON.parse(e.data as string) as {result?: {application: Application}}
    if (result) {
      onEvent(result.application)
    }
  }
  return () => source.close()
}
