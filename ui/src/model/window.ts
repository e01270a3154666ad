// Which rows of a long list are drawn.

export interface Window {
  from: number
  to: number
}

// spare rows stand above and below, so that a fast scroll shows no gap.
const spare = 6

export function windowOf(count: number, rowHeight: number, top: number, height: number): Window {
  const from = Math.max(0, Math.floor(top / rowHeight) - spare)
  const to = Math.min(count, Math.ceil((top + height) / rowHeight) + spare)
  return {from: Math.min(from, to), to}
}
