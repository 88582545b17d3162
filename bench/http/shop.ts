import { fromItsPage } from '../../sim/crowd/scene.ts'
import { NO_GUARD } from '../../sim/own-sale.ts'
import type { WireRequest } from '../../sim/wire/client.ts'
import { createInventory } from '../../src/flow/inventory/inventory.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { startOverloadable } from '../../test/support/overload.ts'
import type { Prepared, Scale } from '../row.ts'
import { startBareServer, startLoad } from './processes.ts'
import { fetchPasses, fetchTickets, type Holder } from './passes.ts'
import type { LoadReport } from './load-process.ts'

/** What the bare server answers in a fraction of a second is no measurement; it may be sent the same again and again. */
const BARE_COUNT = 10_000
/** Requests under way at a time, each on a connection of its own that stays open. */
export const CONNECTIONS = 64
const SALE = 'bench'
const [PLENTY, NONE] = ['plenty', 'none']

export type Shop = Awaited<ReturnType<typeof startShop>>

/** Our web process with Redis (`appendfsync always`) and PostgreSQL, and an open sale of an item there is enough of and one sold out. */
export async function startShop({ webEnv }: Pick<Scale, 'webEnv'>) {
  await using stack = new AsyncDisposableStack()
  // Saturated on purpose: nobody is turned away, neither for the load nor for what waits for SQL.
  const system = await startOverloadable({ SHEDDING: '0', OUTBOX_MAX: '10000000', ...webEnv })
  stack.defer(() => system.stop())
  const product = { amount: 19_900, currency: 'EUR', per_buyer_limit: 1 }
  const created = await system.send('ops', 'POST', '/api/operator/sales', {
    headers: { Authorization: `Bearer ${system.env.OPS_TOKEN}` },
    json: {
      ...{
        id: SALE,
        name: 'Bench',
        rate_per_second: 1_000_000,
        pass_s: 3000,
        guard: NO_GUARD,
        reason: 'bench',
      },
      products: [
        { ...product, id: PLENTY, name: 'Plenty', units: 5_000_000 },
        { ...product, id: NONE, name: 'None left', units: 1 },
      ],
    },
  })
  if (created.status !== 201) throw new Error(`no sale: ${created.text}`)
  await sellOut(system.env.REDIS_URL)

  const claimOf =
    (item_id: string) =>
    (holder: Holder, n: number): WireRequest => ({
      ...{ method: 'POST', host: system.hosts.shop, path: '/api/claims' },
      headers: {
        ...fromItsPage(holder.cookie),
        Authorization: `Bearer ${holder.pass}`,
        'Idempotency-Key': `bench-claim-${n}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ item_id, quantity: 1 }),
    })
  const holders = (count: number) => fetchPasses(system.web.wire, system.hosts, SALE, count)
  return {
    wire: system.web.wire,
    port: system.web.port,
    /** Claims of buyers who have been let in, each with a pass of its own. */
    claims: async (count: number) => (await holders(count)).map(claimOf(PLENTY)),
    soldOutClaims: async (count: number) => (await holders(count)).map(claimOf(NONE)),
    joins: (count: number) =>
      Array.from({ length: count }, (_, n): WireRequest => ({
        ...{ method: 'POST', host: system.hosts.queue, path: `/api/queue/${SALE}/join` },
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ device: `browser-number-${n}` }),
      })),
    /** Of people whose turn has come, each with a ticket of its own. */
    enters: async (count: number) =>
      (await fetchTickets(system.web.wire, system.hosts, SALE, count)).map((ticket): WireRequest => ({
        ...{ method: 'POST', host: system.hosts.queue, path: `/api/queue/${SALE}/enter` },
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ticket }),
      })),
    status: { method: 'GET', host: system.hosts.queue, path: `/api/queue/${SALE}` } satisfies WireRequest,
    stack: stack.move(),
  }
}

/** The one unit is claimed and paid for, as far as Redis is concerned. */
async function sellOut(url: string): Promise<void> {
  const redis = await connectRedis({ url })
  try {
    const inventory = createInventory({ redis })
    const order = { item_id: NONE, order_id: crypto.randomUUID() }
    const terms = { quantity: 1, limit: 1, amount: 1, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 }
    await inventory.claim({ ...order, ...terms, user_id: 'the only buyer' })
    const settled = await inventory.settle(order.item_id, order.order_id)
    if (settled !== 'settled') throw new Error(`the last unit is ${settled}`)
  } finally {
    await redis.close()
  }
}

export interface Exchange {
  /** Sent in turns; where each may be sent once only, enough for the warm-up and every round. */
  readonly requests: readonly WireRequest[]
  /** Requests of one measurement. */
  readonly count: number
  readonly expected: { readonly status: number; readonly contains: string }
  /** The first request, sent once to see what the answer looks like; it must be free to be sent again or not be needed. */
  readonly sample: WireRequest
  /** What is read of a run. */
  readonly figure?: (report: LoadReport) => number
  /** Requests a second; without it as many as are answered. */
  readonly rate?: number
}

/** Measures an exchange with our shop against the same bytes sent to a bare server, which answers with the same body. */
export async function againstBareServer(
  { wire, port, stack }: Shop,
  { requests, count, expected, sample, figure = ({ perSecond }) => perSecond, rate }: Exchange,
): Promise<Prepared> {
  const seen = await wire.send(sample)
  if (seen.kind !== 'answer' || seen.status !== expected.status || !seen.text.includes(expected.contains))
    throw new Error(`unexpected answer: ${JSON.stringify(seen)}`)
  const type = seen.headers.get('content-type') ?? ''
  const bare = stack.use(await startBareServer({ status: seen.status, type, body: seen.text }))
  const load = stack.use(startLoad(requests))
  let rounds = 0
  const measure = async (to: number, from: number, count: number) =>
    figure(
      await load.run({
        ...{ port: to, from, count, connections: CONNECTIONS, expected },
        ...(rate === undefined ? {} : { rate }),
      }),
    )
  return {
    ours: () => measure(port, rounds++ * count, count),
    yardstick: () => measure(bare.port, 0, rate === undefined ? Math.max(count, BARE_COUNT) : count),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Requests that can be sent once only: those of the warm-up and of every round. */
export const forAllRounds = (scale: Scale, count: number): number => (scale.rounds + 1) * count
