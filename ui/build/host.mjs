// Builds dist/host/: the page that stands in the place of Argo CD's own, for the demo
// and the browser tests, with React 16.14 and with React 19.
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import * as esbuild from 'esbuild'
import {home, options} from './bundle.mjs'

const folder = join(home, 'dist', 'host')
const packaged = path => join(home, 'node_modules', path)

export async function buildHost() {
  mkdirSync(folder, {recursive: true})
  await esbuild.build({...options, entryPoints: ['host/main.tsx'], format: 'iife', minify: true, outfile: join(folder, 'host.js')})
  await esbuild.build({
    absWorkingDir: home,
    entryPoints: ['host/react19.js'],
    bundle: true,
    format: 'iife',
    minify: true,
    define: {'process.env.NODE_ENV': '"production"'},
    // React's own parts ask for each other by their usual names.
    alias: {react: packaged('react19'), 'react-dom': packaged('react-dom19')},
    outfile: join(folder, 'react19.js'),
    logLevel: 'warning',
  })
  // React 16 has a build for pages of its own.
  const umd = ['react16/umd/react.production.min.js', 'react-dom16/umd/react-dom.production.min.js']
  writeFileSync(
    join(folder, 'react16.js'),
    umd.map(path => readFileSync(packaged(path), 'utf8') + ';\n').join('') + 'window.mountHost=(page,at)=>ReactDOM.render(page,at);\n',
  )
  for (const file of ['index.html', 'host.css']) {
    copyFileSync(join(home, 'host', file), join(folder, file))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildHost()
}
