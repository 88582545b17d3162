import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseEntry } from '../../src/flow/events/events.ts'
import { createInventory } from '../../src/flow/inventory/inventory.ts'
import { MAIN_LANE } from '../../src/flow/waiting-room/keys.ts'
import { claimOf, itemOf, keyOf } from '../../test/support/inventory.ts'
import { PHONE, type Rooms, startRooms } from '../../test/support/rooms.ts'
import { now } from '../clock.ts'
import type { EnterExchange } from '../history.ts'
import type { Evidence, StockSample } from './evidence.ts'
import * as run from './lawful-run.ts'
import { overtakenTurns } from './overtaking.ts'
import { readStock } from './sampler.ts'

// The real waiting room and the real stock: who was passed, and comes when for a moment there is nothing.

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 1 })))
afterAll(() => rooms[Symbol.asyncDispose]())

/**
 * Five units, three of them free and three people in checkout: 4 and 5 are refused. The three give up, so 6 may go past 4
 * and 5, with a unit left for each. What is left then is `taken`; 4 and 5 ask again, and a unit comes back.
 */
async function rush({ taken }: { readonly taken: number }) {
  const item = `lamp-${taken}`
  const redis = rooms.connections[0] as Rooms['connections'][number]
  const inventory = createInventory({ redis })
  await inventory.load(itemOf(item, { total: 5 }))
  const take = async (count: number) => {
    const claims = Array.from({ length: count }, () => claimOf(item))
    await Promise.all(claims.map((claim) => inventory.claim(claim)))
    return claims
  }
  await take(2)
  const sale = await rooms.newSale({ rate_per_second: 1000, checkouts_per_unit: 1 })
  const crowd = (await rooms.crowd(sale, 10)).toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
  await rooms.letPass(sale, 1000)

  const enters: EnterExchange[] = []
  const stock: StockSample[] = []
  const status = async () => {
    const { available = 0, held = 0 } = (await inventory.stock(item)) ?? {}
    rooms.setAvailable(sale, available, held)
    rooms.look()
    const sent = now()
    const seen = await rooms.room.status(sale)
    return {
      sent,
      answered: now(),
      status: { ...run.shown(sent, 0, 'open', [1, 1, 0]).status, now_serving: seen?.now_serving ?? 0 },
    }
  }
  const ask = async (position: number) => {
    const sent = now()
    const { kind } = await rooms.enter(sale, crowd[position - 1]?.ticket ?? '', PHONE)
    enters.push({ buyer: position, position, outcome: kind, wanted: sent, sent, answered: now() })
    // Answers and requests do not touch.
    await Bun.sleep(2)
    return kind
  }
  const reading = async () => void stock.push(await readStock(redis, [{ id: item }]))

  const statuses = [await status()]
  for (const position of [1, 2, 3]) expect(await ask(position)).toBe('entered')
  for (const position of [4, 5]) expect(await ask(position)).toBe('too_early')
  for (const position of [1, 2, 3]) await rooms.room.leaveCheckout({ sale, lane: MAIN_LANE, position })
  expect(await ask(6)).toBe('entered')
  await reading()
  const [last] = await take(taken)
  statuses.push(await status())
  const answers = [await ask(4), await ask(5)]
  await inventory.release(item, last?.order_id ?? '')
  await reading()

  const entries = await rooms.commands.xrange(keyOf(item, 'outbox'), '-', '+')
  const events = entries.flatMap(([, fields]) => parseEntry(fields) ?? [])
  const restocked = events.find(({ type }) => type === 'Restocked')
  const orders = events.flatMap((event) => {
    const { type, order_id, timestamp } = event
    if (type !== 'OrderCreated') return []
    const restocked_at = restocked?.order_id === order_id ? restocked.timestamp : null
    return run.order(event.claim_seq, timestamp, { order_id, restocked_at })
  })
  const lawful = run.lawfulRun()
  const evidence: Evidence = {
    ...lawful,
    sale: { ...lawful.sale, items: [{ id: item, units: 5, per_buyer_limit: 1, amount: 1 }] },
    history: { ...lawful.history, enters },
    ...{ statuses, stock, orders },
  }
  return { evidence, answers }
}

test('nothing for a moment between two readings: those who were passed are refused, and that is right', async () => {
  const { evidence, answers } = await rush({ taken: 3 })
  expect(answers).toEqual(['too_early', 'too_early'])
  expect(evidence.stock.map(({ items }) => items[0]?.available)).toEqual([3, 1])
  expect(overtakenTurns(evidence)).toEqual([])
  // With one unit more the same answers would be wrong.
  const items = evidence.sale.items.map((item) => ({ ...item, units: 6 }))
  const wrong = overtakenTurns({ ...evidence, sale: { ...evidence.sale, items } })
  expect(wrong.map(({ first, second }) => [first.position, second.position])).toEqual([
    [6, 4],
    [6, 5],
  ])
})

test('one unit left: both who were passed go in, though those in checkout are enough to take it', async () => {
  expect((await rush({ taken: 2 })).answers).toEqual(['entered', 'entered'])
})
