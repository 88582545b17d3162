import { describe, expect, test } from 'bun:test'
import { converge } from './converge.ts'
import type { Answer, Change } from './converge.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import type { ProviderPayment, ProviderState } from './provider.ts'

const payment = (state: ProviderState): ProviderPayment => ({
  provider_ref: 'pi_1',
  order_id: 'order-1',
  user_id: 'user-1',
  state,
  amount: 100,
  amount_received: state === 'captured' ? 100 : 0,
  amount_refunded: 0,
  currency: 'EUR',
})
const refused = (stale: boolean): Answer => ({
  kind: 'failed',
  error: new ProviderRefused('stripe', 'no', 'No'),
  stale,
})
const broken = (stale: boolean): Answer => ({
  kind: 'failed',
  error: new ProviderUnavailable('stripe', 'Broken'),
  stale,
})
const done = (stale: boolean): Answer => ({ kind: 'done', payment: payment('captured'), stale })

/** A capture whose answers and observed states are given in advance. */
function capture(answers: Answer[], states: ProviderState[]) {
  const keys: string[] = []
  const change: Change = {
    provider: 'stripe',
    key: 'order-1:capture',
    request: async (key) => {
      keys.push(key)
      const answer = answers.shift()
      if (!answer) throw new Error('asked too often')
      return answer
    },
    look: async () => {
      const state = states.shift()
      return state && { payment: payment(state), authorisation: 'ch_1' }
    },
    reached: ({ state }) => state === 'captured',
    possible: ({ state }) => state === 'authorised',
  }
  return { keys, change }
}

describe('converge', () => {
  test('believes a fresh success without looking', async () => {
    const { keys, change } = capture([done(false)], [])
    expect(await converge(change)).toMatchObject({ done: true, payment: { state: 'captured' } })
    expect(keys).toEqual(['order-1:capture'])
  })

  test('looks behind a replayed success', async () => {
    const { change } = capture([done(true)], ['cancelled'])
    expect(await converge(change)).toMatchObject({ done: false, payment: { state: 'cancelled' } })
  })

  test.each([
    ['refusal', refused(true)],
    ['server error', broken(true)],
  ])('a replayed %s is asked again once, under a key of this authorisation', async (_name, answer) => {
    const { keys, change } = capture([answer, done(false)], ['authorised'])
    expect(await converge(change)).toMatchObject({ done: true })
    expect(keys).toEqual(['order-1:capture', 'order-1:capture:ch_1'])
  })

  test('does not ask a third time', async () => {
    const { keys, change } = capture([refused(true), refused(true)], ['authorised', 'authorised'])
    expect(await converge(change).catch((error: unknown) => error)).toBeInstanceOf(ProviderRefused)
    expect(keys).toHaveLength(2)
  })

  test('a fresh server error is an unknown outcome, asked no more', async () => {
    const { keys, change } = capture([broken(false)], ['captured'])
    expect(await converge(change).catch((error: unknown) => error)).toBeInstanceOf(ProviderUnavailable)
    expect(keys).toHaveLength(1)
  })

  test('a fresh refusal although the payment allows the change is the caller’s to know', async () => {
    const { change } = capture([refused(false)], ['authorised'])
    expect(await converge(change).catch((error: unknown) => error)).toMatchObject({ code: 'no' })
  })

  test('a refusal because it is done already is success', async () => {
    const { change } = capture([refused(false)], ['captured'])
    expect(await converge(change)).toMatchObject({ done: true })
  })

  test('a refusal for good tells why', async () => {
    const { change } = capture([refused(false)], ['cancelled'])
    expect(await converge(change)).toMatchObject({ done: false, code: 'no' })
  })

  test('a payment the provider does not know is refused', async () => {
    const { change } = capture([refused(false)], [])
    expect(await converge(change).catch((error: unknown) => error)).toMatchObject({
      code: 'resource_missing',
    })
  })
})
