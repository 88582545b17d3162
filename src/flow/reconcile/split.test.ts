import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { BY, type Claim, type Flow, saleOf, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { partIndexOf, partsOf } from '../../contracts/parts.ts'
import { parseDelivery } from '../events/entry.ts'
import { partOwner } from '../inventory/keys.ts'
import { orderConsumer } from '../orders/consumer.ts'

// Items whose stock is split, compared with SQL: what is lost comes back, and never a unit too many.

setDefaultTimeout(60_000)
const OF = 3
let flow: Flow
let item: string
let buyers = 0
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const newItem = (units: number) =>
  flow.newItem(units).then(async (id) => {
    // Made by hand: the sales of these tests are open from the beginning.
    await flow.app.shards.catalogue.query('update products set stock_parts = $2 where id = $1', [id, OF])
    await flow.app.redis.commands.del(keyOf(id, 'stock'))
    await flow.app.catalogue.setUnits(id, units)
    await flow.app.inventory.load({
      ...{ item_id: id, sale_id: `sale-${id}`, total: units, parts: OF },
      ...{ state: 'open', opens_at: 0, ends_at: null },
    })
    return id
  })
beforeEach(async () => {
  item = await newItem(12)
})

/** A buyer of a part. */
const buyerOf = (index: number) => {
  for (;;) {
    const user = `split-${++buyers}`
    if (partIndexOf(user, OF) === index) return user
  }
}
const claim = (index: number, quantity = 1) =>
  flow.claim(item, { parts: OF, user_id: buyerOf(index), quantity })
/** What the order worker does with the outboxes of all parts. */
const deliver = async () => {
  for (const owner of partsOf(item, OF).map(partOwner)) {
    const key = keyOf(owner, 'outbox')
    const entries = await flow.app.redis.commands.xrange(key, '-', '+')
    const batch = entries.flatMap(([outbox_id, fields]) => parseDelivery({ owner, outbox_id, fields }) ?? [])
    expect(await orderConsumer(flow.app)(batch)).toEqual([])
    for (const [id] of entries) await flow.app.redis.commands.xdel(key, id)
  }
}
const pay = async ({ user_id, order_id }: Claim) => {
  await flow.app.shards
    .of(user_id)
    .transaction((sql) => flow.app.orders.pay(sql, user_id, order_id).then(() => undefined))
  await flow.app.inventory.settle(item, order_id, user_id)
}
const lose = (index: number) =>
  flow.app.redis.commands.del(
    ...['stock', 'buyers', 'holds', 'claims'].map((name) => keyOf(partOwner(part(index)), name)),
  )
const part = (index: number) => ({ item_id: item, index, of: OF })
const reconcile = () => flow.app.reconcile.item(item)

describe('an item in parts', () => {
  test('is clean while it sells, with units on their way, and after', async () => {
    const claims = [await claim(0), await claim(1), await claim(2, 3)]
    const { parts } = flow.app.inventory
    await parts.give(part(0), 1, 0, 2)
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0, report: { on_the_way: 2 } })
    await deliver()
    for (const one of claims.slice(0, 2)) await pay(one)
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    expect(await flow.counts(item)).toEqual({ total: 12, available: 7, held: 3, sold: 2 })
    // What a process left on its way when it died.
    expect((await parts.stock(part(1)))?.total).toBe(4)
    await flow.app.restock.sweep()
    expect((await parts.stock(part(1)))?.total).toBe(6)
    expect(await flow.counts(item)).toEqual({ total: 12, available: 7, held: 3, sold: 2 })
  })

  test('comes back when a part is lost: its orders with their holds, and its units with the others', async () => {
    const [held, sold, other] = [await claim(1, 2), await claim(1), await claim(2)]
    await deliver()
    await pay(sold)
    const { parts } = flow.app.inventory
    const [out, into] = [await parts.give(part(1), 2, 0, 1), await parts.give(part(0), 1, 0, 1)]
    await lose(1)
    expect(await flow.app.inventory.stock(item)).toBeUndefined()
    expect(await flow.app.reconcile.fenced()).toContain(item)
    expect((await claim(0)).item_id).toBe(item)
    await deliver()
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 12, available: 7, held: 4, sold: 1 })
    expect(await flow.app.inventory.findClaim(item, held.order_id, held.user_id)).toMatchObject({
      quantity: 2,
    })
    // It has what no other has from the first moment on, so that the sum is never short.
    expect((await parts.stock(part(1)))?.total).toBe(5)
    // What was on its way, in some process's hands, arrives no more.
    if (out.kind !== 'given' || into.kind !== 'given') throw new Error('nothing was given')
    expect(await parts.takeIn(part(2), { ...out, from: 1 })).toBe('known')
    expect(await parts.takeIn(part(1), { ...into, from: 0 })).toBe('known')
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    // Claims go on in it, and take what the others have.
    for (let units = 7; units > 0; units -= 1) await claim(1)
    expect(await flow.counts(item)).toEqual({ total: 12, available: 0, held: 11, sold: 1 })
    expect(await flow.app.inventory.findClaim(item, other.order_id)).toBeDefined()
  })

  test('gives nothing out twice when a part comes back as it was before it gave to another', async () => {
    const stock = keyOf(item, 'stock')
    const before = await flow.app.redis.commands.hgetall(stock)
    const { parts } = flow.app.inventory
    const given = await parts.give(part(0), 1, 0, 3)
    if (given.kind !== 'given') throw new Error('nothing was given')
    expect(await parts.takeIn(part(1), { ...given, from: 0 })).toBe('taken_in')
    await flow.app.redis.commands.del(stock)
    await flow.app.redis.commands.hset(stock, { ...before, run_id: 'of another process' })
    expect(await claim(0).catch(String)).toContain('fenced')
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 3 })
    expect(await flow.counts(item)).toEqual({ total: 12, available: 12, held: 0, sold: 0 })
    expect((await parts.stock(part(0)))?.total).toBe(1)
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
  })

  test('is lowered where there are fewer units, and sells nothing where more was sold than there is', async () => {
    for (const index of [0, 0, 1, 2])
      await pay(await claim(index).then(async (one) => (await deliver(), one)))
    await flow.app.catalogue.setUnits(item, 6)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 6 })
    expect(await flow.counts(item)).toEqual({ total: 6, available: 2, held: 0, sold: 4 })
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
    // What the buyers of a lost part have counts, though Redis knows nothing of it: the others are lowered for it.
    await lose(0)
    await flow.app.catalogue.setUnits(item, 5)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 5, available: 1, held: 0, sold: 4 })
    await flow.app.catalogue.setUnits(item, 3)
    expect(await reconcile()).toMatchObject({ outcome: 'oversold', report: { oversold: 1 } })
    expect(await claim(0).catch(String)).toContain('fenced')
    expect(await claim(2).catch(String)).toContain('fenced')
    await flow.app.catalogue.setUnits(item, 5)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: -1 })
    expect(await flow.counts(item)).toEqual({ total: 5, available: 1, held: 0, sold: 4 })
    await claim(2)
  })

  test('whatever of it is lost, wherever its units are, is right again after one run, and the second finds nothing', async () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('claim' as const), index: fc.nat(OF - 1), pay: fc.boolean() }),
      fc.record({
        act: fc.constant('give' as const),
        index: fc.nat(OF - 1),
        by: fc.integer({ min: 1, max: 2 }),
      }),
    )
    const lost = fc.uniqueArray(fc.nat(OF - 1), { minLength: 1, maxLength: OF })
    const run = fc.asyncProperty(fc.array(step, { maxLength: 12 }), lost, async (steps, gone) => {
      item = await newItem(6)
      const { parts } = flow.app.inventory
      let [held, sold] = [0, 0]
      const hands: { to: number; from: number; number: number; units: number }[] = []
      for (const one of steps)
        if (one.act === 'give') {
          const to = (one.index + one.by) % OF
          const taken = (await parts.state(part(to))).taken.get(one.index) ?? 0
          const given = await parts.give(part(one.index), to, taken, 1)
          if (given.kind === 'given') hands.push({ ...given, to, from: one.index })
        } else if (held + sold < 6) {
          const claimed = await claim(one.index)
          await deliver()
          if (one.pay) await pay(claimed)
          if (one.pay) sold += 1
          else held += 1
        }
      for (const index of gone) await lose(index)
      expect((await reconcile()).outcome).toBe('repaired')
      // Processes that were about to take something across do it now.
      for (const { to, ...hand } of hands) await parts.takeIn(part(to), hand)
      expect(await flow.counts(item)).toEqual({ total: 6, available: 6 - held - sold, held, sold })
      expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    })
    await fc.assert(run, { ...replaySettings('split reconcile'), numRuns: 15 })
  })
})

describe('splitting an item', () => {
  const opens_at = Date.now() + 3_600_000
  const planned = async () => {
    const id = `planned-${++buyers}`
    expect((await flow.app.commands.createSale(BY, saleOf(id, 10, { opens_at }))).kind).toBe('created')
    return id
  }

  test('spreads its units, fences whoever has not heard of it, and is done once', async () => {
    const id = await planned()
    expect(await flow.app.commands.split(BY, id, 3)).toMatchObject({ outcome: 'repaired', drift: 0 })
    const { parts } = flow.app.inventory
    const totals = partsOf(id, 3).map(async (one) => (await parts.stock(one))?.total)
    expect(await Promise.all(totals)).toEqual([4, 3, 3])
    expect(await flow.counts(id)).toEqual({ total: 10, available: 10, held: 0, sold: 0 })
    expect(await flow.claim(id).catch(String)).toContain('fenced')
    expect(await flow.claim(id, { parts: 3 }).catch(String)).toContain('not_open')
    expect(await flow.app.commands.split(BY, id, 4)).toBe('too_late')
    expect(await flow.app.commands.split(BY, id, 3)).toMatchObject({ outcome: 'clean' })
    expect(await reconcileOf(id)).toMatchObject({ outcome: 'clean' })
  })

  test('is refused once its sale has opened or anything was claimed', async () => {
    expect(await flow.app.commands.split(BY, 'nothing', 2)).toBe('unknown_item')
    const open = await flow.newItem(3)
    expect(await flow.app.commands.split(BY, open, 2)).toBe('too_late')
    await flow.claim(open)
    expect(await flow.app.commands.split(BY, open, 2)).toBe('begun')
    expect(await reconcileOf(open)).toMatchObject({ outcome: 'clean' })
  })

  test('that broke off after SQL had it is ended by reconciliation', async () => {
    const id = await planned()
    await flow.app.catalogue.split(id, 4)
    expect(await flow.app.reconcile.fenced()).toContain(id)
    expect(await reconcileOf(id)).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(id)).toEqual({ total: 10, available: 10, held: 0, sold: 0 })
    expect(await flow.app.reconcile.fenced()).not.toContain(id)
  })
})
const reconcileOf = (id: string) => flow.app.reconcile.item(id)
