import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { groupOf, type Rooms, PHONE, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { dumpQueue } from '../../../test/support/waiting-room.ts'
import { systemClock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import { keys, MAIN_LANE, type Place } from './keys.ts'
import type { PassRequest } from './waiting-room.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms()))
afterAll(() => rooms[Symbol.asyncDispose]())

const passOf = (sale: string, position: number) => keys.pass({ sale, lane: MAIN_LANE, position })
/** Someone whose turn has come, and the pass. */
async function entered(sale: string, device = 'phone') {
  const visitor = visitorOf(device)
  const { ticket, position = 0 } = await rooms.join(sale, { visitor })
  await rooms.letPass(sale, 60_000)
  const outcome = await rooms.enter(sale, ticket, visitor)
  if (outcome.kind !== 'entered') throw new Error(`not entered: ${outcome.kind}`)
  const place: Place = { sale, lane: MAIN_LANE, position }
  return { ticket, place, ...outcome }
}

describe('enter', () => {
  test('entering twice gives the very same pass, on every node', async () => {
    const sale = await rooms.newSale()
    const first = await entered(sale)
    expect(first.expires_at).toBeWithin(Date.now() + 599_000, Date.now() + 601_001)
    const same = { kind: 'entered', pass: first.pass, expires_at: first.expires_at } as const
    for (const at of rooms.rooms) expect(await rooms.enter(sale, first.ticket, PHONE, at)).toEqual(same)
    await rooms.room.steer(sale, { state: 'paused' })
    expect(await rooms.enter(sale, first.ticket)).toEqual(same)
  })

  test('too early, with the place and the wait', async () => {
    const sale = await rooms.newSale({ rate_per_second: 0.1 })
    await rooms.join(sale)
    const { ticket } = await rooms.join(sale)
    rooms.look()
    expect(await rooms.enter(sale, ticket)).toEqual({ kind: 'too_early', position: 2, wait_s: 20 })
    const lobby = await rooms.newSale({ opens_at: Date.now() + 60_000 })
    const early = await rooms.join(lobby)
    expect(await rooms.enter(lobby, early.ticket)).toEqual({
      ...{ kind: 'too_early', position: undefined, wait_s: null },
    })
  })

  test('tries of one event-loop turn go to Redis together; each is told its own', async () => {
    const lanes = [groupOf('fans', 'let-me-in')]
    const sale = await rooms.newSale({ checkout_cap: 3 }, { lanes })
    const crowd = await rooms.crowd(sale, 101)
    const fan = await rooms.join(sale, { code: 'let-me-in' })
    await rooms.letPass(sale, 60_000, [MAIN_LANE, 'fans'])
    rooms.look()
    await rooms.room.status(sale)
    const calls = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await rooms.commands.info('commandstats'))?.[1])
    await rooms.enter(sale, crowd[100]?.ticket ?? '')
    const before = await calls()
    const outcomes = await Promise.all([
      ...crowd.slice(0, 100).map(({ ticket }) => rooms.enter(sale, ticket)),
      rooms.enter(sale, fan.ticket),
    ])
    // Two of the main line, one of the group; at most a look at the status.
    expect((await calls()) - before).toBeLessThanOrEqual(7)
    const inside = outcomes.flatMap(({ kind }, index) => (kind === 'entered' ? [index] : []))
    expect(inside).toEqual([0, 1])
    expect(outcomes.slice(2)).toEqual(
      [...crowd.slice(2, 100), fan].map(({ position }) => ({ kind: 'too_early', position, wait_s: 1 })),
    )
  })

  test('paused, ended, sold out, unknown sale, foreign sale, foreign device', async () => {
    const [sale, other] = [await rooms.newSale(), await rooms.newSale()]
    const [{ ticket }, waiting] = [await rooms.join(sale), await rooms.join(sale)]
    expect(await rooms.enter(other, ticket)).toEqual({ kind: 'ticket_foreign' })
    expect(await rooms.enter(sale, ticket, visitorOf('tablet'))).toEqual({ kind: 'ticket_foreign' })
    expect(await rooms.enter('nowhere', ticket)).toEqual({ kind: 'unknown_sale' })
    await rooms.room.steer(sale, { state: 'paused' })
    expect(await rooms.enter(sale, ticket)).toEqual({ kind: 'paused' })
    await rooms.room.steer(sale, { state: 'open', rate: 0.001 })
    rooms.setAvailable(sale, 0)
    rooms.look()
    expect(await rooms.enter(sale, waiting.ticket)).toEqual({ kind: 'sold_out' })
    await rooms.room.steer(sale, { state: 'ended' })
    expect(await rooms.enter(sale, waiting.ticket)).toEqual({ kind: 'ended' })
  })

  test('a turn that is not taken within its window lapses; so does a pass that is not used', async () => {
    const sale = await rooms.newSale({ turn_s: 10 })
    const { ticket } = await rooms.join(sale)
    await rooms.crowd(sale, 1100)
    await rooms.letPass(sale, 10_500)
    expect(await rooms.enter(sale, ticket)).toEqual({ kind: 'turn_lapsed' })

    const used = await rooms.newSale({ pass_s: 10 })
    const place = await entered(used)
    rooms.clock.aheadMs += 11_500
    expect(await rooms.enter(used, place.ticket)).toEqual({ kind: 'turn_lapsed' })
    rooms.clock.aheadMs -= 11_500
  })

  test('any length of a pass that an operator may choose works, and none is shorter than chosen', async () => {
    for (const pass_s of [0.0001, 0.5, 1, 1.005, 2.3456789, 86_400]) {
      const sale = await rooms.newSale({ pass_s })
      const { ticket } = await rooms.join(sale)
      await rooms.letPass(sale, 1000)
      const { aheadMs } = rooms.clock
      rooms.clock.aheadMs = 0
      // Begun late in a second, where rounding the wrong way would leave nothing.
      while (Date.now() % 1000 < 900) await systemClock.sleep(10)
      const outcome = await rooms.enter(sale, ticket)
      rooms.clock.aheadMs = aheadMs
      if (outcome.kind !== 'entered') throw new Error(outcome.kind)
      const issued_at = Number(await rooms.commands.hget(passOf(sale, 1), 'issued_at'))
      expect(outcome.expires_at).toBeWithin(issued_at + pass_s * 1000, issued_at + pass_s * 1000 + 1000)
      expect(await rooms.commands.pttl(passOf(sale, 1))).toBeGreaterThan(outcome.expires_at - Date.now() - 1)
    }
  })
})

describe('passes', () => {
  let orders = 0
  const useOf = (sale: string, pass: string, change: Partial<PassRequest> = {}): PassRequest => ({
    ...{
      pass,
      sale,
      user_id: 'ann',
      visitor: PHONE,
      idempotency_key: 'key-0001',
      body: 'tv 1',
      only_look: false,
    },
    ...{ order_id: `order-${++orders}`, ...change },
  })
  const use = (request: PassRequest) => rooms.room.usePass(request)
  const tablet = visitorOf('tablet')

  test('bound to the first request; its repeats are told the same order, on every node', async () => {
    const sale = await rooms.newSale()
    const { pass, place } = await entered(sale)
    const request = useOf(sale, pass)
    expect(await use(request)).toMatchObject({ kind: 'bound', order_id: request.order_id, place })
    expect(await rooms.rooms[1]?.usePass({ ...request, order_id: 'late' })).toMatchObject({
      ...{ kind: 'repeated', order_id: request.order_id, place },
    })
    expect(await use(useOf(sale, pass, { idempotency_key: 'key-0002' }))).toEqual({ kind: 'pass_used' })
    expect(await use(useOf(sale, pass, { body: 'tv 2' }))).toEqual({ kind: 'key_reused' })
    expect(await use(useOf(sale, pass, { user_id: 'bob' }))).toEqual({ kind: 'pass_foreign' })
    expect(await use(useOf(sale, pass, { visitor: tablet }))).toEqual({ kind: 'pass_foreign' })
    expect(await use({ ...request, visitor: visitorOf(undefined) })).toMatchObject({ kind: 'repeated' })
  })

  test('a foreign, altered or made-up pass changes nothing', async () => {
    const [sale, other] = [await rooms.newSale(), await rooms.newSale()]
    const { pass, ticket } = await entered(sale)
    const before = await dumpQueue(rooms.commands, sale)
    expect(await use(useOf(other, pass))).toEqual({ kind: 'pass_foreign' })
    for (const bad of ['', 'x', ticket, `${pass}A`, pass.slice(0, -2), pass.replace(/\./g, '')])
      expect(await use(useOf(sale, bad))).toEqual({ kind: 'pass_invalid' })
    expect(await use(useOf(sale, pass, { visitor: tablet }))).toEqual({ kind: 'pass_foreign' })
    expect(await dumpQueue(rooms.commands, sale)).toEqual(before)
    expect(await dumpQueue(rooms.commands, other)).not.toHaveProperty([passOf(other, 1)])
  })

  test('an expired pass buys nothing, but the request it was used for is still told its order', async () => {
    const sale = await rooms.newSale({ pass_s: 60 })
    const [spent, unused] = [await entered(sale), await entered(sale)]
    const request = useOf(sale, spent.pass)
    await use(request)
    const pass = () => rooms.commands.hgetall(passOf(sale, 1))
    const before = await pass()
    rooms.clock.aheadMs += 61_500
    expect(await use(useOf(sale, unused.pass))).toEqual({ kind: 'pass_expired' })
    const late = useOf(sale, spent.pass, { idempotency_key: 'key-0002' })
    expect(await use(late)).toEqual({ kind: 'pass_expired' })
    expect(await pass()).toEqual(before)
    expect(await use(request)).toMatchObject({ kind: 'repeated', order_id: request.order_id })
    rooms.clock.aheadMs -= 61_500
  })

  test('a refused claim frees the pass only when no other use of it is under way', async () => {
    const sale = await rooms.newSale()
    const { pass } = await entered(sale)
    const [one, other] = [useOf(sale, pass), useOf(sale, pass, { idempotency_key: 'key-0002' })]
    const used = async (kind: 'bound' | 'repeated') => {
      const outcome = await use(one)
      if (outcome.kind !== kind) throw new Error(outcome.kind)
      return outcome.place
    }
    // The same request twice, both under way; the first one is refused, and says so twice.
    const [first, second] = [await used('bound'), await used('repeated')]
    for (let time = 0; time < 2; time += 1) await rooms.room.freePass(first, one.order_id)
    expect(await use(other)).toEqual({ kind: 'pass_used' })
    const third = await used('repeated')
    // Now the others as well.
    for (const place of [second, third]) await rooms.room.freePass(place, one.order_id)
    expect(await use(other)).toMatchObject({ kind: 'bound', order_id: other.order_id })
    // A straggler of the first request frees nothing of the second.
    await rooms.room.freePass(third, one.order_id)
    expect(await use(one)).toEqual({ kind: 'pass_used' })
  })

  test('a use whose answer was lost ends by itself: the pass is not bound for good to a claim that is never made', async () => {
    const sale = await rooms.newSale()
    const { pass } = await entered(sale)
    const [one, other] = [useOf(sale, pass), useOf(sale, pass, { idempotency_key: 'key-0002' })]
    let bound = 0
    const commands = new Proxy(rooms.commands, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...args: unknown[]) => unknown
        if (name !== 'queueBindPasses') return call
        return async (...args: unknown[]) => {
          bound += 1
          await call(...args)
          throw new Unavailable('the answer was lost')
        }
      },
    })
    const connection = rooms.connections[0] as NonNullable<(typeof rooms.connections)[0]>
    const node = rooms.node({ redis: { ...connection, commands } })
    const lost: unknown = await node.usePass(one).catch((error: unknown) => error)
    expect([lost instanceof Unavailable, bound]).toEqual([true, 1])
    const deadline = performance.now() + 5000
    while ((await use(other)).kind !== 'bound') {
      expect(performance.now()).toBeLessThan(deadline)
      await systemClock.sleep(10)
    }
    expect(await use(one)).toEqual({ kind: 'pass_used' })
  })

  test('100 uses of one pass at once with keys of their own, over two nodes: exactly one wins', async () => {
    const sale = await rooms.newSale()
    const { pass } = await entered(sale)
    const kinds = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const request = useOf(sale, pass, { idempotency_key: `key-of-${index}` })
        return (await rooms.rooms[index % 2]?.usePass(request))?.kind
      }),
    )
    expect(kinds.filter((kind) => kind === 'bound')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'pass_used')).toHaveLength(99)
  })
})
