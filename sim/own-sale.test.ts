import { expect, test } from 'bun:test'
import { NO_GUARD, openToCrowd } from './own-sale.ts'
import type { SaleInfo } from './target.ts'

/** A system with one sale, and what became of its guard. */
const target = (rehearsal: boolean, guard: Record<string, unknown>) => {
  const set: object[] = []
  return {
    set,
    sale: async (id: string) => ({ id, rehearsal }) as SaleInfo,
    guard: async () => guard,
    setGuard: async (_id: string, given: object) => void set.push(given),
  }
}
const said: string[] = []
const say = (text: string) => void said.push(text)

test('the guard of a rehearsal is switched off for a crowd, and that is said', async () => {
  const one = target(true, {})
  expect(await openToCrowd(one, 'tried', say)).toMatchObject({ id: 'tried' })
  expect(one.set).toEqual([NO_GUARD])
  expect(said.at(-1)).toContain('The guard of tried is switched off')
})

test('that of a real sale is not: one line says what to do', async () => {
  const one = target(false, {})
  const outcome = await openToCrowd(one, 'real', say).then(String, String)
  expect(outcome).toMatch(/SettingError: The guard of real is on.*rehearse it/)
  expect(one.set).toEqual([])
})

test('where it is off nothing is changed', async () => {
  for (const rehearsal of [true, false]) {
    const one = target(rehearsal, { ...NO_GUARD })
    await openToCrowd(one, 'sale', say)
    expect(one.set).toEqual([])
  }
})
