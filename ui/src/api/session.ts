import {actionsOf, ownStage, runs, type Snapshot} from '../model/status'
import type {Viewer} from '../model/actions'
import {bindingKey} from '../model/binding'
import {idle, lively, slowest} from '../model/pace'
import {getApplication, getMe, getPipeline, type Reading} from './calls'
import {mayInvoke, type Caller} from './client'
import {Feed} from './feed'
import {Problem} from './problem'

// Part is what a view shows: the status panel its own stage alone, all others the whole
// pipeline.
export type Part = 'status' | 'whole'

const nobody: Viewer = {username: '', gates: {}}

// Session is what the page knows on behalf of one Application. The status panel, the
// top bar and the tab share it, so that they ask once.
export class Session {
  readonly feed: Feed<Snapshot>
  viewer = nobody
  private listeners = new Set<() => void>()
  private asked = new Set<string>()
  private known?: Snapshot
  // What the server is told that the page has; empty where it has something else by now.
  private etags = {application: '', pipeline: ''}
  private wholes = 0
  // returns tells that nothing was answered since somebody began to listen.
  private returns = true
  // pipelineAt is when the pipeline was last asked for.
  private pipelineAt = 0

  constructor(readonly caller: Caller) {
    this.feed = new Feed(
      r => this.look(r),
      s => (s.pipeline ? (runs(this.wholes > 0 ? s : {application: s.application}) ? lively : idle) : 0),
    )
  }

  // listen tells when something has changed, and asks as long as somebody listens.
  listen(listener: () => void, part: Part): () => void {
    const whole = part === 'whole' ? 1 : 0
    this.wholes += whole
    if (this.feed.unwatched) {
      // Somebody else may have signed in since the page was last here.
      this.asked.clear()
      this.returns = true
    }
    if (whole && this.known && this.known.pipeline && Date.now() - this.pipelineAt >= idle) {
      this.feed.due()
    }
    const stop = this.feed.listen(listener)
    return () => {
      stop()
      this.wholes -= whole
    }
  }

  // onViewer tells when more is known of who looks.
  onViewer(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  private async look(r: Reading) {
    try {
      const fresh = await this.ask(r)
      this.returns = false
      if (this.known && this.known.pipeline) {
        this.meet(this.known)
      }
      return fresh
    } catch (error) {
      if (error instanceof Problem) {
        this.refused(error)
      }
      throw error
    }
  }

  // ask asks for the Application first, which tells the pipeline, and then for that,
  // in which the stage stands too. While the status panel is alone, it asks for the
  // Application, whose answer is small and holds all but how far the stage is behind:
  // for that it asks for the pipeline once a minute.
  private async ask(r: Reading) {
    if (!this.known) {
      const fresh = await getApplication(this.caller, {signal: r.signal})
      this.known = {application: fresh!.value}
      if (!this.feed.state.value) {
        // The status panel need not wait for the rest.
        return {value: this.known, etag: ''}
      }
    }
    const whole = this.wholes > 0 || !this.known.pipeline || Date.now() - this.pipelineAt >= slowest
    return whole ? this.lookAtPipeline(this.known, r) : this.lookAtStage(this.known, r)
  }

  private refused({kind, type}: Problem): void {
    if (kind === 'not-bound' || type === 'urn:waybill:problem:not-found') {
      // The Application may be bound elsewhere by now: it is asked for anew.
      this.forget()
    } else if (kind === 'signed-out' || (kind === 'no-access' && this.returns)) {
      // What was shown to one person is not for whoever comes next.
      this.forget()
      this.feed.forget()
      this.viewer = nobody
      this.asked.clear()
    }
  }

  private async lookAtPipeline({application}: Snapshot, r: Reading) {
    this.pipelineAt = Date.now()
    const fresh = await getPipeline(this.caller, application.pipeline, {signal: r.signal, etag: this.etags.pipeline})
    if (!fresh) {
      return undefined
    }
    this.etags = {application: '', pipeline: fresh.etag}
    const pipeline = fresh.value
    return this.learn({application: {...application, stage: ownStage({application, pipeline})}, pipeline})
  }

  private async lookAtStage({pipeline}: Snapshot, r: Reading) {
    const fresh = await getApplication(this.caller, {signal: r.signal, etag: this.etags.application})
    if (!fresh) {
      return undefined
    }
    this.etags = {application: fresh.etag, pipeline: ''}
    const application = fresh.value
    const same = pipeline && pipeline.name === application.pipeline
    return this.learn({application, pipeline: same ? {...pipeline, stages: pipeline.stages.map(s => (s.name === application.stage.name ? application.stage : s))} : undefined})
  }

  private learn(s: Snapshot) {
    this.known = s
    return {value: s, etag: ''}
  }

  private forget(): void {
    this.known = undefined
    this.etags = {application: '', pipeline: ''}
  }

  // meet asks once who looks, and for each gate whether they may invoke it.
  private meet(s: Snapshot): void {
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
  }
}

// sessions are those of the page, the one that was used last at the end.
const sessions = new Map<string, Session>()

// most is how many sessions are remembered, so that who comes back to an Application need
// not wait. A page may stand open for days, and see thousands.
const most = 20

// sessionOf returns the session of an Application. One that joins another stage gets
// another.
export function sessionOf(caller: Caller, stage: string): Session {
  const key = bindingKey(caller, stage)
  const session = sessions.get(key) || new Session(caller)
  sessions.delete(key)
  sessions.set(key, session)
  for (const [old, one] of sessions) {
    if (sessions.size <= most) {
      break
    }
    if (one !== session && one.feed.unwatched) {
      sessions.delete(old)
    }
  }
  return session
}
