// What the tests of the page share: a browser, people who are signed in, and a hand
// outside the page. hack/browser starts what stands behind the addresses.
import {chromium} from 'playwright-core'

const need = name => {
  if (!process.env[name]) {
    throw new Error(`${name} is not set: run these tests with go test ./hack/browser`)
  }
  return process.env[name]
}

export const react = need('WAYBILL_REACT')
export const site = need('WAYBILL_SITE')
export const below = need('WAYBILL_BELOW')
export const first = need('WAYBILL_FIRST')
const control = need('WAYBILL_CONTROL')

// patience bounds every wait. Nothing takes a tenth of it on a machine that does
// nothing else.
export const patience = 90000

export const launch = () =>
  chromium.launch({
    executablePath: need('WAYBILL_CHROMIUM'),
    timeout: patience,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })

// hand does something outside the page, or asks for it.
async function hand(method, path, values = {}) {
  const answer = await fetch(`${control}/${path}?${new URLSearchParams(values)}`, {method})
  const body = await answer.text()
  if (!answer.ok) {
    throw new Error(`${path}: ${body}`)
  }
  return JSON.parse(body)
}

export const push = tag => hand('POST', 'push', {tag})
export const liveImage = stage => hand('GET', 'live', {stage})
export const touch = (app, at) => hand('POST', 'touch', {app, at})
export const requests = () => hand('GET', 'requests')
export const forget = () => hand('POST', 'forget')
export const setLatency = ms => hand('POST', 'latency', {ms})
export const setFault = status => hand('POST', 'fault', {status})
// setComponent stops or starts a component of the stack: waybill-proxy, or one of Argo CD.
export const setComponent = (name, what) => hand('POST', 'component', {name, do: what})

export const address = (app, place = '', root = site) =>
  `${root}applications/argocd/${app}?${new URLSearchParams({react, view: 'Promotion', ...(place ? {waybill: place} : {})})}`

// signIn opens a page as a person, who has signed in by way of the login's form.
export async function signIn(browser, who, {root = site, viewport = {width: 1440, height: 900}, theme = 'light'} = {}) {
  const session = root + who
  const context = await browser.newContext({viewport, storageState: sessions.get(session)})
  context.setDefaultTimeout(patience)
  await context.addInitScript(t => localStorage.setItem('view_preferences', JSON.stringify({theme: t})), theme)
  await context.addInitScript(countFlights)
  const page = await context.newPage()
  page.failures = []
  page.on('pageerror', e => page.failures.push(e))
  if (!sessions.has(session)) {
    await page.goto(`${root}login?react=${react}`)
    await page.getByLabel('Username').fill(who)
    await page.getByLabel('Password').fill(who)
    await page.getByRole('button', {name: 'Sign in'}).click()
    await page.waitForURL('**/applications**')
    sessions.set(session, await context.storageState())
  }
  return page
}

const sessions = new Map()

// api calls Waybill's API as the person of a page, outside of the page.
export async function api(page, method, path, {gate = 'waybill', app = 'shop-prod', data} = {}) {
  const answer = await page.context().request.fetch(`${site}extensions/${gate}/api/v1${path}`, {
    method,
    data,
    headers: {'Argocd-Application-Name': 'argocd:' + app, 'Argocd-Project-Name': 'shop'},
  })
  return {status: answer.status(), body: await answer.json()}
}

// countFlights runs in the page: it counts how many requests of extensions are in
// flight at the same time, from the call until the body is read.
function countFlights() {
  const {fetch} = window
  let now = 0
  window.inFlight = () => now
  window.fetch = async (url, init) => {
    if (!String(url).includes('extensions/')) {
      return fetch(url, init)
    }
    now++
    sessionStorage.setItem('flights', String(Math.max(now, Number(sessionStorage.getItem('flights')))))
    try {
      const answer = await fetch(url, init)
      const {status, headers} = answer
      return new Response(status === 304 || status === 204 ? null : await answer.arrayBuffer(), {status, headers})
    } finally {
      now--
    }
  }
}

// mostInFlight tells how many requests of extensions a page had at most at once.
export const mostInFlight = page => page.evaluate(() => Number(sessionStorage.getItem('flights')))

// settled waits until a page has no request of an extension in flight.
export const settled = page => until('nothing is in flight', async () => [(await page.evaluate(() => window.inFlight())) === 0])

// until waits until a condition holds, which it asks for again and again.
export async function until(what, condition) {
  const end = Date.now() + patience
  for (;;) {
    const [ok, seen] = await condition()
    if (ok) {
      return seen
    }
    if (Date.now() > end) {
      throw new Error(`still not after ${patience / 1000} s: ${what}; last seen: ${JSON.stringify(seen)}`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

// stage is a stage of the graph; with freight, once the stage has verified it.
export const stage = (page, name, freight) =>
  page.getByRole('button', {name: new RegExp(`^Stage ${name}\\b${freight ? `.*[^t] verified (?:[a-z]+-[a-z]+ )?shop:${freight.replaceAll('.', '\\.')}` : ''}`)})
