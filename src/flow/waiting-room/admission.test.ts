import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Rooms, groupOf, PHONE, startRooms } from '../../../test/support/rooms.ts'
import { systemClock } from '../../platform/clock.ts'
import { keys, MAIN_LANE } from './keys.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 4 })))
afterAll(() => rooms[Symbol.asyncDispose]())

type Joined = Awaited<ReturnType<Rooms['join']>>
/** Everybody's turn has come, and they stand in the order of their positions. */
async function crowdInTurn(sale: string, size: number): Promise<Joined[]> {
  const crowd = await rooms.crowd(sale, size)
  // Together they come without a measurement of how many turns are taken.
  await rooms.letPass(sale, 60_000)
  rooms.look()
  return crowd.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
}
/** All of them ask at once, over all nodes. Gives the positions of those who got in. */
async function askAll(sale: string, crowd: readonly Joined[]): Promise<number[]> {
  const outcomes = await Promise.all(
    crowd.map(({ ticket }, index) => rooms.enter(sale, ticket, PHONE, rooms.rooms[index % 4])),
  )
  return crowd.flatMap(({ position = 0 }, index) => (outcomes[index]?.kind === 'entered' ? [position] : []))
}
const inCheckout = async (sale: string) => (await rooms.room.line(sale))?.in_checkout
const placeOf = (sale: string, position: number) => ({ sale, lane: MAIN_LANE, position })
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test('the checkout cap is hard: 100 ask at once on four nodes', async () => {
  const sale = await rooms.newSale({ checkout_cap: 7, rate_per_second: 1000 })
  const crowd = await crowdInTurn(sale, 100)
  expect(await askAll(sale, crowd)).toHaveLength(7)
  expect(await inCheckout(sale)).toBe(7)
  expect(await askAll(sale, crowd)).toHaveLength(7)
})

test('who buys or gives up makes room for the lowest position that asks; entering again takes none', async () => {
  const sale = await rooms.newSale({ checkout_cap: 2, rate_per_second: 1000 })
  const crowd = await crowdInTurn(sale, 20)
  const [first, second] = [crowd[10] as Joined, crowd[15] as Joined]
  for (const { ticket } of [first, second]) expect((await rooms.enter(sale, ticket)).kind).toBe('entered')
  // The last ones ask first, again and again; two keep silent.
  const asking = crowd.filter(({ position }) => ![1, 2, 11, 16].includes(position ?? 0)).reverse()
  for (let round = 0; round < 2; round += 1)
    for (const { ticket } of asking) expect((await rooms.enter(sale, ticket)).kind).toBe('too_early')
  const order: number[] = []
  let inside = [first.position, second.position]
  for (let turn = 0; turn < 5; turn += 1) {
    await rooms.room.leaveCheckout(placeOf(sale, inside.shift() ?? 0))
    for (const { ticket, position = 0 } of asking)
      if (!order.includes(position) && (await rooms.enter(sale, ticket)).kind === 'entered') {
        order.push(position)
        inside = [...inside, position]
      }
  }
  expect(order).toEqual([3, 4, 5, 6, 7])
  expect((await rooms.enter(sale, first.ticket)).kind).toBe('entered')
  expect(await inCheckout(sale)).toBe(2)
})

test('someone silent in checkout counts for the time of the slot; a claim is a sign of life', async () => {
  const sale = await rooms.newSale({ checkout_cap: 2, rate_per_second: 1000 })
  const crowd = await crowdInTurn(sale, 4)
  const passes = await Promise.all([0, 1].map(async (index) => rooms.enter(sale, crowd[index]?.ticket ?? '')))
  expect(passes.map(({ kind }) => kind)).toEqual(['entered', 'entered'])
  expect((await rooms.enter(sale, crowd[2]?.ticket ?? '')).kind).toBe('too_early')
  await rooms.letPass(sale, 40_000)
  const busy = passes[0]
  if (busy?.kind !== 'entered') throw new Error('no pass')
  await rooms.room.usePass({
    ...{ pass: busy.pass, sale, user_id: 'ann', visitor: PHONE, idempotency_key: 'key-0001' },
    ...{ body: 'tv 1', order_id: 'order', only_look: false },
  })
  expect((await rooms.enter(sale, crowd[2]?.ticket ?? '')).kind).toBe('too_early')
  await rooms.letPass(sale, 6000)
  // The silent one has left; the other has not.
  expect((await rooms.enter(sale, crowd[2]?.ticket ?? '')).kind).toBe('entered')
  expect((await rooms.enter(sale, crowd[3]?.ticket ?? '')).kind).toBe('too_early')
  expect(await inCheckout(sale)).toBe(2)
})

test('nobody gets in while nothing is available; as holds return the lowest live positions do', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1000, checkouts_per_unit: 1 })
  const crowd = await crowdInTurn(sale, 30)
  rooms.setAvailable(sale, 0, 10)
  rooms.look()
  for (let round = 0; round < 3; round += 1) {
    expect(await askAll(sale, crowd)).toEqual([])
    await rooms.letPass(sale, 1000)
    rooms.look()
  }
  const held = await rooms.room.status(sale)
  expect(held?.phase).toBe('held_out')
  // Three units return. Positions 1 and 2 have gone silent for long, the others go on asking, the last ones first.
  await rooms.letPass(sale, 4000)
  const live = crowd.slice(2).reverse()
  expect(await askAll(sale, live)).toEqual([])
  rooms.setAvailable(sale, 3, 7)
  rooms.look()
  await Promise.all(rooms.rooms.map((at) => at.status(sale)))
  expect((await askAll(sale, live)).toSorted((a, b) => a - b)).toEqual([3, 4, 5])
  expect(await askAll(sale, live)).toHaveLength(3)
  // While those three can take all there is, nobody else comes in; as one gives up, one does.
  await rooms.room.leaveCheckout(placeOf(sale, 4))
  rooms.look()
  await Promise.all(rooms.rooms.map((at) => at.status(sale)))
  const now = await askAll(
    sale,
    live.filter(({ position }) => position !== 4),
  )
  expect(now.toSorted((a, b) => a - b)).toEqual([3, 5, 6])
})

test('a full checkout stops the line, and the speed that is told is the one people leave the checkout with', async () => {
  const sale = await rooms.newSale({ checkout_cap: 2, rate_per_second: 200 })
  const crowd = (await rooms.crowd(sale, 500)).toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
  const ticketOf = (position: number) => crowd[position - 1]?.ticket ?? ''
  const look = async () => {
    rooms.look()
    return (await rooms.room.status(sale)) as NonNullable<Awaited<ReturnType<typeof rooms.room.status>>>
  }
  expect((await look()).rate_per_second).toBe(200)
  await rooms.letPass(sale, 100)
  for (const position of [1, 2]) expect((await rooms.enter(sale, ticketOf(position))).kind).toBe('entered')
  await look()
  const full = await look()
  const began = performance.now()
  // Nobody leaves: it stands. Then somebody leaves every tenth of a second, and the next one asks until let in.
  await systemClock.sleep(200)
  expect((await look()).now_serving).toBe(full.now_serving)
  for (let position = 3; position <= 12; position += 1) {
    await systemClock.sleep(100)
    await rooms.room.leaveCheckout(placeOf(sale, position - 2))
    while ((await rooms.enter(sale, ticketOf(position))).kind !== 'entered') await look()
    await look()
  }
  const last = await look()
  const perSecond = ((last.now_serving - full.now_serving) / (performance.now() - began)) * 1000
  expect(perSecond).toBeLessThan(120)
  // A tenth of the rate, 20, is the least the line is told to move at.
  expect(last.rate_per_second).toBeWithin(perSecond * 0.7, perSecond * 1.5 + 25)
  const { estimated_wait_s } = await rooms.join(sale, { ticket: ticketOf(500) })
  expect(estimated_wait_s).toBe(Math.ceil((500 - last.now_serving) / last.rate_per_second))
})

test('the line stands still while nothing is available and goes on when a unit returns', async () => {
  const sale = await rooms.newSale()
  await rooms.crowd(sale, 1000)
  await rooms.letPass(sale, 1000)
  rooms.setAvailable(sale, 0, 10)
  const look = async () => {
    rooms.look()
    return (await rooms.room.status(sale))?.now_serving ?? 0
  }
  await look()
  const held = await look()
  await rooms.letPass(sale, 60_000)
  expect(await look()).toBe(held)
  rooms.setAvailable(sale, 1, 9)
  const back = await look()
  expect(back).toBeWithin(held, held + 10)
  await rooms.letPass(sale, 1000)
  expect(await look()).toBeGreaterThanOrEqual(back + 100)
})

test('a final sold-out reaches every waiter within one poll, whatever the place', async () => {
  const sale = await rooms.newSale({ rate_per_second: 50 })
  const crowd = await rooms.crowd(sale, 200)
  await rooms.letPass(sale, 1000)
  rooms.setAvailable(sale, 0, 0)
  rooms.look()
  const outcomes = await Promise.all(
    crowd.map(({ ticket }, index) => rooms.enter(sale, ticket, PHONE, rooms.rooms[index % 4])),
  )
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['sold_out']))
  for (const at of rooms.rooms) expect((await at.status(sale))?.phase).toBe('sold_out')
})

test('a lapsed turn blocks nobody', async () => {
  const sale = await rooms.newSale({ rate_per_second: 10, turn_s: 2 })
  const crowd = await rooms.crowd(sale, 100)
  await rooms.letPass(sale, 6000)
  rooms.look()
  const at = (position: number) => crowd.find((one) => one.position === position)?.ticket ?? ''
  // Nobody of the first sixty has come, one of them too late, others whose turn was just now.
  expect((await rooms.enter(sale, at(1))).kind).toBe('turn_lapsed')
  for (const position of [58, 59, 57]) expect((await rooms.enter(sale, at(position))).kind).toBe('entered')
})

test('a group shares the checkout, and its turns never move the main line', async () => {
  const lanes = [groupOf('fans', 'let-me-in', { rate_per_second: 1000 })]
  const sale = await rooms.newSale({ checkout_cap: 5, rate_per_second: 1000 }, { lanes })
  const main = await rooms.crowd(sale, 10)
  const fans = await rooms.crowd(sale, 10, () => ({ code: 'let-me-in' }))
  await rooms.letPass(sale, 10_000, [MAIN_LANE, 'fans'])
  rooms.look()
  const before = await rooms.room.status(sale)
  const positions = await askAll(sale, fans)
  expect(positions).toHaveLength(5)
  expect(await askAll(sale, main)).toEqual([])
  expect(await inCheckout(sale)).toBe(5)
  const members = await rooms.commands.zrange(keys.checkouts(sale), 0, '-1')
  expect(members.sort()).toEqual(positions.map((position) => `fans.${position}`).sort())
  rooms.look()
  const after = await rooms.room.status(sale)
  expect(after).toMatchObject({ now_serving: before?.now_serving as number, last_position: 10 })
  expect((await rooms.room.line(sale))?.entered).toBe(0)
  expect(upTo(10)).toContain(positions[0] as number)
})
