// Every state of the extension: put into screenshots/ in both themes and at three
// widths, with a page to look through them, and looked at by axe in both themes.
import assert from 'node:assert/strict'
import {copyFileSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {after, before, describe, it} from 'node:test'
import {chromium} from 'playwright-core'
import {home} from '../build/bundle.mjs'
import {violations} from '../browser/axe.mjs'
import {build, serve} from '../build/dev.mjs'
import {index, readme, themes, widths} from './page.mjs'
import {groups} from './states.mjs'

const folder = join(home, 'screenshots')
// WAYBILL_STATES=pipeline,stage looks at these alone; WAYBILL_README=1 takes the pictures
// of the README anew.
const wanted = (process.env.WAYBILL_STATES || '').split(',').filter(Boolean)
const react = process.env.WAYBILL_REACT || '19'

describe(`every state, on React ${react}`, {concurrency: 3}, () => {
  let server, browser, ids
  before(async () => {
    await build()
    if (wanted.length === 0) {
      rmSync(folder, {recursive: true, force: true})
    }
    mkdirSync(folder, {recursive: true})
    server = await serve(0)
    browser = await chromium.launch({executablePath: process.env.WAYBILL_CHROMIUM || '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu']})
    const page = await open({name: 'pipeline'})
    ids = await page.evaluate(() => window.page.ids)
    await page.close()
  })
  after(async () => {
    await browser?.close()
    server?.close()
    writeFileSync(join(folder, 'index.html'), index(groups))
    if (process.env.WAYBILL_README === '1') {
      Object.entries(readme).forEach(([name, of]) => copyFileSync(join(folder, of + '.png'), join(home, 'pictures', name + '.png')))
    }
    console.log(`${join(folder, 'index.html')} shows every state`)
  })

  // open shows a state's page, which throws nothing.
  async function open(state) {
    const page = await browser.newPage({viewport: {width: widths[0], height: 900}})
    page.setDefaultTimeout(60000)
    page.failures = []
    page.on('pageerror', e => page.failures.push(String(e)))
    const place = (state.place || '').replace(/\{(\w+)\}/g, (_, name) => ids[name])
    const params = {view: state.view || 'Promotion', react: state.react || react, scenario: state.scenario || '', latency: state.latency || '', waybill: place, extension: state.flyout || ''}
    const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ''))
    await page.goto(`http://localhost:${server.address().port}/applications/argocd/${state.app || 'shop-prod-eu'}?${query}`)
    return page
  }

  for (const state of groups.flatMap(g => g.states).filter(s => wanted.length === 0 || wanted.includes(s.name))) {
    it(state.name, async () => {
      const page = await open(state)
      try {
        await state.ready(page)
        const found = []
        for (const theme of themes) {
          await page.evaluate(t => document.querySelector('.theme-' + t) || document.querySelector('.sidebar button').click(), theme)
          await page.locator('.theme-' + theme).waitFor()
          for (const width of widths) {
            await page.setViewportSize({width, height: 900})
            await drawn(page)
            await page.screenshot({path: join(folder, `${state.name}-${theme}-${width}.png`), animations: 'disabled'})
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `the page is wider than ${width}`)
            if (width === widths[0] || (width === widths[2] && theme === 'light')) {
              found.push(...(await violations(page)).map(v => `${theme}, ${width}: ${v}`))
            }
          }
        }
        assert.deepEqual(found, [])
        assert.deepEqual(page.failures, [])
        assert.equal(await page.getByText('Something went wrong!').count(), 0)
      } catch (error) {
        await page.screenshot({path: join(folder, `failed-${state.name}.png`)})
        throw error
      } finally {
        await page.close()
      }
    })
  }

  // drawn waits until the page has been drawn at its new size.
  const drawn = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))))
})
