import {text} from '../strings'
import type {ProblemDocument, Verdict} from './wire'

// Kinds of failures of which the views tell different things. The first four are
// Argo CD's or the network's; `refused` carries the server's own words.
export type Kind = 'signed-out' | 'no-access' | 'not-installed' | 'unreachable' | 'not-bound' | 'refused'

// Problem is why a call failed: what happened, and what to do about it.
export class Problem extends Error {
  constructor(
    readonly kind: Kind,
    readonly title: string,
    readonly detail: string,
    readonly verdict?: Verdict,
    // type is the server's stable name for it, as in RFC 9457.
    readonly type?: string,
  ) {
    super(detail)
  }

  // unanswered tells that these are not the words of Waybill, which was not reached or
  // whose answer was lost.
  get unanswered(): boolean {
    return this.kind === 'unreachable' && this.type === undefined
  }
}

export function unreachable(): Problem {
  return new Problem('unreachable', text.problem.unreachable, text.problem.unreachableDetail)
}

// odd is an answer that is not Waybill's.
export function odd(status: number): Problem {
  return new Problem('unreachable', text.problem.odd, text.problem.oddDetail(status))
}

// fromAnswer makes a problem of an answer that is none of 2xx and 304. signedIn is
// asked only where Argo CD itself refused: it answers the same to who is not signed
// in and to who may not (server/extension/extension.go, CallExtension).
export async function fromAnswer(answer: Response, gate: string, signedIn: () => Promise<boolean>): Promise<Problem> {
  const type = answer.headers.get('Content-Type') || ''
  if (type.includes('application/problem+json')) {
    try {
      return fromDocument((await answer.json()) as ProblemDocument)
    } catch {
      return odd(answer.status)
    }
  }
  const said = (await answer.text()).trim()
  switch (answer.status) {
    case 400:
    case 401:
    case 403:
      if (answer.status === 400 && !said.includes('cookie')) {
        break
      }
      return (await signedIn())
        ? new Problem('no-access', text.problem.noAccess, text.problem.noAccessDetail(gate))
        : new Problem('signed-out', text.problem.signedOut, text.problem.signedOutDetail)
    case 404:
      return new Problem('not-installed', text.problem.notInstalled, text.problem.notInstalledDetail(gate))
    case 502:
    case 503:
    case 504:
      return new Problem('unreachable', text.problem.proxyDown, text.problem.proxyDownDetail)
  }
  return odd(answer.status)
}

function fromDocument(p: ProblemDocument): Problem {
  const kind = p.type === 'urn:waybill:problem:not-bound' ? 'not-bound' : p.status >= 500 ? 'unreachable' : 'refused'
  return new Problem(kind, p.title, sentence(p.detail), p.verdict, p.type)
}

// sentence makes of the server's clause a sentence for a page. A clause that begins with
// a name (shop-dev is …) keeps it as it is.
export function sentence(clause: string): string {
  const trimmed = clause.trim()
  const begun = /^[a-z]+(?=[\s,:]|$)/.test(trimmed) ? trimmed[0].toUpperCase() + trimmed.slice(1) : trimmed
  return begun === '' || /[.!?…]$/.test(begun) ? begun : begun + '.'
}
