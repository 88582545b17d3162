import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Product, Sale } from '../../src/flow/catalogue/catalogue.ts'
import { createClaiming } from '../../src/flow/inventory/claiming.ts'
import { createInventory } from '../../src/flow/inventory/inventory.ts'
import { createStockBoard } from '../../src/flow/inventory/stock-board.ts'
import { createTickets, type Slot } from '../../src/flow/waiting-room/tickets.ts'
import { createWaitingRoom, type Visitor } from '../../src/flow/waiting-room/waiting-room.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { startRedis } from '../../src/platform/servers/redis.ts'
import { createTokens } from '../../src/platform/tokens.ts'
import { memoryMarks } from '../marks.ts'
import type { StampedeOptions } from './options.ts'
import { startVirtualTime } from './virtual-redis.ts'

export const SALE = 'stampede'
export const ITEM = 'console'
/** When the sale opens: a Black Friday, always the same, so that a seed replays to the byte. */
export const OPENS_AT = Date.UTC(2026, 10, 27, 9)
/** Far more than a busy machine ever needs: what is measured is not its latency. */
const PATIENCE_MS = 120_000

export type System = Awaited<ReturnType<typeof startSystem>>

/**
 * The waiting room, the inventory and the claim of the real system, on a Redis of their own under virtual time. `from`:
 * when it begins, ms. Orders and marks are kept in memory, in the place of SQL; the guard lets everybody join.
 */
export async function startSystem(options: StampedeOptions, from: number) {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-stampede-'))
  const server = await startRedis({ dir })
  const redis = await connectRedis({ url: server.url, commandTimeoutMs: PATIENCE_MS })
  const { commands } = redis
  // Nothing of it is kept: how fast a disk is has no part in virtual time.
  await commands.config('SET', 'appendonly', 'no')
  const time = await startVirtualTime(redis, from, options.planted)
  const { clock } = time

  const tokens = createTokens([{ kid: 'stampede', secret: Buffer.alloc(32, `seed ${options.seed}`) }])
  const sale: Sale = {
    ...{ id: SALE, name: 'Stampede', state: 'open', message: '', rehearsal: false },
    ...{ opens_at: OPENS_AT, ends_at: null, post_sale_at: null, draw_commitment: null },
    ...{ rate_per_second: options.rate, standby_threshold: null, checkout_cap: null, checkouts_per_unit: 3 },
    lobby_opens_at: from,
    ...{ payment_window_s: options.payWindow, hold_s: options.hold, pass_s: 600, turn_s: 120 },
  }
  const picture = { path: '/console.svg', width: 1, height: 1, alt: '' }
  const product: Product = {
    ...{ id: ITEM, sale_id: SALE, name: 'Console', description: '', amount: 49_900, currency: 'EUR' },
    ...{ units: options.units, per_buyer_limit: 1, picture },
  }
  const catalogue = {
    sale: async (id: string) => (id === SALE ? sale : undefined),
    product: async (id: string) => (id === ITEM ? product : undefined),
    groups: async () => [],
  }
  const inventory = createInventory({ redis })
  const board = createStockBoard({ inventory, clock })
  const waitingRoom = createWaitingRoom({
    ...{ redis, tokens, clock, catalogue, marks: memoryMarks() },
    stock: () => board.sum([ITEM]),
  })
  const claiming = createClaiming({
    ...{ inventory, waitingRoom, catalogue, board, tokens, clock },
    runId: () => redis.runId(),
    isBacklogFull: () => Promise.resolve(false),
    // No answer is lost between claim and order here, so no claim is told again.
    findOrder: () => Promise.resolve(undefined),
    endLost: () => Promise.resolve(),
  })
  await inventory.load({
    ...{ item_id: ITEM, sale_id: SALE, total: options.units, state: 'open' },
    ...{ opens_at: OPENS_AT, ends_at: null },
  })
  await waitingRoom.create(sale, [], null)
  return {
    ...{ sale, waitingRoom, inventory, claiming, commands, clock, advance: time.advance, calls: time.calls },
    /** The ticket that was given for a slot at a time (ms): a function of the two, so nobody has to keep it. */
    ticketOf: (slot: Slot, visitor: Visitor, at: number): string =>
      createTickets({ tokens, clock: { ...clock, now: () => at } }).issue(SALE, slot, visitor),
    /** Bytes that Redis uses. */
    memory: async () => Number(/^used_memory:(\d+)/m.exec(await commands.info('memory'))?.[1]),
    /** Seconds of processor time that Redis has used. */
    cpuS: async () => {
      const info = await commands.info('cpu')
      return [/^used_cpu_sys:([\d.]+)/m, /^used_cpu_user:([\d.]+)/m].reduce(
        (sum, of) => sum + Number(of.exec(info)?.[1]),
        0,
      )
    },
    stop: async () => {
      await redis.close()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
