import { ASSUMED } from './assumptions.ts'
import type { UnitCosts } from './costs.ts'
import type { CrowdFlow, Flow } from './crowd.ts'

export interface Sizing {
  /** How many times the busiest second each part should bear. */
  readonly headroom: number
  /** Items on which the claims spread evenly: each has a slot of its own. */
  readonly items: number
  readonly costs: UnitCosts
}

/** One kind of thing that can run out. */
export interface Part {
  readonly name: string
  /** In its busiest second, in units of one such thing: 1.5 keeps one and a half busy. */
  readonly load: number
  /** How many there should be, headroom included. */
  readonly count: number
  /** The most that help; undefined: as many as one likes. */
  readonly most: number | undefined
  /** Load / count: how busy each is in the busiest second. Above 1 it breaks. */
  readonly busy: number
  /** Seconds of work that have piled up at worst: above 0 where it breaks. */
  readonly behindS: number
  /** What to do about it. */
  readonly remedy: string
}

const CALLS_OF_A_LOOK = 3
const LOOKS_PER_S = 5
const MOST_SHARDS = 256
const value = (name: keyof typeof ASSUMED) => ASSUMED[name].value

/** Every part of a deployment for this crowd, the one that breaks first in front. */
export function partsOf({ seconds }: CrowdFlow, { headroom, items, costs }: Sizing): Part[] {
  const { http, redis } = costs
  const busiest = (load: (flow: Flow) => number) =>
    seconds.reduce((most, flow) => Math.max(most, load(flow)), 0)
  const part = (
    name: string,
    load: (flow: Flow) => number,
    {
      least = 1,
      most,
      isRoom = false,
      remedy,
    }: { least?: number; most?: number; isRoom?: boolean; remedy: string },
  ): Part => {
    const peak = busiest(load)
    const count = Math.min(most ?? Infinity, Math.max(least, Math.ceil(peak * headroom)))
    const behindS = isRoom ? 0 : behind(seconds.map((flow) => load(flow) / count))
    return { name, load: peak, count, most, busy: peak / count, behindS, remedy }
  }

  const web = part(
    'web process',
    ({ joins, repeats, enters, orders, claims, statuses, paid, returned }) =>
      (joins + repeats) / http.join +
      enters / http.enter +
      (orders + (paid + returned) * value('checkout_requests')) / http.claim +
      (claims - orders) / http.soldOut +
      (statuses * value('public_paths')) / http.status,
    { least: 3, remedy: 'more of them, before the opening: nothing is kept in them' },
  )
  const looks = (web.count * LOOKS_PER_S * CALLS_OF_A_LOOK) / redis.join
  const lineLoad = ({ joins, enters, claims }: Flow) =>
    looks + joins / redis.join + enters / redis.enter + claims / redis.claim
  const itemLoad = ({ orders, paid, returned }: Flow) => (orders + paid + returned) / redis.claim
  const line = part("Redis of the sale's line", lineLoad, {
    most: 1,
    remedy:
      'one line is one slot, and a Redis has one core for it. It sheds with 503 and nobody loses a place; a lobby spreads the arrivals, a lower rate the turns; ' +
      'a faster core helps in proportion; a second sale has a line of its own',
  })
  const item = part('Redis of the items', itemLoad, {
    most: items,
    remedy: 'a cluster puts each item on a slot of its own, and a hot one in parts on several (`--items`)',
  })
  const worker = part('order worker', ({ orders, returned }) => (orders + returned) / costs.rows, {
    ...{ least: 2, most: value('partitions') },
    remedy:
      'rows come later and nobody waits for them; workers up to the partitions of the topic, then more partitions',
  })
  const relay = part('relay', ({ orders, returned }) => (orders + returned) / costs.relay, {
    least: 2,
    remedy: 'more of them share the outboxes',
  })
  const shard = part(
    'PostgreSQL shard',
    ({ orders, paid, returned }) =>
      orders / costs.rows + ((paid + returned) * value('order_transactions')) / costs.transactions,
    { most: MOST_SHARDS, remedy: 'another server, also while it sells (`shards balance`)' },
  )
  const processes = web.count + worker.count + 1
  const connections = part(
    'PostgreSQL connections',
    () => (processes * value('pool')) / value('max_connections'),
    { most: 1, isRoom: true, remedy: '`max_connections` higher, or PgBouncer in front of each shard' },
  )
  const broker = part(
    'Kafka broker',
    ({ orders, returned }) => ((orders + returned) * value('replication')) / costs.broker,
    { least: 3, remedy: 'more brokers and partitions' },
  )
  const provider = part(
    'payment provider',
    ({ paid }) => (paid * value('provider_calls')) / value('provider_per_s'),
    {
      most: 1,
      remedy:
        'ask the provider for a higher limit weeks ahead, or lower the rate: a payment that waits is within its window, one that is refused is tried again',
    },
  )
  return [web, line, item, worker, relay, shard, connections, broker, provider].sort(
    (a, b) => b.busy - a.busy,
  )
}

/** Of what comes in each second (1: all that can be done in one), the most seconds of work that wait at a time. */
function behind(busy: readonly number[]): number {
  let [waiting, most] = [0, 0]
  for (const one of busy) {
    waiting = Math.max(0, waiting + one - 1)
    most = Math.max(most, waiting)
  }
  return most
}

/** Whether line and items fit on one Redis, with headroom. */
export function fitOnOneRedis(parts: readonly Part[], headroom: number): boolean {
  const loads = parts.filter(({ name }) => name.startsWith('Redis')).map(({ load }) => load)
  return loads.reduce((sum, load) => sum + load, 0) * headroom <= 1
}
