const units: Array<[name: string, ms: number]> = [
  ['d', 86400000],
  ['h', 3600000],
  ['m', 60000],
  ['s', 1000],
]

// duration writes a time span with its two largest units: 2h 5m, 45s.
export function duration(ms: number, parts = 2): string {
  let rest = Math.max(0, Math.round(ms / 1000) * 1000)
  const words: string[] = []
  for (const [name, size] of units) {
    const n = Math.floor(rest / size)
    if (n > 0 || (words.length === 0 && name === 's')) {
      words.push(n + name)
      rest -= n * size
      if (words.length === parts) {
        break
      }
    } else if (words.length > 0) {
      break
    }
  }
  return words.join(' ')
}

// age is the time since a moment, in its largest unit: people read 3h at a glance.
export const age = (at: string, now: number): string => duration(now - Date.parse(at), 1)

// between is how long something took; empty while it has no end.
export function between(from: string | undefined, to: string | undefined): string {
  return from && to ? duration(Date.parse(to) - Date.parse(from)) : ''
}

// go reads a duration as Go writes it (1h10m0s) and writes it as pages do (1h 10m).
export function goDuration(text: string): string {
  const sizes: Record<string, number> = {h: 3600000, m: 60000, s: 1000, ms: 1}
  let ms = 0
  for (const [, n, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) {
    ms += Number(n) * sizes[unit]
  }
  return duration(ms)
}

// brief writes a moment as short as a reader of a sentence needs it.
export const brief = (at: string): string => new Date(at).toLocaleString(undefined, {month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit'})

// moment writes a time in full, for a tooltip.
export const moment = (at: string): string => new Date(at).toLocaleString()
