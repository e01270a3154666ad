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
export const patience = Number(process.env.PATIENCE || 90000)

export const launch = () =>
  chromium.launch({
    executablePath: need('WAYBILL_CHROMIUM'),
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
export const setProxy = what => hand('POST', 'proxy', {do: what})

export const address = (app, place = '', root = site) =>
  `${root}applications/argocd/${app}?${new URLSearchParams({react, view: 'Promotion', ...(place ? {waybill: place} : {})})}`

// signIn opens a page as a person, by way of the login's form.
export async function signIn(browser, who, {root = site, viewport = {width: 1440, height: 900}, theme = 'light', ...more} = {}) {
  const context = await browser.newContext({viewport, ...more})
  context.setDefaultTimeout(patience)
  await context.addInitScript(t => localStorage.getItem('view_preferences') || localStorage.setItem('view_preferences', JSON.stringify({theme: t})), theme)
  const page = await context.newPage()
  page.failures = []
  page.on('pageerror', e => page.failures.push(e))
  await page.goto(`${root}login?react=${react}`)
  await page.getByLabel('Username').fill(who)
  await page.getByLabel('Password').fill(who)
  await page.getByRole('button', {name: 'Sign in'}).click()
  await page.waitForURL('**/applications**')
  return page
}

// inFlight counts a page's requests of extensions, and how many there were at most at
// the same time.
export function inFlight(page) {
  const now = new Set()
  const seen = {most: 0, all: 0}
  page.on('request', r => {
    if (r.url().includes('/extensions/')) {
      now.add(r)
      seen.all++
      seen.most = Math.max(seen.most, now.size)
    }
  })
  page.on('requestfinished', r => now.delete(r))
  page.on('requestfailed', r => now.delete(r))
  return seen
}

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
