import { expect, test } from 'bun:test'
import { createBreaker } from './breaker.ts'
import { Unavailable } from './errors.ts'

class Away extends Error {}

function rig() {
  const changes: string[] = []
  const breaker = createBreaker({
    name: 'the service',
    isFailure: (error) => error instanceof Away,
    failures: 3,
    pauseMs: [20, 40],
    onChange: (state) => changes.push(state),
  })
  let calls = 0
  const call = (work: () => Promise<string>) =>
    breaker
      .run(() => {
        calls += 1
        return work()
      })
      .catch((error: unknown) => error)
  return { breaker, changes, call, calls: () => calls }
}
const away = () => Promise.reject(new Away())

test('after failures in a row nobody asks any more; others errors and answers do not count', async () => {
  const { breaker, call, calls, changes } = rig()
  for (const work of [
    away,
    away,
    async () => 'here',
    away,
    away,
    () => Promise.reject(new Error('no such row')),
  ])
    await call(work)
  expect([breaker.isOpen(), calls()]).toEqual([false, 6])
  await call(away)
  expect([breaker.isOpen(), changes]).toEqual([true, ['open']])
  expect(await call(async () => 'here')).toBeInstanceOf(Unavailable)
  expect(calls()).toBe(7)
})

test('after a pause one is let through, the others are refused meanwhile and not kept', async () => {
  const { breaker, call, calls, changes } = rig()
  for (let n = 0; n < 3; n += 1) await call(away)
  await Bun.sleep(60)
  const { promise, resolve } = Promise.withResolvers<string>()
  const probe = call(() => promise)
  expect(await Promise.all([1, 2, 3].map(() => call(async () => 'here')))).toEqual(
    Array(3).fill(expect.any(Unavailable)),
  )
  expect(calls()).toBe(4)
  resolve('back')
  expect(await probe).toBe('back')
  expect([await call(async () => 'here'), breaker.isOpen(), changes]).toEqual([
    'here',
    false,
    ['open', 'closed'],
  ])
})
