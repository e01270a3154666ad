// What axe finds in the extension's own part of a page, one sentence each.
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export async function violations(page) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(axe)
  }
  const {violations: all} = await page.evaluate(() => window.axe.run({include: [['.waybill']]}, {resultTypes: ['violations']}))
  return all.map(v => `${v.id} (${v.impact}): ${v.nodes.map(n => `${n.html.slice(0, 160)} ${n.any.map(a => a.message).join('; ').slice(0, 200)}`).join(' | ')}`)
}
