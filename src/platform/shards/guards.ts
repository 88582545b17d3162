import type pg from 'pg'
import { systemClock } from '../clock.ts'
import { BUYER_TABLES } from './logical.ts'

/** Longest wait for those who write at the moment; then they go first, and we try again. */
export const LOCK_WAIT_MS = 500

/** Makes the guards of a server know what it has; each waits for those who write to its table. */
export async function placeGuards(server: pg.Client): Promise<void> {
  for (const table of BUYER_TABLES)
    for (let attempt = 1; ; attempt += 1) {
      try {
        await transact(server, async () => {
          await server.query(`set local lock_timeout = ${LOCK_WAIT_MS}`)
          await server.query('select place_shard_guard($1)', [table])
        })
        break
      } catch (error) {
        if (attempt === 120 || !isLockTrouble(error)) throw error
        await systemClock.sleep(50)
      }
    }
}

/** Rows of logical shards that are not here. There must be none. */
export async function wasLeftBehind(server: pg.Client, logical: readonly number[]): Promise<number> {
  let left = 0
  for (const table of BUYER_TABLES) {
    const found = await server.query<{ rows: number }>(
      `select count(*) as rows from ${table} where logical_shard(user_id) = any($1)
         and logical_shard(user_id) not in (select logical from held_shards)`,
      [logical],
    )
    left += found.rows[0]?.rows ?? 0
  }
  return left
}

/** deadlock_detected, lock_not_available. */
export const isLockTrouble = (error: unknown): boolean =>
  ['40P01', '55P03'].includes(String((error as { code?: unknown }).code))

export async function transact(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
