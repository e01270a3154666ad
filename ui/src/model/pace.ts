// How often a view asks, in milliseconds.
export const lively = 1000
export const idle = 15000
export const slowest = 60000
// expectation is how long something is awaited that a person asked for.
export const expectation = 15000

// delay is the time from one call to the next: the usual one, and after failures one
// that doubles with each, up to a minute.
export function delay(failures: number, usual: number): number {
  return failures === 0 ? usual : Math.max(usual, Math.min(slowest, 1000 * 2 ** failures))
}
