// joined puts the newest of a list before what was known of it, nothing twice: what the
// newest no longer reach back to stays.
export function joined<T extends {id: string}>(newest: T[], known: T[]): T[] {
  const seen = new Set<string>()
  return [...newest, ...known].filter(one => !seen.has(one.id) && seen.add(one.id))
}
