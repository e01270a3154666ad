// The states that the page can show, each by its name in `?scenario=`.
import {large} from '../test/fixtures/large'
import type {Shop} from '../test/fixtures/shop'
import type {Pipeline, Preview, Stage} from '../src/api/wire'

type Change = (p: Pipeline, shop: Shop) => Pipeline

const stages = (p: Pipeline, change: (s: Stage) => Partial<Stage>): Pipeline => ({...p, stages: p.stages.map(s => ({...s, ...change(s)}))})
const only = (name: string, change: (s: Stage) => Partial<Stage>) => (s: Stage) => (s.name === name ? change(s) : {})

// What others write, at its worst: as long as it may be, without a space, or not meant well.
const long = 'the-one-that-nobody-wanted-to-name-and-so-it-has-all-names-at-1'
const endless = 'x'.repeat(400)
const markup = '<img src=x onerror=alert(1)>'

// pipelines are the scenarios in which the server knows something else.
export const pipelines: Record<string, Change> = {
  large: (_, shop) => large(shop.now, 200),
  idle: p => stages(p, () => ({running: undefined, pending: []})),
  empty: (p, shop) => ({
    ...p,
    freight: [],
    warehouses: [{...p.warehouses[0], candidate: undefined, error: 'registry.example.com/shop has no tag that ^1.0.0 allows: push one, or change the constraint'}],
    stages: p.stages.map(s => shop.stage(s.name, {project: s.project, requestedFreight: s.requestedFreight})),
  }),
  manual: p => ({...p, warehouses: [{...p.warehouses[0], manual: true, reason: 'freightCreationPolicy is Manual: somebody puts the freight together'}]}),
  hostile: (p, shop) => ({
    ...stages(
      {...p, stages: p.stages.map(s => (s.name === 'prod-us' ? {...s, name: long, applications: [{...s.applications[0], name: long}]} : s)), edges: p.edges.map(e => ({...e, from: e.from === 'shop' ? long : e.from, to: e.to === 'prod-us' ? long : e.to}))},
      only('prod-eu', () => ({
        branch: 'env/' + endless,
        pending: [{...shop.waiting(), request: {by: endless + '@example.com', at: shop.at(60000), reason: markup + endless}, waiting: endless}],
        current: [{...shop.load(8, 60000), alias: long, summary: endless}],
        problems: [`argocd/${long} and argocd/${long}-2 would write the same file ${endless}`],
      })),
    ),
    warehouses: [{...p.warehouses[0], name: long, error: markup + endless}],
    freight: p.freight.map(f => ({
      ...f,
      alias: long,
      summary: endless,
      stages: [...(f.stages || []), long, long + '-2'],
      details: (f.details || []).map(d => ({...d, source: 'javascript:alert(1)', subject: markup + endless, author: endless})),
      images: (f.images || []).map(i => ({...i, tag: endless.slice(0, 128)})),
    })),
  }),
  document: p => ({...p, problems: [{path: 'stages[2].approval.required', message: 'is 0: at least one approval is required where the rule is there'}]}),
  bindings: p => stages(p, only('prod-eu', () => ({problems: ['argocd/shop-prod-eu and argocd/shop-prod-eu-2 would write the same file: give each a path of its own']}))),
  postponed: (p, shop) =>
    stages(
      p,
      only('prod-eu', () => ({
        pending: [
          {
            ...shop.waiting(),
            approvals: ['bob', 'carol'].map(by => ({by, at: shop.at(360000), preview: 'sha256:' + '5a'.repeat(32)})),
            message: 'it could not be compared with what was approved and will be tried again: the Git repository https://git.example.com/acme/shop.git does not answer',
            waiting: 'it starts as soon as it can be compared with what was approved',
          },
        ],
      })),
    ),
  outdated: (p, shop) =>
    stages(
      p,
      only('prod-eu', () => ({
        pending: [{...shop.waiting(), approvals: [{by: 'bob', at: shop.at(360000), preview: 'sha256:' + '5a'.repeat(32), outdated: 'what would be rendered has changed since: look at the preview again'}], waiting: 'approval 0 of 2: somebody who may approve in prod-eu, other than alice, approves it'}],
      })),
    ),
}

// previews are the scenarios in which something else would change.
export const previews: Record<string, (p: Preview) => Preview> = {
  'crash-preview': p => ({...p, applications: [null as unknown as Preview['applications'][0]]}),
  withheld: p => ({
    ...p,
    applications: [
      ...p.applications,
      {
        namespace: 'argocd',
        name: 'payments-' + p.stage,
        digest: 'sha256:' + '7c'.repeat(32),
        withheld: "the manifests of Application argocd/payments-prod-eu are left out, because Argo CD's policy does not allow dana by name to get it, and rights by group are not known here: call on behalf of that Application, or ask an administrator of Argo CD for the line: p, dana, applications, get, shop-prod/payments-prod-eu, allow",
        prunes: true,
        total: 14,
      },
    ],
  }),
}

// Refusal is an answer in the place of the one that was asked for.
export interface Refusal {
  status: number
  type: string
  title: string
  detail: string
}

// onReads are refusals of whatever is asked.
export const onReads: Record<string, Refusal> = {
  'not-bound': {status: 403, type: 'not-bound', title: 'Not bound', detail: 'stage waybill/shop/prod-eu takes Applications of AppProject shop-prod, this one is of shop: move it there, or change the pipeline'},
}

// onChanges are refusals of what a person asks for.
export const onChanges: Record<string, Refusal> = {
  refused: {status: 409, type: 'ineligible', title: 'The freight is not eligible', detail: 'freight 1234567 has soaked 6m0s of 10m0s in staging: wait until it has'},
  forbidden: {status: 403, type: 'forbidden', title: 'Not allowed', detail: "Argo CD's policy does not allow dana applications, action/waybill.dev/Stage/promote, on shop-prod/shop-prod-eu: an administrator grants it in argocd-rbac-cm"},
}

// broken are answers that are not Waybill's.
export const broken: Record<string, () => Response> = {
  down: () => new Response('', {status: 502}),
  odd: () => new Response('<html>', {status: 418}),
  'not-installed': () => new Response('Extension not found', {status: 404}),
  'no-access': () => new Response('Unauthorized extension request', {status: 401}),
  'signed-out': () => new Response('Unauthorized extension request', {status: 401}),
  'no-network': () => {
    throw new TypeError('Failed to fetch')
  },
}
