import {Lane} from './lane'
import {Problem, fromAnswer, odd, unreachable} from './problem'

// Caller is the Application on whose behalf a call is made. Argo CD checks that the
// user may get it; the proxy, that it is bound to what the call is about.
export interface Caller {
  namespace: string
  name: string
  project: string
}

export interface Options {
  gate: string
  method?: 'GET' | 'POST'
  body?: unknown
  etag?: string
  signal?: AbortSignal
}

// Fresh is an answer with its ETag; `undefined` in place of it means: as before.
export interface Fresh<T> {
  value: T
  etag: string
}

// root is where Argo CD stands, with a slash at its end: --rootpath and --basehref
// show in the page's <base> alone.
export function root(): string {
  const base = document.querySelector('head > base')
  return ((base && base.getAttribute('href')) || '/').replace(/\/?$/, '/')
}

// loginPage signs in again, and comes back to this page.
export const loginPage = (): string => root() + 'login?return_url=' + encodeURIComponent(window.location.href)

// lane is the page's: the status panel and the tab share it.
export const lane = new Lane()

const abandoned = () => new DOMException('the view has gone', 'AbortError')

// call makes one call through a gate, an Argo CD proxy extension. It rejects with a
// Problem, or with an AbortError when the signal says so.
export function call<T>(caller: Caller, path: string, o: Options): Promise<Fresh<T> | undefined> {
  return lane.run(async stop => {
    if (o.signal && o.signal.aborted) {
      throw abandoned()
    }
    const answer = await send(`extensions/${encodeURIComponent(o.gate)}/api/v1${path}`, [stop, o.signal], {
      method: o.method || 'GET',
      body: o.body === undefined ? undefined : JSON.stringify(o.body),
      headers: headers(caller, o),
    })
    if (answer.status === 304) {
      return undefined
    }
    if (!answer.ok) {
      throw await fromAnswer(answer, o.gate, signedIn)
    }
    return {value: parse<T>(await answer.text(), answer.status), etag: answer.headers.get('ETag') || ''}
  }, o.method === 'POST')
}

// parse reads an answer. A page in place of it, as some proxies give, is no answer.
function parse<T>(body: string, status: number): T {
  try {
    return (body === '' ? undefined : JSON.parse(body)) as T
  } catch {
    throw odd(status)
  }
}

function headers(caller: Caller, o: Options): Record<string, string> {
  return {
    Accept: 'application/json',
    'Argocd-Application-Name': `${caller.namespace}:${caller.name}`,
    'Argocd-Project-Name': caller.project || 'default',
    ...(o.method === 'POST' ? {'Content-Type': 'application/json'} : {}),
    ...(o.etag ? {'If-None-Match': o.etag} : {}),
  }
}

// longest is how long an answer may take. The proxy renders a preview for up to 25
// seconds; a call that never ends would keep all others from being made.
const longest = 40000

async function send(path: string, stops: Array<AbortSignal | undefined>, init: RequestInit): Promise<Response> {
  const control = new AbortController()
  const stop = () => control.abort()
  let late = false
  const timer = setTimeout(() => {
    late = true
    stop()
  }, longest)
  stops.forEach(s => s && s.addEventListener('abort', stop))
  try {
    // `no-store`: the answers are remembered here, by their ETag.
    const answer = await fetch(root() + path, {credentials: 'same-origin', cache: 'no-store', signal: control.signal, ...init})
    // The body is read here too, so that the time it takes is bounded with the rest.
    const body = answer.status === 304 || answer.status === 204 ? null : await answer.arrayBuffer()
    return new Response(body, {status: answer.status, headers: answer.headers})
  } catch (error) {
    throw isAbort(error) && !late ? error : unreachable()
  } finally {
    clearTimeout(timer)
    stops.forEach(s => s && s.removeEventListener('abort', stop))
  }
}

async function signedIn(): Promise<boolean> {
  try {
    const answer = await send('api/v1/session/userinfo', [], {method: 'GET'})
    return answer.ok && ((await answer.json()) as {loggedIn?: boolean}).loggedIn === true
  } catch {
    return false
  }
}

// mayInvoke asks Argo CD's own can-i whether the user may invoke a gate. It is for
// display: the server decides. Where Argo CD does not tell, the action is offered.
export function mayInvoke(gate: string): Promise<boolean> {
  return lane.run(async stop => {
    try {
      const answer = await send(`api/v1/account/can-i/extensions/invoke/${encodeURIComponent(gate)}`, [stop], {method: 'GET'})
      return !answer.ok || ((await answer.json()) as {value?: string}).value !== 'no'
    } catch (error) {
      if (stop.aborted) {
        throw error
      }
      return true
    }
  })
}

export function isAbort(error: unknown): boolean {
  return (error as {name?: string} | null)?.name === 'AbortError'
}

export function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('unreachable', 'Waybill', String((error as Error).message || error))
}
