import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Rooms, groupOf, PHONE, startRooms } from '../../../test/support/rooms.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Sale } from '../catalogue/catalogue.ts'
import { groupCodeHash, PHASES, type Phase, STATUS_FRESH_MS } from './waiting-room.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms()))
afterAll(() => rooms[Symbol.asyncDispose]())

/** Waits until every node shows it: at most a second, in real time. */
async function seenEverywhere(sale: string, phase: Phase, withinMs = 1000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const phases = await Promise.all(rooms.rooms.map(async (at) => (await at.status(sale))?.phase))
    if (phases.every((seen) => seen === phase)) return
    if (performance.now() > deadline) throw new Error(`not ${phase}, but ${phases.join(' and ')}`)
    await systemClock.sleep(5)
  }
}

test('a sale by the clock: scheduled, lobby, open, ended, post-sale, each when its time has come', async () => {
  const now = Date.now()
  const at = { lobby: now + 400, open: now + 800, ended: now + 1300, post_sale: now + 1700 }
  const sale = await rooms.newSale({
    ...{ lobby_opens_at: at.lobby, opens_at: at.open, ends_at: at.ended, post_sale_at: at.post_sale },
  })
  await seenEverywhere(sale, 'scheduled')
  for (const phase of ['lobby', 'open', 'ended', 'post_sale'] as const) {
    while (Date.now() < at[phase]) await systemClock.sleep(1)
    await seenEverywhere(sale, phase)
    // Not before its time, as Redis tells it.
    expect((await rooms.room.status(sale))?.server_time).toBeGreaterThanOrEqual(at[phase])
  }
})

test('a sale by hand and by its stock: every phase on every node within a second', async () => {
  const shown: Phase[] = []
  const change = (fields: Partial<Sale>) =>
    rooms.sales.set(sale, { ...(rooms.sales.get(sale) as Sale), ...fields })
  const steer = (steering: Parameters<typeof rooms.room.steer>[1]) => rooms.room.steer(sale, steering)
  const sale = await rooms.newSale({
    ...{ opens_at: Date.now() + 60_000, lobby_opens_at: Date.now() + 50_000, standby_threshold: 100 },
  })
  const steps: [Phase, () => unknown][] = [
    ['scheduled', () => undefined],
    ['lobby', () => change({ lobby_opens_at: Date.now() })],
    ['standby', () => steer({ opens_at: Date.now() - 1 })],
    ['open', () => steer({ dormant: false })],
    ['standby', () => steer({ dormant: true })],
    ['open', () => steer({ dormant: false })],
    ['paused', () => steer({ state: 'paused' })],
    ['open', () => steer({ state: 'open' })],
    ['held_out', () => rooms.setAvailable(sale, 0, 4)],
    ['open', () => rooms.setAvailable(sale, 1, 3)],
    ['sold_out', () => rooms.setAvailable(sale, 0)],
    ['ended', () => steer({ state: 'ended' })],
    ['post_sale', () => change({ post_sale_at: Date.now() })],
  ]
  for (const [phase, make] of steps) {
    await make()
    await seenEverywhere(sale, phase)
    shown.push(phase)
  }
  expect(new Set(shown)).toEqual(new Set(PHASES))
  expect(await rooms.room.status('nowhere')).toBeUndefined()
})

test('a lobby that has closed stays closed', async () => {
  const sale = await rooms.newSale({ opens_at: Date.now() + 60_000 })
  const { ticket } = await rooms.join(sale)
  expect(await rooms.room.steer(sale, { opens_at: Date.now() + 50_000 })).toBe('changed')
  expect(await rooms.room.steer(sale, { opens_at: Date.now() - 1 })).toBe('changed')
  expect(await rooms.room.steer(sale, { opens_at: Date.now() + 50_000 })).toBe('opened')
  rooms.look()
  expect(await rooms.join(sale, { ticket })).toMatchObject({ phase: 'open', position: 1 })
})

test('on standby everybody walks through, until more than the threshold arrive in a second', async () => {
  const sale = await rooms.newSale({ standby_threshold: 30, rate_per_second: 1, turn_s: 5 })
  const walkers = await rooms.crowd(sale, 30)
  await rooms.letPass(sale, 1500)
  const latest = await rooms.join(sale)
  await seenEverywhere(sale, 'standby')
  // Far more than the rate, with no limit but the checkout's: nobody waits, and no turn lapses.
  for (const { ticket } of [...walkers.slice(0, 20), latest])
    expect((await rooms.enter(sale, ticket)).kind).toBe('entered')

  const rush = await rooms.crowd(sale, 100)
  await seenEverywhere(sale, 'open')
  const line = await rooms.room.line(sale)
  expect(line).toMatchObject({ dormant: false, tail: 131 })
  // Who had arrived before the line began is not put back.
  expect(line?.serving).toBeGreaterThanOrEqual(31)
  expect(line?.serving).toBeLessThan(31 + 33)
  rooms.look()
  const last = rush.find(({ position }) => position === 131)
  expect(await rooms.enter(sale, last?.ticket ?? '')).toMatchObject({ kind: 'too_early', position: 131 })
  await rooms.letPass(sale, 1000)
  expect((await rooms.enter(sale, walkers[25]?.ticket ?? '')).kind).toBe('entered')

  // By hand: everybody walks through again, those who wait as well.
  await rooms.room.steer(sale, { dormant: true })
  await seenEverywhere(sale, 'standby')
  expect((await rooms.room.status(sale))?.now_serving).toBe(131)
  expect((await rooms.enter(sale, last?.ticket ?? '')).kind).toBe('entered')
})

test('nobody who had walked through is put back by the line that begins, however long it was', async () => {
  const sale = await rooms.newSale({ standby_threshold: 50, rate_per_second: 1, turn_s: 10 })
  const first = await rooms.join(sale)
  // 40 a second walk through, at a rate of one a second.
  for (let second = 0; second < 8; second += 1) {
    await rooms.letPass(sale, 1100)
    await rooms.crowd(sale, 40)
  }
  await rooms.letPass(sale, 1100)
  await rooms.crowd(sale, 60)
  expect(await rooms.room.line(sale)).toMatchObject({ dormant: false, tail: 381 })
  expect((await rooms.enter(sale, first.ticket)).kind).toBe('entered')
})

test('a lobby larger than the threshold queues at the opening; a smaller one walks in', async () => {
  for (const [size, phase] of [
    [20, 'standby'],
    [80, 'open'],
  ] as const) {
    const opens_at = Date.now() + 60_000
    const sale = await rooms.newSale({ opens_at, standby_threshold: 50, rate_per_second: 1 })
    await rooms.crowd(sale, size)
    await seenEverywhere(sale, 'lobby')
    await rooms.letPass(sale, 61_000)
    await seenEverywhere(sale, phase)
    const serving = (await rooms.room.status(sale))?.now_serving
    expect(serving).toBeWithin(phase === 'open' ? 0 : size, phase === 'open' ? 5 : size + 1)
  }
})

test('pause keeps every place and the turn of whoever had one', async () => {
  const sale = await rooms.newSale({ rate_per_second: 10 })
  const crowd = await rooms.crowd(sale, 200)
  await rooms.letPass(sale, 2000)
  await rooms.room.steer(sale, { state: 'paused' })
  const before = await rooms.room.line(sale)
  await rooms.letPass(sale, 3_600_000)
  const mine = crowd.find(({ position }) => position === 5)
  expect(await rooms.enter(sale, mine?.ticket ?? '')).toEqual({ kind: 'paused' })
  expect((await rooms.join(sale)).position).toBe(201)
  await rooms.room.steer(sale, { state: 'open' })
  expect((await rooms.room.line(sale))?.serving).toBeWithin(before?.serving ?? 0, (before?.serving ?? 0) + 3)
  expect(await rooms.join(sale, { ticket: mine?.ticket })).toMatchObject({ kind: 'kept', position: 5 })
  expect((await rooms.enter(sale, mine?.ticket ?? '')).kind).toBe('entered')
})

test('a status is read once for everybody, and again as soon as it is old or the operator has steered', async () => {
  const sale = await rooms.newSale()
  const one = rooms.node()
  const [a, b] = await Promise.all([one.status(sale), one.status(sale)])
  expect(a).toBe(b as NonNullable<typeof a>)
  rooms.clock.aheadMs += STATUS_FRESH_MS
  expect(await one.status(sale)).not.toBe(a)
  await one.steer(sale, { state: 'paused' })
  expect((await one.status(sale))?.phase).toBe('paused')
})

test('a group that comes while the sale is paused waits as well', async () => {
  const sale = await rooms.newSale()
  await rooms.room.steer(sale, { state: 'paused' })
  const paused: Sale = { ...(rooms.sales.get(sale) as Sale), state: 'paused' }
  const fans = { ...groupOf('fans', ''), sale_id: sale, code_hash: groupCodeHash(sale, 'let-me-in') }
  rooms.groups.set(sale, [fans])
  expect(await rooms.room.create(paused, [fans], null)).toBe('exists')
  const { ticket } = await rooms.join(sale, { code: 'let-me-in' })
  await rooms.letPass(sale, 5000, ['fans'])
  expect(await rooms.enter(sale, ticket, PHONE)).toEqual({ kind: 'paused' })
  await rooms.room.steer(sale, { state: 'open' })
  await rooms.letPass(sale, 5000, ['fans'])
  expect((await rooms.enter(sale, ticket, PHONE)).kind).toBe('entered')
})
