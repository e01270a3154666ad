// Builds dist/extension-waybill.js: one classic script for window.React.
import {execFileSync} from 'node:child_process'
import {mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {gzipSync} from 'node:zlib'
import * as esbuild from 'esbuild'

export const home = dirname(dirname(fileURLToPath(import.meta.url)))
export const output = join(home, 'dist', 'extension-waybill.js')
// Each page of Argo CD loads the file, uncached.
export const largest = 60 * 1024

// styles reads a style sheet as a text, without what only people read.
export const styles = {
  name: 'styles',
  setup(build) {
    build.onLoad({filter: /\.css$/}, async ({path}) => {
      const {code} = await esbuild.transform(readFileSync(path, 'utf8'), {loader: 'css', minify: true})
      return {contents: code.trim(), loader: 'text'}
    })
  },
}

// options are those of the bundle and of the tests alike.
export const options = {
  absWorkingDir: home,
  bundle: true,
  target: 'es2020',
  jsx: 'transform',
  jsxFactory: 'React.createElement',
  jsxFragment: 'React.Fragment',
  alias: {react: './src/react.ts'},
  plugins: [styles],
  legalComments: 'none',
  logLevel: 'warning',
}

// generateTypes writes the wire's types where the document is newer than they are.
export function generateTypes() {
  const document = join(home, '..', 'proxy', 'api', 'openapi.yaml')
  const types = join(home, 'src', 'api', 'wire.gen.ts')
  const modified = path => statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0
  if (modified(types) < modified(document)) {
    execFileSync(process.execPath, [join(home, 'node_modules', 'openapi-typescript', 'bin', 'cli.js'), document, '--output', types], {stdio: ['ignore', 'ignore', 'inherit']})
  }
}

// licence is that of what the bundle carries beside Waybill: @dagrejs/dagre and its
// graphlib, which are the same author's under the same terms.
const licence = () => `/*! Includes @dagrejs/dagre and @dagrejs/graphlib.\n${readFileSync(join(home, 'node_modules', '@dagrejs', 'dagre', 'LICENSE'), 'utf8').trim()}*/`

export async function bundle() {
  const built = await esbuild.build({...options, entryPoints: ['src/index.tsx'], format: 'iife', minify: true, write: false})
  // Argo CD up to 3.4 joins the files of all extensions without anything in between:
  // ours neither swallows its neighbours nor stops them.
  const script = `;${licence()}try{${built.outputFiles[0].text.trim()}}catch(e){console.error("waybill:",e)};\n`
  mkdirSync(dirname(output), {recursive: true})
  writeFileSync(output, script)
  return {bytes: script.length, gzipped: gzipSync(script, {level: 9}).length}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  generateTypes()
  const {bytes, gzipped} = await bundle()
  console.log(`dist/extension-waybill.js: ${(bytes / 1024).toFixed(1)} KB, ${(gzipped / 1024).toFixed(1)} KB gzipped`)
  if (gzipped > largest) {
    console.error(`It is larger than ${largest / 1024} KB gzipped.`)
    process.exit(1)
  }
}
