import {useEffect, useState} from 'react'
import {base} from './argocd'

// relative is a path below the page's root.
export const relative = (pathname: string) => pathname.slice(base.length).replace(/\/$/, '')

const listeners = new Set<() => void>()

// go shows another page, or with a search alone the same one with other parameters. The
// parameter `react` goes along.
export function go(to: string, search: Record<string, string | undefined> = {}): void {
  const params = new URLSearchParams(to === '' ? window.location.search : '')
  const react = new URLSearchParams(window.location.search).get('react')
  for (const [key, value] of Object.entries({...(react ? {react} : {}), ...search})) {
    if (value === undefined) {
      params.delete(key)
    } else {
      params.set(key, value)
    }
  }
  const query = params.toString()
  window.history.pushState({key: String(Date.now())}, '', (to === '' ? window.location.pathname : base + to) + (query && '?' + query))
  listeners.forEach(l => l())
}

// useLocation draws anew when the page's place changes. As Argo CD's router, it learns
// of what others push to the history only when they say so by `popstate`.
export function useLocation(): {pathname: string; search: string} {
  const [location, setLocation] = useState({pathname: window.location.pathname, search: window.location.search})
  useEffect(() => {
    const moved = () => setLocation({pathname: window.location.pathname, search: window.location.search})
    listeners.add(moved)
    window.addEventListener('popstate', moved)
    return () => {
      listeners.delete(moved)
      window.removeEventListener('popstate', moved)
    }
  }, [])
  return location
}
