// matches tells whether every word of a query stands in a text. Both ignore case.
export function matches(haystack: string, query: string): boolean {
  const low = haystack.toLowerCase()
  return query.toLowerCase().split(/\s+/).every(word => low.includes(word))
}
