import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'

// golden compares a view model with the one on record.
export function golden(name: string, value: unknown): void {
  const file = `test/golden/${name}.json`
  const got = JSON.stringify(value, null, 1) + '\n'
  if (process.env.UPDATE) {
    mkdirSync('test/golden', {recursive: true})
    writeFileSync(file, got)
  }
  assert.equal(got, readFileSync(file, 'utf8'))
}

// now is the moment of all fixtures.
export const now = Date.parse('2026-11-26T12:00:00Z')
