import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitmentTo, drawnPosition, drawSeed } from '../contracts/draw.ts'
import { SettingError } from '../platform/errors.ts'
import { projectPath } from '../platform/project.ts'
import { fetchDraw, verifyDraw } from './verify-draw.ts'

interface Vector {
  readonly secret: string
  readonly lobby_size: number
  readonly tickets_hash: string
  readonly commitment: string
  readonly seed: string
  readonly positions: Readonly<Record<string, number>>
}
const vectors = JSON.parse(
  /```json\n([^]*?)```/.exec(readFileSync(projectPath('docs/draw.md'), 'utf8'))?.[1] ?? '[]',
) as Vector[]

const secret = createHash('sha256').update('a secret').digest('hex')
const draw = { commitment: commitmentTo(secret), secret, lobby_size: 500, tickets_hash: 'c0ffee' }

test('docs/draw.md tells what the code does', () => {
  expect(vectors.length).toBeGreaterThan(3)
  for (const { positions, commitment, seed, ...inputs } of vectors) {
    expect(commitmentTo(inputs.secret)).toBe(commitment)
    expect(drawSeed(inputs)).toBe(seed)
    for (const [index, position] of Object.entries(positions))
      expect(drawnPosition(seed, inputs.lobby_size, Number(index))).toBe(position)
  }
})

describe('verify-draw', () => {
  test('tells the position of an index, and refuses one that is not in the draw', () => {
    const { verified, lines } = verifyDraw({ draw }, 17)
    expect(verified).toBe(true)
    expect(lines.at(-1)).toBe(`lobby index 17 has position ${drawnPosition(drawSeed(draw), 500, 17)}`)
    expect(verifyDraw({ draw }, 501)).toMatchObject({ verified: false })
  })

  test('without an index it checks the shuffle and names the first', () => {
    const { verified, lines } = verifyDraw({ draw })
    expect(verified).toBe(true)
    expect(lines).toContain('Every one of the 500 lobby indices has a position of its own.')
    const first =
      /indices (.*)/
        .exec(lines.at(-1) ?? '')?.[1]
        ?.split(', ')
        .map(Number) ?? []
    expect(first.map((index) => drawnPosition(drawSeed(draw), 500, index))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
    expect(verifyDraw({ draw: { ...draw, lobby_size: 1 } }).lines.at(-1)).toBe('first in line: lobby index 1')
    expect(verifyDraw({ draw: { ...draw, lobby_size: 0 } })).toMatchObject({ verified: true })
  })

  test('of a lobby of ten million it checks as many as take seconds', () => {
    const { verified, lines } = verifyDraw({ draw: { ...draw, lobby_size: 10_000_000 } })
    expect(verified).toBe(true)
    expect(lines.at(-2)).toBe('The first 100000 of 10000000 lobby indices have positions of their own.')
  }, 30_000)

  test('another secret than promised, a broken one, a draw to come and no draw are not verified', () => {
    const other = createHash('sha256').update('another').digest('hex')
    expect(verifyDraw({ draw: { ...draw, secret: other } }).verified).toBe(false)
    expect(verifyDraw({ draw: { ...draw, secret: 'zz' } }).verified).toBe(false)
    const hidden = { ...draw, secret: null, lobby_size: null, tickets_hash: null }
    expect(verifyDraw({ draw: hidden }).verified).toBe(false)
    expect(verifyDraw({ draw: null }).verified).toBe(false)
  })

  test('where nothing runs, or nothing answers, it says so in one line', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'doorbuster-draw-'))
    const failure = (url?: string) =>
      fetchDraw({ sale: 'demo', dataDir, url }).then(
        () => undefined,
        (error: unknown) => error,
      )
    for (const error of [await failure(), await failure('http://127.0.0.1:1/')]) {
      expect(error).toBeInstanceOf(SettingError)
      expect((error as Error).message).not.toContain('\n')
    }
  })
})
