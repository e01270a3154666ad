// Every state that the extension can be in: where it is shown, what is different there,
// and when it has come. A state is shown by the page of ui/dev.
const said = (text, options) => page => page.getByText(text, options).first().waitFor()
const stage = (page, name) => page.getByRole('button', {name: new RegExp(`^Stage ${name}\\b`)})
const nothingLoads = page => page.waitForFunction(() => !document.querySelector('.waybill .waybill-skeleton, .waybill .waybill-loading'))
const previewed = async page => {
  await page.getByText(/\d+ added, \d+ changed, \d+ pruned/).waitFor()
  await page.getByRole('button', {name: 'Unfold all'}).click()
  await nothingLoads(page)
}
const loaded = (text, options) => async page => {
  await said(text, options)(page)
  await nothingLoads(page)
}
// submitted fills a dialog in and asks for what it offers.
const submitted = (button, then) => async page => {
  await previewed(page)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/^(Reason|Comment)/).fill('Fixes the basket for guests')
  await dialog.getByRole('button', {name: button}).click()
  await then(page)
}

// In a place, {waiting} and the like stand for IDs of the page's own (`ids` of
// ui/dev/answers.ts).
export const groups = [
  {
    title: 'Pipeline',
    states: [
      {name: 'pipeline', what: 'The graph, with the recent freight above it.', ready: page => stage(page, 'prod-eu').waitFor()},
      {name: 'pipeline-list', what: 'The same as a list.', place: 'pipeline;form=list', ready: page => page.getByRole('table').waitFor()},
      {name: 'pipeline-search', what: 'What does not match steps back.', place: 'pipeline;query=staging', ready: page => stage(page, 'staging').waitFor()},
      {name: 'pipeline-200', what: '200 stages: the graph begins at the viewer’s own.', app: 'shop-stage-42', scenario: 'large', ready: page => stage(page, 'stage-42').waitFor()},
      {name: 'stage', what: 'The viewer’s own stage, with what waits for an approval.', place: 'pipeline;stage=prod-eu', ready: loaded('Withdraw')},
      {name: 'stage-running', what: 'A stage into which freight is promoted now.', place: 'pipeline;stage=staging', ready: loaded('Write the waybill')},
      {name: 'stage-held', what: 'A stage that a person holds, whose last promotion failed.', place: 'pipeline;stage=prod-us', ready: loaded('Held')},
      {name: 'stage-problems', what: 'Applications that cannot join.', place: 'pipeline;stage=prod-eu', scenario: 'bindings', ready: loaded('would write the same file')},
      {name: 'stage-postponed', what: 'Approvals that are bound to a preview, which cannot be compared now.', place: 'pipeline;stage=prod-eu', scenario: 'postponed', ready: loaded('could not be compared')},
      {name: 'stage-gone', what: 'A link to a stage that the pipeline has no more.', place: 'pipeline;stage=qa', ready: said('The pipeline has none of this name')},
      {name: 'warehouse', what: 'What a warehouse watches.', place: 'pipeline;warehouse=shop', ready: loaded('Look now')},
      {name: 'warehouse-manual', what: 'A warehouse that makes no freight by itself, and why.', place: 'pipeline;warehouse=shop', scenario: 'manual', ready: loaded('It made no freight')},
      {name: 'freight-on-the-pipeline', what: 'Freight is selected: where it never was steps back.', place: 'pipeline;freight={freight}', ready: loaded('Artifacts')},
    ],
  },
  {
    title: 'Freight',
    states: [
      {name: 'freight', what: 'All freight, newest first.', place: 'freight', ready: page => page.getByRole('row').nth(2).waitFor()},
      {name: 'freight-details', what: 'One piece of freight, and why it goes no further.', place: 'freight;freight={freight}', ready: loaded('Artifacts')},
      {name: 'freight-nothing-found', what: 'A search without a result.', place: 'freight;query=nosuchthing', ready: said('No freight matches.')},
    ],
  },
  {
    title: 'History',
    states: [
      {name: 'history', what: 'All promotions: who, when, what became of them.', place: 'history', ready: page => page.getByRole('row').nth(2).waitFor()},
      {name: 'history-nothing-found', what: 'A search without a result.', place: 'history;query=nosuchthing', ready: said('No promotion matches.')},
      {name: 'promotion', what: 'A promotion that has ended, with what it had passed.', place: 'history;promotion={ended}', ready: loaded('What it had passed')},
      {name: 'promotion-failed', what: 'A promotion that failed, and why.', place: 'history;promotion={failed}', ready: loaded('has not progressed')},
      {name: 'promotion-waiting', what: 'A promotion that waits, with the tree of what is missing.', place: 'history;promotion={waiting}', ready: loaded('What it takes')},
      {name: 'promotion-postponed', what: 'All have approved, and what was approved cannot be compared now.', place: 'history;promotion={waiting}', scenario: 'postponed', ready: loaded('could not be compared')},
      {name: 'promotion-outdated', what: 'What would be rendered has changed since an approval.', place: 'history;promotion={waiting}', scenario: 'outdated', ready: loaded('counts no longer')},
    ],
  },
  {
    title: 'Promote',
    states: [
      {name: 'promote', what: 'What a promotion would change, before it is asked for.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'idle', ready: previewed},
      {name: 'promote-again', what: 'The freight waits for the stage already.', place: 'pipeline;doing=promote;target=prod-eu', ready: loaded('A promotion of it waits here already.')},
      {name: 'promote-pick', what: 'The choice of freight.', place: 'pipeline;doing=promote;target=prod-eu', ready: page => page.getByRole('button', {name: 'Pick other freight'}).click()},
      {name: 'promote-rendering', what: 'The preview is being rendered: nothing is promoted unseen.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'rendering', ready: said('Rendering the manifests', {exact: false})},
      {name: 'promote-not-yet', what: 'The freight may not be asked for: the tree says why, and until when.', place: 'pipeline;doing=promote;target=prod-us', ready: loaded('It may not be asked for yet.')},
      {name: 'promote-withheld', what: 'Of an Application that the viewer may not see only the counts are told.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'withheld', ready: previewed},
      {name: 'promote-unrendered', what: 'The preview cannot be made.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'no-preview', ready: loaded('The Git repository does not answer')},
      {name: 'promote-refused', what: 'The server refuses, with its sentence and tree.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'refused', ready: loaded('It may not be asked for yet.')},
      {name: 'promote-forbidden', what: 'Argo CD’s policy refuses.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'forbidden', ready: submitted(/^Ask for promotion/, said('Not allowed'))},
      {name: 'promote-unanswered', what: 'Nobody answers what was asked for: it is not known whether it arrived.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'unanswered', ready: submitted(/^Ask for promotion/, said('It is not known whether this arrived', {exact: false}))},
      {name: 'promote-running', what: 'Its progress, step by step.', place: 'pipeline;doing=promote;target=prod-eu', ready: submitted(/^Ask for promotion/, said('Write the waybill'))},
    ],
  },
  {
    title: 'Decide',
    states: [
      {name: 'approve', what: 'An approval is bound to what is shown.', place: 'pipeline;doing=approve;target={waiting}', ready: previewed},
      {name: 'reject', what: 'Reject.', place: 'pipeline;doing=reject;target={waiting}', ready: said('This ends the promotion.')},
      {name: 'withdraw', what: 'Withdraw what has not started.', place: 'pipeline;doing=abort;target={waiting}', ready: said('The promotion has not started', {exact: false})},
      {name: 'abort', what: 'Abort what runs.', place: 'pipeline;doing=abort;target={running}', ready: said('It stops waiting.', {exact: false})},
      {name: 'roll-back', what: 'Return to what the stage verified before.', place: 'pipeline;doing=rollback;target=prod-eu', ready: previewed},
    ],
  },
  {
    title: 'Nothing there, and nothing allowed',
    states: [
      {name: 'empty', what: 'A pipeline before its first freight, whose warehouse finds none.', scenario: 'empty', ready: said('A warehouse makes freight', {exact: false})},
      {name: 'empty-history', what: 'No promotion yet.', place: 'history', scenario: 'empty', ready: said('No promotion yet')},
      {name: 'no-stage', what: 'The Application has joined no stage. Argo CD shows the view up to 3.2.', react: '16', scenario: 'unbound', ready: said('This Application has no stage')},
      {name: 'not-bound', what: 'The stage does not take the Application.', scenario: 'not-bound', ready: said('Not bound')},
      {name: 'viewer', what: 'Who may only look sees which right is missing.', place: 'pipeline;stage=prod-eu', scenario: 'viewer', ready: loaded('Withdraw')},
      {name: 'no-access', what: 'Who may not see promotions at all.', scenario: 'no-access', ready: said('You may not see promotions here')},
      {name: 'signed-out', what: 'The login has run out.', scenario: 'signed-out', ready: said('You are signed out')},
    ],
  },
  {
    title: 'Trouble',
    states: [
      {name: 'loading', what: 'Nothing is known yet.', scenario: 'loading', ready: page => page.locator('.waybill-tab .waybill-skeleton').first().waitFor()},
      {name: 'hostile', what: 'What others write, at its worst: nothing overlaps or runs out of the page.', place: 'pipeline;stage=prod-eu', scenario: 'hostile', ready: loaded('would write the same file', {exact: false})},
      {name: 'hostile-freight', what: 'The same of freight.', place: 'freight;freight={freight}', scenario: 'hostile', ready: loaded('Artifacts')},
      {name: 'slow', what: 'A slow backend: what is there is shown, the rest has its place.', place: 'pipeline;stage=prod-eu', latency: 1500, ready: said('Next up', {exact: false})},
      {name: 'document', what: 'The pipeline document has errors.', scenario: 'document', ready: said('The pipeline document has errors', {exact: false})},
      {name: 'proxy-down', what: 'waybill-proxy does not answer.', scenario: 'down', ready: said('Waybill does not answer')},
      {
        name: 'proxy-down-later',
        what: 'It stops to answer: what was known stays.',
        place: 'pipeline;stage=prod-eu',
        ready: async page => {
          await loaded('Withdraw')(page)
          await page.evaluate(() => (window.page.scenario = 'down'))
          await page.getByRole('tab', {name: 'History'}).click()
          await said('Waybill does not answer')(page)
        },
      },
      {name: 'no-network', what: 'Argo CD does not answer.', scenario: 'no-network', ready: said('Argo CD does not answer')},
      {name: 'odd-answer', what: 'Something between answers in the place of Waybill.', scenario: 'odd', ready: said('Waybill could not be reached')},
      {name: 'not-installed', what: 'Argo CD knows no such proxy extension.', scenario: 'not-installed', ready: said('Waybill is not installed', {exact: false})},
      {name: 'crashed', what: 'A view throws: Argo CD stays whole.', scenario: 'crash', ready: said('Waybill’s extension failed here', {exact: false})},
      {name: 'promote-crashed', what: 'A dialog throws: it can be closed.', place: 'pipeline;doing=promote;target=prod-eu', scenario: 'crash-preview', ready: said('Waybill’s extension failed here', {exact: false})},
    ],
  },
  {
    title: 'Elsewhere in Argo CD',
    states: [
      {name: 'flyout', what: 'The flyout of the status panel: the tab in small.', view: 'tree', flyout: 'waybill-status', ready: loaded('Withdraw')},
      {name: 'flyout-promote', what: 'The flyout of the top bar’s action.', view: 'tree', flyout: 'waybill-promote', ready: previewed},
    ],
  },
]
