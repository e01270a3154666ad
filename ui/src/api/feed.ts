import {Problem} from './problem'
import type {Answer, Reading} from './calls'
import {isAbort, problemOf, type Fresh} from './client'
import {delay, expectation, idle, lively} from '../model/pace'

// State is what a feed knows: the last good answer stays while later calls fail.
export interface State<T> {
  value?: T
  problem?: Problem
}

// Feed polls one call for all views that show it. It asks nothing while the page is
// hidden, and while nobody listens.
export class Feed<T> {
  state: State<T> = {}
  private etag = ''
  private failures = 0
  private listeners = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private asking?: AbortController
  // askedAt is when it last asked; unset where it should ask at once.
  private askedAt?: number
  // livelyUntil is until when something is expected to happen.
  private livelyUntil = 0

  constructor(
    private readonly read: (r: Reading) => Answer<T>,
    // pace is the time to the next call, in milliseconds, after an answer.
    private readonly pace: (value: T) => number,
  ) {}

  // unwatched tells that nobody listens.
  get unwatched(): boolean {
    return this.listeners.size === 0
  }

  listen(listener: () => void): () => void {
    if (this.listeners.size === 0) {
      document.addEventListener('visibilitychange', this.onVisibility)
    }
    this.listeners.add(listener)
    this.schedule()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) {
        document.removeEventListener('visibilitychange', this.onVisibility)
        this.stop()
      }
    }
  }

  // refresh asks now, and every second for a while: what a person asked for begins soon.
  refresh(): void {
    this.livelyUntil = Date.now() + expectation
    this.due()
  }

  // due asks now, and goes on at its pace.
  due(): void {
    this.askedAt = undefined
    if (!this.asking) {
      this.schedule()
    }
  }

  // forget leaves nothing of what was answered before.
  forget(): void {
    this.etag = ''
    this.state = {}
  }

  private onVisibility = () => (document.hidden ? clearTimeout(this.timer) : this.schedule())

  private stop(): void {
    clearTimeout(this.timer)
    if (this.asking) {
      this.asking.abort()
      this.asking = undefined
      this.askedAt = undefined
    }
  }

  private schedule(): void {
    clearTimeout(this.timer)
    if (this.asking || document.hidden || this.listeners.size === 0) {
      return
    }
    const pause = delay(this.failures, this.usual())
    const left = this.askedAt === undefined ? 0 : Math.max(0, this.askedAt + pause - Date.now())
    this.timer = setTimeout(() => void this.ask(), left)
  }

  // usual is the pace of the last answer. One that cannot be read, which the views will
  // tell, does not stop the feed.
  private usual(): number {
    try {
      const pace = this.state.value === undefined ? idle : this.pace(this.state.value)
      return Date.now() < this.livelyUntil ? Math.min(pace, lively) : pace
    } catch {
      return idle
    }
  }

  private async ask(): Promise<void> {
    const control = new AbortController()
    this.asking = control
    this.askedAt = Date.now()
    let next: State<T> | undefined
    try {
      const fresh = await this.read({etag: this.etag, signal: control.signal})
      if (this.asking === control) {
        this.failures = 0
        next = this.answered(fresh)
      }
    } catch (error) {
      if (this.asking === control && !isAbort(error)) {
        this.failures++
        next = {...this.state, problem: problemOf(error)}
      }
    }
    if (this.asking !== control) {
      return // nobody listens any more
    }
    this.asking = undefined
    if (next) {
      this.state = next
      this.listeners.forEach(l => l())
    }
    this.schedule()
  }

  // answered returns the state after an answer; none where it is as it was.
  private answered(fresh: Fresh<T> | undefined): State<T> | undefined {
    if (fresh) {
      this.etag = fresh.etag
      return {value: fresh.value}
    }
    return this.state.problem ? {value: this.state.value} : undefined
  }
}
