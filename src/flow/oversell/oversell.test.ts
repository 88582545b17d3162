import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { connectionLost, watchShards } from '../../../test/support/sql.ts'
import { insertAudit, selectAudit } from '../../operator/sql.ts'
import { createOrders } from '../orders/orders.ts'
import { createGiftCards } from '../gift-cards/gift-cards.ts'
import { createOversell, type OversellParts } from './oversell.ts'

let flow: Flow
let pay: Paying
let item: string
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(async () => {
  item = await flow.newItem(20)
  pay = paying(flow, item)
})

const by = (operator: string) => ({ operator, reason: 'the pallet was not there' })
const paid = async (quantity = 1): Promise<Claim> => {
  const payment = await pay.starting(await flow.pending(item, { quantity, amount: PRICE * quantity }))
  await flow.stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
  expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
  return payment
}
/** Six orders, units 6 of 20; then only `units` are found. */
const sixOf = async (units: number) => {
  const orders = [
    await paid(),
    await paid(),
    await flow.pending(item),
    await paid(),
    await flow.pending(item),
  ]
  orders.push(await paid())
  await flow.app.catalogue.setUnits(item, units)
  await flow.app.reconcile.item(item)
  return orders
}
const preview = async () => {
  const found = await flow.app.oversell.preview(item)
  if (found === undefined) throw new Error('not oversold')
  return found
}
const approve = async (operator = 'ann', oversell = flow.app.oversell) =>
  oversell.approve(by(operator), item, (await preview()).hash)
const states = (orders: readonly Claim[]) =>
  Promise.all(
    orders.map(async (one) => {
      const { status, failure_reason } = await flow.row(one)
      return failure_reason ?? status
    }),
  )
const cards = async ({ user_id }: Claim) => flow.app.giftCards.of(user_id)
const progress = async () => {
  const found = await flow.app.oversell.progress(item)
  return { outcome: found?.plan.outcome, cancelled: found?.cancelled }
}
/** The law after it is all over: counters right and selling, money back, one card each, the last ones cancelled. */
const expectSettled = async (orders: readonly Claim[], cancelled: number) => {
  await pay.repaired()
  await pay.repaired()
  const expected = await states(orders)
  expect(expected.slice(orders.length - cancelled).every((state) => state === 'oversold')).toBe(true)
  expect(expected.slice(0, orders.length - cancelled)).not.toContain('oversold')
  for (const [n, order] of orders.entries()) {
    if (flow.stripe.entry(order.order_id).length > 0) await pay.expectLedger(order)
    expect(await cards(order)).toHaveLength(n < orders.length - cancelled ? 0 : 1)
  }
  expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'clean', drift: 0 })
  const { total, available, held, sold } = await flow.counts(item)
  expect(available + held + sold).toBe(total)
}
const standIn = (change: Partial<OversellParts>) =>
  createOversell({ ...flow.app, database: flow.app.shards.catalogue, audit: insertAudit, ...change })

describe('a preview', () => {
  test('names exactly the last ones by claim, paid or not, and what their buyers get', async () => {
    const orders = await sixOf(3)
    const found = await preview()
    expect(found).toMatchObject({ item_id: item, units: 3, oversold: 3, persons: 1 })
    expect(found.orders.map(({ order_id }) => order_id)).toEqual(
      [5, 4, 3].map((n) => orders[n]?.order_id ?? ''),
    )
    expect(found.orders[0]).toMatchObject({ status: 'PAID', gift: Math.round(PRICE / 10), amount: PRICE })
    expect(await flow.app.oversell.list()).toContainEqual({
      ...{ item_id: item, units: 3, paid: 4, pending: 2, oversold: 3 },
    })
    expect(await preview()).toEqual(found)
  })

  test('of an item that is not oversold is none, and none is approved', async () => {
    await sixOf(6)
    expect(await flow.app.oversell.preview(item)).toBeUndefined()
    expect(await flow.app.oversell.approve(by('ann'), item, 'f'.repeat(64))).toEqual({ kind: 'not_oversold' })
    expect(await flow.app.oversell.approve(by('ann'), 'nothing', '')).toEqual({ kind: 'unknown_item' })
  })
})

describe('approved', () => {
  test('the last ones are cancelled, refunded and given a card; the counters follow, it sells on, all is noted', async () => {
    const orders = await sixOf(4)
    expect(await approve()).toMatchObject({ kind: 'approved' })
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'done', cancelled: 2 })
    await expectSettled(orders, 2)
    expect(await flow.counts(item)).toMatchObject({ total: 4, available: 0 })
    const entries = (await selectAudit(flow.app.shards.catalogue, 20)).filter(({ target }) => target === item)
    const ids = [5, 4].map((n) => orders[n]?.order_id)
    expect(entries).toMatchObject([
      { command: 'oversell.finish', operator: 'ann', detail: { outcome: 'done' } },
      { command: 'oversell.approve', operator: 'ann', detail: { orders: ids } },
    ])
    expect((entries[0]?.detail['cancelled'] as string[]).sort()).toEqual([...ids].sort() as string[])
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'done', cancelled: 2 })

    const [freed] = orders
    await flow.app.catalogue.setUnits(item, 5)
    await flow.app.reconcile.item(item)
    await flow.claim(item)
    expect(freed).toBeDefined()
  })

  test('for another list than the one there is now, it is refused', async () => {
    const orders = await sixOf(4)
    const { hash } = await preview()
    await flow.app.restock.cancel(orders[4]?.user_id ?? '', orders[4]?.order_id ?? '')
    expect(await flow.app.oversell.approve(by('ann'), item, hash)).toEqual({ kind: 'outdated' })
    await flow.app.oversell.execute()
    expect(await states(orders)).not.toContain('oversold')
  })

  test('by one of two persons, nothing happens; the same one twice is one', async () => {
    item = await flow.newItem(20, { oversell: { approval: 'two_persons', gift_card: { amount: 700 } } })
    pay = paying(flow, item)
    const orders = await sixOf(5)
    expect(await approve('ann')).toMatchObject({ kind: 'waiting', plan: { persons: 2 } })
    expect(await approve('ann')).toMatchObject({ kind: 'waiting' })
    await flow.app.oversell.execute()
    expect(await states(orders)).not.toContain('oversold')
    expect(await approve('bob')).toMatchObject({ kind: 'approved' })
    await flow.app.oversell.execute()
    await expectSettled(orders, 1)
    expect(await cards(orders[5] as Claim)).toMatchObject([{ amount: 700, balance: 700 }])
  })

  test('nobody needs to where the sale says automatic', async () => {
    item = await flow.newItem(20, { oversell: { approval: 'automatic' } })
    pay = paying(flow, item)
    const orders = await sixOf(3)
    await flow.app.oversell.approveAutomatic()
    await flow.app.oversell.approveAutomatic()
    await flow.app.oversell.execute()
    await expectSettled(orders, 3)
    const audit = await selectAudit(flow.app.shards.catalogue, 20)
    expect(audit.filter(({ target, operator }) => target === item && operator === 'automatic')).toHaveLength(
      2,
    )
  })

  test('what is no longer needed is not cancelled, wherever the units came from', async () => {
    const orders = await sixOf(4)
    await approve()
    // The payment window of an early one has ended; one is found behind the shelf: nothing is oversold any more.
    await flow.app.orders.fail(orders[2]?.user_id ?? '', orders[2]?.order_id ?? '', 'payment_timeout')
    await flow.app.catalogue.setUnits(item, 5)
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'not_needed', cancelled: 0 })
    expect(await states(orders)).toEqual(['PAID', 'PAID', 'payment_timeout', 'PAID', 'PENDING', 'PAID'])
  })

  test('one that ends by itself while the others are cancelled counts', async () => {
    const orders = await sixOf(3)
    await approve()
    let cancelled = 0
    const giftCards = {
      issue: async (...[sql, order, gift, days]: Parameters<typeof flow.app.giftCards.issue>) => {
        const isNew = await flow.app.giftCards.issue(sql, order, gift, days)
        cancelled += 1
        const timedOut = orders[2] as Claim
        if (cancelled === 1)
          await flow.app.orders.fail(timedOut.user_id, timedOut.order_id, 'payment_timeout')
        return isNew
      },
    }
    await standIn({ giftCards }).execute()
    expect(await states(orders)).toEqual(['PAID', 'PAID', 'payment_timeout', 'PAID', 'oversold', 'oversold'])
    await flow.app.restock.sweep() // its unit is still held
    await flow.app.reconcile.item(item)
    await expectSettled(orders, 2)
  })

  test('an order that nobody had seen comes after them: it stops, and is previewed again', async () => {
    const orders = await sixOf(4)
    await approve()
    await flow.app.shards
      .of(orders[0]?.user_id ?? '')
      .query(`update orders set claim_seq = 99, claimed_at = now() + interval '1 minute' where id = $1`, [
        orders[0]?.order_id,
      ])
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'outdated', cancelled: 0 })
    expect((await preview()).orders[0]?.order_id).toBe(orders[0]?.order_id ?? '')
  })

  test('by two processes at once, no more are cancelled than needed', async () => {
    const orders = await sixOf(3)
    await approve()
    await Promise.all([1, 2, 3].map(() => flow.app.oversell.execute()))
    await flow.app.oversell.execute()
    await expectSettled(orders, 3)
  })

  test('and carried out once, the same list can be approved again', async () => {
    const orders = await sixOf(5)
    await approve()
    await flow.app.catalogue.setUnits(item, 6)
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'not_needed', cancelled: 0 })
    await flow.app.catalogue.setUnits(item, 5)
    expect(await approve('bob')).toMatchObject({
      kind: 'approved',
      plan: { approvals: [{ operator: 'bob' }] },
    })
    await flow.app.oversell.execute()
    await expectSettled(orders, 1)
  })
})

test('a process that dies, at any statement, leaves what another one finishes: the same in the end', async () => {
  for (let fatal = 1; ; fatal += 1) {
    item = await flow.newItem(20)
    pay = paying(flow, item)
    const orders = [await paid(), await flow.pending(item), await paid()]
    await flow.app.catalogue.setUnits(item, 1)
    await flow.app.reconcile.item(item)
    await approve()
    let statements = 0
    const shards = watchShards(flow.app.shards, () => {
      if (++statements >= fatal) throw connectionLost()
    })
    const doomed = createOrders({ shards })
    await standIn({
      shards,
      database: shards.catalogue,
      orders: doomed,
      giftCards: createGiftCards({ shards, orders: doomed, newCode: () => '0'.repeat(16) }),
    })
      .execute()
      .catch(() => undefined)
    await flow.app.oversell.execute()
    expect(await progress()).toEqual({ outcome: 'done', cancelled: 2 })
    await expectSettled(orders, 2)
    if (statements < fatal) break
  }
}, 120_000)
