import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { dumpQueue, letPass } from '../../../test/support/waiting-room.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import type { Clock } from '../../platform/clock.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { createTokens } from '../../platform/tokens.ts'
import type { Sale } from '../catalogue/catalogue.ts'
import {
  createWaitingRoom,
  type PassRequest,
  type SaleStock,
  STATUS_FRESH_MS,
  type WaitingRoom,
} from './waiting-room.ts'

let server: TestRedis
let connections: RedisConnection[]
beforeAll(async () => {
  server = await startTestRedis()
  connections = await Promise.all([1, 2].map(() => connectRedis({ url: server.url })))
})
afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()))
  await server.stop()
})

const tokens = createTokens([{ kid: 'k1', secret: randomBytes(32) }])
const sales = new Map<string, Sale>()
const stocks = new Map<string, SaleStock>()
let aheadMs = 0
/** The system's time, which a test may put forward. */
const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs }

function roomOn(redis: RedisConnection | undefined): WaitingRoom {
  if (redis === undefined) throw new Error('not connected')
  return createWaitingRoom({
    redis,
    tokens,
    clock,
    catalogue: { sale: async (id) => sales.get(id) },
    stock: async (id) => stocks.get(id) ?? { total: 0, available: 0, held: 0, sold: 0 },
  })
}
const room = () => roomOn(connections[0])
const commands = () => (connections[0] as RedisConnection).commands

let count = 0
/** A sale that is open, 100 a second, with 10 units. */
async function openSale(change: Partial<Sale> = {}): Promise<string> {
  const id = `sale-${++count}`
  const sale: Sale = {
    ...{ id, name: id, opens_at: Date.now() - 1000, ends_at: null, state: 'open', rate_per_second: 100 },
    ...{ payment_window_s: 300, hold_s: 600, pass_s: 600, message: 'hello', ...change },
  }
  sales.set(id, sale)
  stocks.set(id, { total: 10, available: 10, held: 0, sold: 0 })
  expect(await room().create(sale)).toBe('created')
  return id
}
const joined = async (at: WaitingRoom, sale: string, device = 'phone', ticket?: string) => {
  const outcome = await at.join({ sale, device, ticket })
  if (!('ticket' in outcome)) throw new Error(`not joined: ${outcome.kind}`)
  return outcome
}
/** Someone whose turn has come, and the pass. */
async function entered(sale: string, device = 'phone') {
  const { ticket, position } = await joined(room(), sale, device)
  await letPass(commands(), sale, 60_000)
  const outcome = await room().enter({ sale, ticket, device })
  if (outcome.kind !== 'entered') throw new Error(`not entered: ${outcome.kind}`)
  return { ticket, position, ...outcome }
}

describe('join', () => {
  test('500 at once over two processes: every position once, in the order of arrival at each', async () => {
    const sale = await openSale()
    const rooms = connections.map(roomOn)
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, index) => joined(rooms[index % 2] as WaitingRoom, sale)),
    )
    const positions = outcomes.map(({ position }) => position)
    expect(positions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
    for (const half of [0, 1]) {
      const own = positions.filter((_, index) => index % 2 === half)
      expect(own).toEqual(own.toSorted((a, b) => a - b))
    }
    expect(new Set(outcomes.map(({ ticket }) => ticket)).size).toBe(500)
    // Who joins after somebody has an answer stands behind them, whichever process answers.
    expect((await joined(rooms[1] as WaitingRoom, sale)).position).toBe(501)
    expect((await joined(rooms[0] as WaitingRoom, sale)).position).toBe(502)
  })

  test('a valid ticket keeps the place, in every process, and takes no other', async () => {
    const sale = await openSale()
    const first = await joined(room(), sale)
    const again = await joined(roomOn(connections[1]), sale, 'phone', first.ticket)
    expect(again).toMatchObject({ kind: 'kept', ticket: first.ticket, position: first.position })
    expect((await joined(room(), sale)).position).toBe(2)
  })

  test('a ticket that is altered in any byte, foreign or expired is worth nothing: a place at the back', async () => {
    const [sale, other] = [await openSale(), await openSale()]
    const { ticket } = await joined(room(), sale)
    const place = async (device: string, shown: string) => {
      const { kind, position } = await joined(room(), sale, device, shown)
      return { kind, behind: position > 1 }
    }
    const back = { kind: 'joined', behind: true } as const
    for (let index = 0; index < ticket.length; index += 1) {
      const byte = ticket[index] === 'A' ? 'B' : 'A'
      const altered = ticket.slice(0, index) + byte + ticket.slice(index + 1)
      expect(await room().enter({ sale, ticket: altered })).toEqual({ kind: 'ticket_invalid' })
      expect(await place('phone', altered)).toEqual(back)
    }
    expect(await place('another phone', ticket)).toEqual(back)
    expect(await place('phone', (await joined(room(), other)).ticket)).toEqual(back)
    expect(await place('phone', (await entered(other)).pass)).toEqual(back)
    aheadMs = 8 * 24 * 3_600_000
    expect(await place('phone', ticket)).toEqual(back)
    aheadMs = 0
    expect(await place('phone', ticket)).toEqual({ kind: 'kept', behind: false })
  })

  test('unknown, sold out and ended sales take no one in, but who has a place keeps it', async () => {
    expect(await room().join({ sale: 'nowhere', device: 'phone' })).toEqual({ kind: 'unknown_sale' })
    // Known to the catalogue, its waiting room not there yet.
    sales.set('bare', sales.get('sale-1') as Sale)
    expect(await room().join({ sale: 'bare', device: 'phone' })).toEqual({ kind: 'unknown_sale' })
    expect(await dumpQueue(commands(), 'bare')).toEqual({})

    const sale = await openSale()
    const { ticket } = await joined(room(), sale)
    for (const [make, kind] of [
      [() => stocks.set(sale, { total: 10, available: 0, held: 0, sold: 10 }), 'sold_out'],
      [() => room().steer(sale, { state: 'ended' }), 'ended'],
    ] as const) {
      await make()
      const before = await dumpQueue(commands(), sale)
      expect(await room().join({ sale, device: 'phone' })).toEqual({ kind })
      expect(await joined(room(), sale, 'phone', ticket)).toMatchObject({ kind: 'kept', phase: kind })
      expect((await dumpQueue(commands(), sale))[`queue:{${sale}}`]).toMatchObject({
        tail: (before[`queue:{${sale}}`] as { tail: string }).tail,
      })
    }
  })

  test('the wait that is told follows from the line, and is null while nobody can know it', async () => {
    const lobby = await openSale({ opens_at: Date.now() + 100_000, rate_per_second: 2 })
    await Promise.all(Array.from({ length: 99 }, () => joined(room(), lobby)))
    const last = await joined(room(), lobby)
    expect(last).toMatchObject({ phase: 'lobby', position: 100 })
    expect(last.estimated_wait_s).toBeWithin(148, 151)

    const sale = await openSale({ rate_per_second: 2 })
    await Promise.all(Array.from({ length: 99 }, () => joined(room(), sale)))
    const { ticket, ...newest } = await joined(room(), sale)
    expect(newest.estimated_wait_s).toBeWithin(49, 51)
    await letPass(commands(), sale, 20_000)
    expect((await joined(room(), sale, 'phone', ticket)).estimated_wait_s).toBeWithin(29, 31)
    await letPass(commands(), sale, 60_000)
    expect((await joined(room(), sale, 'phone', ticket)).estimated_wait_s).toBe(0)
    await room().steer(sale, { state: 'paused' })
    expect(await joined(room(), sale)).toMatchObject({ phase: 'paused', estimated_wait_s: null })
    await room().steer(sale, { state: 'open' })
    stocks.set(sale, { total: 10, available: 0, held: 1, sold: 9 })
    expect(await joined(room(), sale)).toMatchObject({ phase: 'held_out', estimated_wait_s: null })
  })
})

describe('enter', () => {
  test('entering twice gives the very same pass, in every process', async () => {
    const sale = await openSale()
    const first = await entered(sale)
    expect(first.expires_at).toBeWithin(Date.now() + 599_000, Date.now() + 601_001)
    for (const redis of connections) {
      const again = await roomOn(redis).enter({ sale, ticket: first.ticket, device: 'phone' })
      expect(again).toEqual({ kind: 'entered', pass: first.pass, expires_at: first.expires_at })
    }
    await room().steer(sale, { state: 'paused' })
    expect(await room().enter({ sale, ticket: first.ticket })).toMatchObject({ pass: first.pass })
  })

  test('too early, with the place and the wait', async () => {
    const sale = await openSale({ rate_per_second: 0.1 })
    await joined(room(), sale)
    const { ticket } = await joined(room(), sale)
    expect(await room().enter({ sale, ticket })).toEqual({ kind: 'too_early', position: 2, wait_s: 20 })
    const lobby = await openSale({ opens_at: Date.now() + 60_000 })
    const early = await joined(room(), lobby)
    expect(await room().enter({ sale: lobby, ticket: early.ticket })).toMatchObject({ kind: 'too_early' })
  })

  test('paused, ended, sold out, unknown sale, foreign sale, foreign device', async () => {
    const [sale, other] = [await openSale(), await openSale()]
    const [{ ticket }, waiting] = [await joined(room(), sale), await joined(room(), sale)]
    expect(await room().enter({ sale: other, ticket })).toEqual({ kind: 'ticket_foreign' })
    expect(await room().enter({ sale, ticket, device: 'tablet' })).toEqual({ kind: 'ticket_foreign' })
    expect(await room().enter({ sale: 'nowhere', ticket })).toEqual({ kind: 'unknown_sale' })
    await room().steer(sale, { state: 'paused' })
    expect(await room().enter({ sale, ticket })).toEqual({ kind: 'paused' })
    await room().steer(sale, { state: 'open', rate: 0.001 })
    stocks.set(sale, { total: 10, available: 0, held: 0, sold: 10 })
    expect(await room().enter({ sale, ticket: waiting.ticket })).toEqual({ kind: 'sold_out' })
    await room().steer(sale, { state: 'ended' })
    expect(await room().enter({ sale, ticket: waiting.ticket })).toEqual({ kind: 'ended' })
  })

  test('a turn that is not taken within its window lapses; so does a pass that is not used', async () => {
    const sale = await openSale({ pass_s: 10 })
    const { ticket } = await joined(room(), sale)
    await Promise.all(Array.from({ length: 1100 }, () => joined(room(), sale)))
    await letPass(commands(), sale, 10_500)
    expect(await room().enter({ sale, ticket })).toEqual({ kind: 'turn_lapsed' })

    const used = await openSale({ pass_s: 10 })
    const place = await entered(used)
    aheadMs = 11_000
    expect(await room().enter({ sale: used, ticket: place.ticket })).toEqual({ kind: 'turn_lapsed' })
    aheadMs = 0
  })

  test('any length of a pass that an operator may choose works, and none is shorter than chosen', async () => {
    for (const pass_s of [0.0001, 0.5, 1, 1.005, 2.3456789, 86_400]) {
      const sale = await openSale({ pass_s })
      const { ticket } = await joined(room(), sale)
      await letPass(commands(), sale, 1000)
      // Begun late in a second, where rounding the wrong way would leave nothing.
      while (Date.now() % 1000 < 900) await systemClock.sleep(10)
      const outcome = await room().enter({ sale, ticket })
      if (outcome.kind !== 'entered') throw new Error(outcome.kind)
      const issued_at = Number(await commands().hget(`queue:{${sale}}:pass:1`, 'issued_at'))
      expect(outcome.expires_at).toBeWithin(issued_at + pass_s * 1000, issued_at + pass_s * 1000 + 1000)
      expect(await commands().pttl(`queue:{${sale}}:pass:1`)).toBeGreaterThan(
        outcome.expires_at - Date.now() - 1,
      )
    }
  })
})

describe('passes', () => {
  let orders = 0
  const useOf = (sale: string, pass: string, change: Partial<PassRequest> = {}): PassRequest => ({
    ...{ pass, sale, user_id: 'ann', device: 'phone', idempotency_key: 'key-0001', body: 'tv 1' },
    ...{ order_id: `order-${++orders}`, ...change },
  })
  const use = (request: PassRequest) => room().usePass(request)

  test('bound to the first request; its repeats are told the same order, in every process', async () => {
    const sale = await openSale()
    const { pass, position } = await entered(sale)
    const request = useOf(sale, pass)
    expect(await use(request)).toEqual({ kind: 'bound', order_id: request.order_id, position })
    expect(await roomOn(connections[1]).usePass({ ...request, order_id: 'late' })).toEqual({
      ...{ kind: 'repeated', order_id: request.order_id, position },
    })
    expect(await use(useOf(sale, pass, { idempotency_key: 'key-0002' }))).toEqual({ kind: 'pass_used' })
    expect(await use(useOf(sale, pass, { body: 'tv 2' }))).toEqual({ kind: 'key_reused' })
    expect(await use(useOf(sale, pass, { user_id: 'bob' }))).toEqual({ kind: 'pass_foreign' })
    expect(await use(useOf(sale, pass, { device: 'tablet' }))).toEqual({ kind: 'pass_foreign' })
    expect(await use({ ...request, device: undefined })).toMatchObject({ kind: 'repeated' })
  })

  test('a foreign, altered or made-up pass changes nothing', async () => {
    const [sale, other] = [await openSale(), await openSale()]
    const { pass, ticket } = await entered(sale)
    const before = await dumpQueue(commands(), sale)
    expect(await use(useOf(other, pass))).toEqual({ kind: 'pass_foreign' })
    for (const bad of ['', 'x', ticket, `${pass}A`, pass.slice(0, -2), pass.replace(/\./g, '')])
      expect(await use(useOf(sale, bad))).toEqual({ kind: 'pass_invalid' })
    expect(await use(useOf(sale, pass, { device: 'tablet' }))).toEqual({ kind: 'pass_foreign' })
    expect(await dumpQueue(commands(), sale)).toEqual(before)
    expect(await dumpQueue(commands(), other)).not.toHaveProperty(`queue:{${other}}:pass:1`)
  })

  test('an expired pass buys nothing, but the request it was used for is still told its order', async () => {
    const sale = await openSale({ pass_s: 60 })
    const [spent, unused] = [await entered(sale), await entered(sale)]
    const request = useOf(sale, spent.pass)
    await use(request)
    const before = await dumpQueue(commands(), sale)
    aheadMs = 61_000
    expect(await use(useOf(sale, unused.pass))).toEqual({ kind: 'pass_expired' })
    expect(await use(useOf(sale, spent.pass, { idempotency_key: 'key-0002' }))).toEqual({
      kind: 'pass_expired',
    })
    expect(await dumpQueue(commands(), sale)).toEqual(before)
    expect(await use(request)).toMatchObject({ kind: 'repeated', order_id: request.order_id })
    aheadMs = 0
  })

  test('a refused claim frees the pass only when no other use of it is under way', async () => {
    const sale = await openSale()
    const { pass, position } = await entered(sale)
    const [one, other] = [useOf(sale, pass), useOf(sale, pass, { idempotency_key: 'key-0002' })]
    // The same request twice, both under way; the first one is refused.
    expect((await use(one)).kind).toBe('bound')
    expect((await use(one)).kind).toBe('repeated')
    await room().freePass(sale, position, one.order_id)
    expect(await use(other)).toEqual({ kind: 'pass_used' })
    expect((await use(one)).kind).toBe('repeated')
    // Now the others as well.
    await room().freePass(sale, position, one.order_id)
    await room().freePass(sale, position, one.order_id)
    expect(await use(other)).toMatchObject({ kind: 'bound', order_id: other.order_id })
    // A straggler of the first request frees nothing of the second.
    await room().freePass(sale, position, one.order_id)
    expect(await use(one)).toEqual({ kind: 'pass_used' })
  })

  test('100 uses of one pass at once with keys of their own, over two processes: exactly one wins', async () => {
    const sale = await openSale()
    const { pass } = await entered(sale)
    const rooms = connections.map(roomOn)
    const kinds = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const request = useOf(sale, pass, { idempotency_key: `key-of-${index}` })
        return (await rooms[index % 2]?.usePass(request))?.kind
      }),
    )
    expect(kinds.filter((kind) => kind === 'bound')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'pass_used')).toHaveLength(99)
  })
})

describe('status', () => {
  test('every phase, from the hand of the operator, the time and the stock', async () => {
    const sale = await openSale({ opens_at: Date.now() + 60_000 })
    const phase = async () => (await room().status(sale))?.phase
    const stock = (available: number, held: number, sold: number) =>
      stocks.set(sale, { total: 10, available, held, sold })
    expect(await phase()).toBe('lobby')
    await letPass(commands(), sale, 60_000)
    expect(await phase()).toBe('open')
    stock(0, 3, 7)
    expect(await phase()).toBe('held_out')
    stock(0, 0, 10)
    expect(await phase()).toBe('sold_out')
    stock(1, 2, 7)
    expect(await phase()).toBe('open')
    await room().steer(sale, { state: 'paused' })
    expect(await phase()).toBe('paused')
    await room().steer(sale, { state: 'ended' })
    expect(await phase()).toBe('ended')
    stock(0, 0, 10)
    expect(await phase()).toBe('ended')
    expect(await room().status('nowhere')).toBeUndefined()
  })

  test('the line stands still while nothing is available and goes on when a unit returns', async () => {
    const sale = await openSale()
    await Promise.all(Array.from({ length: 1000 }, () => joined(room(), sale)))
    await letPass(commands(), sale, 1000)
    stocks.set(sale, { total: 10, available: 0, held: 10, sold: 0 })
    const held = await room().status(sale)
    await letPass(commands(), sale, 60_000)
    expect(await room().status(sale)).toMatchObject({
      ...{ phase: 'held_out', now_serving: held?.now_serving, last_position: 1000, held: 10 },
    })
    stocks.set(sale, { total: 10, available: 1, held: 9, sold: 0 })
    const back = await room().status(sale)
    expect(back?.now_serving).toBeWithin(held?.now_serving ?? 0, (held?.now_serving ?? 0) + 10)
    await letPass(commands(), sale, 1000)
    expect((await room().status(sale))?.now_serving).toBeGreaterThanOrEqual((back?.now_serving ?? 0) + 100)
  })

  test('is read once for everybody, and again as soon as it is old or the operator has steered', async () => {
    const sale = await openSale()
    const one = room()
    const [a, b] = await Promise.all([one.status(sale), one.status(sale)])
    expect(a).toBe(b as NonNullable<typeof a>)
    aheadMs = STATUS_FRESH_MS
    expect(await one.status(sale)).not.toBe(a)
    await one.steer(sale, { state: 'paused' })
    expect((await one.status(sale))?.phase).toBe('paused')
    aheadMs = 0
  })
})

test('while Redis is down the last status goes on being told; afterwards a new one', async () => {
  const crashing = await startTestRedis()
  const redis = await connectRedis({ url: crashing.url })
  const at = roomOn(redis)
  sales.set('crash', { ...(sales.get('sale-1') as Sale), id: 'crash' })
  await at.create(sales.get('crash') as Sale)
  await at.join({ sale: 'crash', device: 'phone' })
  aheadMs = STATUS_FRESH_MS
  const last = await at.status('crash')
  expect(last?.last_position).toBe(1)
  await crashing.kill9()
  for (let second = 1; second <= 3; second += 1) {
    aheadMs = second * 1000
    expect(await at.status('crash')).toEqual(last)
  }
  // A place is never promised that could not be written down.
  expect(await at.join({ sale: 'crash', device: 'phone' }).catch(() => 'failed')).toBe('failed')
  await crashing.restart()
  const deadline = performance.now() + 5000
  while (redis.runId() === undefined && performance.now() < deadline) await systemClock.sleep(10)
  aheadMs += 1000
  expect((await at.status('crash'))?.server_time).toBeGreaterThan(last?.server_time ?? 0)
  aheadMs = 0
  await redis.close()
  await crashing.stop()
})
