import { expect, test } from 'bun:test'
import { ORDER_STATUSES } from '../../contracts/orders.ts'
import { nextStep, type PaymentState, REACHED_FROM, stateAfter } from './states.ts'

const STATES = Object.keys(REACHED_FROM) as PaymentState[]
const EVENTS = ['authorised', 'captured', 'failed', 'cancelled', 'refunded'] as const

test('what each state of a payment needs, given its order', () => {
  const table = Object.fromEntries(
    ORDER_STATUSES.map((order) => [
      order,
      Object.fromEntries(STATES.map((state) => [state, nextStep(order, state)])),
    ]),
  )
  const over = {
    ...({ captured: 'none', lost: 'none', refund_due: 'refund' } as const),
    ...({ cancelled: 'none', refunded: 'none' } as const),
  }
  expect(table).toEqual({
    PENDING: { started: 'none', failed: 'none', authorised: 'none', ...over },
    PAID: { started: 'cancel', failed: 'cancel', authorised: 'capture', ...over },
    FAILED: { started: 'cancel', failed: 'cancel', authorised: 'cancel', ...over, captured: 'refund' },
  })
})

test('every state but the first is reached, none from itself, and no path leads back but one', () => {
  // What is authorised after it was closed is closed again.
  expect(REACHED_FROM.started).toEqual(['cancelled'])
  const reachedFrom = { ...REACHED_FROM, started: [] as readonly PaymentState[] }
  const ahead = (state: PaymentState, seen = new Set<PaymentState>()): Set<PaymentState> => {
    for (const next of STATES)
      if (reachedFrom[next].includes(state) && !seen.has(next)) ahead(next, seen.add(next))
    return seen
  }
  expect([...ahead('started')].sort()).toEqual(STATES.filter((state) => state !== 'started').sort())
  for (const state of STATES) expect(ahead(state).has(state)).toBe(false)
})

test('money is kept by the winner only', () => {
  expect(EVENTS.map((type) => stateAfter(type, true))).toEqual([
    ...(['authorised', 'captured', 'failed', 'lost', 'refunded'] as const),
  ])
  expect(EVENTS.map((type) => stateAfter(type, false))).toEqual([
    'started',
    'refund_due',
    'failed',
    'cancelled',
    'refunded',
  ])
})
