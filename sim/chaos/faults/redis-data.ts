import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { connectRedis } from '../../../src/platform/redis.ts'
import { sleep } from '../../clock.ts'
import { freezeFamily, thawFamily } from '../processes.ts'
import type { Fault, Injected } from '../fault.ts'
import { between } from '../plan.ts'
import type { Random } from '../../random.ts'
import type { World } from '../world.ts'

/** What happens to the data of Redis, while it is down or while it runs. */

/** Ends Redis, harms its files, and has it come back with what is left. `harm` answers how many bytes are gone. */
async function harmed({ redis }: World, harm: (dir: string) => number): Promise<Injected> {
  const died = await redis.kill()
  const bytes = harm(redis.dir)
  return {
    heal: () => redis.start(),
    evidence: () => ({ count: died ? bytes : 0, of: 'bytes of the append-only file are gone' }),
  }
}

const aofFiles = (dir: string) =>
  readdirSync(join(dir, 'appendonlydir'))
    .filter((name) => name.endsWith('.aof'))
    .map((name) => join(dir, 'appendonlydir', name))

/** Cuts the youngest part off: at a place the seed tells, in the middle of a command as likely as not. */
function truncate(dir: string, random: Random): number {
  const last = aofFiles(dir)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1)
  if (last === undefined) return 0
  const { size } = statSync(last)
  const cut = Math.floor(size * between(random, [0.02, 0.15]))
  truncateSync(last, size - cut)
  return cut
}

function lose(dir: string): number {
  const bytes = aofFiles(dir).reduce((sum, path) => sum + statSync(path).size, 0)
  rmSync(join(dir, 'appendonlydir'), { recursive: true })
  return bytes
}

/** A command to the running server. */
async function order<T>({ target }: World, give: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = await connectRedis({ url: target.run.redis_url })
  try {
    return await give(redis.commands)
  } finally {
    await redis.close()
  }
}
type Redis = Awaited<ReturnType<typeof connectRedis>>['commands']

/** Total of a counter of INFO that the server keeps. */
const counter = (text: string, name: string) => Number(new RegExp(`${name}:.*?(\\d+)`).exec(text)?.[1] ?? 0)

export const REDIS_DATA: readonly Fault[] = [
  {
    name: 'redis-aof-truncated',
    component: 'Redis',
    does: 'kill -9, the last 2 to 15 % of its append-only file cut off',
    expected: 'fenced until rebuilt from SQL and receipts: nothing sold twice',
    lasts: [0.5, 1.5],
    inject: (world, random) => harmed(world, (dir) => truncate(dir, random)),
  },
  {
    name: 'redis-aof-truncated-unwatched',
    component: 'Redis',
    does: 'the same while the cleanup worker stands still: nobody is there to look at what is left',
    expected: 'nothing is sold until somebody has looked',
    lasts: [2, 3],
    inject: async (world, random) => {
      const cleanup = world.pid('cleanup')
      if (cleanup !== undefined) await freezeFamily(cleanup)
      const injected = await harmed(world, (dir) => truncate(dir, random))
      await injected.heal()
      return { ...injected, heal: async () => void (cleanup && thawFamily(cleanup)) }
    },
  },
  {
    name: 'redis-lost',
    component: 'Redis',
    does: 'kill -9, its data folder emptied',
    expected: 'closed until rebuilt from SQL; lost claims come back by their receipts',
    lasts: [0.5, 1.5],
    inject: (world) => harmed(world, lose),
  },
  {
    name: 'redis-lost-unwritten',
    component: 'Redis',
    does: 'the same while the order worker stands still: claims that no database knows are lost',
    expected: 'receipts bring them back',
    lasts: [0.5, 1],
    inject: async (world) => {
      const worker = world.pid('order-worker')
      if (worker !== undefined) await freezeFamily(worker)
      await sleep(1200)
      const injected = await harmed(world, lose)
      return {
        ...injected,
        heal: async () => {
          await injected.heal()
          if (worker !== undefined) thawFamily(worker)
        },
      }
    },
  },
  {
    name: 'redis-script-flush',
    component: 'Redis',
    does: 'SCRIPT FLUSH every 100 ms',
    expected: 'nobody notices',
    lasts: [3, 4],
    inject: async (world) => {
      let [flushed, over] = [0, false]
      const flushing = order(world, async (redis) => {
        for (; !over; await sleep(100)) if ((await redis.script('FLUSH')) === 'OK') flushed++
      })
      return {
        heal: async () => {
          over = true
          await flushing
        },
        evidence: () => ({ count: flushed, of: 'times all scripts were forgotten' }),
      }
    },
  },
  {
    name: 'redis-out-of-memory',
    component: 'Redis',
    does: 'maxmemory set below what it uses',
    expected: 'clean refusals, payments unharmed',
    lasts: [3, 5],
    inject: async (world) => {
      const refusals = () =>
        order(world, async (redis) => counter(await redis.info('errorstats'), 'errorstat_OOM'))
      const before = await refusals()
      await order(world, (redis) => redis.config('SET', 'maxmemory', '1mb'))
      return {
        heal: async () => void (await order(world, (redis) => redis.config('SET', 'maxmemory', '0'))),
        evidence: async () => ({
          count: (await refusals()) - before,
          of: 'commands were refused for want of memory',
        }),
      }
    },
  },
]
