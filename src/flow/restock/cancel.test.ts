import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { v7 as uuidv7 } from 'uuid'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { paying } from '../../../test/support/paying.ts'
import { createRestock, type RestockParts } from './restock.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const cancel = ({ user_id, order_id }: Claim, change: Partial<RestockParts> = {}) =>
  createRestock({ ...flow.app, ...change }).cancel(user_id, order_id)
const pay = ({ user_id, order_id }: Claim) =>
  flow.app.shards.of(user_id).transaction((sql) => flow.app.orders.pay(sql, user_id, order_id))
const cancelled = {
  kind: 'cancelled',
  order: { status: 'FAILED', failure_reason: 'cancelled_by_user' },
} as const

describe('cancel', () => {
  test('of a PENDING order frees the unit and closes the payment', async () => {
    const item = await flow.newItem(1)
    const payment = await paying(flow, item).starting(await flow.pending(item))
    expect(await cancel(payment)).toMatchObject(cancelled)
    expect(await flow.counts(item)).toEqual({ total: 1, available: 1, held: 0, sold: 0 })
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ status: 'canceled' }])
    await flow.claim(item)
  })

  test('of an authorised payment moves no money, even if its webhook comes afterwards', async () => {
    const item = await flow.newItem(1)
    const pays = paying(flow, item)
    const payment = await pays.authorised()
    const late = await pays.eventOf(payment.ref, 'authorised')
    expect(await cancel(payment)).toMatchObject(cancelled)
    expect(await flow.app.payments.receive('stripe', late)).toBe('recorded')
    expect(await pays.expectLedger(payment)).toBe('FAILED')
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ captures: 0, status: 'canceled' }])
  })

  test('while PROCESSING buries the claim; its event comes late and changes nothing', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.claim(item)
    expect(await cancel(claimed)).toMatchObject(cancelled)
    expect(await flow.counts(item)).toEqual({ total: 1, available: 1, held: 0, sold: 0 })
    await flow.deliver(item)
    expect((await flow.row(claimed)).status).toBe('FAILED')
  })

  test('while PROCESSING, with the event arriving just before the tombstone', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.claim(item)
    const { orders } = flow.app
    const racing: RestockParts['orders'] = {
      ...orders,
      bury: async (...call) => {
        await flow.deliver(item)
        return orders.bury(...call)
      },
    }
    expect(await cancel(claimed, { orders: racing })).toMatchObject(cancelled)
    expect(await flow.counts(item)).toEqual({ total: 1, available: 1, held: 0, sold: 0 })
  })

  test('of a PAID order is not possible, and changes nothing', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item)
    await pay(claimed)
    expect(await cancel(claimed)).toMatchObject({ kind: 'not_cancellable', order: { status: 'PAID' } })
    expect(await flow.counts(item)).toEqual({ total: 1, available: 0, held: 1, sold: 0 })
  })

  test('that the payment overtakes is not possible', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item)
    const { orders } = flow.app
    const racing: RestockParts['orders'] = {
      ...orders,
      fail: async (...call) => {
        await pay(claimed)
        return orders.fail(...call)
      },
    }
    expect(await cancel(claimed, { orders: racing })).toMatchObject({ kind: 'not_cancellable' })
    expect((await flow.row(claimed)).status).toBe('PAID')
    expect(await flow.counts(item)).toMatchObject({ available: 0 })
  })

  test('of an order that failed by itself tells so', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item)
    await flow.lapse(claimed)
    await flow.app.restock.sweep()
    expect(await cancel(claimed)).toMatchObject({
      kind: 'not_cancellable',
      order: { failure_reason: 'payment_timeout' },
    })
  })

  test('again is cancelled again, and gives the unit back once', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item)
    const all = await Promise.all([cancel(claimed), cancel(claimed), cancel(claimed)])
    for (const one of all) expect(one).toMatchObject(cancelled)
    expect(await cancel(claimed)).toMatchObject(cancelled)
    expect(await flow.counts(item)).toEqual({ total: 1, available: 1, held: 0, sold: 0 })
  })

  test('that died before the release frees the unit when it is asked again', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item)
    const { inventory } = flow.app
    const dying = { ...inventory, release: () => Promise.reject(new Error('Redis is away')) }
    const first = cancel(claimed, { inventory: dying })
    expect(await first.catch((error: Error) => error.message)).toBe('Redis is away')
    expect(await flow.counts(item)).toMatchObject({ available: 0, held: 1 })
    expect(await cancel(claimed)).toMatchObject(cancelled)
    expect(await flow.counts(item)).toMatchObject({ available: 1, held: 0 })
  })

  test('does not fail because the payment provider is away: repair closes the payment', async () => {
    const item = await flow.newItem(1)
    const pays = paying(flow, item)
    const payment = await pays.starting(await flow.pending(item))
    const away = { finish: () => Promise.reject(new Error('no answer')) }
    expect(await cancel(payment, { payments: away })).toMatchObject(cancelled)
    expect(await flow.counts(item)).toMatchObject({ available: 1, held: 0 })
    await pays.repaired()
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ status: 'canceled' }])
  })

  test('of somebody else’s order, or of none, is unknown and changes nothing', async () => {
    const item = await flow.newItem(2)
    const [processing, pending] = [await flow.pending(item), await flow.claim(item)]
    for (const { order_id } of [processing, pending])
      expect(await flow.app.restock.cancel('a thief', order_id)).toEqual({ kind: 'unknown_order' })
    expect(await flow.app.restock.cancel('a thief', uuidv7())).toEqual({ kind: 'unknown_order' })
    expect(await flow.counts(item)).toMatchObject({ available: 0, held: 2 })
  })
})
