import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { projectPath } from './project.ts'
import { compressed, represent } from './representation.ts'

test('is there at once, and becomes as small as it gets beside what else is done; the bytes stay the same', async () => {
  const body = new Uint8Array(await readFile(projectPath('web/pages/waiting-room.ts')))
  const pages = [1, 2].map(() => represent('text/css', body))
  const unpacked = () =>
    pages.flatMap(({ bodies }) => [gunzipSync(bodies.gzip), brotliDecompressSync(bodies.br)])
  const same = (bytes: Uint8Array) => Buffer.compare(bytes, body) === 0
  const atOnce = pages.map(({ bodies }) => bodies.br.length)
  expect(unpacked().every(same)).toBe(true)
  await compressed()
  for (const [index, { bodies }] of pages.entries())
    expect(bodies.br.length).toBeLessThan((atOnce[index] ?? 0) * 0.97)
  expect(unpacked().every(same)).toBe(true)
})
