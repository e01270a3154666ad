// Every state of the extension: looked at by axe in both themes, and put into
// screenshots/ in both themes and at three widths, for people to look through.
import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, rmSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {after, before, describe, it} from 'node:test'
import {fileURLToPath} from 'node:url'
import {address, api, launch, react, signIn, stage} from './harness.mjs'

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'screenshots')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const widths = [1440, 1024, 390]
const pipelineURL = '**/extensions/waybill/api/v1/pipelines/shop'

describe(`every state, on React ${react}`, {concurrency: 3}, () => {
  let browser, alice, bob, carol
  // What the states are about: freight, a promotion that has ended, one that waits.
  const of = {}
  before(async () => {
    rmSync(folder, {recursive: true, force: true})
    mkdirSync(folder, {recursive: true})
    browser = await launch()
    ;[alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(who => signIn(browser, who)))
    of.pipeline = (await api(alice, 'GET', '/pipelines/shop')).body
    of.freight = of.pipeline.freight[0].id
    const ended = (await api(alice, 'GET', '/pipelines/shop/promotions?limit=50')).body.items
    of.ended = ended.find(p => p.stage === 'prod' && p.approvals && p.phase === 'Succeeded')
    const asked = await api(alice, 'POST', '/pipelines/shop/stages/prod/promotions', {gate: 'waybill-promote', data: {freight: of.freight, reason: 'the new checkout'}})
    assert.equal(asked.status, 201)
    of.waiting = asked.body
  })
  after(async () => {
    await api(alice, 'POST', `/pipelines/shop/promotions/${of.waiting.id}/abort`, {gate: 'waybill-promote', data: {}})
    await browser.close()
    console.log(`screenshots: ${folder}`)
  })

  // changed shows the page another pipeline than the server has.
  const changed = change => page =>
    page.route(pipelineURL, async route => {
      const answer = await route.fetch({headers: {...route.request().headers(), 'if-none-match': ''}})
      const pipeline = await answer.json()
      change(pipeline, name => pipeline.stages.find(s => s.name === name))
      await route.fulfill({response: answer, json: pipeline})
    })
  const running = {
    id: 'shop-staging-0123456789abcdef0123', stage: 'staging', origin: 'shop', phase: 'Running', request: {by: 'waybill:auto-promotion', automatic: true, at: new Date().toISOString()}, startedAt: new Date(Date.now() - 21000).toISOString(),
    steps: [
      {name: 'write-waybill', phase: 'Succeeded', startedAt: new Date(Date.now() - 21000).toISOString(), finishedAt: new Date(Date.now() - 20000).toISOString()},
      {name: 'argocd-sync', phase: 'Running', startedAt: new Date(Date.now() - 20000).toISOString(), message: 'the operation of shop-staging runs'},
      {name: 'argocd-wait', phase: 'Pending'},
    ],
    applications: [{namespace: 'argocd', name: 'shop-staging', phase: 'Running'}],
  }
  const shown = (text, options) => page => page.getByText(text, options).first().waitFor()
  const previewed = async page => {
    await page.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
    await page.getByRole('button', {name: 'Unfold all'}).click()
    await page.getByText(/commit|Both are the same|image|Image/).first().waitFor()
    await page.waitForFunction(() => !document.querySelector('dialog .waybill-skeleton, .waybill-flyout .waybill-skeleton'))
  }

  // Each state: its place, who looks, what is different, and when it has come.
  const states = [
    {name: 'pipeline', ready: page => stage(page, 'prod').waitFor()},
    {name: 'pipeline-list', place: 'pipeline;form=list', ready: page => page.getByRole('table').waitFor()},
    {name: 'pipeline-search', place: 'pipeline;query=staging', ready: shown('staging')},
    {name: 'stage', place: 'pipeline;stage=prod', ready: shown('Withdraw')},
    {name: 'stage-upstream', place: 'pipeline;stage=dev', ready: shown('Promotes by itself')},
    {name: 'warehouse', place: 'pipeline;warehouse=shop', ready: shown('Look now')},
    {name: 'freight-on-the-pipeline', place: () => `pipeline;freight=${of.freight}`, ready: shown('Artifacts')},
    {name: 'freight', place: 'freight', ready: page => page.getByRole('row').nth(2).waitFor()},
    {name: 'freight-details', place: () => `freight;freight=${of.freight}`, ready: shown('Artifacts')},
    {name: 'history', place: 'history', ready: page => page.getByRole('row').nth(2).waitFor()},
    {name: 'history-nothing-found', place: 'history;query=nosuchthing', ready: shown('No promotion matches.')},
    {name: 'promotion', place: () => `history;promotion=${of.ended.id}`, ready: shown('What it had passed')},
    {name: 'promotion-waiting', place: () => `history;promotion=${of.waiting.id}`, ready: shown('What it takes')},
    {name: 'promote', place: 'pipeline;doing=promote;target=prod', ready: previewed},
    {name: 'promote-pick', place: 'pipeline;doing=promote;target=prod', ready: page => page.getByRole('button', {name: 'Pick other freight'}).click()},
    {
      name: 'promote-refused',
      place: 'pipeline;doing=promote;target=prod',
      different: page =>
        page.route('**/eligibility?**', async route => {
          const answer = await route.fetch()
          const verdict = await answer.json()
          verdict.allowed = verdict.ready = false
          verdict.gates[1] = {name: 'source', pass: false, fact: 'freight is not verified in staging', remedy: 'promote it to staging first', gates: [{name: 'verified', pass: false, fact: 'freight is not verified in staging', remedy: 'promote it to staging first'}, {name: 'soak', pass: false, fact: 'staging has kept it for 2m of 10m', until: new Date(Date.now() + 480000).toISOString()}]}
          await route.fulfill({response: answer, json: verdict})
        }),
      ready: shown('Promote it to staging first'),
    },
    {name: 'roll-back', place: 'pipeline;doing=rollback;target=prod', ready: previewed},
    {name: 'approve', who: () => bob, place: () => `pipeline;doing=approve;target=${of.waiting.id}`, ready: previewed},
    {name: 'reject', who: () => bob, place: () => `pipeline;doing=reject;target=${of.waiting.id}`, ready: shown('This ends the promotion.')},
    {name: 'withdraw', place: () => `pipeline;doing=abort;target=${of.waiting.id}`, ready: shown('The promotion has not started', {exact: false})},
    {
      name: 'running',
      place: 'pipeline;stage=staging',
      different: changed((p, stage) => (stage('staging').running = {...running, freight: of.freight})),
      ready: shown('Running: ', {exact: false}),
    },
    {
      name: 'trouble',
      place: 'pipeline;stage=prod',
      different: changed((p, stage) => {
        p.problems = [{path: 'stages[2].approval.required', message: 'is 0: at least one approval is required where the rule is there'}]
        p.warehouses[0].error = 'the registry answered 503 Service Unavailable'
        stage('prod').problems = ['argocd/shop-prod and argocd/shop-prod-eu would write the same file']
        stage('prod').holds = [{origin: 'shop', by: 'alice', at: new Date(Date.now() - 3600000).toISOString()}]
        stage('prod').applications[0].health = 'Degraded'
        stage('prod').applications[0].sync = 'OutOfSync'
        stage('staging').last = {...stage('staging').last, phase: 'Failed'}
      }),
      ready: shown('The pipeline document has errors', {exact: false}),
    },
    {
      name: 'empty',
      different: changed(p => {
        p.freight = []
        delete p.warehouses[0].candidate
        p.stages.forEach(s => {
          Object.assign(s, {current: [], history: [], pending: []})
          delete s.last
        })
      }),
      ready: shown('A warehouse makes freight', {exact: false}),
    },
    {name: 'loading', different: page => page.route('**/extensions/waybill/**', () => {}), ready: page => page.locator('.waybill-tab .waybill-skeleton').first().waitFor()},
    {name: 'proxy-down', different: page => page.route('**/extensions/waybill/**', route => route.fulfill({status: 502})), ready: shown('Waybill does not answer')},
    {name: 'no-access', who: () => carol, ready: shown('You may not see promotions here')},
    {
      name: 'signed-out',
      // The page was opened by somebody who was signed in then.
      ready: async page => {
        await stage(page, 'prod').waitFor()
        await page.route('**/extensions/**', route => route.fulfill({status: 401, body: 'Unauthorized extension request'}))
        await page.route('**/session/userinfo', route => route.fulfill({json: {}}))
        await page.getByRole('tab', {name: 'History'}).click()
        await page.getByText('You are signed out').first().waitFor()
      },
    },
    {
      name: 'crashed',
      different: page => page.route(pipelineURL, route => route.fulfill({json: {name: 'shop', gates: [], edges: [], warehouses: [], freight: [], stages: [null]}})),
      ready: shown('Waybill’s extension failed here', {exact: false}),
    },
    {name: 'flyout', url: () => address('shop-prod').replace('view=Promotion', 'view=tree') + '&extension=waybill-status', ready: page => page.getByRole('heading', {name: 'Stage prod'}).waitFor()},
    {name: 'flyout-promote', url: () => address('shop-prod').replace('view=Promotion', 'view=tree') + '&extension=waybill-promote', ready: previewed},
  ]

  for (const state of states) {
    it(state.name, async () => {
      const page = await (state.who ? state.who() : alice).context().newPage()
      try {
        await page.setViewportSize({width: widths[0], height: 900})
        if (state.different) {
          await state.different(page)
        }
        const place = typeof state.place === 'function' ? state.place() : state.place
        await page.goto(state.url ? state.url() : address('shop-prod', place))
        await state.ready(page)
        const found = []
        for (const theme of ['light', 'dark']) {
          await page.evaluate(t => document.querySelector('.theme-' + t) || document.querySelector('.sidebar button').click(), theme)
          await page.locator('.theme-' + theme).waitFor()
          for (const width of widths) {
            await page.setViewportSize({width, height: width === 390 ? 844 : 900})
            await drawn(page)
            await page.screenshot({path: join(folder, `${state.name}-${theme}-${width}.png`), animations: 'disabled'})
            if (width === widths[0] || width === 390 && theme === 'light') {
              found.push(...(await violations(page)).map(v => `${theme}, ${width}: ${v}`))
            }
          }
        }
        assert.deepEqual(found, [])
      } finally {
        await page.close()
      }
    })
  }

  // drawn waits until the page has been drawn at its new size.
  const drawn = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))))

  // violations are what axe finds in the extension's own part of the page.
  async function violations(page) {
    if (!(await page.evaluate(() => 'axe' in window))) {
      await page.evaluate(axe)
    }
    const {violations} = await page.evaluate(() => window.axe.run({include: [['.waybill']]}, {resultTypes: ['violations']}))
    return violations.map(v => `${v.id} (${v.impact}): ${v.nodes.map(n => `${n.html.slice(0, 160)} ${n.any.map(a => a.message).join('; ').slice(0, 200)}`).join(' | ')}`)
  }
})
