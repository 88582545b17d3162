import type { Fault, Injected } from '../fault.ts'
import type { ProxyCounts, Trouble } from '../proxy.ts'
import type { Road, World } from '../world.ts'

/** Trouble between the parts of the system, by the proxies that stand on every road. */

const COUNTED: Readonly<Record<Exclude<Trouble['kind'], 'none'>, readonly [keyof ProxyCounts, string]>> = {
  slow: ['slowed', 'pieces of data came late'],
  throttled: ['slowed', 'pieces of data were throttled'],
  cut: ['cut', 'connections were cut'],
  answers_lost: ['answersLost', 'answers were lost after the work was done'],
  black_hole: ['held', 'pieces of data got stuck'],
}

export async function suffer(
  world: World,
  roads: readonly Road[],
  trouble: Exclude<Trouble, { kind: 'none' }>,
): Promise<Injected> {
  const [counter, of] = COUNTED[trouble.kind]
  const count = () => roads.reduce((sum, road) => sum + world.proxy(road).counts[counter], 0)
  const before = count()
  for (const road of roads) world.proxy(road).suffer(trouble)
  return {
    heal: async () => roads.forEach((road) => world.proxy(road).suffer({ kind: 'none' })),
    evidence: () => ({ count: count() - before, of }),
  }
}

interface Kind {
  readonly suffix: string
  readonly does: string
  readonly trouble: Exclude<Trouble, { kind: 'none' }>
  readonly lasts: readonly [number, number]
}

const SLOW: Kind = {
  suffix: 'slow',
  does: '40 to 120 ms later in each direction',
  trouble: { kind: 'slow', ms: 40, jitterMs: 80 },
  lasts: [4, 6],
}
const CUT: Kind = {
  suffix: 'cut',
  does: 'connections are reset at random, again and again',
  trouble: { kind: 'cut', share: 0.03 },
  lasts: [4, 6],
}
const ANSWERS_LOST: Kind = {
  suffix: 'answers-lost',
  does: 'the connection is reset after the work is done, before the answer',
  trouble: { kind: 'answers_lost', share: 0.08 },
  lasts: [4, 6],
}
const BLACK_HOLE: Kind = {
  suffix: 'black-hole',
  does: 'connected, and nothing comes through',
  trouble: { kind: 'black_hole' },
  lasts: [6, 8],
}
const THROTTLED: Kind = {
  suffix: 'throttled',
  does: '20 kB a second for each connection',
  trouble: { kind: 'throttled', bytesPerSecond: 20_000 },
  lasts: [4, 6],
}

interface Where {
  readonly prefix: string
  readonly component: string
  readonly roads: readonly Road[]
  readonly needs?: 'full'
}

const REDIS: Where = { prefix: 'redis', component: 'road to Redis', roads: ['redis'] }
const POSTGRES: Where = {
  prefix: 'postgres',
  component: 'road to PostgreSQL',
  roads: ['postgres-0', 'postgres-1'],
}
const KAFKA: Where = { prefix: 'kafka', component: 'road to Kafka', roads: ['kafka'], needs: 'full' }
const PROVIDER: Where = { prefix: 'provider', component: 'road to the provider', roads: ['provider'] }
const BUYERS: Where = { prefix: 'buyers', component: 'road of the buyers', roads: ['web'] }

const on = (where: Where, kind: Kind, expected: string): Fault => ({
  name: `${where.prefix}-${kind.suffix}`,
  component: where.component,
  does: kind.does,
  expected,
  ...(where.needs === undefined ? {} : { needs: where.needs }),
  lasts: kind.lasts,
  inject: (world) => suffer(world, where.roads, kind.trouble),
})

export const NETWORK: readonly Fault[] = [
  on(REDIS, SLOW, 'slower answers, nothing else'),
  on(REDIS, THROTTLED, 'slower answers, nothing else'),
  on(REDIS, CUT, '"unknown, ask again with this key", and the retry tells the truth'),
  on(REDIS, ANSWERS_LOST, 'the script has run: the retry returns the first result'),
  on(REDIS, BLACK_HOLE, 'time-outs, then sells on; blocked readers find out as well'),
  on(POSTGRES, SLOW, 'orders a little later'),
  on(POSTGRES, CUT, 'statements are repeated, none has its effect twice'),
  on(POSTGRES, ANSWERS_LOST, 'cut off in the middle of a commit: read again by order id'),
  on(POSTGRES, BLACK_HOLE, 'waits are bounded, claims go on'),
  on(KAFKA, SLOW, 'orders a little later'),
  on(KAFKA, CUT, 'events twice at most, one order each'),
  on(KAFKA, BLACK_HOLE, 'the backlog waits in the outbox'),
  on(PROVIDER, SLOW, 'payments take longer'),
  on(PROVIDER, CUT, 'the same idempotency key again: one charge'),
  on(PROVIDER, ANSWERS_LOST, 'time-out after the charge: one charge'),
  on(PROVIDER, BLACK_HOLE, 'orders time out unpaid; nothing else waits for it'),
  on(BUYERS, SLOW, 'slower answers, nothing else'),
  on(BUYERS, CUT, 'browsers ask again; webhooks come again'),
  on(BUYERS, ANSWERS_LOST, 'each retry tells what became of the first try'),
]
