import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Rooms, groupOf, PHONE, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { dumpQueue } from '../../../test/support/waiting-room.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { Sale } from '../catalogue/catalogue.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms()))
afterAll(() => rooms[Symbol.asyncDispose]())

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (numbers: readonly (number | undefined)[]) =>
  numbers.map((number) => number ?? -1).toSorted((a, b) => a - b)
const tailOf = async (sale: string) => (await rooms.room.line(sale))?.tail

test('500 at once over two nodes: every position once, in the order of arrival at each', async () => {
  const sale = await rooms.newSale()
  const outcomes = await rooms.crowd(sale, 500)
  const positions = outcomes.map(({ position }) => position)
  expect(sorted(positions)).toEqual(upTo(500))
  for (const half of [0, 1]) {
    const own = positions.filter((_, index) => index % 2 === half)
    expect(own).toEqual(sorted(own))
  }
  expect(new Set(outcomes.map(({ ticket }) => ticket)).size).toBe(500)
  // Who joins after somebody has an answer stands behind them, whichever node answers.
  expect((await rooms.join(sale, {}, rooms.rooms[1])).position).toBe(501)
  expect((await rooms.join(sale)).position).toBe(502)
})

test('50 tabs with one ticket keep one place, on every node', async () => {
  const sale = await rooms.newSale()
  const { ticket } = await rooms.join(sale)
  const tabs = await rooms.crowd(sale, 50, () => ({ ticket }))
  for (const tab of tabs) expect(tab).toMatchObject({ kind: 'kept', ticket, position: 1 })
  expect(await tailOf(sale)).toBe(1)
})

test('joins with one client key take one place: at once, one after another, on every node', async () => {
  const sale = await rooms.newSale()
  const at_once = await rooms.crowd(sale, 20, () => ({ client_key: 'key-0001' }))
  const later = await rooms.join(sale, { client_key: 'key-0001' }, rooms.rooms[1])
  for (const outcome of [...at_once, later]) expect(outcome).toMatchObject({ kind: 'joined', position: 1 })
  expect(await tailOf(sale)).toBe(1)
  // The same key of another device is another key: nobody gets somebody else's place.
  const other = await rooms.join(sale, { client_key: 'key-0001', visitor: visitorOf('tablet') })
  expect(other.position).toBe(2)
  // Nodes whose clocks differ.
  for (const [index, aheadMs] of [-3_600_000, 3_600_000].entries()) {
    const node = rooms.node({ clock: { ...rooms.clock, now: () => rooms.clock.now() + aheadMs } })
    const again = await rooms.join(sale, { client_key: 'key-0001' }, node)
    expect({ index, position: again.position }).toEqual({ index, position: 1 })
  }
  // Ten thousand who join meanwhile make nobody forgotten.
  for (let turn = 0; turn < 10; turn += 1)
    await rooms.crowd(sale, 1000, (index) => ({
      client_key: `key-${turn}-${index}`,
      visitor: visitorOf(`device-${turn}-${index}`),
    }))
  expect((await rooms.join(sale, { client_key: 'key-0001' })).position).toBe(1)
})

test('a join of the lobby that is told again after the opening has its place of the lobby', async () => {
  const sale = await rooms.newSale({ opens_at: Date.now() + 20_000 }, { draw: true })
  await rooms.crowd(sale, 30)
  const early = await rooms.join(sale, { client_key: 'key-0002' })
  expect(early).toMatchObject({ lobby_index: 31, position: undefined })
  await rooms.letPass(sale, 21_000)
  rooms.look()
  const again = await rooms.join(sale, { client_key: 'key-0002' })
  const kept = await rooms.join(sale, { ticket: early.ticket })
  expect(again).toMatchObject({ lobby_index: 31, position: kept.position })
  expect(kept.position).toBeWithin(1, 32)
})

test('the back of the line is as far for a ticket that is altered in any byte, foreign or expired', async () => {
  const [sale, other] = [await rooms.newSale(), await rooms.newSale()]
  const { ticket } = await rooms.join(sale)
  const place = async (shown: string, visitor = PHONE) => {
    const { kind, position = 0 } = await rooms.join(sale, { ticket: shown, visitor })
    return { kind, behind: position > 1 }
  }
  const back = { kind: 'joined', behind: true } as const
  for (let index = 0; index < ticket.length; index += 1) {
    const byte = ticket[index] === 'A' ? 'B' : 'A'
    const altered = ticket.slice(0, index) + byte + ticket.slice(index + 1)
    expect(await rooms.enter(sale, altered)).toEqual({ kind: 'ticket_invalid' })
    expect(await place(altered)).toEqual(back)
  }
  expect(await place(ticket, visitorOf('another phone'))).toEqual(back)
  expect(await place((await rooms.join(other)).ticket)).toEqual(back)
  const now = rooms.clock.aheadMs
  rooms.clock.aheadMs = now + 8 * 24 * 3_600_000
  expect(await place(ticket)).toEqual(back)
  rooms.clock.aheadMs = now
  expect(await place(ticket)).toEqual({ kind: 'kept', behind: false })
})

test('unknown, sold out and ended sales take no one in, but who has a place keeps it', async () => {
  expect(await rooms.room.join({ sale: 'nowhere', visitor: PHONE })).toEqual({ kind: 'unknown_sale' })
  const sale = await rooms.newSale()
  // Known to the catalogue, its waiting room not there yet: there is one in a moment.
  rooms.sales.set('bare', rooms.sales.get(sale) as Sale)
  expect(rooms.room.join({ sale: 'bare', visitor: PHONE })).rejects.toThrow(Unavailable)
  expect(await dumpQueue(rooms.commands, 'bare')).toEqual({})

  const { ticket } = await rooms.join(sale)
  for (const [make, kind] of [
    [async () => rooms.setAvailable(sale, 0), 'sold_out'],
    [() => rooms.room.steer(sale, { state: 'ended' }), 'ended'],
  ] as const) {
    await make()
    rooms.look()
    expect(await rooms.room.join({ sale, visitor: PHONE })).toEqual({ kind })
    expect(await rooms.join(sale, { ticket })).toMatchObject({ kind: 'kept', phase: kind })
    expect(await tailOf(sale)).toBe(1)
  }
})

test('before the lobby opens nobody has a place, and everybody is told how long it takes', async () => {
  const now = Date.now()
  const sale = await rooms.newSale({ lobby_opens_at: now + 60_000, opens_at: now + 120_000 })
  const outcome = await rooms.room.join({ sale, visitor: PHONE })
  if (outcome.kind !== 'not_yet') throw new Error(outcome.kind)
  expect(outcome.wait_s).toBeWithin(50, 60.1)
  expect(await tailOf(sale)).toBe(0)
})

test('the wait that is told follows from the line, and is null while nobody can know it', async () => {
  const lobby = await rooms.newSale({ opens_at: Date.now() + 100_000, rate_per_second: 2 })
  await rooms.crowd(lobby, 99)
  const last = await rooms.join(lobby)
  expect(last).toMatchObject({ phase: 'lobby', lobby_index: 100, position: undefined })
  expect(last.estimated_wait_s).toBeWithin(147, 151)

  const sale = await rooms.newSale({ rate_per_second: 2 })
  await rooms.crowd(sale, 99)
  const { ticket, ...newest } = await rooms.join(sale)
  const wait = async (ms: number) => {
    await rooms.letPass(sale, ms)
    rooms.look()
    return (await rooms.join(sale, { ticket })).estimated_wait_s
  }
  expect(newest.estimated_wait_s).toBeWithin(49, 51)
  expect(await wait(20_000)).toBeWithin(28, 31)
  expect(await wait(60_000)).toBe(0)
  await rooms.room.steer(sale, { state: 'paused' })
  expect(await rooms.join(sale)).toMatchObject({ phase: 'paused', estimated_wait_s: null })
  await rooms.room.steer(sale, { state: 'open' })
  rooms.setAvailable(sale, 0, 1)
  rooms.look()
  expect(await rooms.join(sale)).toMatchObject({ phase: 'held_out', estimated_wait_s: null })
})

test('a group with a code has a lane of its own, which never moves anybody back', async () => {
  const lanes = [groupOf('fans', 'let-me-in', { places: 2 }), groupOf('press', 'write-well')]
  const sale = await rooms.newSale({ rate_per_second: 10 }, { lanes })
  const code = 'let-me-in'
  await rooms.crowd(sale, 20)
  const mine = await rooms.join(sale, { visitor: visitorOf('mine') })
  rooms.look()
  const before = await rooms.room.status(sale)
  expect(await rooms.join(sale, { code })).toMatchObject({ position: 1, lane: 'fans', estimated_wait_s: 1 })
  expect(await rooms.room.join({ sale, visitor: PHONE, code: 'let-me-on' })).toEqual({ kind: 'unknown_code' })
  expect(await rooms.join(sale, { code: 'write-well' })).toMatchObject({ position: 1 })
  // Codes are of one sale.
  const other = await rooms.newSale({}, { lanes: [groupOf('fans', 'another-code')] })
  expect(await rooms.room.join({ sale: other, visitor: PHONE, code })).toEqual({ kind: 'unknown_code' })
  const second = await rooms.join(sale, { code, visitor: visitorOf('second') })
  expect(second.position).toBe(2)
  expect(await rooms.room.join({ sale, visitor: visitorOf('third'), code })).toEqual({ kind: 'group_full' })
  // Nothing of it shows in the main line, and a main ticket is none of the lane.
  rooms.look()
  const after = await rooms.room.status(sale)
  expect(after?.last_position).toBe(before?.last_position as number)
  expect(after?.lanes).toMatchObject({
    fans: { last_position: 2, rate_per_second: 10 },
    press: { last_position: 1 },
  })
  await rooms.letPass(sale, 500, ['fans'])
  expect((await rooms.enter(sale, second.ticket, visitorOf('second'))).kind).toBe('entered')
  expect((await rooms.enter(sale, mine.ticket, visitorOf('mine'))).kind).toBe('too_early')
  expect(await rooms.join(sale, { ticket: mine.ticket, visitor: visitorOf('mine') })).toMatchObject({
    ...{ kind: 'kept', position: mine.position },
  })
})

test('decoys stand where the next one would, no two at one number, and take no place', async () => {
  const sale = await rooms.newSale()
  await rooms.crowd(sale, 5)
  rooms.look()
  const decoys = await rooms.crowd(sale, 4, () => ({ decoy: true }))
  for (const node of [0, 1])
    expect(decoys.filter((_, index) => index % 2 === node).map(({ position }) => position)).toEqual([6, 7])
  expect((await rooms.join(sale)).position).toBe(6)
})
