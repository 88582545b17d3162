import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { replaySettings } from '../../../test/support/seed.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import type { DueHold, Stock } from '../inventory/inventory.ts'
import type { Order } from '../orders/orders.ts'
import { compare } from './compare.ts'

const stockOf = (change: Partial<Stock> = {}): Stock => ({
  ...{ total: 10, available: 10, held: 0, sold: 0, seq: 0, state: 'open', opens_at: 0, ends_at: null },
  ...{ sale_id: 'sale', epoch: 1, run_id: 'run' },
  ...change,
})
const orderOf = (order_id: string, status: OrderStatus, quantity = 1, claim_seq = 1): Order => ({
  ...{ order_id, user_id: `user-${order_id}`, sale_id: 'sale', item_id: 'tv', quantity, claim_seq, status },
  ...{ amount: 100, currency: 'EUR', failure_reason: status === 'FAILED' ? 'declined' : null },
  ...{ claimed_at: 1, pay_by: 2, hold_expires_at: 3 },
})
const holdOf = (order_id: string, quantity = 1, claim_seq = 1): DueHold => ({
  ...{ order_id, user_id: `user-${order_id}`, quantity, claim_seq, deadline: 3, created_at: 1, pay_by: 2 },
})

describe('compare', () => {
  const { available, held, sold } = stockOf()
  test.each([
    ['an untouched item', { available, held, sold }, [], [], true, 0],
    ['a hold of a PENDING order', { available: 9, held: 1, sold: 0 }, ['a'], [['a', 'PENDING']], true, 0],
    ['a hold without a row', { available: 9, held: 1, sold: 0 }, ['a'], [], true, 0],
    [
      'a FAILED order about to be released',
      { available: 9, held: 1, sold: 0 },
      ['a'],
      [['a', 'FAILED']],
      true,
      0,
    ],
    ['a PAID order about to be settled', { available: 9, held: 1, sold: 0 }, ['a'], [['a', 'PAID']], true, 0],
    ['a sale', { available: 9, held: 0, sold: 1 }, [], [['a', 'PAID']], true, 0],
    ['a released order', { available: 10, held: 0, sold: 0 }, [], [['a', 'FAILED']], true, 0],
    [
      'a PENDING order that is not held',
      { available: 10, held: 0, sold: 0 },
      [],
      [['a', 'PENDING']],
      false,
      1,
    ],
    ['a PAID order that is not sold', { available: 10, held: 0, sold: 0 }, [], [['a', 'PAID']], false, 1],
    ['a unit gone', { available: 9, held: 0, sold: 0 }, [], [], false, -1],
    ['a unit too many', { available: 11, held: 0, sold: 0 }, [], [], false, 1],
    ['a sale SQL knows nothing of', { available: 9, held: 0, sold: 1 }, [], [], false, -1],
    ['held counted without a hold', { available: 9, held: 1, sold: 0 }, [], [], false, -1],
    ['sold and held confused', { available: 9, held: 1, sold: 0 }, [], [['a', 'PAID']], false, 0],
  ] as const)('%s', (_name, counts, holds, orders, matches, drift) => {
    const result = compare({
      units: 10,
      stock: stockOf(counts),
      holds: holds.map((id) => holdOf(id)),
      orders: orders.map(([id, status]) => orderOf(id, status)),
    })
    expect(result).toMatchObject({ matches, drift })
  })

  test('units of the catalogue that are not those of Redis do not match', () => {
    expect(compare({ units: 12, stock: stockOf(), holds: [], orders: [] })).toMatchObject({
      matches: false,
      drift: -2,
    })
  })

  test('without a stock nothing matches, and the order numbers go on after the highest known', () => {
    const orders = [orderOf('a', 'PAID', 2, 7), orderOf('b', 'PENDING', 1, 9), orderOf('c', 'FAILED', 1, 8)]
    const result = compare({ units: 10, stock: undefined, holds: [], orders })
    expect(result).toMatchObject({ matches: false, drift: 0, sold: 2, seq: 9 })
    expect(result.pending.map(({ order_id }) => order_id)).toEqual(['b'])
    expect(result.keep.size).toBe(0)
  })

  test('takes as many orders as a large sale has', () => {
    const orders = Array.from({ length: 200_000 }, (_, n) => orderOf(String(n), 'PAID', 1, n + 1))
    const result = compare({ units: 200_000, stock: undefined, holds: [], orders })
    expect(result).toMatchObject({ sold: 200_000, seq: 200_000 })
  })

  test('any lawful history matches; a count changed by hand never does', () => {
    const life = fc.record({
      quantity: fc.integer({ min: 1, max: 4 }),
      row: fc.constantFrom<OrderStatus | 'none'>('none', 'PENDING', 'PAID', 'FAILED'),
      carriedOut: fc.boolean(),
    })
    const flaw = fc.constantFrom(...(['available', 'held', 'sold', 'total'] as const))
    fc.assert(
      fc.property(fc.array(life, { maxLength: 12 }), flaw, fc.constantFrom(-1, 1), (lives, field, by) => {
        const units = 60
        const counts = { total: units, available: units, held: 0, sold: 0 }
        const holds: DueHold[] = []
        const orders: Order[] = []
        for (const [n, { quantity, row, carriedOut }] of lives.entries()) {
          const id = `o${n}`
          if (row !== 'none') orders.push(orderOf(id, row, quantity, n + 1))
          const ended = (row === 'PAID' || row === 'FAILED') && carriedOut
          if (!ended) holds.push(holdOf(id, quantity, n + 1))
          const where = !ended ? 'held' : row === 'PAID' ? 'sold' : 'available'
          counts.available -= quantity
          counts[where] += quantity
        }
        const seen = { units, holds, orders }
        expect(compare({ ...seen, stock: stockOf(counts) })).toMatchObject({ matches: true, drift: 0 })
        const flawed = stockOf({ ...counts, [field]: counts[field] + by })
        expect(compare({ ...seen, stock: flawed }).matches).toBe(false)
      }),
      { numRuns: 300, ...replaySettings('compare') },
    )
  })
})
