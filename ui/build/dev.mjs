// Builds the development page into dist/dev and serves it: the extension on React 16 or
// 19, with recorded answers. `node build/dev.mjs [port]`
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:http'
import {createRequire} from 'node:module'
import {extname, join, normalize} from 'node:path'
import {fileURLToPath} from 'node:url'
import * as esbuild from 'esbuild'
import {bundle, generateTypes, home, output} from './bundle.mjs'

const folder = join(home, 'dist', 'dev')

// writeReact writes the two Reacts as the pages of Argo CD offer them: window.React, and
// `show`, by which a host page draws.
export async function writeReact(into) {
  mkdirSync(into, {recursive: true})
  const {resolve} = createRequire(import.meta.url)
  const umd = name => readFileSync(join(resolve(`${name}/package.json`), '..', 'umd', `${name.replace('16', '')}.production.min.js`), 'utf8')
  writeFileSync(join(into, 'react-16.js'), `${umd('react16')}\n${umd('react-dom16')}\nwindow.show = (e, at) => ReactDOM.render(e, at)\n`)
  await esbuild.build({
    absWorkingDir: home,
    stdin: {
      contents: `import * as React from 'react19'; import * as ReactDOM from 'react-dom19'; import {createRoot} from 'react-dom19/client'
        Object.assign(window, {React, ReactDOM, show: (e, at) => createRoot(at).render(e)})`,
      resolveDir: home,
    },
    bundle: true,
    minify: true,
    format: 'iife',
    alias: {react: 'react19', 'react-dom': 'react-dom19'},
    define: {'process.env.NODE_ENV': '"production"'},
    outfile: join(into, 'react-19.js'),
    logLevel: 'warning',
  })
}

export async function build() {
  generateTypes()
  await bundle()
  await writeReact(folder)
  await esbuild.build({absWorkingDir: home, entryPoints: ['dev/host.tsx'], bundle: true, format: 'iife', outfile: join(folder, 'host.js'), logLevel: 'warning'})
  copyFileSync(join(home, 'dev', 'index.html'), join(folder, 'index.html'))
  copyFileSync(output, join(folder, 'extension-waybill.js'))
}

const types = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8'}

export function serve(port) {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost')
    const file = normalize(extname(pathname) ? pathname : '/index.html')
    try {
      const content = readFileSync(join(folder, file))
      response.writeHead(200, {'Content-Type': types[extname(file)] ?? 'text/plain'}).end(content)
    } catch {
      response.writeHead(404).end()
    }
  })
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build()
  const server = await serve(Number(process.argv[2] ?? 0))
  console.log(`http://localhost:${server.address().port}/?react=16&theme=light&scenario=`)
}
