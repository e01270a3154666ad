// The flow of the article that the project starts from, by clicking: from a pushed
// version to prod and back. Its parts build on each other.
import assert from 'node:assert/strict'
import {after, before, describe, it} from 'node:test'
import {violations} from './axe.mjs'
import {address, api, first, launch, liveImage, mostInFlight, push, react, setComponent, signIn, stage} from './harness.mjs'

const tag = react === '16' ? 'v1.1.0' : 'v1.2.0'
const controller = 'argocd-application-controller'

describe(`from a pushed version to prod and back, on React ${react}`, () => {
  let browser, alice, bob, digest
  before(async () => {
    browser = await launch()
    ;[alice, bob] = await Promise.all([signIn(browser, 'alice'), signIn(browser, 'bob')])
  })
  after(() => browser.close())

  const side = page => page.getByRole('complementary').filter({has: page.locator('h2')})
  const dialog = page => page.getByRole('dialog')

  it('runs on the React that Argo CD brings', async () => {
    await alice.goto(address('shop-prod'))
    await stage(alice, 'prod').waitFor()
    assert.match(await alice.evaluate(() => window.React.version), new RegExp(`^${react}\\.`))
  })

  it('shows a version that CI pushes as freight', async () => {
    // Without Argo CD's controller the promotion to dev lasts until the test has seen it.
    await setComponent(controller, 'stop')
    digest = await push(tag)
    await alice.getByRole('button', {name: /^Warehouse shop/}).click()
    await side(alice).getByRole('button', {name: 'Look now'}).click()
    await alice.getByRole('list', {name: 'Recent freight'}).getByRole('button', {name: tag}).waitFor()
  })

  it('shows its way through dev and staging as it goes', async () => {
    await stage(alice, 'dev').click()
    await side(alice).getByRole('heading', {name: new RegExp(`^Running.*${tag}`)}).waitFor()
    await side(alice).getByText('Write the waybill', {exact: true}).waitFor()
    assert.doesNotMatch(await liveImage('dev'), new RegExp(digest))
    await setComponent(controller, 'start')
    await stage(alice, 'dev', tag).waitFor()
    await stage(alice, 'staging', tag).waitFor()
    assert.match(await liveImage('staging'), new RegExp(digest + '$'))
  })

  it('shows what a promotion to prod would change, before it is asked for', async () => {
    await stage(alice, 'prod').click()
    await side(alice).getByRole('button', {name: 'Promote', exact: true}).click()
    const d = dialog(alice)
    await d.getByText(tag).first().waitFor()
    await d.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
    await d.getByRole('button', {name: 'Unfold all'}).click()
    await d.getByRole('region', {name: 'Deployment shop'}).getByText(digest).waitFor()
    await d.getByText('somebody who may approve in prod').first().waitFor()
    assert.deepEqual(await violations(alice), [])
  })

  it('asks for it with a reason, and shows what it waits for', async () => {
    const d = dialog(alice)
    await d.getByLabel(/^Reason/).fill('release of ' + tag)
    await d.getByRole('button', {name: 'Ask for promotion'}).click()
    await d.getByText('Asked for by alice').waitFor()
    await d.getByText(/^Approval 0 of 1: somebody who may approve in prod/).waitFor()
  })

  it('does not let the promoter approve', async () => {
    const approve = dialog(alice).getByRole('button', {name: 'Approve'})
    await approve.getByText('somebody else must approve').waitFor({state: 'attached'})
    assert.equal(await approve.getAttribute('aria-disabled'), 'true')
    // The server refuses as well, whatever a page offers.
    const {body} = await api(alice, 'GET', '/pipelines/shop/promotions?stage=prod&limit=1')
    const answer = await api(alice, 'POST', `/pipelines/shop/promotions/${body.items[0].id}/approve`, {gate: 'waybill-approve', data: {}})
    assert.equal(answer.status, 403)
    assert.match(answer.body.detail, /alice asked for this promotion/)
    await dialog(alice).getByRole('button', {name: 'Close'}).last().click()
    await dialog(alice).waitFor({state: 'detached'})
  })

  it('tells the approver, who sees the same change and approves it', async () => {
    await bob.goto(address('shop-prod').replace('view=Promotion', 'view=tree'))
    await bob.getByText('Waits for your approval').waitFor()
    await bob.getByRole('button', {name: 'Promotion', exact: true}).click()
    await stage(bob, 'prod').click()
    await side(bob).getByRole('button', {name: 'Approve', exact: true}).click()
    const d = dialog(bob)
    await d.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
    await d.getByText(/^Your approval is bound to what is shown/).waitFor()
    await d.getByLabel(/^Comment/).fill('looks good')
    await d.getByRole('button', {name: 'Approve what is shown'}).click()
    await d.getByText('Approved by bob').waitFor()
  })

  it('shows the progress of each step until it is live', async () => {
    await dialog(bob).getByText('Succeeded').first().waitFor()
    await dialog(bob).getByText('Wait until it is live', {exact: true}).waitFor()
    await dialog(bob).getByRole('button', {name: 'Close'}).last().click()
    await stage(bob, 'prod', tag).waitFor()
    assert.match(await liveImage('prod'), new RegExp(digest + '$'))
  })

  it('rolls back to what prod had verified before, for a reason', async () => {
    // Her page asks only now and then while nothing runs; a new look is quicker.
    await alice.reload()
    await side(alice).getByRole('button', {name: 'Roll back'}).click()
    const d = dialog(alice)
    await d.getByText(first).first().waitFor()
    await d.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
    const submit = d.getByRole('button', {name: /^Roll back/})
    assert.equal(await submit.getAttribute('aria-disabled'), 'true')
    await d.getByLabel(/^Reason/).fill(tag + ' is slow')
    await submit.click()
    await d.getByText('Succeeded').first().waitFor()
    await d.getByRole('button', {name: 'Close'}).last().click()
    await stage(alice, 'prod', first).waitFor()
    assert.doesNotMatch(await liveImage('prod'), new RegExp(digest))
  })

  it('tells in the history who did what, under a link for everybody', async () => {
    await alice.getByRole('tab', {name: 'History'}).click()
    await alice.getByRole('combobox', {name: 'Stage'}).selectOption('prod')
    const rows = alice.getByRole('table', {name: 'History'}).getByRole('row')
    await rows.filter({hasText: 'rollback'}).filter({hasText: 'alice'}).first().waitFor()
    await rows.filter({hasText: tag}).first().getByRole('button').click()
    const told = side(alice)
    await told.getByText('Asked for by alice').waitFor()
    await told.getByText('release of ' + tag).waitFor()
    await told.getByText('Approved by bob').waitFor()
    await told.getByText('looks good').waitFor()
    await told.getByText('Verified in staging').waitFor()
    await bob.goto(alice.url())
    await side(bob).getByText('release of ' + tag).waitFor()
  })

  it('had one request at a time, and nothing thrown', async () => {
    assert.equal(await mostInFlight(alice), 1)
    assert.equal(await mostInFlight(bob), 1)
    assert.deepEqual([...alice.failures, ...bob.failures], [])
  })
})
