import { expect, test } from 'bun:test'
import type { Clock } from './clock.ts'
import { followServerClock } from './server-clock.ts'

/** A world with a true time, and a node whose clock is off. */
function world(offMs: number) {
  let now = 1_000_000_000
  let round = Promise.withResolvers<void>()
  const own: Clock = {
    now: () => now + offMs,
    sleep: (_ms, signal) =>
      Promise.race([
        round.promise,
        new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
      ]),
  }
  return {
    own,
    get now() {
      return now
    },
    pass: (ms: number) => void (now += ms),
    /** The node asks again. */
    ask: async () => {
      const over = round
      round = Promise.withResolvers()
      over.resolve()
      await new Promise((resolve) => setTimeout(resolve, 1))
    },
  }
}

test.each([-3_600_000, 3_600_000])('a clock that is %d ms off tells the time of the server', async (off) => {
  const there = world(off)
  const ending = new AbortController()
  const clock = await followServerClock(there.own, async () => there.now, ending.signal)
  expect(clock.now()).toBe(there.now)
  there.pass(5000)
  expect(clock.now()).toBe(there.now)
  ending.abort()
})

test('a clock that is right stays as it is, whatever an answer takes', async () => {
  const there = world(100)
  const ending = new AbortController()
  let takes = 40
  const clock = await followServerClock(
    there.own,
    async () => {
      there.pass(takes)
      return there.now
    },
    ending.signal,
  )
  expect(clock.now()).toBe(there.now + 100)
  // Stuck for ten seconds after it was answered: it says nothing.
  takes = 10_000
  await there.ask()
  expect(clock.now()).toBe(there.now + 100)
  ending.abort()
})

test('what was learned holds while nobody answers, and a clock that is put right is noticed', async () => {
  let off = 90_000
  const there = world(0)
  const own: Clock = { ...there.own, now: () => there.now + off }
  const ending = new AbortController()
  let away = false
  const serverTime = async () => (away ? Promise.reject(new Error('away')) : there.now)
  const clock = await followServerClock(own, serverTime, ending.signal)
  away = true
  await there.ask()
  there.pass(5000)
  expect(clock.now()).toBe(there.now)
  ;[away, off] = [false, 0]
  await there.ask()
  expect(clock.now()).toBe(there.now)
  ending.abort()
})

test('without a first answer there is no clock', async () => {
  const there = world(0)
  const refused = followServerClock(there.own, () => Promise.reject(new Error('away')), AbortSignal.abort())
  expect(refused).rejects.toThrow('away')
})
