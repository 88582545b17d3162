import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rmSync } from 'node:fs'
import { projectPath } from '../../src/platform/project.ts'
import { picture, skipLoudly } from './page.ts'
import { openBrowser, type WatchedBrowser } from './watched.ts'

// What watches the browser tests sees what is planted here.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; form-action 'self'"
const FILES: Readonly<Record<string, string>> = {
  '/good': '<h1>Good</h1><p>Nothing is wrong here.</p>',
  '/inline': '<h1>Inline</h1><script>document.title = "ran"</script>',
  '/foreign': '<h1>Foreign</h1><img alt="" src="http://127.0.0.1:9/picture.png">',
  '/framing': '<h1>Framing</h1><iframe title="Inner" src="/inline"></iframe>',
  '/styled': '<h1 style="color: red">Styled</h1>',
  '/throws': '<h1>Throws</h1><script src="/throws.js"></script>',
  '/throws.js': 'setTimeout(() => { throw new Error("planted error") })',
  '/rejects': '<h1>Rejects</h1><script src="/rejects.js"></script>',
  '/rejects.js': 'void Promise.reject(new Error("planted rejection"))',
  '/unnamed': '<h1>Unnamed</h1><input id="nameless">',
  '/pale': '<link rel="stylesheet" href="/pale.css"><h1>Pale</h1><p class="pale">Hardly to be read.</p>',
  '/pale.css': '.pale { color: #ccc; background: #fff }',
  '/dark': '<link rel="stylesheet" href="/dark.css"><h1>Dark</h1><p>Hardly to be read at night.</p>',
  '/dark.css': '@media (prefers-color-scheme: dark) { body { background: #222 } p { color: #333 } }',
  '/wide': '<link rel="stylesheet" href="/wide.css"><h1>Wide</h1><p id="wide">Wide</p>',
  '/wide.css': '#wide { inline-size: 600px }',
}
const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' }

/** Bun's own `rejects` holds up the pipe to the browser while it waits. */
const failureOf = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => '',
    (error: Error) => error.message,
  )

describe.skipIf(skipLoudly())('what watches the pages', () => {
  let server: Server
  let browser: WatchedBrowser
  let at: string
  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url ?? ''
      const type = TYPES[path.split('.')[1] ?? ''] ?? 'text/html'
      const headers = { 'Content-Type': type, 'Content-Security-Policy': POLICY }
      const body = FILES[path] ?? ''
      response.writeHead(200, headers)
      response.end(
        type === 'text/html'
          ? `<!doctype html><html lang="en"><title>Page</title><main>${body}</main>`
          : body,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await openBrowser()
  })
  afterEach(() => {
    for (const width of [390, 1280]) rmSync(projectPath(`test/output/planted-${width}.png`), { force: true })
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })
  const visit = async (path: string, javaScriptEnabled = true) => {
    const { page } = await browser.visitor({ javaScriptEnabled })
    await page.goto(`${at}${path}`)
    return page
  }

  for (const javaScriptEnabled of [true, false])
    test(`a page without fault passes, scripts ${javaScriptEnabled ? 'on' : 'off'}`, async () => {
      await picture(await visit('/good', javaScriptEnabled), 'planted')
      await browser.settle()
    })

  const COMPLAINTS = {
    '/inline': /script-src[^]*inline/,
    '/foreign': /img-src[^]*http:\/\/127\.0\.0\.1:9\/picture\.png/,
    '/framing': /\/inline broke script-src/,
    '/styled': /style-src/,
    '/throws': /\/throws: uncaught[^]*planted error/,
    '/rejects': /\/rejects: uncaught[^]*planted rejection/,
  }
  for (const [path, words] of Object.entries(COMPLAINTS))
    test(`${path} is complained about, once`, async () => {
      const page = await visit(path)
      await page.waitForLoadState('networkidle')
      expect(await failureOf(browser.settle())).toMatch(words)
      await browser.settle()
    })

  test('a policy is watched with scripts off as well', async () => {
    await visit('/foreign', false)
    expect(await failureOf(browser.settle())).toMatch(/picture\.png/)
  })

  const FINDINGS = {
    '/unnamed': /planted [^]*\/unnamed[^]*label \(critical\) at #nameless/,
    '/pale': /390 px: color-contrast \(serious\) at p:/,
    '/dark': /dark: color-contrast \(serious\) at p/,
    '/wide': /390 px: scrolls sideways: \d+ px in 390, by p#wide/,
  }
  for (const [path, words] of Object.entries(FINDINGS))
    for (const javaScriptEnabled of [true, false])
      test(`${path} makes no picture, scripts ${javaScriptEnabled ? 'on' : 'off'}`, async () => {
        const page = await visit(path, javaScriptEnabled)
        expect(await failureOf(picture(page, 'planted'))).toMatch(words)
        await browser.settle()
      })
})
