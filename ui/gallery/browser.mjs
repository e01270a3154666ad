// What the tests with recorded answers share: a browser, and pages in a state.
import {chromium} from 'playwright-core'
import {build, serve} from '../build/dev.mjs'

export const react = process.env.WAYBILL_REACT || '19'

// start builds and serves the page. open shows a state, and notes what the page throws.
export async function start() {
  await build()
  const server = await serve(0)
  const browser = await chromium.launch({timeout: 60000, executablePath: process.env.WAYBILL_CHROMIUM || '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu']})
  let ids
  const open = async (state, {width = 1440, clock = false} = {}) => {
    const page = await browser.newPage({viewport: {width, height: 900}})
    page.setDefaultTimeout(60000)
    page.failures = []
    page.on('pageerror', e => page.failures.push(String(e)))
    if (clock) {
      await page.clock.install()
    }
    const place = (state.place || '').replace(/\{(\w+)\}/g, (_, name) => ids[name])
    const params = {view: state.view || 'Promotion', react: state.react || react, scenario: state.scenario || '', latency: state.latency || '', waybill: place, extension: state.flyout || ''}
    const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ''))
    await page.goto(`http://127.0.0.1:${server.address().port}/applications/argocd/${state.app || 'shop-prod-eu'}?${query}`)
    return page
  }
  const first = await open({})
  ids = await first.evaluate(() => window.page.ids)
  await first.close()
  return {
    open,
    stop: async () => {
      await browser.close()
      server.close()
    },
  }
}
