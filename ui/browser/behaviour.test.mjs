// How the extension behaves towards Argo CD, its own backend and the person before it.
import assert from 'node:assert/strict'
import {after, afterEach, before, describe, it} from 'node:test'
import {address, below, forget, launch, mostInFlight, react, requests, setComponent, setFault, setLatency, settled, signIn, stage, touch, until} from './harness.mjs'

const hostStands = async page => {
  await page.getByText('APP HEALTH').waitFor()
  assert.equal(await page.getByText('Something went wrong!').count(), 0)
}

describe(`in the page of Argo CD, on React ${react}`, () => {
  let browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser.close())
  afterEach(async () => {
    await Promise.all([setLatency(0), setFault(0)])
    await Promise.all(browser.contexts().map(c => c.close()))
  })

  // quiet opens the tab, and lets the page's clock run only when a test says so.
  async function quiet(place) {
    const page = await signIn(browser, 'alice')
    await page.clock.install()
    await page.goto(address('shop-prod', place))
    await stage(page, 'prod').waitFor()
    // Who looks, and through which gates, is asked once.
    await until('the first questions are asked', async () => {
      const all = await requests()
      return [all.some(r => r.path.endsWith('/me')), all]
    })
    await page.clock.pauseAt(new Date(Date.now() + 3600000))
    await settled(page)
    await forget()
    return page
  }
  const asked = n => until(`${n} requests`, async () => {
    const all = await requests()
    return [all.length >= n, all]
  })

  it('asks four times a minute while nothing runs, and is answered that nothing changed', async () => {
    const page = await quiet()
    for (let n = 1; n <= 4; n++) {
      await page.clock.runFor(15000)
      await asked(n)
      await settled(page)
    }
    const all = await requests()
    assert.deepEqual(all.map(r => [r.method, r.path, r.status]), Array(4).fill(['GET', 'waybill/api/v1/pipelines/shop', 304]))
    assert.ok(all.every(r => r.ifNoneMatch !== ''))
  })

  it('asks nothing in the background, and at once when it is back', async () => {
    const page = await quiet()
    const hide = hidden => page.evaluate(h => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => h})
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
    await hide(true)
    await page.clock.runFor(600000)
    assert.deepEqual(await requests(), [])
    await hide(false)
    await page.clock.runFor(1)
    await asked(1)
  })

  it('asks nothing when Argo CD tells of a change', async () => {
    const page = await quiet()
    const events = async () => Number(await page.locator('[data-events]').getAttribute('data-events'))
    const start = await events()
    for (let n = 1; n <= 3; n++) {
      await touch('shop-prod', `${Date.now()}`)
      await until('Argo CD tells', async () => [(await events()) >= start + n, await events()])
    }
    assert.deepEqual(await requests(), [])
  })

  it('asks one thing at a time, however slow the answers are', async () => {
    await setLatency(150)
    const page = await signIn(browser, 'alice')
    await page.goto(address('shop-prod'))
    await page.locator('.waybill-tab .waybill-skeleton').first().waitFor()
    await stage(page, 'prod').click()
    await page.getByRole('tab', {name: 'Freight'}).click()
    await page.getByRole('tab', {name: 'History'}).click()
    await page.getByRole('button', {name: /^Promote to prod/}).click()
    await page.getByRole('dialog').getByText(/added|Nothing changes/).first().waitFor()
    assert.equal(await mostInFlight(page), 1)
    assert.deepEqual(page.failures, [])
  })

  it('says what to do while waybill-proxy is down, keeps what it knew, and recovers by itself', async () => {
    const page = await signIn(browser, 'alice')
    await page.goto(address('shop-prod'))
    await stage(page, 'prod').waitFor()
    await setComponent('waybill-proxy', 'stop')
    try {
      await page.getByRole('tab', {name: 'History'}).click()
      await page.getByRole('alert').filter({hasText: 'Waybill does not answer'}).first().waitFor()
      await page.getByRole('tab', {name: 'Pipeline'}).click()
      await stage(page, 'prod').waitFor()
      await page.reload()
      await page.getByText('Waybill does not answer').first().waitFor()
      await hostStands(page)
    } finally {
      await setComponent('waybill-proxy', 'start')
    }
    await stage(page, 'prod').waitFor()
    assert.deepEqual(page.failures, [])
  })

  for (const [what, status, said] of [
    ['a broken connection', 1, 'Argo CD does not answer'],
    ['an unknown gate', 404, 'Waybill is not installed in this Argo CD'],
    ['an odd answer', 500, 'Waybill could not be reached'],
  ]) {
    it(`says what to do on ${what}`, async () => {
      await setFault(status)
      const page = await signIn(browser, 'alice')
      await page.goto(address('shop-prod'))
      await page.getByText(said).first().waitFor()
      await hostStands(page)
      await setFault(0)
      await page.getByRole('button', {name: 'Try again'}).click()
      await stage(page, 'prod').waitFor()
    })
  }

  it('tells who may not see promotions which right is missing', async () => {
    const page = await signIn(browser, 'carol')
    await page.goto(address('shop-prod'))
    await page.locator('.waybill-tab').getByText('extensions, invoke, waybill').waitFor()
    await hostStands(page)
  })

  it('tells who is signed out to sign in again', async () => {
    const page = await signIn(browser, 'alice')
    await page.goto(address('shop-prod'))
    await stage(page, 'prod').waitFor()
    await page.context().clearCookies()
    await page.getByRole('tab', {name: 'History'}).click()
    await page.getByText('You are signed out').first().waitFor()
  })

  it('leaves Argo CD whole when a view throws', async () => {
    const page = await signIn(browser, 'alice')
    // An answer that no server gives, in place of the pipeline.
    await page.route('**/extensions/waybill/api/v1/pipelines/*', route => route.fulfill({json: {name: 'shop', gates: [], edges: [], warehouses: [], freight: [null], stages: []}}))
    await page.goto(address('shop-prod'))
    await page.getByText('Waybill’s extension failed here').first().waitFor()
    await hostStands(page)
    await page.unroute('**/extensions/waybill/api/v1/pipelines/*')
    await page.getByRole('button', {name: 'Tree'}).click()
    await page.getByText('Deployment').first().waitFor()
    await hostStands(page)
  })

  it('leaves Argo CD and other extensions whole when it cannot even start', async () => {
    const page = await signIn(browser, 'alice')
    await page.addInitScript(() => {
      let api
      Object.defineProperty(window, 'extensionsAPI', {
        get: () => api,
        set: given => (api = {...given, registerAppViewExtension: () => { throw new Error('not today') }}),
      })
    })
    await page.route('**/extensions.js', async route => {
      const answer = await route.fetch()
      await route.fulfill({response: answer, body: (await answer.text()) + ';window.next=true;\n'})
    })
    await page.goto(address('shop-prod'))
    await hostStands(page)
    assert.equal(await page.evaluate(() => window.next), true)
    assert.deepEqual(page.failures, [])
  })

  it('works below a root path', async () => {
    const page = await signIn(browser, 'alice', {root: below})
    await page.goto(address('shop-prod', '', below))
    await stage(page, 'prod').click()
    await page.getByRole('button', {name: 'Promote', exact: true}).last().click()
    await page.getByRole('dialog').getByRole('heading', {name: 'What changes'}).waitFor()
    assert.ok((await page.getByRole('link', {name: 'shop-prod'}).first().getAttribute('href')).startsWith('/argocd/applications/'))
    assert.deepEqual(page.failures, [])
  })

  it('opens from the status panel and the top bar', async () => {
    const page = await signIn(browser, 'alice')
    await page.goto(address('shop-prod').replace('view=Promotion', 'view=tree'))
    await page.getByRole('button', {name: 'More about the promotion status'}).click()
    await page.getByRole('heading', {name: 'Stage prod'}).waitFor()
    await page.getByRole('button', {name: 'Open the pipeline'}).click()
    await stage(page, 'prod').waitFor()
    await page.locator('.top-bar').getByRole('button', {name: 'Promote'}).click()
    await page.getByRole('heading', {name: 'Promote to prod'}).waitFor()
    assert.deepEqual(page.failures, [])
  })

  it('promotes from the keyboard alone, and gives the focus back', async () => {
    const page = await signIn(browser, 'alice')
    await page.goto(address('shop-prod'))
    await stage(page, 'prod').waitFor()
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute('aria-label') || document.activeElement.tagName)
    const tabTo = async (what, most = 60) => {
      for (let n = 0; n < most; n++) {
        await page.keyboard.press('Tab')
        if (what.test(await page.evaluate(() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent))) {
          return
        }
      }
      assert.fail(`no way to ${what} with the key Tab; the focus is on ${await focused()}`)
    }
    await tabTo(/^Promote to prod/)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/added|Nothing changes/).first().waitFor()
    await tabTo(/^Pick other freight/)
    await page.keyboard.press('Enter')
    // Every choice can be reached; the first that the stage does not hold is taken.
    const choice = dialog.getByRole('list', {name: 'Pick freight'}).getByRole('button').filter({hasNotText: 'in the stage now'}).first()
    const name = (await choice.locator('strong').textContent()).trim()
    await tabTo(new RegExp('^' + name.replaceAll('.', '\\.')))
    await page.keyboard.press('Enter')
    await dialog.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
    await page.waitForFunction(() => !document.querySelector('.waybill-dialog .waybill-skeleton'))
    for (let n = 0; n < 60 && (await page.evaluate(() => document.activeElement.tagName)) !== 'INPUT'; n++) {
      await page.keyboard.press('Tab')
    }
    while (!(await page.evaluate(() => document.activeElement.matches('.waybill-submit input')))) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.type('from the keyboard')
    await page.keyboard.press('Enter')
    await dialog.getByText('Asked for by alice').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({state: 'detached'})
    await until('the focus is back where it was', async () => {
      const text = await focused()
      return [/^Promote to prod/.test(text), text]
    })
    // It is withdrawn again in the same way.
    await stage(page, 'prod').focus()
    await page.keyboard.press('Enter')
    await tabTo(/^Withdraw/)
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.activeElement.closest('dialog'))
    await tabTo(/^Withdraw/)
    await page.keyboard.press('Enter')
    await dialog.getByText('Withdrawn').first().waitFor()
    assert.deepEqual(page.failures, [])
  })
})
