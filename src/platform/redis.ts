import type { Redis, RedisCommander } from 'ioredis'
import { connectCluster } from './redis-cluster.ts'
import { connectServer, isSentinel } from './redis-server.ts'

export { failureOf, type RedisFailure } from './redis-failure.ts'
export { refuseUnsafe, unsafeSettings, type UnsafeSetting } from './redis-settings.ts'

/** The commands of a Redis server or cluster; the type the rest of the project names. */
export type RedisCommands = RedisCommander<{ type: 'default'; mapping: 'resp2' }> &
  Pick<Redis, 'multi' | 'defineCommand' | 'disconnect'>

/** One connection to a Redis server or cluster, with what `flow/inventory` needs to fence itself off a changed server. */
export interface RedisConnection {
  readonly commands: RedisCommands
  /** Keys without a common hash tag may be on different servers, so one command can not name them together. */
  readonly isCluster: boolean
  /**
   * `run_id` of the server process that serves `key`; without a key those of all masters. Undefined while it (or one of
   * them) is not connected, or has left commands unanswered for a second.
   * A command sent while this holds a value reaches that very process or fails: nothing is queued
   * across a reconnect, so an answer can never come from a server nobody has checked.
   */
  runId(key?: string): string | undefined
  /** A second connection to the same server, for commands that block. */
  duplicate(): Promise<RedisConnection>
  close(): Promise<void>
}

export interface RedisOptions {
  /**
   * `redis://` or `rediss://`; several separated by commas are nodes of one cluster, from which the others are found.
   * `redis+sentinel://host:port,host:port/name`: the master that these sentinels name.
   */
  readonly url: string
  /** Called for every connection error; without a listener an error would end the process. */
  readonly onError?: (error: Error) => void
  /** Milliseconds until a command without an answer fails. Its outcome is then unknown. 0: never, for commands that block. */
  readonly commandTimeoutMs?: number
}

/** Connects, waits until the server (or every master of the cluster) answers, and throws where one can not be reached. */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { onError = () => undefined, commandTimeoutMs = 2000 } = options
  const urls = options.url.split(',').map((url) => url.trim())
  const isCluster = urls.length > 1 && !isSentinel(options.url)
  const { commands, runId } = isCluster
    ? await connectCluster(urls, commandTimeoutMs, onError)
    : await connectServer(options.url, commandTimeoutMs, onError)
  return {
    commands,
    isCluster,
    runId,
    duplicate: () => connectRedis({ ...options, onError, commandTimeoutMs: 0 }),
    close: async () => {
      // QUIT lets answers already under way arrive; a server that is gone needs no farewell.
      await commands.quit().catch(() => commands.disconnect())
    },
  }
}
