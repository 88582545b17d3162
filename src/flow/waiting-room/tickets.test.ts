import { afterAll, beforeAll, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { PHONE, type Rooms, shiftedClock, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import type { TokenKey } from '../../platform/config.ts'
import { createTokens } from '../../platform/tokens.ts'
import { MAIN_LANE } from './keys.ts'
import { createTickets } from './tickets.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms()))
afterAll(() => rooms[Symbol.asyncDispose]())

const DAY = 24 * 3_600_000
const HOME = '192.0.2.1 browser'
const ELSEWHERE = ['198.51.100.7 browser', '192.0.2.1 another browser']

test('expired, of another sale, of another device and made up are told apart', () => {
  const clock = shiftedClock()
  const tickets = createTickets({ tokens: rooms.tokens, clock })
  const slot = { lane: MAIN_LANE, position: 7 }
  const ticket = tickets.issue('tv', slot, PHONE)
  const reading = (shown: string, visitor = PHONE, sale = 'tv') => tickets.read(sale, shown, visitor).kind
  expect(tickets.read('tv', ticket, PHONE)).toMatchObject({ kind: 'valid', slot })
  expect(reading(ticket, PHONE, 'radio')).toBe('ticket_foreign')
  expect(reading(ticket, visitorOf('tablet'))).toBe('ticket_foreign')
  for (const bad of ['', 'x', `${ticket}A`, ticket.slice(0, -1), ticket.replace('.', '..')])
    expect(reading(bad)).toBe('ticket_invalid')
  clock.aheadMs = 7 * DAY + 1000
  expect(reading(ticket)).toBe('ticket_expired')
  // Whose it is comes before when it was: a stranger learns nothing.
  expect(reading(ticket, visitorOf('tablet'))).toBe('ticket_foreign')
})

test('what place a pass is of can be read without believing it', () => {
  const clock = shiftedClock()
  const tickets = createTickets({ tokens: rooms.tokens, clock })
  const bound = { dev: '', net: '' }
  const passOf = (lane: string) => tickets.issuePass('tv', { lane, position: 7, bound }, clock.now(), 60).pass
  const pass = passOf(MAIN_LANE)
  expect(tickets.placeIn('tv', pass)).toEqual({ lane: MAIN_LANE, position: 7 })
  expect(tickets.placeIn('tv', passOf('staff'))).toEqual({ lane: 'staff', position: 7 })
  expect(tickets.placeIn('tv', pass.replace(/[^.]+$/, 'x'))).toEqual({ lane: MAIN_LANE, position: 7 })
  const other = tickets.issue('tv', { lane: MAIN_LANE, lobby_index: 7 }, PHONE)
  const claims = { aud: 'tv', iat: 0, exp: 4_000_000_000, pos: 'seven' }
  const odd = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
  for (const none of ['', 'x', '..', 'a.b.c', other, odd]) expect(tickets.placeIn('tv', none)).toBeUndefined()
  expect(tickets.placeIn('radio', pass)).toBeUndefined()
  clock.aheadMs = 61_000
  expect(tickets.placeIn('tv', pass)).toBeUndefined()
})

test('a ticket from the future is worth nothing, but nodes may differ by a minute', () => {
  const ahead = shiftedClock()
  const issuer = createTickets({ tokens: rooms.tokens, clock: ahead })
  const tickets = createTickets({ tokens: rooms.tokens, clock: shiftedClock() })
  for (const [aheadMs, kind] of [
    [50_000, 'valid'],
    [65_000, 'ticket_invalid'],
    [DAY, 'ticket_invalid'],
  ] as const) {
    ahead.aheadMs = aheadMs
    const ticket = issuer.issue('tv', { lane: MAIN_LANE, position: 1 }, PHONE)
    expect({ aheadMs, kind: tickets.read('tv', ticket, PHONE).kind }).toEqual({ aheadMs, kind })
  }
})

test('a pass is no ticket and a ticket no pass', () => {
  const tickets = createTickets({ tokens: rooms.tokens, clock: rooms.clock })
  const ticket = tickets.issue('tv', { lane: MAIN_LANE, position: 1 }, PHONE)
  const bound = { dev: '', net: '' }
  const { pass } = tickets.issuePass('tv', { lane: MAIN_LANE, position: 1, bound }, rooms.clock.now(), 60)
  expect(tickets.read('tv', pass, PHONE).kind).toBe('ticket_invalid')
  expect(tickets.readPass('tv', ticket, PHONE).kind).toBe('pass_invalid')
})

test('a copied ticket: another device may not enter with it and has its own place at the back', async () => {
  const sale = await rooms.newSale()
  const { ticket } = await rooms.join(sale, { visitor: visitorOf('phone', HOME) })
  await rooms.letPass(sale, 5000)
  const thieves = [visitorOf('tablet', HOME), ...ELSEWHERE.map((network) => visitorOf(undefined, network))]
  for (const [index, visitor] of thieves.entries()) {
    expect(await rooms.enter(sale, ticket, visitor)).toEqual({ kind: 'ticket_foreign' })
    expect(await rooms.join(sale, { ticket, visitor })).toMatchObject({ kind: 'joined', position: 2 + index })
  }
  // The same phone elsewhere, and the same browser when its page sends no device id.
  for (const visitor of [visitorOf('phone', ELSEWHERE[0]), visitorOf(undefined, HOME)]) {
    expect(await rooms.join(sale, { ticket, visitor })).toMatchObject({ kind: 'kept', position: 1 })
    expect((await rooms.enter(sale, ticket, visitor)).kind).toBe('entered')
  }
})

test('a ticket of a browser without a device id is bound to its network and user agent', async () => {
  const sale = await rooms.newSale()
  const { ticket } = await rooms.join(sale, { visitor: visitorOf(undefined, HOME) })
  await rooms.letPass(sale, 5000)
  for (const network of ELSEWHERE)
    for (const device of [undefined, 'tablet'])
      expect(await rooms.enter(sale, ticket, visitorOf(device, network))).toEqual({ kind: 'ticket_foreign' })
  expect((await rooms.enter(sale, ticket, visitorOf(undefined, HOME))).kind).toBe('entered')
})

test('a pass is bound like the ticket it came from', async () => {
  const sale = await rooms.newSale()
  const visitor = visitorOf('phone', HOME)
  const { ticket } = await rooms.join(sale, { visitor })
  await rooms.letPass(sale, 5000)
  const entered = await rooms.enter(sale, ticket, visitor)
  if (entered.kind !== 'entered') throw new Error(entered.kind)
  const use = (visitor: ReturnType<typeof visitorOf>) =>
    rooms.room.usePass({
      ...{
        pass: entered.pass,
        sale,
        user_id: 'ann',
        visitor,
        idempotency_key: 'key-0001',
        body: 'tv 1',
        only_look: false,
      },
      order_id: 'order',
    })
  for (const thief of [visitorOf('tablet', HOME), visitorOf(undefined, ELSEWHERE[1])])
    expect(await use(thief)).toEqual({ kind: 'pass_foreign' })
  expect((await use(visitorOf('phone', ELSEWHERE[0]))).kind).toBe('bound')
})

test('keys change in the middle of a sale and nobody loses a place', async () => {
  const key = (kid: string): TokenKey => ({ kid, secret: randomBytes(32) })
  const [old, next] = [key('2026-01'), key('2026-02')]
  const node = (...keys: TokenKey[]) => rooms.node({ tokens: createTokens(keys) })
  const sale = await rooms.newSale()
  const before = node(old)
  const mine = await rooms.join(sale, {}, before)
  await rooms.letPass(sale, 5000)
  const entered = await rooms.enter(sale, mine.ticket, PHONE, before)
  if (entered.kind !== 'entered') throw new Error(entered.kind)

  // One node has the new key, another learned of it and signs with the old one still.
  const [leading, following] = [node(next, old), node(old, next)]
  for (const at of [leading, following])
    expect(await rooms.join(sale, { ticket: mine.ticket }, at)).toMatchObject({ kind: 'kept', position: 1 })
  const newer = await rooms.join(sale, {}, leading)
  expect(await rooms.join(sale, { ticket: newer.ticket }, following)).toMatchObject({
    ...{ kind: 'kept', position: 2 },
  })
  expect((await rooms.enter(sale, mine.ticket, PHONE, leading)).kind).toBe('entered')
  const use = await leading.usePass({
    ...{ pass: entered.pass, sale, user_id: 'ann', visitor: PHONE, idempotency_key: 'key-0001' },
    ...{ body: 'tv 1', order_id: 'order', only_look: false },
  })
  expect(use.kind).toBe('bound')
  // Once the old key is gone, so is what it signed; nobody can go on with a key that leaked.
  expect(await rooms.enter(sale, mine.ticket, PHONE, node(next))).toEqual({ kind: 'ticket_invalid' })
  expect((await rooms.join(sale, { ticket: newer.ticket }, node(next))).kind).toBe('kept')
})

test('the time is that of Redis: nodes whose clocks are wrong let in no sooner and no later', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1, opens_at: Date.now() + 20_000 })
  const crowd = await rooms.crowd(sale, 10)
  const fifth = crowd.find(({ lobby_index }) => lobby_index === 5)?.ticket ?? ''
  const nodes = [-50_000, 0, 50_000].map((aheadMs) => rooms.node({ clock: shiftedClock(aheadMs) }))
  const kinds = () => Promise.all(nodes.map(async (at) => (await rooms.enter(sale, fifth, PHONE, at)).kind))
  const phases = () => Promise.all(nodes.map(async (at) => (await at.status(sale))?.phase))
  expect(await phases()).toEqual(['lobby', 'lobby', 'lobby'])
  expect(await kinds()).toEqual(['too_early', 'too_early', 'too_early'])
  await rooms.letPass(sale, 23_000)
  const later = [-50_000, 0, 50_000].map((aheadMs) => rooms.node({ clock: shiftedClock(aheadMs) }))
  for (const at of later) {
    expect((await at.status(sale))?.phase).toBe('open')
    expect((await rooms.enter(sale, fifth, PHONE, at)).kind).toBe('too_early')
  }
  await rooms.letPass(sale, 3000)
  for (const at of later) expect((await rooms.enter(sale, fifth, PHONE, at)).kind).toBe('entered')
})
