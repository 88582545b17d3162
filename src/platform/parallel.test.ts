import { expect, test } from 'bun:test'
import { forEachAtMost } from './parallel.ts'

test('works on every item once, in order, never on more than so many at a time', async () => {
  const begun: number[] = []
  let running = 0
  let most = 0
  const items = Array.from({ length: 50 }, (_, n) => n)
  await forEachAtMost(4, items, async (n) => {
    begun.push(n)
    most = Math.max(most, ++running)
    for (let turn = 0; turn <= n % 3; turn += 1) await Promise.resolve()
    running -= 1
  })
  expect(begun).toEqual(items)
  expect(most).toBe(4)
  expect(running).toBe(0)
})

test('is done at once where there is nothing to do, and takes fewer items than workers', async () => {
  const seen: string[] = []
  await forEachAtMost(4, [], async () => void seen.push('none'))
  await forEachAtMost(4, ['one'], async (item) => void seen.push(item))
  expect(seen).toEqual(['one'])
})
