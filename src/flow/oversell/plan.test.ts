import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { replaySettings } from '../../../test/support/seed.ts'
import type { Order } from '../orders/orders.ts'
import { hashOf, lastOnes, type PlannedOrder } from './plan.ts'

const orderOf = (claim_seq: number, quantity: number, paid: boolean): Order => ({
  ...{ order_id: `order-${claim_seq}`, user_id: 'a', sale_id: 'sale', item_id: 'tv', quantity, claim_seq },
  ...{ amount: 100 * quantity, currency: 'EUR', status: paid ? 'PAID' : 'PENDING', failure_reason: null },
  ...{ claimed_at: 1, pay_by: 2, hold_expires_at: 3 },
})
const units = (orders: readonly Order[]) => orders.reduce((sum, { quantity }) => sum + quantity, 0)

test('of any orders and any number of units, the last ones are cancelled, as few as will do', () => {
  const one = fc.record({ quantity: fc.integer({ min: 1, max: 6 }), paid: fc.boolean() })
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 40 }), fc.nat(), (given, draw) => {
      const latest = given.map(({ quantity, paid }, n) => orderOf(given.length - n, quantity, paid))
      const wanted = draw % (units(latest) + 1)
      const chosen = lastOnes(latest, wanted)
      expect(chosen).toEqual(latest.slice(0, chosen.length)) // the last ones, none left out
      expect(units(chosen)).toBeGreaterThanOrEqual(wanted)
      expect(units(chosen.slice(0, -1))).toBeLessThan(Math.max(1, wanted)) // one fewer would not do
      if (wanted === 0) expect(chosen).toEqual([])
    }),
    { numRuns: 500, ...replaySettings('oversell plan') },
  )
})

test('a hash is that of one list only, whatever is paid meanwhile', () => {
  const planned = (n: number, change: Partial<PlannedOrder> = {}): PlannedOrder => ({
    ...{ order_id: `order-${n}`, user_id: 'a', claim_seq: n, quantity: 1, amount: 1, currency: 'EUR' },
    ...{ status: 'PENDING', gift: 1, ...change },
  })
  const hash = hashOf('tv', [planned(2), planned(1)])
  expect(hashOf('tv', [planned(2, { status: 'PAID' }), planned(1)])).toBe(hash)
  for (const [item, list] of [
    ['tv', [planned(1), planned(2)]],
    ['tv', [planned(2)]],
    ['radio', [planned(2), planned(1)]],
    ['tv', [planned(2, { gift: 2 }), planned(1)]],
    ['tv', [planned(2, { quantity: 2 }), planned(1)]],
  ] as const)
    expect(hashOf(item, list)).not.toBe(hash)
})
