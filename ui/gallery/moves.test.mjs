// What happens between the states: somebody comes, goes, waits or turns away.
import assert from 'node:assert/strict'
import {after, before, describe, it} from 'node:test'
import {react, start} from './browser.mjs'

describe(`from one state to another, on React ${react}`, {concurrency: 2}, () => {
  let shown
  before(async () => {
    shown = await start()
  })
  after(() => shown?.stop())

  const stage = (page, name) => page.getByRole('button', {name: new RegExp(`^Stage ${name}\\b`)})
  const calls = page => page.evaluate(() => window.page.calls.map(c => c.call))
  const forget = page => page.evaluate(() => void (window.page.calls.length = 0))
  // go is what Argo CD's router does: the page stays.
  const go = (page, to) =>
    page.evaluate(url => {
      window.history.pushState({}, '', url)
      window.dispatchEvent(new PopStateEvent('popstate', {state: {}}))
    }, to)
  // moves opens a page, which must throw nothing.
  const moves = (what, state, options, then) =>
    it(what, async () => {
      const page = await shown.open(state, options)
      await then(page)
      assert.deepEqual(page.failures, [])
      await page.close()
    })
  const hide = (page, hidden) =>
    page.evaluate(h => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => h})
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  // wait runs the page's clock, and lets it have its answers.
  const wait = async (page, seconds) => {
    for (let s = 0; s < seconds; s++) {
      await page.clock.runFor(1000)
      await page.waitForFunction(() => window.page.inFlight === 0, undefined, {polling: 5})
    }
  }

  moves('newer freight does not take the place of what a person looks at', {place: 'pipeline;doing=promote;target=prod-eu', scenario: 'idle'}, {clock: true}, async page => {
    const picked = page.locator('.waybill-picked strong')
    await wait(page, 3)
    const name = await picked.textContent()
    await page.evaluate(() => window.page.news())
    await wait(page, 20)
    await page.waitForFunction(() => document.querySelector('[data-node="stage/staging"]').textContent.includes('mellow-vole'))
    assert.equal(await picked.textContent(), name)
  })

  moves('freight that a link names is compared, however old it is', {place: 'pipeline;doing=promote;target=stage-42;pick={eldest}', scenario: 'large', app: 'shop-stage-42'}, {}, async page => {
    const dialog = page.getByRole('dialog')
    await dialog.getByText('git.example.com/acme/shop-config').waitFor()
    assert.equal(await page.locator('.waybill-picked strong').textContent(), 'shop:v1.1.0')
    assert.equal(await dialog.getByText('The stage holds nothing to compare with.').count(), 0)
  })

  moves('another Application in the same place begins anew', {app: 'shop-prod-eu', scenario: 'idle'}, {clock: true}, async page => {
    await wait(page, 3)
    await go(page, '/applications/argocd/shop-dev?view=Promotion')
    await wait(page, 3)
    await page.getByRole('button', {name: /^Promote to dev/}).waitFor()
    // What is typed has not come into the URL yet.
    await page.getByRole('searchbox').fill('staging')
    await go(page, '/applications/argocd/shop-prod-eu?view=Promotion')
    await wait(page, 3)
    await page.getByRole('button', {name: /^Promote to prod-eu/}).waitFor()
    assert.equal(await page.getByRole('searchbox').inputValue(), '')
    assert.equal(await page.evaluate(() => window.location.search), '?view=Promotion')
  })

  moves('a dialog that throws can be closed', {place: 'pipeline;doing=promote;target=prod-eu', scenario: 'crash-preview'}, {}, async page => {
    await page.getByText('failed here', {exact: false}).waitFor()
    await page.getByRole('dialog').getByRole('button', {name: 'Close'}).click()
    await stage(page, 'prod-eu').click()
    await page.getByRole('complementary').waitFor()
  })

  moves('the way back brings back what was searched and selected', {place: 'pipeline;query=staging'}, {}, async page => {
    await stage(page, 'staging').click()
    await page.getByRole('complementary').waitFor()
    await stage(page, 'staging').click()
    await page.getByRole('searchbox').fill('prod')
    await page.waitForFunction(() => window.location.search.includes('prod'))
    await page.goBack()
    await page.getByRole('complementary').waitFor({state: 'detached'})
    assert.equal(await page.getByRole('searchbox').inputValue(), 'staging')
  })

  moves('a page in the background asks for no verdict, and for what is due when it is seen again', {place: 'pipeline;stage=prod-us', scenario: 'idle'}, {clock: true}, async page => {
    await wait(page, 3)
    await page.getByText('of 10m0s in staging', {exact: false}).first().waitFor()
    await hide(page, true)
    await forget(page)
    await wait(page, 300)
    assert.deepEqual(await calls(page), [])
    await hide(page, false)
    await wait(page, 3)
    const seen = await calls(page)
    assert.ok(seen.some(c => c.includes('eligibility')), String(seen))
  })

  moves('what failed while nobody answered comes back with the rest', {scenario: 'idle'}, {clock: true}, async page => {
    await wait(page, 3)
    await page.evaluate(() => (window.page.scenario = 'down'))
    await page.getByRole('tab', {name: 'History'}).click()
    await wait(page, 20)
    await page.locator('.waybill-content').getByRole('alert').waitFor()
    await page.evaluate(() => (window.page.scenario = 'idle'))
    await wait(page, 70)
    await page.getByRole('row').nth(2).waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
  })

  moves('a page of freight that failed can be asked for again', {place: 'freight', scenario: 'large', app: 'shop-stage-42'}, {}, async page => {
    await page.getByRole('row').nth(2).waitFor()
    await page.waitForFunction(() => window.page.inFlight === 0 && Number(document.querySelector('[aria-rowcount]').getAttribute('aria-rowcount')) > 100)
    await page.evaluate(() => (window.page.scenario = 'down'))
    const down = page.locator('.waybill-content').getByRole('alert')
    await page.locator('.waybill-rows').evaluate(e => (e.scrollTop = e.scrollHeight))
    await down.waitFor()
    const asked = (await calls(page)).filter(c => c.includes('/freight?')).length
    await page.evaluate(() => (window.page.scenario = 'large'))
    await down.getByRole('button', {name: 'Try again'}).click()
    await page.waitForFunction(() => Number(document.querySelector('[aria-rowcount]').getAttribute('aria-rowcount')) > 300)
    assert.ok(asked <= 3, `${asked} pages were asked for while nobody answered`)
  })
})
