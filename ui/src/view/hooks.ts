import {useCallback, useEffect, useRef, useState} from 'react'
import type {Answer, Reading} from '../api/calls'
import {isAbort, problemOf} from '../api/client'
import type {State} from '../api/feed'
import type {Problem} from '../api/problem'
import type {Part, Session} from '../api/session'
import type {Viewer} from '../model/actions'
import {placeOf, searchOf, type Place} from '../model/permalink'
import type {Snapshot} from '../model/status'
import {useDesk} from './desk'

// useSession draws anew when the session knows something else. It polls while the view
// stands; Argo CD's own events, which only bring new props, ask nothing.
export function useSession(session: Session, part: Part): {state: State<Snapshot>; viewer: Viewer} {
  const [, draw] = useState({})
  useEffect(() => {
    const again = () => draw({})
    const stops = [session.listen(again, part), session.onViewer(again)]
    again()
    return () => stops.forEach(stop => stop())
  }, [session, part])
  return {state: session.feed.state, viewer: session.viewer}
}

export interface Loaded<T> {
  value?: T
  problem?: Problem
  loading: boolean
  again: () => void
}

// useLoad asks once for each key, and again when `again` is called. What was there for
// the same subject stays until the news come; an empty key asks nothing. What failed while
// nobody answered is asked again once somebody does.
export function useLoad<T>(key: string, read: (r: Reading) => Answer<T>, subject = key): Loaded<T> {
  const [loaded, setLoaded] = useState<{subject: string; key: string; value?: T; problem?: Problem; etag?: string}>({subject: '', key: ''})
  const [turn, setTurn] = useState(0)
  const latest = useRef({read, loaded})
  latest.current = {read, loaded}
  useEffect(() => {
    if (key === '') {
      return undefined
    }
    const control = new AbortController()
    const had = latest.current.loaded.subject === subject ? latest.current.loaded : undefined
    latest.current.read({signal: control.signal, etag: had && had.etag}).then(
      fresh => !control.signal.aborted && setLoaded(fresh ? {subject, key, value: fresh.value, etag: fresh.etag} : {...had!, key, problem: undefined}),
      error => !control.signal.aborted && !isAbort(error) && setLoaded({subject, key, value: had && had.value, problem: problemOf(error)}),
    )
    return () => control.abort()
  }, [key, subject, turn])
  // What failed is told no longer once it is asked again.
  const again = useCallback(() => {
    setLoaded(l => ({...l, key: '', problem: undefined}))
    setTurn(n => n + 1)
  }, [])
  const {down} = useDesk()
  useEffect(() => {
    const {problem} = latest.current.loaded
    if (!down && problem && problem.unanswered) {
      again()
    }
  }, [down])
  const current = key !== '' && loaded.subject === subject
  return {
    value: current ? loaded.value : undefined,
    problem: current ? loaded.problem : undefined,
    loading: key !== '' && loaded.key !== key,
    again,
  }
}

const clocks: Record<number, {listeners: Set<() => void>; timer?: ReturnType<typeof setInterval>}> = {}

// useNow ticks with all others of the same period, and stands still in the background.
export function useNow(period: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const clock = clocks[period] || (clocks[period] = {listeners: new Set()})
    const tick = () => setNow(Date.now())
    clock.listeners.add(tick)
    clock.timer = clock.timer || setInterval(() => !document.hidden && clock.listeners.forEach(l => l()), period)
    return () => {
      clock.listeners.delete(tick)
      if (clock.listeners.size === 0) {
        clearInterval(clock.timer!)
        clock.timer = undefined
      }
    }
  }, [period])
  return now
}

export type Go = (change: Partial<Place>, how?: 'replace') => void

const places = new Set<() => void>()

// goTo changes the page's URL. Argo CD's router is not told: it keeps its own
// parameters and its history state, and shows the same view.
export const goTo: Go = (change, how) => {
  const place = {...placeOf(window.location.search), ...change}
  const url = window.location.pathname + searchOf(window.location.search, place) + window.location.hash
  if (url === window.location.pathname + window.location.search + window.location.hash) {
    return // the way back would lead to the same
  }
  if (how === 'replace') {
    window.history.replaceState(window.history.state, '', url)
  } else {
    window.history.pushState(window.history.state, '', url)
  }
  places.forEach(l => l())
}

export function usePlace(): Place {
  const [search, setSearch] = useState(window.location.search)
  useEffect(() => {
    const moved = () => setSearch(window.location.search)
    places.add(moved)
    window.addEventListener('popstate', moved)
    moved()
    return () => {
      places.delete(moved)
      window.removeEventListener('popstate', moved)
    }
  }, [])
  const place = useRef({search: '', place: placeOf('')})
  if (place.current.search !== search) {
    place.current = {search, place: placeOf(search)}
  }
  return place.current.place
}

// useWidth tells how many of some widths a view reaches, and draws anew only when that
// changes. The view's own width counts: Argo CD's side bar folds.
export function useWidth(widths: number[]): [(e: HTMLElement | null) => void, number] {
  const reached = (width: number) => widths.filter(w => width >= w).length
  const [step, setStep] = useState(reached(window.innerWidth))
  const observer = useRef<ResizeObserver>()
  const ref = useCallback(
    (e: HTMLElement | null) => {
      if (observer.current) {
        observer.current.disconnect()
      }
      if (e && typeof ResizeObserver !== 'undefined') {
        setStep(reached(e.clientWidth))
        observer.current = new ResizeObserver(() => setStep(reached(e.clientWidth)))
        observer.current.observe(e)
      }
    },
    [widths],
  )
  return [ref, step]
}

// focusBack gives the focus back to where it came from. What was there may have gone, as a
// button has that was used up: then the focus goes to the tab's content.
export function focusBack(to: Element | null): void {
  const e = to && document.contains(to) ? (to as HTMLElement) : document.getElementById('waybill-panel')
  if (e) {
    e.focus({preventScroll: true})
  }
}
