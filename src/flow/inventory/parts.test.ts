import { afterAll, beforeAll, expect, test } from 'bun:test'
import slotOf from 'cluster-key-slot'
import fc from 'fast-check'
import { claimOf, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { partIndexOf, partsOf, readOwner } from '../../contracts/parts.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import closeLinksSource from './close_links.lua' with { type: 'text' }
import giveSource from './give.lua' with { type: 'text' }
import { createInventory, type Inventory, InventoryUnknown, type PartStocks, shareOf } from './inventory.ts'
import { InventoryModel } from './model.ts'
import { partOwner } from './keys.ts'
import takeInSource from './take_in.lua' with { type: 'text' }
import { createTransfers } from './transfers.ts'

/** An item whose stock is split must answer as one that is not, whatever moves between its parts and wherever that breaks off. */

let server: TestRedis
let redis: RedisConnection
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const inventoryOf = (of: number) => createInventory({ redis, partsOf: async () => of })
const USERS = Array.from({ length: 8 }, (_, index) => `buyer-${index}`)

interface Giving {
  readonly from: number
  readonly to: number
  readonly number: number
  readonly units: number
}

/** What is seen of all parts at once adds up, and no part alone has gone wrong. */
async function expectSum(inventory: Inventory, item: string, of: number, total: number) {
  const { states, onTheWay } = await inventory.transfers.look(item, of)
  const stocks = states.flatMap((state) => state?.stock ?? [])
  expect(stocks).toHaveLength(of)
  for (const { total: all, available, held, sold } of stocks) {
    expect(available + held + sold).toBe(all)
    expect(Math.min(available, held, sold)).toBeGreaterThanOrEqual(0)
  }
  const units = [...stocks.map((stock) => stock.total), ...onTheWay.map((one) => one.units)]
  expect(units.reduce((sum, one) => sum + one, 0)).toBe(total)
  return onTheWay
}

const step = fc.oneof(
  fc.record({
    act: fc.constant('claim' as const),
    user: fc.nat(USERS.length - 1),
    order: fc.nat(3),
    quantity: fc.constantFrom(1, 1, 1, 2, 3),
  }),
  fc.record({
    act: fc.constantFrom('settle' as const, 'release' as const),
    user: fc.nat(USERS.length - 1),
    order: fc.nat(3),
    named: fc.boolean(),
  }),
  fc.record({ act: fc.constant('give' as const), from: fc.nat(4), to: fc.nat(4), units: fc.nat(4) }),
  // What a process had in hand, perhaps long ago, perhaps done by another meanwhile.
  fc.record({ act: fc.constant('take in' as const), which: fc.nat(30) }),
  fc.record({ act: fc.constant('finish' as const) }),
)

let items = 0
test('a split item answers as one that is whole, whatever is given, taken in late or twice, or left on its way', async () => {
  const run = fc.asyncProperty(
    fc.integer({ min: 2, max: 5 }),
    fc.nat(9),
    fc.array(step, { maxLength: 60, size: 'max' }),
    async (of, total, steps) => {
      const item_id = `split-${++items}`
      const inventory = inventoryOf(of)
      const model = new InventoryModel()
      const run_id = redis.runId() ?? ''
      await inventory.load(itemOf(item_id, { total, parts: of }))
      model.load(itemOf(item_id, { total }), run_id)
      const givings: Giving[] = []
      for (const one of steps) {
        if (one.act === 'claim') {
          const [user_id = '', quantity] = [USERS[one.user], one.quantity]
          const request = {
            ...claimOf(item_id),
            user_id,
            quantity,
            order_id: `${user_id}-${one.order}`,
            limit: 4,
          }
          const outcome = await inventory.claim({ ...request, parts: of })
          const expected = model.claim(request, run_id)
          expect(outcome.kind).toBe(expected.kind)
          if (expected.kind === 'not_enough_left') expect(outcome).toEqual(expected)
          if (expected.kind === 'repeated') expect(outcome).toMatchObject({ quantity: expected.quantity })
        } else if (one.act === 'settle' || one.act === 'release') {
          const user = USERS[one.user] ?? ''
          const order = `${user}-${one.order}`
          const whose = one.named ? user : undefined
          expect(await inventory[one.act](item_id, order, whose)).toBe(model[one.act](order))
        } else if (one.act === 'give') {
          const [from, to] = [one.from % of, one.to % of]
          if (from === to) continue
          const taken = (await inventory.parts.state({ item_id, index: to, of })).taken.get(from) ?? 0
          const given = await inventory.parts.give({ item_id, index: from, of }, to, taken, one.units)
          if (given.kind === 'given' || given.kind === 'pending') givings.push({ ...given, from, to })
        } else if (one.act === 'take in') {
          const giving = givings[one.which % Math.max(1, givings.length)]
          if (giving !== undefined) await inventory.parts.takeIn({ item_id, index: giving.to, of }, giving)
        } else await inventory.finishTransfers(item_id)
        await expectSum(inventory, item_id, of, total)
        const { available, held, sold } = model.counts()
        expect(await inventory.stock(item_id)).toMatchObject({ total, available, held, sold, run_id })
      }
      await inventory.finishTransfers(item_id)
      expect(await expectSum(inventory, item_id, of, total)).toEqual([])
    },
  )
  await fc.assert(run, { ...replaySettings('split inventory'), numRuns: 60 })
}, 60_000)

test('uneven buyers at once, and processes that die between two steps: every unit is sold, none twice', async () => {
  const of = 4
  const inventory = inventoryOf(of)
  const seeds = fc.array(fc.nat(2), { minLength: 40, maxLength: 40 })
  const run = fc.asyncProperty(seeds, fc.integer({ min: 20, max: 60 }), async (fates, total) => {
    const item_id = `split-${++items}`
    await inventory.load(itemOf(item_id, { total, parts: of }))
    // As often as not the answer is lost, before or after it was done.
    let at = 0
    const losing = <Args extends unknown[], Answer>(act: (...args: Args) => Promise<Answer>) => {
      return async (...args: Args) => {
        const fate = fates[at++ % fates.length]
        if (fate === 1) throw new InventoryUnknown('lost before')
        const answer = await act(...args)
        if (fate === 2) throw new InventoryUnknown('lost after')
        return answer
      }
    }
    const { give, takeIn } = inventory.parts
    const shaky: PartStocks = { ...inventory.parts, give: losing(give), takeIn: losing(takeIn) }
    const [here, there] = [createTransfers(shaky), createTransfers(shaky)]
    const buyers = Array.from({ length: total + 40 }, (_, index) => claimOf(item_id, { user_id: `${index}` }))
    const uneven = buyers.filter(({ user_id }) => partIndexOf(user_id, of) !== 0 || Number(user_id) % 7 === 0)
    let open = uneven
    let reserved = 0
    // Whoever is told that units may come back asks again.
    for (let turn = 0; open.length > 0 && turn < 200; turn += 1) {
      const outcomes = await Promise.all(
        open.map((one, index) => (index % 2 === 0 ? here : there).claim(one, of)),
      )
      reserved += outcomes.filter((one) => one.kind === 'reserved').length
      open = open.filter((_, index) => outcomes[index]?.kind === 'held_out' && reserved < total)
      await expectSum(inventory, item_id, of, total)
    }
    expect(reserved).toBe(Math.min(total, uneven.length))
    await inventory.finishTransfers(item_id)
    expect(await expectSum(inventory, item_id, of, total)).toEqual([])
    expect((await inventory.stock(item_id))?.held).toBe(reserved)
  })
  await fc.assert(run, { ...replaySettings('split inventory under a crowd'), numRuns: 25 })
}, 60_000)

test('whoever looks while units move between parts sees each of them once', async () => {
  const [of, total] = [4, 40]
  const inventory = inventoryOf(of)
  const { parts } = inventory
  await inventory.load(itemOf('moving', { total, parts: of }))
  // The parts are read one long after the other.
  const slow = createTransfers({
    ...parts,
    state: async (part) => {
      await systemClock.sleep(Math.random() * 4)
      return parts.state(part)
    },
  })
  const moving = new AbortController()
  const moves = partsOf('moving', of).map(async (from) => {
    for (let turn = from.index; !moving.signal.aborted; turn += 1) {
      const to = partsOf('moving', of)[(from.index + 1 + (turn % (of - 1))) % of] ?? from
      const taken = (await parts.state(to)).taken.get(from.index) ?? 0
      const given = await parts.give(from, to.index, taken, 1 + (turn % 5))
      if (given.kind === 'given') await parts.takeIn(to, { ...given, from: from.index })
      await systemClock.sleep(Math.random() * 3)
    }
  })
  let looks = 0
  try {
    for (let turn = 0; turn < 100; turn += 1) {
      const { states, onTheWay } = await slow.look('moving', of).catch(() => ({ states: [], onTheWay: [] }))
      if (states.length === 0) continue
      const units = [...states.map((state) => state?.stock?.total ?? 0), ...onTheWay.map((one) => one.units)]
      expect(units.reduce((sum, one) => sum + one, 0)).toBe(total)
      looks += 1
    }
  } finally {
    moving.abort()
    await Promise.all(moves)
  }
  // On a busy machine some give up: it kept moving.
  expect(looks).toBeGreaterThan(10)
})

test('"sold out" is said only when all parts are sold', async () => {
  const inventory = inventoryOf(3)
  const item_id = 'last'
  await inventory.load(itemOf(item_id, { total: 2, parts: 3 }))
  const [one, other, late] = Array.from({ length: 3 }, () => claimOf(item_id, { parts: 3 }))
  if (!one || !other || !late) throw new Error('unreachable')
  expect((await inventory.claim(one)).kind).toBe('reserved')
  await inventory.settle(item_id, one.order_id, one.user_id)
  expect((await inventory.claim(other)).kind).toBe('reserved')
  expect((await inventory.claim(late)).kind).toBe('held_out')
  await inventory.settle(item_id, other.order_id, other.user_id)
  expect((await inventory.claim(late)).kind).toBe('sold_out')
})

test('a process that is mistaken about the number of parts is fenced', async () => {
  const [whole, two, three] = [1, 2, 3].map(inventoryOf)
  await three?.load(itemOf('mistaken', { total: 9, parts: 3 }))
  expect((await whole?.claim(claimOf('mistaken')))?.kind).toBe('fenced')
  // The second of two has no keys at all.
  const [first, second] = [0, 1].map((index) => USERS.find((user) => partIndexOf(user, 2) === index) ?? '')
  expect((await two?.claim(claimOf('mistaken', { parts: 2, user_id: first ?? '' })))?.kind).toBe('fenced')
  expect((await two?.claim(claimOf('mistaken', { parts: 2, user_id: second ?? '' })))?.kind).toBe('unloaded')
  expect(await two?.stock('mistaken')).toBeUndefined()
  expect((await three?.claim(claimOf('mistaken', { parts: 3 })))?.kind).toBe('reserved')
  expect(() => three?.fence('mistaken', 1)).toThrow('is split')
})

test('a part that was lost is not heard of again: what it had given, or was given, does not arrive', async () => {
  const inventory = inventoryOf(2)
  const { parts } = inventory
  await inventory.load(itemOf('lost', { total: 10, parts: 2 }))
  const [first, second] = partsOf('lost', 2)
  if (!first || !second) throw new Error('unreachable')
  const given = await parts.give(first, 1, 0, 3)
  expect(given).toEqual({ kind: 'given', number: 1, units: 3 })
  await redis.commands.del(keyOf('lost', 'stock'))
  expect(await parts.closeLinks(second, 0, 1)).toBe('closed')
  expect(await parts.takeIn(second, { from: 0, number: 1, units: 3 })).toBe('known')
  expect((await parts.stock(second))?.total).toBe(5)
  // Written anew it numbers on from there.
  await inventory.load(itemOf('lost', { total: 10, parts: 2 }))
  expect(await parts.give(first, 1, 1, 2)).toEqual({ kind: 'given', number: 2, units: 2 })
  expect(await parts.takeIn(second, { from: 0, number: 2, units: 2 })).toBe('taken_in')
})

test('shares differ by one unit at most, and buyers are spread over the parts', () => {
  for (const of of [1, 3, 16])
    for (const total of [0, 1, 15, 100]) {
      const shares = partsOf('item', of).map((part) => shareOf(total, part))
      expect(shares.reduce((sum, one) => sum + one, 0)).toBe(total)
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    }
  const counts = Array.from({ length: 7 }, () => 0)
  for (let buyer = 0; buyer < 7000; buyer += 1) {
    const index = partIndexOf(`user-${buyer}`, 7)
    counts[index] = (counts[index] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  // Each on a third of the slots of its own, whatever the item is called.
  for (const item of ['tv', 'phone', 'x', 'a-long-name-of-an-item']) {
    const slots = partsOf(item, 3).map((part) => slotOf(keyOf(partOwner(part), 'stock')))
    expect(new Set(slots.map((slot) => Math.floor(slot / (16_384 / 3)))).size).toBe(3)
    expect(partsOf(item, 3).map((part) => readOwner(partOwner(part)).item_id)).toEqual([item, item, item])
  }
  // Written down: orders are found by it for good.
  expect(
    ['', 'a', 'ü 🛒', '018f9c1e-0000-7000-8000-000000000001'].map((user) => partIndexOf(user, 16)),
  ).toEqual(PINNED)
})
const PINNED = [11, 3, 7, 1]

const watched = {
  give: watchScript(giveSource),
  take_in: watchScript(takeInSource),
  close_links: watchScript(closeLinksSource),
}
test('the headers of give.lua, take_in.lua and close_links.lua are true', async () => {
  const inventory = inventoryOf(2)
  const { parts } = inventory
  await inventory.load(itemOf('headers', { total: 4, parts: 2 }))
  const [part, other] = partsOf('headers', 2)
  if (!part || !other) throw new Error('unreachable')
  const watch = <Answer>(name: keyof typeof watched, call: () => Promise<Answer>) =>
    watched[name].during(redis.commands, 'headers', call)
  const give = (units: number, to = 1, taken = 0) => watch('give', () => parts.give(part, to, taken, units))
  const takeIn = (number: number) =>
    watch('take_in', () => parts.takeIn(part, { from: 'sql', number, units: 2 }))
  expect((await give(0)).kind).toBe('nothing')
  expect(await give(9)).toEqual({ kind: 'given', number: 1, units: 2 })
  expect(await give(1)).toEqual({ kind: 'pending', number: 1, units: 2 })
  expect(await takeIn(5)).toBe('taken_in')
  expect(await takeIn(5)).toBe('known')
  expect(await watch('close_links', () => parts.closeLinks(part, 1, 7))).toBe('closed')
  expect(await watch('close_links', () => parts.closeLinks(part, 1, 3))).toBe('closed')
  expect((await parts.state(part)).taken.get(1)).toBe(7)
  await redis.commands.hset(keyOf('headers', 'stock'), 'run_id', 'of another process')
  expect((await give(1, 1, 7)).kind).toBe('fenced')
  expect(await takeIn(6)).toBe('fenced')
  await redis.commands.del(keyOf('headers', 'stock'))
  expect((await give(1)).kind).toBe('unloaded')
  expect(await takeIn(6)).toBe('unloaded')
  expect(await watch('close_links', () => parts.closeLinks(part, 1, 9))).toBe('unloaded')
  for (const one of Object.values(watched)) one.expectHeaderTrue()
})
