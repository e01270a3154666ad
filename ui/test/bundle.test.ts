// What the one file promises to every Argo CD, and the sources to who reads them.
import assert from 'node:assert/strict'
import {readFileSync, readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {test} from 'node:test'
import vm from 'node:vm'
import {gzipSync} from 'node:zlib'
import React from 'react'

const script = readFileSync('dist/extension-waybill.js', 'utf8')

interface Host {
  registered: string[]
  components: Record<string, {component: React.ComponentType<never>; shouldDisplay?: (app: unknown) => boolean}>
  errors: unknown[]
}

// load runs the file in a page whose Argo CD has some of the functions to register.
function load(functions: string[], react: unknown = React): Host {
  const host: Host = {registered: [], components: {}, errors: []}
  const api = Object.fromEntries(
    functions.map(name => [
      name,
      (component: never, title: string, ...rest: unknown[]) => {
        host.registered.push(`${name} ${title}`)
        host.components[name] = {component, shouldDisplay: rest[name === 'registerAppViewExtension' ? 1 : 2] as never}
      },
    ]),
  )
  const window: Record<string, unknown> = {React: react, extensionsAPI: functions.length > 0 ? api : undefined, location: {search: ''}, innerWidth: 1000}
  const document = {getElementById: () => null, createElement: () => ({}), head: {appendChild: () => undefined}}
  vm.runInNewContext(script, {window, document, console: {error: (...e: unknown[]) => host.errors.push(e)}, React: react, setTimeout, URLSearchParams, AbortController})
  return host
}

const all = ['registerAppViewExtension', 'registerStatusPanelExtension', 'registerTopBarActionMenuExt']

test('it is at most 60 KB gzipped', () => {
  assert.ok(gzipSync(script, {level: 9}).length <= 60 * 1024)
})

test('it neither swallows its neighbours in extensions.js nor is swallowed', () => {
  assert.ok(script.startsWith(';'))
  assert.ok(script.endsWith(';\n'))
})

test('it registers a view, a status panel and an action', () => {
  const host = load(all)
  assert.deepEqual(host.registered, ['registerAppViewExtension Promotion', 'registerStatusPanelExtension Promotion', 'registerTopBarActionMenuExt Promote'])
  assert.deepEqual(host.errors, [])
})

test('an older Argo CD gets what it has', () => {
  for (const some of [['registerAppViewExtension'], ['registerStatusPanelExtension'], []]) {
    const host = load(some)
    assert.equal(host.registered.length, some.length)
    assert.deepEqual(host.errors, [])
  }
})

test('a page without React loses nothing but the extension', () => {
  const host = load(all, null)
  assert.deepEqual(host.registered, [])
  assert.equal(host.errors.length, 1)
})

test('its view and action stand where the Application has a stage', () => {
  const {components} = load(all)
  const bound = {metadata: {name: 'a', namespace: 'b', annotations: {'waybill.dev/stage': 'shop/dev'}}}
  for (const name of ['registerAppViewExtension', 'registerTopBarActionMenuExt']) {
    const {shouldDisplay} = components[name]
    assert.deepEqual([shouldDisplay!(bound), shouldDisplay!({metadata: {name: 'a', namespace: 'b'}})], [true, false])
  }
})

test('another Application, or another stage, begins anew, and an event of the same one does not', () => {
  const {components} = load(all)
  const key = (name: string, stage: string) =>
    (components.registerAppViewExtension.component as (props: unknown) => React.ReactElement)({application: {metadata: {name, namespace: 'argocd', annotations: {'waybill.dev/stage': stage}}}}).key
  assert.equal(key('a', 'shop/dev'), key('a', 'shop/dev'))
  assert.equal(new Set([key('a', 'shop/dev'), key('b', 'shop/dev'), key('a', 'shop/qa')]).size, 3)
})

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? sources(path) : [path]
  })
}

const written = sources('src').filter(f => !f.endsWith('wire.gen.ts'))

test('only the api knows URLs and headers', () => {
  for (const file of written.filter(f => !f.startsWith('src/api/'))) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /fetch\(|api\/v1|Argocd-|extensions\/waybill/, file)
  }
})

test('the views say nothing that is not in the strings', () => {
  for (const file of written.filter(f => f.endsWith('.tsx'))) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), />\s*[A-Za-z]{2,}[^<>={}();]*<\/|(?:title|aria-label|label|placeholder|hint)='[^']/, file)
  }
})

test('the model draws nothing and asks nothing', () => {
  for (const file of written.filter(f => f.startsWith('src/model/'))) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /from 'react'|document\.|window\.\w/, file)
  }
})

test('no file is longer than 400 lines', () => {
  for (const file of [...written, ...sources('test'), ...sources('build'), ...sources('dev'), ...sources('gallery'), ...sources('bench')].filter(f => !f.includes('golden/'))) {
    assert.ok(readFileSync(file, 'utf8').split('\n').length <= 401, file)
  }
})

test('the lock names no registry', () => {
  assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"|https?:\/\/[^"]*registry/)
})
