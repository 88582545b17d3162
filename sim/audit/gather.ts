import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTopic } from '../../src/platform/kafka.ts'
import { everywhere, type Shards } from '../../src/platform/postgres.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { itemKeys } from '../../src/flow/inventory/keys.ts'
import { ownersOf, placeOf, type Sampled } from './owners.ts'
import type { ActiveEntry, LedgerEntry, OrderRow, Probe, SeenEvent, TakenWebhook } from './evidence.ts'
import type { SaleInfo, Target } from '../target.ts'

/** Reads SQL, Redis, the waiting room and the provider from the outside, as they are now. */

const ms = (column: string) => `extract(epoch from ${column})::float8 * 1000 as ${column}`

/** Every order of a sale from every shard, with the shard it was found on and the one it belongs to. */
export async function readOrders(shards: Shards, sale: string): Promise<OrderRow[]> {
  const times = [
    'claimed_at',
    'pay_by',
    'hold_expires_at',
    'created_at',
    'paid_at',
    'failed_at',
    'restocked_at',
  ].map(ms)
  const found = await everywhere(shards, async ({ sql, shard }) => {
    const { rows } = await sql.query<OrderRow>(
      `select id as order_id, user_id, item_id, quantity, amount, coalesce((
           select sum(u.amount) from gift_card_uses u
           where u.user_id = orders.user_id and u.order_id = orders.id), 0)::bigint as gift_part, status, failure_reason, claim_seq, ${times.join()}
         from orders where sale_id = $1`,
      [sale],
    )
    return rows.map((row) => ({ ...row, shard, home_shard: shards.numberOf(row.user_id) }))
  })
  return found.flat()
}

/** The buyers hashes: `order_id:quantity` entries by buyer. Read in steps, they may be large. */
export async function readActive(
  { commands }: RedisConnection,
  items: readonly Sampled[],
): Promise<ActiveEntry[]> {
  const entries = new Map<string, ActiveEntry>()
  for (const { item_id, owner } of items.flatMap(ownersOf)) {
    let cursor = '0'
    do {
      const [next, page] = await commands.hscan(itemKeys(owner).buyers, cursor, 'COUNT', 1000)
      cursor = next
      for (let at = 0; at + 1 < page.length; at += 2)
        for (const entry of (page[at + 1] ?? '').split(' ').filter(Boolean)) {
          const [order_id = '', quantity] = entry.split(':')
          entries.set(order_id, { item_id, user_id: page[at] ?? '', order_id, quantity: Number(quantity) })
        }
    } while (cursor !== '0')
  }
  return [...entries.values()]
}

export async function countEntered({ commands }: RedisConnection, sale: string): Promise<number> {
  return commands.bitcount(`queue:{${sale}}:entered`)
}

/** In no reply of the system: where its line stops and goes, the status tells what that comes to. */
export async function readPeak({ commands }: RedisConnection, sale: string): Promise<number> {
  return Number(await commands.hget(`queue:{${sale}}`, 'peak'))
}

/** People a second that operators have ever had it let in; 0 where none has changed it. */
export async function highestRate({ catalogue }: Shards, sale: string): Promise<number> {
  const { rows } = await catalogue.query<{ rate: number | null }>(
    `select max((detail->>'rate_per_second')::float8) as rate from audit_log where target = $1 and command = 'sale.rate'`,
    [sale],
  )
  return rows[0]?.rate ?? 0
}

/** The sandboxes' ledgers for some orders; undefined where payments go to somebody who shows us none. */
export async function readLedger(
  target: Target,
  orders: ReadonlySet<string>,
): Promise<readonly LedgerEntry[] | undefined> {
  const { stripe_sandbox, paypal_sandbox } = target.run.urls
  if (stripe_sandbox === undefined) return undefined
  const read = async (sandbox: string) => {
    const { port, pathname } = new URL(sandbox)
    const answer = await fetch(
      `http://${target.address}:${port}${pathname.replace(/\/$/, '')}/_sandbox/ledger`,
      { signal: AbortSignal.timeout(15_000) },
    )
    return ((await answer.json()) as { entries: LedgerEntry[] }).entries
  }
  const sandboxes = [stripe_sandbox, ...(paypal_sandbox === undefined ? [] : [paypal_sandbox])]
  const entries = (await Promise.all(sandboxes.map(read))).flat()
  return entries.filter((entry) => entry.order_id !== null && orders.has(entry.order_id))
}

/** Webhooks that decide about payments. */
const DECIDING = new Set(['payment_intent.amount_capturable_updated', 'payment_intent.succeeded'])
interface Row {
  readonly object: string
  readonly id: string
  readonly type?: string
  readonly result?: string
  readonly data?: { readonly object?: { readonly metadata?: { readonly order_id?: string } } }
}

/** Webhooks of some orders that the provider saw acknowledged, by its own journal, and whether SQL has their ids. */
export async function readWebhooks(
  { dataDir, run }: Target,
  shards: Shards,
  orders: ReadonlySet<string>,
): Promise<readonly TakenWebhook[] | undefined> {
  const path = join(dataDir, 'stripe-sandbox/stripe-sandbox.jsonl')
  if (run.urls.stripe_sandbox === undefined || !existsSync(path)) return undefined
  const lines = readFileSync(path, 'utf8').split('\n')
  const rows = lines.filter(Boolean).flatMap((line) => JSON.parse(line) as Row[])
  const taken = new Set(
    rows.flatMap(({ object, id, result }) =>
      object === 'sandbox.delivery' && result === 'acknowledged' ? [id] : [],
    ),
  )
  const recorded = await everywhere(shards, ({ sql }) =>
    sql.query<{ event_id: string }>('select event_id from webhook_events'),
  )
  const ids = new Set(recorded.flatMap((found) => found.rows.map(({ event_id }) => event_id)))
  return rows.flatMap(({ object, id, type = '', data }) => {
    const order_id = data?.object?.metadata?.order_id ?? ''
    if (object !== 'event' || !taken.has(id) || !DECIDING.has(type) || !orders.has(order_id)) return []
    return [{ event_id: id, order_id, recorded: ids.has(id) }]
  })
}

/** All of the event log of the full profile; undefined in the embedded one. */
export async function readLog({ run }: Target, items: readonly string[]): Promise<SeenEvent[] | undefined> {
  if (run.kafka_brokers.length === 0) return undefined
  const records = await readTopic({ brokers: run.kafka_brokers, clientId: 'auditor' }, 'doorbuster.orders')
  const wanted = new Set(items)
  return records.flatMap(({ value }) => {
    const { outbox_id, part, event } = JSON.parse(value ?? '{}') as {
      outbox_id?: string
      part?: string
      event?: Omit<SeenEvent, 'outbox_id'>
    }
    if (outbox_id === undefined || event === undefined || !wanted.has(event.item_id)) return []
    const { item_id, type, order_id } = event
    return [{ item_id, outbox_id: placeOf(part, outbox_id), type, order_id }]
  })
}

/** Asks for units as nobody may. */
export async function probe(target: Target, sale: SaleInfo): Promise<Probe[]> {
  const item_id = sale.products[0]?.id ?? ''
  const forged = `${btoa('{"alg":"none","typ":"pass","kid":"k1"}')}.${btoa(`{"aud":"${sale.id}","pos":1}`)}.`
  const wishes = [
    { what: 'a claim without a pass', expected: 'pass_missing', headers: {} },
    {
      what: 'a claim with a forged pass',
      expected: 'pass_invalid',
      headers: { Authorization: `Bearer ${forged}` },
    },
  ]
  return Promise.all(
    wishes.map(async ({ what, expected, headers }) => {
      const answer = await target.fetch('shop', '/api/claims', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `probe-${sale.id}`, ...headers },
        body: JSON.stringify({ item_id, quantity: 1 }),
      })
      const { code } = (await answer.json()) as { code?: string }
      return { what, expected, answered: code ?? `http_${answer.status}` }
    }),
  )
}
