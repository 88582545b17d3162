/** Several nodes of the waiting room on one Redis, with a catalogue and a stock that a test sets by hand. */
import { randomBytes } from 'node:crypto'
import { commitmentTo } from '../../src/contracts/draw.ts'
import type { Group, Sale } from '../../src/flow/catalogue/catalogue.ts'
import {
  createWaitingRoom,
  groupCodeHash,
  type JoinRequest,
  type MarkStore,
  type SaleStock,
  type Visitor,
  type WaitingRoom,
} from '../../src/flow/waiting-room/waiting-room.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import { createTokens, type Tokens } from '../../src/platform/tokens.ts'
import { memoryMarks } from '../../sim/marks.ts'
import { startTestRedis, type TestRedis } from './redis.ts'
import { letPass } from './waiting-room.ts'

/** System time that a test may put forward. */
export interface ShiftedClock extends Clock {
  aheadMs: number
}

export function shiftedClock(aheadMs = 0): ShiftedClock {
  const clock: ShiftedClock = { ...systemClock, aheadMs, now: () => Date.now() + clock.aheadMs }
  return clock
}

export const visitorOf = (device: string | undefined, network = '192.0.2.1 browser'): Visitor => ({
  device,
  network,
})
/** Whoever the test is not about. */
export const PHONE = visitorOf('phone')

export type Rooms = Awaited<ReturnType<typeof startRooms>>
type Joining = Partial<Omit<JoinRequest, 'sale'>>
export interface NodeParts {
  readonly tokens?: Tokens
  readonly clock?: Clock
  readonly redis?: RedisConnection
  readonly marks?: MarkStore
}

/** `server`: on a Redis of the test's own, which goes on when the rooms are closed. */
export async function startRooms({
  nodes = 2,
  server,
}: { nodes?: number; server?: Pick<TestRedis, 'url' | 'stop'> } = {}) {
  const redis = server ?? (await startTestRedis())
  const connections = await Promise.all(Array.from({ length: nodes }, () => connectRedis({ url: redis.url })))
  const first = connections[0] as RedisConnection
  const { commands } = first
  const tokens = createTokens([{ kid: 'k1', secret: randomBytes(32) }])
  const sales = new Map<string, Sale>()
  const groups = new Map<string, Group[]>()
  const stocks = new Map<string, SaleStock>()
  const clock = shiftedClock()
  const marks = memoryMarks()

  const node = (parts: NodeParts = {}): WaitingRoom =>
    createWaitingRoom({
      redis: first,
      tokens,
      clock,
      marks,
      ...parts,
      catalogue: { sale: async (id) => sales.get(id), groups: async (id) => groups.get(id) ?? [] },
      stock: async (id) => stocks.get(id) ?? { total: 0, available: 0, held: 0, sold: 0 },
    })
  const all = connections.map((connection) => node({ redis: connection }))
  const room = all[0] as WaitingRoom

  let count = 0
  /** A sale that is open, 100 a second, with 10 units. */
  const newSale = async (change: Partial<Sale> = {}, { draw = false, lanes = [] as Group[] } = {}) => {
    const id = `sale-${++count}`
    const secret = draw ? randomBytes(32).toString('hex') : null
    const sale: Sale = {
      ...{ id, name: id, opens_at: Date.now() - 1000, ends_at: null, state: 'open', message: 'hello' },
      ...{ lobby_opens_at: null, post_sale_at: null, rate_per_second: 100, payment_window_s: 300 },
      ...{ hold_s: 600, pass_s: 600, turn_s: 60, checkout_cap: null, checkouts_per_unit: 1000 },
      ...{
        rehearsal: false,
        standby_threshold: null,
        draw_commitment: secret === null ? null : commitmentTo(secret),
      },
      ...change,
    }
    sales.set(id, sale)
    groups.set(
      id,
      lanes.map((group) => ({ ...group, sale_id: id, code_hash: groupCodeHash(id, group.code_hash) })),
    )
    stocks.set(id, { total: 10, available: 10, held: 0, sold: 0 })
    const created = await room.create(sale, groups.get(id) ?? [], secret)
    if (created !== 'created') throw new Error(`${id} is ${created}`)
    return id
  }
  const join = async (sale: string, change: Joining = {}, at = room) => {
    const outcome = await at.join({ sale, visitor: PHONE, ...change })
    if (!('ticket' in outcome)) throw new Error(`not joined: ${outcome.kind}`)
    return outcome
  }
  return {
    ...{ redis, connections, commands, tokens, clock, marks, sales, groups, stocks, node, newSale, join },
    /** One for each connection. */
    rooms: all,
    room,
    /** Many at once, spread over the nodes. */
    crowd: (sale: string, size: number, change: (index: number) => Joining = () => ({})) =>
      Promise.all(
        Array.from({ length: size }, (_, index) => join(sale, change(index), all[index % all.length])),
      ),
    enter: (sale: string, ticket: string, visitor = PHONE, at = room) => at.enter({ sale, ticket, visitor }),
    /** What `available` is from now on; the rest is sold. */
    setAvailable: (sale: string, available: number, held = 0) =>
      void stocks.set(sale, { total: 10, available, held, sold: Math.max(0, 10 - available - held) }),
    letPass: (sale: string, ms: number, lanes?: readonly string[]) => letPass(commands, sale, ms, lanes),
    /** Each node looks anew. */
    look: () => void (clock.aheadMs += 250),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((connection) => connection.close()))
      if (server === undefined) await redis.stop()
    },
  }
}

/** A group; its `code_hash` is the code itself until the sale is made. */
export const groupOf = (id: string, code: string, change: Partial<Group> = {}): Group => ({
  ...{ sale_id: '', id, name: id, code_hash: code, rate_per_second: 10, places: null },
  ...change,
})
