// What is selected stands in one parameter of the page's query, so that a link shows
// the same to everybody, and survives Argo CD's login. Argo CD's own parameters (view,
// resource, extension, …) are left as they are.

export type Tab = 'pipeline' | 'freight' | 'history'
export type Form = 'graph' | 'list'
export type Doing = 'promote' | 'rollback' | 'approve' | 'reject' | 'abort'

export interface Place {
  tab: Tab
  form?: Form
  // At most one of these is selected.
  stage?: string
  warehouse?: string
  freight?: string
  promotion?: string
  // doing is the dialog that is open: what is done, to which stage or promotion.
  doing?: Doing
  target?: string
  pick?: string
  // query, of and phase filter the lists.
  query?: string
  of?: string
  phase?: string
}

const parameter = 'waybill'
const tabs: Tab[] = ['pipeline', 'freight', 'history']
const keys: Array<Exclude<keyof Place, 'tab'>> = ['form', 'stage', 'warehouse', 'freight', 'promotion', 'doing', 'target', 'pick', 'query', 'of', 'phase']

export function placeOf(search: string): Place {
  const parts = (new URLSearchParams(search).get(parameter) || '').split(';')
  const place: Place = {tab: tabs.includes(parts[0] as Tab) ? (parts[0] as Tab) : 'pipeline'}
  for (const part of parts.slice(1)) {
    const at = part.indexOf('=')
    const key = keys.find(k => k === part.slice(0, at))
    if (key) {
      place[key] = decode(part.slice(at + 1)) as never
    }
  }
  if (place.form !== 'list' && place.form !== 'graph') {
    delete place.form
  }
  return place
}

export function searchOf(search: string, place: Place): string {
  const params = new URLSearchParams(search)
  const written = [place.tab, ...keys.filter(k => place[k]).map(k => `${k}=${encodeURIComponent(place[k]!)}`)].join(';')
  if (written === 'pipeline') {
    params.delete(parameter)
  } else {
    params.set(parameter, written)
  }
  const query = params.toString()
  return query && '?' + query
}

// decode takes what it cannot decode as it is: a link that somebody cut short.
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
