import type { Cluster, Redis } from 'ioredis'
import type { RedisCommands } from './redis.ts'

/** What a single server, the master that sentinels name, and each node of a cluster have in common. */

export type OnError = (error: Error) => void

/** A connection may be lost without a word (a server that hangs, a network that swallows packets): then it is made anew. */
const SILENT_MS = 5000

/** RESP2: replies of commands sent by name keep the shapes Redis documents for them. */
export const PROTOCOL = { protocol: 2, enableAutoPipelining: false } as const

/** A command cut off by a lost connection has an unknown outcome: whoever sent it decides, not the client. */
export const nodeOptions = (commandTimeoutMs: number) => ({
  ...PROTOCOL,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2000,
  ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs, socketTimeout: SILENT_MS } : {}),
})

/** Milliseconds before the next attempt to connect: half a second at most, so a server that is back is soon found. */
export const backoff = (attempt: number) =>
  Math.min(25 * 2 ** Math.min(attempt, 5), 500) * (0.5 + Math.random() / 2)

/** Throws where nobody answers; the client would otherwise go on reconnecting although nobody holds it. */
export async function connect(client: Redis | Cluster): Promise<void> {
  await client.connect().catch((error: unknown) => {
    client.disconnect()
    throw error
  })
}

export async function readRunId(commands: RedisCommands): Promise<string> {
  const info = await commands.info('server')
  const id = /^run_id:(\w+)/m.exec(info)?.[1]
  if (id === undefined) throw new Error('Redis does not tell its run_id (INFO server); the fence needs it')
  return id
}

/** Credentials in a URL, as the client takes them. */
export function credentials({ username, password }: URL) {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
}
