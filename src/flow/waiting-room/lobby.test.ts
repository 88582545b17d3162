import { afterAll, beforeAll, expect, test } from 'bun:test'
import { dumpQueue } from '../../../test/support/waiting-room.ts'
import { type Rooms, PHONE, startRooms } from '../../../test/support/rooms.ts'
import { commitmentTo, drawnPosition, drawSeed } from '../../contracts/draw.ts'
import { keys, MAIN_LANE } from './keys.ts'
import readSource from './read.lua' with { type: 'text' }
import * as scripts from './scripts.ts'
import servingSource from './serving.lua' with { type: 'text' }
import type { WaitingRoom } from './waiting-room.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 4 })))
afterAll(() => rooms[Symbol.asyncDispose]())

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (numbers: readonly (number | undefined)[]) =>
  numbers.map((number) => number ?? -1).toSorted((a, b) => a - b)
const newDraw = () => rooms.newSale({ opens_at: Date.now() + 30_000, rate_per_second: 5 }, { draw: true })
const open = async (sale: string) => {
  await rooms.letPass(sale, 31_000)
  rooms.look()
}
const secretOf = async (sale: string) =>
  (await rooms.commands.hget(keys.queue(sale, MAIN_LANE), 'secret')) ?? 'none'
/** The place of a ticket, on a node that looks for the first time. */
const placeOf = (sale: string, ticket: string, at: WaitingRoom = rooms.node()) =>
  rooms.join(sale, { ticket }, at)

test('before the opening the secret is nowhere to be seen, afterwards it matches the commitment', async () => {
  const sale = await newDraw()
  const secret = await secretOf(sale)
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  const joined = await rooms.join(sale)
  const tokensIn = (token: string) => Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  const shown = async () => [
    await rooms.room.status(sale),
    await rooms.room.line(sale),
    await scripts.read.run(rooms.commands, { sale, lane: MAIN_LANE }),
    // What leaves Redis at all.
    await rooms.commands.eval(
      servingSource + readSource,
      2,
      keys.queue(sale, MAIN_LANE),
      keys.checkouts(sale),
    ),
    joined,
    tokensIn(joined.ticket),
    await rooms.enter(sale, joined.ticket),
    await rooms.join(sale, { ticket: joined.ticket }),
    rooms.sales.get(sale),
  ]
  expect(JSON.stringify(await shown())).not.toContain(secret)
  const early = await rooms.room.status(sale)
  expect(early?.draw).toEqual({
    ...{ commitment: commitmentTo(secret), secret: null, lobby_size: null, tickets_hash: null },
  })
  // The order of arrival says nothing about the position.
  expect(joined).toMatchObject({ position: undefined, lobby_index: 1, estimated_wait_s: null })

  await open(sale)
  const draw = (await rooms.room.status(sale))?.draw
  expect(draw).toMatchObject({ secret, lobby_size: 1, commitment: early?.draw?.commitment as string })
  expect(commitmentTo(draw?.secret ?? '')).toBe(draw?.commitment as string)
})

test('the positions are a permutation of the lobby that anybody can recompute; who is late stands behind', async () => {
  const sale = await newDraw()
  const lobby = await rooms.crowd(sale, 200)
  expect(sorted(lobby.map(({ lobby_index }) => lobby_index))).toEqual(upTo(200))
  await open(sale)
  const late = await rooms.crowd(sale, 20)
  const status = await rooms.room.status(sale)
  const { secret, lobby_size, tickets_hash } = status?.draw ?? {}
  if (!secret || !lobby_size || !tickets_hash) throw new Error('no draw')
  const seed = drawSeed({ secret, lobby_size, tickets_hash })
  const positions: number[] = []
  for (const [index, { ticket, lobby_index = 0 }] of lobby.entries()) {
    const { position = 0 } = await rooms.join(sale, { ticket }, rooms.rooms[index % 4])
    expect(position).toBe(drawnPosition(seed, lobby_size, lobby_index))
    positions.push(position)
  }
  expect(sorted(positions)).toEqual(upTo(200))
  expect(positions).not.toEqual(sorted(positions))
  expect(sorted(late.map(({ position }) => position))).toEqual(upTo(220).slice(200))
  // The turns come in the order of the draw.
  const serving = (await rooms.room.line(sale))?.serving ?? 0
  expect(serving).toBeWithin(4, 10)
  for (const [index, position] of positions.entries()) {
    // It moves on meanwhile.
    if (position < serving - 3 || position === serving + 1 || position > serving + 4) continue
    const { kind } = await rooms.enter(sale, lobby[index]?.ticket ?? '')
    expect({ position, kind }).toEqual({ position, kind: position <= serving ? 'entered' : 'too_early' })
  }
})

test('every join of the lobby changes the hash, no join after the opening does', async () => {
  const sale = await newDraw()
  const hash = async () => (await rooms.commands.hget(keys.queue(sale, MAIN_LANE), 'tickets_hash')) ?? ''
  const seen = new Set([await hash()])
  for (let join = 1; join <= 20; join += 1) {
    await rooms.join(sale, { client_key: `key-${join}` })
    seen.add(await hash())
  }
  expect(seen.size).toBe(21)
  // One that is told again is no other ticket.
  await rooms.join(sale, { client_key: 'key-20' })
  expect(seen.has(await hash())).toBe(true)
  await open(sale)
  const closed = await hash()
  await rooms.join(sale)
  expect(await hash()).toBe(closed)
  expect((await rooms.room.status(sale))?.draw?.tickets_hash).toBe(closed)
})

test('two draws of the same crowd differ', async () => {
  const orders: (number | undefined)[][] = []
  for (let draw = 0; draw < 2; draw += 1) {
    const sale = await newDraw()
    const lobby = await rooms.crowd(sale, 50)
    await open(sale)
    const places = await Promise.all(lobby.map(({ ticket }) => rooms.join(sale, { ticket })))
    orders.push(places.map(({ position }) => position))
  }
  expect(orders[0]).not.toEqual(orders[1] as number[])
})

test('first come, first served: the index of the lobby is the position', async () => {
  const sale = await rooms.newSale({ opens_at: Date.now() + 30_000 })
  const lobby = await rooms.crowd(sale, 40)
  await open(sale)
  for (const { ticket, lobby_index } of lobby)
    expect((await rooms.join(sale, { ticket })).position).toBe(lobby_index as number)
  expect((await rooms.join(sale)).position).toBe(41)
})

test('joins that race with the opening: everybody has a position, or nobody has', async () => {
  for (let round = 0; round < 10; round += 1) {
    const sale = await newDraw()
    await rooms.crowd(sale, 10)
    // Joins of four nodes are on their way while the sale opens somewhere among them.
    const racing = rooms.rooms.flatMap((at) => Array.from({ length: 15 }, () => rooms.join(sale, {}, at)))
    const opening = rooms.letPass(sale, 31_000)
    const outcomes = [...(await Promise.all(racing)), ...(await rooms.crowd(sale, 10))]
    await opening
    rooms.look()
    const places = await Promise.all(outcomes.map(({ ticket }) => placeOf(sale, ticket)))
    const lobby_size = (await rooms.room.line(sale))?.lobby?.size ?? -1
    expect(lobby_size).toBeGreaterThanOrEqual(10)
    // Nobody twice, nobody without, and whoever was told an index of the lobby is in it.
    expect(new Set(places.map(({ position }) => position)).size).toBe(outcomes.length)
    for (const [index, { position }] of places.entries()) {
      const early = outcomes[index]?.lobby_index !== undefined
      expect(position).toBeWithin(early ? 1 : lobby_size + 1, early ? lobby_size + 1 : 81)
    }
  }
})

test('a join on the very instant of the opening is wholly before or wholly after it, on every node', async () => {
  const sale = await newDraw()
  const [one, other] = [rooms.node(), rooms.node()]
  const before = await rooms.join(sale, {}, one)
  await other.status(sale)
  // Both nodes still think it is the lobby; the time has come and nobody has looked.
  await rooms.letPass(sale, 31_000)
  expect((await one.status(sale))?.phase).toBe('lobby')
  const late = await rooms.join(sale, {}, other)
  expect(late).toMatchObject({ lobby_index: undefined, position: 2 })
  expect((await rooms.join(sale, {}, one)).position).toBe(3)
  // The lobby closed with that join: its size and hash are fixed, on each node the same.
  rooms.look()
  for (const at of [one, other]) {
    expect((await at.status(sale))?.draw?.lobby_size).toBe(1)
    expect((await placeOf(sale, before.ticket, at)).position).toBe(1)
  }
})

test('nobody enters before the opening, whatever the ticket', async () => {
  for (const draw of [true, false]) {
    const sale = await rooms.newSale({ opens_at: Date.now() + 30_000, rate_per_second: 1000 }, { draw })
    const { ticket } = await rooms.join(sale)
    const before = await dumpQueue(rooms.commands, sale)
    expect(await rooms.room.enter({ sale, ticket, visitor: PHONE })).toMatchObject({ kind: 'too_early' })
    expect(await dumpQueue(rooms.commands, sale)).toEqual(before)
  }
})
