// requestKey makes a request repeatable: where an answer was lost, the same key asks
// for the same promotion again.
export function requestKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return 'ui-' + Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('')
}
