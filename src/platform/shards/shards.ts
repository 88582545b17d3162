import { systemClock } from '../clock.ts'
import { isConnectionError, SettingError, Unavailable } from '../errors.ts'
import { connectDatabase, type Database, type PoolOptions, type Shards } from '../postgres.ts'
import { logicalShard } from './logical.ts'
import { createShardMap, waitForLeaving } from './map.ts'
import { hasMap, readIdentity, registerServers, requireFit } from './registry.ts'
import { createRouting } from './routing.ts'
import { surveyHeld } from './survey.ts'

/** Between two readings of the map. */
const REFRESH_MS = 500

export interface ShardOptions extends PoolOptions {
  /** Told of a server that answers and does not fit; the others go on. */
  readonly onMisfit?: (error: unknown) => void
}

/**
 * The databases of DATABASE_URLS and the shard map in the first one. Connects lazily. The first time ever it registers the
 * servers and writes the map; a server that is added later is registered and stays empty.
 */
export function connectShards(urls: readonly string[], options: ShardOptions = {}): Shards {
  const pools = urls.map((url) => connectDatabase(url, options))
  const [first] = pools
  if (first === undefined) throw new Error('no database URL')
  // By itself: whoever waits for a connection must not make the map old, which would cost everybody more.
  const mapPool = connectDatabase(urls[0] ?? '', { ...options, max: 1 })
  const map = createShardMap(mapPool, pools.length)
  const closing = new AbortController()
  const all = pools.map((pool, at) => waitForLeaving(pool, () => map.isLeaving(at)))

  const identify = async (at: number, pool: Database) => {
    if (map.identities[at] !== undefined) return
    const identity = await readIdentity(pool)
    requireFit(map.identities.map((known, other) => (other === at ? identity : known)))
    map.identities[at] = identity
  }
  const load = async () => {
    const asked = await Promise.allSettled(pools.map(readIdentity))
    for (const one of asked) if (one.status === 'rejected' && !isConnectionError(one.reason)) throw one.reason
    const away = asked.find((one) => one.status === 'rejected')
    if (asked[0]?.status === 'rejected') throw asked[0].reason
    const isNew = asked.some((one) => one.status === 'fulfilled' && one.value === undefined)
    const mapped = await hasMap(first)
    if (!mapped && away !== undefined) throw away.reason
    if (!mapped || (isNew && away === undefined)) {
      await registerServers(urls)
      await Promise.all(pools.map((pool, at) => identify(at, pool)))
    } else
      asked.forEach((one, at) => (map.identities[at] = one.status === 'fulfilled' ? one.value : undefined))
    await map.reload()
    requireFit(map.identities, map.holding(), asked.filter(({ status }) => status === 'rejected').length)
  }

  let loading: Promise<void> | undefined
  const ready = (): Promise<void> =>
    (loading ??= load().then(
      () => void keepFresh(),
      (error: unknown) => {
        loading = undefined
        throw error
      },
    ))
  const keepFresh = async () => {
    let misfit: string | undefined
    while (!closing.signal.aborted) {
      await systemClock.sleep(REFRESH_MS, closing.signal)
      if (closing.signal.aborted) return
      map.reload().catch(() => undefined)
      pools.forEach((pool, at) => {
        if (map.identities[at] !== undefined) return
        identify(at, pool).catch((error: unknown) => {
          if (!(error instanceof SettingError) || error.message === misfit) return
          misfit = error.message
          options.onMisfit?.(error)
        })
      })
    }
  }

  const databaseOf = (logical: number) => {
    const database = pools[map.positionOf(logical)]
    if (database !== undefined) return database
    throw new Unavailable(
      `the server of logical shard ${logical} does not answer, or is not among DATABASE_URLS of this process`,
    )
  }
  const { of, spread } = createRouting({ map, ready, databaseOf, pools })
  return {
    all,
    catalogue: all[0] as Database,
    of,
    numberOf: (user) => map.positionOf(logicalShard(user)),
    spread,
    survey: (read, briefMs) => surveyHeld({ pools, map, ready }, read, briefMs),
    ready,
    close: async () => {
      closing.abort()
      await Promise.all([...pools, mapPool].map((pool) => pool.close()))
    },
  }
}
