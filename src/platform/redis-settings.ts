import { Cluster, Redis } from 'ioredis'
import { SettingError } from './errors.ts'
import type { RedisCommands, RedisConnection } from './redis.ts'

/** A setting without which a restart could forget a claim or evict stock, and what it should be. */
export interface UnsafeSetting {
  readonly setting: string
  readonly found: string
  readonly wanted: string
  readonly why: string
}

const WANTED: readonly Omit<UnsafeSetting, 'found'>[] = [
  {
    setting: 'maxmemory-policy',
    wanted: 'noeviction',
    why: 'any other policy may throw stock and holds away when memory runs short',
  },
  { setting: 'appendonly', wanted: 'yes', why: 'without the append-only file a restart forgets every claim' },
  {
    setting: 'appendfsync',
    wanted: 'always',
    why: 'otherwise a crash may lose claims that buyers were already told about, and sell their units again',
  },
]

/**
 * How the servers that we start ourselves are set beyond that, and others should be: the append-only file is rewritten by a
 * copy of the process on a core of its own, at 64 MB already, which a rush of 100,000 claims writes. Not more either: a server
 * that crashed reads 256 MB again in two to three seconds, and sells nothing meanwhile.
 */
export const SERVER_SETTINGS = { 'auto-aof-rewrite-min-size': '256mb' } as const

/** Behind sentinels two servers may take themselves for the master; a claim on the one that is left behind would be lost. */
const MIN_REPLICAS = {
  setting: 'min-replicas-to-write',
  wanted: '1',
  why: 'a master cut off from its replicas would go on selling beside the new one',
}

/** The persistence settings (design, section 2) on which selling would not be safe; empty when all is well. */
export async function unsafeSettings(commands: RedisCommands): Promise<UnsafeSetting[]> {
  const unsafe: UnsafeSetting[] = []
  for (const server of commands instanceof Cluster ? commands.nodes('master') : [commands])
    for (const want of WANTED) {
      const reply = (await server.config('GET', want.setting).catch(() => [])) as string[]
      const found = reply[1] ?? 'unreadable'
      if (found !== want.wanted) unsafe.push({ ...want, found })
    }
  if (commands instanceof Redis && commands.options.sentinels) {
    const [, found = 'unreadable'] = (await commands
      .config('GET', MIN_REPLICAS.setting)
      .catch(() => [])) as string[]
    if (!(Number(found) >= 1)) unsafe.push({ ...MIN_REPLICAS, found })
  }
  return unsafe
}

/** Closes the connection and throws SettingError where Redis is set so that selling would not be safe. */
export async function refuseUnsafe(redis: RedisConnection): Promise<void> {
  const unsafe = (await unsafeSettings(redis.commands))[0]
  if (unsafe === undefined) return
  await redis.close()
  throw new SettingError(
    `Redis has ${unsafe.setting} ${unsafe.found}; selling needs ${unsafe.wanted}: ${unsafe.why}. ` +
      'Change it, or set REDIS_ACCEPT_UNSAFE=1 to sell all the same.',
  )
}
