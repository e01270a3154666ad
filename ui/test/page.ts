// A page without a browser: what the api rooms touch of one.

export interface Call {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}

export class Page {
  base: string | undefined = '/'
  hidden = false
  calls: Call[] = []
  inFlight = 0
  most = 0
  answer: (call: Call) => Response | Promise<Response> = () => new Response('{}', {status: 200})
  private listeners = new Set<() => void>()

  constructor() {
    const page = this
    Object.assign(globalThis, {
      document: {
        get hidden() {
          return page.hidden
        },
        querySelector: () => (page.base === undefined ? null : {getAttribute: () => page.base}),
        addEventListener: (_: string, l: () => void) => page.listeners.add(l),
        removeEventListener: (_: string, l: () => void) => page.listeners.delete(l),
      },
      fetch: (url: string, init: RequestInit) => page.fetch(url, init),
    })
  }

  hide(hidden: boolean): void {
    this.hidden = hidden
    this.listeners.forEach(l => l())
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const call = {method: init.method!, url, headers: (init.headers || {}) as Record<string, string>, body: init.body as string | undefined}
    this.calls.push(call)
    this.most = Math.max(this.most, ++this.inFlight)
    try {
      await Promise.resolve()
      const stopped = new Promise<never>((_, reject) => init.signal && init.signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))))
      return await Promise.race([this.answer(call), stopped])
    } finally {
      this.inFlight--
    }
  }
}

export const json = (body: unknown, etag = '"1"') => new Response(JSON.stringify(body), {status: 200, headers: {'Content-Type': 'application/json', ETag: etag}})

export const problem = (status: number, body: unknown) => new Response(JSON.stringify(body), {status, headers: {'Content-Type': 'application/problem+json'}})

// turns lets all that is ready run.
export async function turns(): Promise<void> {
  for (let i = 0; i < 30; i++) {
    await Promise.resolve()
  }
  await new Promise(resolve => setImmediate(resolve))
}
