import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Evidence, Fault, Injected } from '../fault.ts'
import type { World } from '../world.ts'

/** What a payment provider does to its customers, by the controls of the sandbox. */

type Settings = Readonly<Record<string, string | number>>

const HEALED: Settings = { webhooks: 'deliver', reorder_hold_ms: 300, fail_next: 0, lose_next: 0 }

/** Stripe's is at the root. */
const PROVIDERS = ['', '/paypal']

async function set(world: World, settings: Settings): Promise<void> {
  for (const provider of PROVIDERS) {
    const answer = await world.sandbox(`${provider}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(settings),
    })
    if (!answer.ok) throw new Error(`the sandbox refuses the fault: ${await answer.text()}`)
  }
}

/** What the sandbox has written down since. */
interface Row {
  readonly object: string
  readonly id: string
  readonly type?: string
  readonly result?: string
  /** Seconds since the epoch. */
  readonly created?: number
}
const journal = ({ dataDir }: World): Row[] =>
  lines(join(dataDir, 'stripe-sandbox/stripe-sandbox.jsonl')).flatMap((line) => JSON.parse(line) as Row[])

const events = (world: World) => journal(world).filter(({ object }) => object === 'event')

/** Events as they came in, from the log of the web process: what has happened, by the word of another. */
interface Arrival {
  readonly event_id: string
  readonly effect: string
  /** ISO 8601. */
  readonly time: string
}
const arrivals = ({ dataDir }: World): Arrival[] =>
  lines(join(dataDir, 'logs/web.log'))
    .filter((line) => line.includes('"payment event"'))
    .map((line) => JSON.parse(line) as Arrival)

const lines = (path: string) => readFileSync(path, 'utf8').split('\n').filter(Boolean)

const webhooks = (settings: Settings, evidence: (world: World, before: Before) => Evidence) => ({
  inject: async (world: World): Promise<Injected> => {
    const before = { rows: journal(world).length, arrivals: arrivals(world).length }
    await set(world, settings)
    return { heal: async () => void (await set(world, HEALED)), evidence: () => evidence(world, before) }
  },
})
interface Before {
  readonly rows: number
  readonly arrivals: number
}

const dropped = (world: World, before: Before): Evidence => ({
  count: journal(world)
    .slice(before.rows)
    .filter(({ object, result }) => object === 'sandbox.delivery' && result === 'dropped').length,
  of: 'webhooks were dropped',
})

function doubled(world: World, before: Before): Evidence {
  const came = Map.groupBy(arrivals(world).slice(before.arrivals), ({ event_id }) => event_id)
  return { count: [...came.values()].filter((some) => some.length > 1).length, of: 'webhooks came twice' }
}

function reordered(world: World, before: Before): Evidence {
  const made = new Map(events(world).map(({ id }, index) => [id, index]))
  const order = arrivals(world)
    .slice(before.arrivals)
    .map(({ event_id }) => made.get(event_id) ?? 0)
  const swaps = order.filter((place, index) => place < (order[index - 1] ?? -1)).length
  return { count: swaps, of: 'webhooks came after a younger one' }
}

function late(world: World, before: Before): Evidence {
  const made = new Map(events(world).map(({ id, created = 0 }) => [id, created * 1000]))
  const waited = arrivals(world)
    .slice(before.arrivals)
    .map(({ event_id, time }) => Date.parse(time) - (made.get(event_id) ?? Date.parse(time)))
  return { count: waited.filter((ms) => ms > 5000).length, of: 'webhooks came after the payment window' }
}

/** Uses up so many requests at most; more than a round makes. */
const MANY = 100_000

const requests = (fault: 'fail_next' | 'lose_next', on: string, of: string) => ({
  inject: async (world: World): Promise<Injected> => {
    await set(world, { [fault]: MANY, on })
    let hit = 0
    return {
      heal: async () => {
        for (const provider of PROVIDERS) {
          const answer = await world.sandbox(`${provider}/_sandbox/faults`)
          hit += MANY - Number(((await answer.json()) as Record<string, unknown>)[fault])
        }
        await set(world, { ...HEALED, on: 'any' })
      },
      evidence: () => ({ count: hit, of }),
    }
  },
})

const provider = (fault: Omit<Fault, 'component'>): Fault => ({ component: 'payment provider', ...fault })

export const PROVIDER: readonly Fault[] = [
  provider({
    name: 'webhooks-lost',
    does: 'no webhook arrives for 6 to 8 s, nor ever later',
    expected: 'the poller finds out; what can not be honoured any more is given back',
    lasts: [6, 8],
    ...webhooks({ webhooks: 'drop' }, dropped),
  }),
  provider({
    name: 'webhooks-doubled',
    does: 'each webhook comes twice',
    expected: 'one transition, one effect',
    lasts: [4, 6],
    ...webhooks({ webhooks: 'duplicate' }, doubled),
  }),
  provider({
    name: 'webhooks-reordered',
    does: 'webhooks are held back and come newest first',
    expected: 'all orders of arrival converge',
    lasts: [4, 6],
    ...webhooks({ webhooks: 'reorder', reorder_hold_ms: 1500 }, reordered),
  }),
  provider({
    name: 'webhooks-late',
    does: 'each webhook comes 5 s late, after the payment window',
    expected: 'the order has failed and stays so; no money is kept',
    lasts: [6, 8],
    ...webhooks({ webhooks: 'late', reorder_hold_ms: 5100 }, late),
  }),
  provider({
    name: 'provider-timeout',
    does: 'requests take effect, their answers never come',
    expected: 'the same idempotency key again: one charge',
    lasts: [4, 6],
    ...requests('lose_next', 'any', 'requests took effect without an answer'),
  }),
  provider({
    name: 'provider-outage',
    does: 'every request is answered with a server error',
    expected: 'an honest word to the buyer; tried again until it works or time is up',
    lasts: [4, 6],
    ...requests('fail_next', 'any', 'requests were refused'),
  }),
  provider({
    name: 'capture-outage',
    does: 'captures alone are answered with a server error',
    expected: 'paid orders stay paid and are captured later, once',
    lasts: [4, 6],
    ...requests('fail_next', 'capture', 'captures were refused'),
  }),
  provider({
    name: 'cards-declined',
    does: 'most buyers show a declined card first',
    expected: 'tried again until it works or time is up; a declined order gives its unit back',
    lasts: [3, 4],
    habits: { declinedFirst: 0.7 },
    inject: async (world) => {
      const before = journal(world).length
      return {
        heal: async () => undefined,
        evidence: () => ({
          count: journal(world)
            .slice(before)
            .filter(({ type }) => type === 'payment_intent.payment_failed').length,
          of: 'cards were declined',
        }),
      }
    },
  }),
]
