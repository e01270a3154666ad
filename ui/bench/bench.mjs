// Measures what the extension promises to cost a page, in Chromium, with recorded
// answers: a pipeline of 200 stages and 2,000 pieces of freight. Prints the figures as
// JSON on the last line.
//
// How long a page takes to its first paint is the best of several runs: what disturbs one
// from outside only makes it longer. Frames are measured by the processor time of the
// page's main thread, which a busy machine does not make longer, without the compositor's,
// which differs with the graphics card.
import {readFileSync} from 'node:fs'
import {gzipSync} from 'node:zlib'
import {chromium} from 'playwright-core'
import {output} from '../build/bundle.mjs'
import {build, serve} from '../build/dev.mjs'

const runs = 5
const react = '19'

await build()
const server = await serve(0)
const browser = await chromium.launch({executablePath: process.env.WAYBILL_CHROMIUM || '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu']})

async function open({app = 'shop-stage-42', clock = false, ...params}) {
  const page = await browser.newPage({viewport: {width: 1440, height: 900}})
  await page.addInitScript(watchPaints)
  if (clock) {
    await page.clock.install()
  }
  await page.goto(`http://localhost:${server.address().port}/applications/argocd/${app}?${new URLSearchParams({view: 'Promotion', react, ...params})}`)
  return page
}

// watchPaints runs in the page: it notes when the first frame with the tab's bar, and
// with the graph, has been drawn.
function watchPaints() {
  window.painted = {}
  const after = {tab: '.waybill-bar', graph: '[data-node^="stage/"]'}
  const look = () => {
    for (const [what, selector] of Object.entries(after)) {
      if (!(what in window.painted) && document.querySelector(selector)) {
        window.painted[what] = 0
        const {port1, port2} = new MessageChannel()
        port1.onmessage = () => (window.painted[what] = performance.now())
        port2.postMessage(0) // comes after this frame's style, layout and paint
      }
    }
    if (Object.keys(window.painted).length < 2) {
      requestAnimationFrame(look)
    }
  }
  requestAnimationFrame(look)
}

const best = async measure => {
  const all = []
  for (let n = 0; n < runs; n++) {
    all.push(await measure())
  }
  return all
}
const least = (all, what) => Math.min(...all.map(one => one[what]))

// paints tells how long after the pipeline's answer the tab and the graph are there.
async function paints() {
  const page = await open({scenario: 'large'})
  await page.waitForFunction(() => window.painted.tab > 0 && window.painted.graph > 0)
  const {painted, answered} = await page.evaluate(() => ({painted: window.painted, answered: window.page.answered}))
  await page.close()
  return {tab: painted.tab - answered, graph: painted.graph - answered}
}

// longestTask tells the longest task of the page's main thread while something is moved,
// in milliseconds of processor time. A frame is one such task: what is moved is handled,
// styled, laid out and painted in it.
async function longestTask(page, move) {
  await browser.startTracing(page, {categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline']})
  await move()
  const {traceEvents} = JSON.parse((await browser.stopTracing()).toString())
  const thread = e => `${e.pid} ${e.tid}`
  const main = new Set(traceEvents.filter(e => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map(thread))
  const of = name => traceEvents.filter(e => e.ph === 'X' && e.name === name && main.has(thread(e)))
  const frames = of('Paint').length
  if (frames < 30) {
    throw new Error(`only ${frames} frames were drawn: nothing was moved`)
  }
  return Math.max(...of('RunTask').map(e => e.tdur)) / 1000
}

async function panning() {
  const page = await open({scenario: 'large'})
  await page.locator('[data-node^="stage/"]').first().waitFor()
  const box = await page.locator('.waybill-canvas').boundingBox()
  // Where no card stands, so that the graph is what is dragged.
  const free = await page.evaluate(() => {
    const {left, right, top, bottom} = document.querySelector('.waybill-canvas').getBoundingClientRect()
    for (let x = left + 10; x < right; x += 7) {
      for (let y = top + 60; y < Math.min(bottom, window.innerHeight) - 10; y += 7) {
        if (!document.elementFromPoint(x, y).closest('button')) {
          return {x, y}
        }
      }
    }
    return undefined
  })
  const at = (n, start, length) => start + length * (0.5 + 0.4 * Math.sin(n / 12))
  const before = await page.locator('.waybill-plane').evaluate(e => e.style.transform)
  const longest = await longestTask(page, async () => {
    await page.mouse.move(free.x, free.y)
    await page.mouse.down()
    for (let n = 0; n < 120; n++) {
      await page.mouse.move(at(n, box.x, box.width), at(n, box.y, box.height))
    }
  })
  const moved = (await page.locator('.waybill-plane').evaluate(e => e.style.transform)) !== before
  await page.close()
  if (!moved) {
    throw new Error('the graph did not move')
  }
  return longest
}

async function scrolling() {
  const page = await open({scenario: 'large', waybill: 'freight'})
  await page.getByRole('row').nth(2).waitFor()
  // All pages of the freight line are there before it is measured.
  const rows = page.locator('.waybill-rows')
  for (let n = 0; n < 40 && (await page.locator('[aria-rowcount="2001"]').count()) === 0; n++) {
    await rows.evaluate(e => (e.scrollTop = e.scrollHeight))
    await page.waitForTimeout(60)
  }
  await page.locator('[aria-rowcount="2001"]').waitFor()
  const box = await rows.boundingBox()
  await rows.evaluate(e => (e.scrollTop = 0))
  const longest = await longestTask(page, async () => {
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    for (let n = 0; n < 120; n++) {
      await page.mouse.wheel(0, n < 60 ? 900 : -700)
    }
  })
  await page.close()
  return longest
}

// requests tells what a page asks of extensions in a minute of its own clock, after its
// first questions.
async function requests(params, before = async () => undefined) {
  const page = await open({clock: true, app: 'shop-prod-eu', ...params})
  const seconds = async n => {
    for (let s = 0; s < n; s++) {
      await page.clock.runFor(1000)
      await page.waitForFunction(() => window.page.inFlight === 0, undefined, {polling: 5})
    }
  }
  await seconds(20)
  await before(page)
  await page.evaluate(() => (window.page.calls.length = 0))
  await seconds(60)
  const seen = await page.evaluate(() => ({calls: window.page.calls.length, most: window.page.mostInFlight}))
  await page.close()
  return seen
}

const hide = page =>
  page.evaluate(() => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})
    document.dispatchEvent(new Event('visibilitychange'))
  })

try {
  const kilobytes = gzipSync(readFileSync(output)).length / 1024
  const painted = await best(paints)
  const pan = await panning()
  const scroll = await scrolling()
  const idle = await requests({scenario: 'idle'})
  const alone = await requests({scenario: 'idle', view: 'tree'})
  const active = await requests({})
  const hidden = await requests({}, hide)
  const ms = ' ms'
  console.log(
    JSON.stringify([
      {what: 'the bundle, gzipped', value: kilobytes, limit: 60, unit: ' KB'},
      {what: `first paint of the tab after the data, best of ${runs}`, value: least(painted, 'tab'), limit: 300, unit: ms},
      {what: `first paint of a graph of 200 stages after the data, best of ${runs}`, value: least(painted, 'graph'), unit: ms},
      {what: 'longest frame while panning 200 stages, processor time', value: pan, limit: 50, unit: ms},
      {what: 'longest frame while scrolling 2,000 pieces of freight, processor time', value: scroll, limit: 50, unit: ms},
      {what: 'requests in a minute, nothing runs', value: idle.calls, limit: 4},
      {what: 'requests in a minute, the status panel alone', value: alone.calls, limit: 4},
      {what: 'requests in a minute, a promotion runs', value: active.calls, limit: 60},
      {what: 'requests in a minute in the background', value: hidden.calls, limit: 0},
      {what: 'requests in flight at once', value: Math.max(idle.most, alone.most, active.most), limit: 1},
    ]),
  )
} finally {
  await browser.close()
  server.close()
}
