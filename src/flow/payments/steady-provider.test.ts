import { expect, test } from 'bun:test'
import { systemClock } from '../../platform/clock.ts'
import { withUrgency } from '../../platform/deadline.ts'
import { type PaymentProvider, ProviderRefused, ProviderUnavailable } from './provider.ts'
import { steadyProvider, type SteadyOptions } from './steady-provider.ts'

/** A provider of which only `find` is called. */
function rig(find: (call: number) => Promise<undefined>, options: Partial<SteadyOptions> = {}) {
  let calls = 0
  const provider = { name: 'stripe', find: () => find((calls += 1)) } as unknown as PaymentProvider
  const steady = steadyProvider(provider, {
    clock: systemClock,
    random: () => 0.5,
    pauseMs: 1,
    ...options,
  })
  const ask = () => steady.find('ref').then(String, (error: unknown) => error)
  return { ask, calls: () => calls }
}
const away = () => Promise.reject(new ProviderUnavailable('stripe', 'no answer'))

test('what had no answer is asked again; what was refused is not', async () => {
  const shaky = rig((call) => (call < 3 ? away() : Promise.resolve(undefined)))
  expect([await shaky.ask(), shaky.calls()]).toEqual(['undefined', 3])
  const firm = rig(() => Promise.reject(new ProviderRefused('stripe', 'card_declined', 'no')))
  expect(await firm.ask()).toBeInstanceOf(ProviderRefused)
  expect(firm.calls()).toBe(1)
})

test('a provider that is away is left alone; retries add a share to the calls and no more', async () => {
  const gone = rig(away)
  for (let n = 0; n < 200; n += 1) expect(await gone.ask()).toBeInstanceOf(ProviderUnavailable)
  expect(gone.calls()).toBeLessThan(20)

  // Every other call fails: the circuit stays closed, and the budget alone bounds the retries.
  const half = rig((call) => (call % 2 === 0 ? away() : Promise.resolve(undefined)))
  for (let n = 0; n < 1000; n += 1) await half.ask()
  expect(half.calls()).toBeLessThan(1000 * 1.1 + 11)
})

test('nobody tries again who is not waited for any more', async () => {
  const gone = rig(away, { pauseMs: 1000 })
  const started = performance.now()
  const error = await withUrgency({ until: performance.now() + 100, sheddable: false }, gone.ask)
  expect(error).toBeInstanceOf(ProviderUnavailable)
  expect([gone.calls(), performance.now() - started < 500]).toEqual([1, true])
})

test('calls under way are bounded, and so are those that wait', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const slow = rig(() => promise, { atOnce: 2, waiting: 3 })
  const asked = Array.from({ length: 8 }, () => slow.ask())
  const refused = await Promise.all(asked.slice(5))
  for (const answer of refused) expect(answer).toBeInstanceOf(ProviderUnavailable)
  expect(slow.calls()).toBe(2)
  resolve(undefined)
  expect(await Promise.all(asked.slice(0, 5))).toEqual(Array(5).fill('undefined'))
})
