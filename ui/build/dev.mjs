// Builds dist/dev/ and serves it: the page of dist/host/ with recorded answers in the
// place of its servers. `node build/dev.mjs [port]`
import {cpSync, copyFileSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:http'
import {extname, join, normalize} from 'node:path'
import {fileURLToPath} from 'node:url'
import * as esbuild from 'esbuild'
import {bundle, generateTypes, home, options, output} from './bundle.mjs'
import {buildHost} from './host.mjs'

const folder = join(home, 'dist', 'dev')

export async function build() {
  generateTypes()
  await Promise.all([bundle(), buildHost()])
  rmSync(folder, {recursive: true, force: true})
  cpSync(join(home, 'dist', 'host'), folder, {recursive: true})
  copyFileSync(output, join(folder, 'extensions.js'))
  await esbuild.build({...options, entryPoints: ['dev/answers.ts'], format: 'iife', outfile: join(folder, 'answers.js')})
  const index = join(folder, 'index.html')
  const host = '<script defer src="host.js">'
  writeFileSync(index, readFileSync(index, 'utf8').replace(host, `<script src="answers.js"></script>\n  ${host}`))
}

const types = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8'}

// serve answers each path that is no file with the page, which has a router of its own.
export function serve(port) {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost')
    const file = normalize(types[extname(pathname)] ? pathname : '/index.html')
    try {
      response.writeHead(200, {'Content-Type': types[extname(file)]}).end(readFileSync(join(folder, file)))
    } catch {
      response.writeHead(404).end()
    }
  })
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build()
  const server = await serve(Number(process.argv[2] ?? 0))
  console.log(`http://localhost:${server.address().port}/applications/argocd/shop-prod-eu?view=Promotion&react=16&theme=light&scenario=`)
}
