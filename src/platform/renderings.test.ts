import { expect, test } from 'bun:test'
import { createRenderings } from './renderings.ts'

function setUp(most = 10) {
  const clock = { time: 1000, now: () => clock.time }
  let made = 0
  const rendered = createRenderings<string>({ clock, freshMs: 700, most })
  const make = () => Promise.resolve(`number ${++made}`)
  return { clock, rendered, make, count: () => made }
}

test('whoever asks at once, and for as long as it is fresh, gets what was made once', async () => {
  const { clock, rendered, make } = setUp()
  const crowd = await Promise.all(Array.from({ length: 1000 }, () => rendered('page', make)))
  expect(new Set(crowd)).toEqual(new Set(['number 1']))
  clock.time += 699
  expect(await rendered('page', make)).toBe('number 1')
  clock.time += 1
  expect(await rendered('page', make)).toBe('number 2')
  expect(await rendered('other', make)).toBe('number 3')
})

test('its age counts from the beginning of its making: one that took long is not fresh for long', async () => {
  const { clock, rendered, make } = setUp()
  const slow = rendered('page', async () => {
    await Promise.resolve()
    clock.time += 700
    return make()
  })
  expect(await slow).toBe('number 1')
  expect(await rendered('page', make)).toBe('number 2')
})

test('neither a failure nor "there is none" is kept, and a failure reaches all who waited', async () => {
  const { rendered, make, count } = setUp()
  const failing = () => Promise.reject(new Error('away'))
  const both = await Promise.allSettled([rendered('page', failing), rendered('page', make)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(count()).toBe(0)
  expect(await rendered('page', () => Promise.resolve(undefined))).toBeUndefined()
  expect(await rendered('page', make)).toBe('number 1')
})

test('only so many are kept: those made longest ago go', async () => {
  const { rendered, make, count } = setUp(2)
  for (const key of ['a', 'b', 'c']) await rendered(key, make)
  await rendered('c', make)
  await rendered('b', make)
  expect(count()).toBe(3)
  await rendered('a', make)
  expect(count()).toBe(4)
})
