import {actionsOf, runs, type Snapshot} from '../model/status'
import type {Viewer} from '../model/actions'
import {idle, lively} from '../model/pace'
import {getApplication, getMe, getPipeline, type Reading} from './calls'
import {mayInvoke, type Caller} from './client'
import {Feed} from './feed'
import {Problem} from './problem'

// Session is what the page knows on behalf of one Application. The status panel, the
// top bar and the tab share it, so that they ask once.
export class Session {
  readonly feed: Feed<Snapshot>
  viewer: Viewer = {username: '', gates: {}}
  private listeners = new Set<() => void>()
  private asked = new Set<string>()
  private application?: Snapshot['application']

  constructor(readonly caller: Caller) {
    this.feed = new Feed(
      r => this.look(r),
      s => (s.pipeline ? (runs(s) ? lively : idle) : 0),
    )
  }

  // onViewer tells when more is known of who looks.
  onViewer(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  // look asks for the Application first, which tells the pipeline, and from then on for
  // the pipeline alone, in which the stage stands too.
  private async look(r: Reading) {
    if (!this.application) {
      const fresh = await getApplication(this.caller, {signal: r.signal})
      this.application = fresh!.value
      if (!this.feed.state.value) {
        // The status panel need not wait for the rest.
        return {value: {application: fresh!.value}, etag: ''}
      }
    }
    const application = this.application
    try {
      const fresh = await getPipeline(this.caller, application.pipeline, r)
      return fresh && {value: this.meet({application, pipeline: fresh.value}), etag: fresh.etag}
    } catch (error) {
      if (error instanceof Problem && (error.kind === 'not-bound' || error.type === 'urn:waybill:problem:not-found')) {
        // The Application may be bound elsewhere by now: it is asked for anew.
        this.application = undefined
      }
      throw error
    }
  }

  // meet asks once who looks, and for each gate whether they may invoke it.
  private meet(s: Snapshot): Snapshot {
    const once = (what: string, ask: () => Promise<Partial<Viewer>>) => {
      if (!this.asked.has(what)) {
        this.asked.add(what)
        ask().then(
          told => {
            this.viewer = {...this.viewer, ...told}
            this.listeners.forEach(l => l())
          },
          () => this.asked.delete(what),
        )
      }
    }
    actionsOf(s).forEach(({gate}) => once('gate ' + gate, async () => {
      const may = await mayInvoke(gate)
      return {gates: {...this.viewer.gates, [gate]: may}}
    }))
    once('me', async () => {
      const me = await getMe(this.caller)
      return {username: me ? me.value.username : ''}
    })
    return s
  }
}

const sessions = new Map<string, Session>()

// sessionOf returns the session of an Application. One that joins another stage gets
// another.
export function sessionOf(caller: Caller, stage: string): Session {
  const key = [caller.namespace, caller.name, caller.project, stage].join('|')
  let session = sessions.get(key)
  if (!session) {
    session = new Session(caller)
    sessions.set(key, session)
  }
  return session
}
