// Builds the unit tests and runs them in Node's own runner. `node build/test.mjs [name…]`
// runs some; UPDATE=1 writes the golden view models anew.
import {spawnSync} from 'node:child_process'
import {readdirSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import * as esbuild from 'esbuild'
import {bundle, generateTypes, home, options} from './bundle.mjs'

generateTypes()
await bundle()
const folder = join(home, 'dist', 'test')
rmSync(folder, {recursive: true, force: true})
const wanted = process.argv.slice(2)
const tests = readdirSync(join(home, 'test')).filter(f => f.endsWith('.test.ts') && (wanted.length === 0 || wanted.some(w => f.startsWith(w))))
await esbuild.build({
  ...options,
  entryPoints: tests.map(f => 'test/' + f),
  outdir: folder,
  outExtension: {'.js': '.mjs'},
  format: 'esm',
  platform: 'node',
  target: 'node18',
  sourcemap: 'inline',
  alias: {react: 'react16'},
})
const files = tests.map(f => join('dist', 'test', f.replace(/\.ts$/, '.mjs')))
process.exit(spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {cwd: home, stdio: 'inherit'}).status ?? 1)
