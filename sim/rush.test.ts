import { expect, spyOn, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRushOptions, rush } from './rush.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('where nothing runs: one line that says what to do, exit code 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rush-'))
  const error = spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    const options = readRushOptions({}, folder)
    expect(await rush(options)).toBe(1)
    // Left behind by a supervisor that was killed: nobody listens any more.
    const port = await freePort()
    const urls = { shop: `http://shop.localhost:${port}`, queue: `http://q:${port}`, ops: `http://o:${port}` }
    writeFileSync(join(folder, 'run.json'), JSON.stringify({ port, urls }))
    expect(await rush(options)).toBe(1)
    expect(error.mock.calls).toHaveLength(2)
    for (const [line] of error.mock.calls)
      expect(line).toMatch(/^Doorbuster is not running here.*npm start`[^\n]*$/)
  } finally {
    error.mockRestore()
    rmSync(folder, { recursive: true })
  }
})
