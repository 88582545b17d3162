import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { type TestDatabases, testDatabases } from '../../../test/support/postgres.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import type { OrderCreated } from '../../contracts/events.ts'
import {
  FAILURE_REASONS,
  type FailureReason,
  ORDER_STATUSES,
  type OrderStatus,
  TRANSITIONS,
} from '../../contracts/orders.ts'
import type { Shards } from '../../platform/postgres.ts'
import { connectShards } from '../../platform/shards/shards.ts'
import { createOrders, type Orders } from './orders.ts'

let databases: TestDatabases
let shards: Shards
let orders: Orders
beforeAll(async () => {
  databases = await testDatabases(2)
  shards = connectShards(databases.urls)
  orders = createOrders({ shards })
})
afterAll(async () => {
  await shards.close()
  await databases.drop()
})

const created = (): OrderCreated => {
  const order_id = uuidv7()
  const ids = { order_id, user_id: `buyer of ${order_id}`, item_id: 'tv', sale_id: 'sale' }
  const price = { quantity: 1, amount: 1999, currency: 'EUR' }
  const times = { timestamp: 1, pay_by: 4_000_000_000_000, hold_expires_at: 4_000_000_300_000 }
  return { type: 'OrderCreated', version: 1, claim_seq: 1, ...ids, ...price, ...times }
}
const find = ({ user_id, order_id }: OrderCreated) => orders.find(user_id, order_id)

describe('the table of transitions', () => {
  test('reaches every status from PENDING, uses every reason, and gives reasons to failures only', () => {
    const reached = new Set<OrderStatus>(['PENDING'])
    for (let round = 0; round < ORDER_STATUSES.length; round += 1)
      for (const { from, to } of TRANSITIONS) if (reached.has(from)) reached.add(to)
    expect([...reached].sort()).toEqual([...ORDER_STATUSES].sort())
    const reasons = new Set(TRANSITIONS.flatMap(({ reasons }): FailureReason[] => [...reasons]))
    expect([...reasons].sort()).toEqual([...FAILURE_REASONS].sort())
    for (const { from, to, reasons } of TRANSITIONS) {
      expect(reasons.length > 0).toBe(to === 'FAILED')
      expect(from as OrderStatus).not.toBe(to)
    }
  })

  test('is all that pay and fail do, in any sequence', async () => {
    const step = fc.constantFrom<'pay' | FailureReason>('pay', ...FAILURE_REASONS)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const event = created()
        await orders.insert([event])
        let [status, reason]: [OrderStatus, FailureReason | null] = ['PENDING', null]
        for (const asked of steps) {
          const to = asked === 'pay' ? 'PAID' : 'FAILED'
          const allowed = TRANSITIONS.some(
            (one) =>
              one.from === status &&
              one.to === to &&
              (asked === 'pay' || (one.reasons as readonly string[]).includes(asked)),
          )
          const done =
            asked === 'pay'
              ? await orders.pay(shards.of(event.user_id), event.user_id, event.order_id)
              : await orders.fail(event.user_id, event.order_id, asked)
          expect(done).toBe(allowed)
          if (allowed) [status, reason] = [to, asked === 'pay' ? null : asked]
          expect(await find(event)).toMatchObject({ status, failure_reason: reason })
        }
      }),
      { numRuns: 40, ...replaySettings('order transitions') },
    )
  })

  test('of many at once who pay or fail one order, one wins', async () => {
    const event = created()
    const { user_id, order_id } = event
    await orders.insert([event])
    const tries = Array.from({ length: 12 }, (_, n) =>
      n % 2 === 0
        ? orders.fail(user_id, order_id, 'payment_timeout')
        : shards.of(user_id).transaction((sql) => orders.pay(sql, user_id, order_id)),
    )
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
  })
})
