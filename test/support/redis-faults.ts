import { readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestRedis } from './redis.ts'

/** Things that happen to a Redis between its death and its next start. */

/** Its data folder is gone; it comes back empty, without a word. */
export async function loseFolder(server: TestRedis): Promise<void> {
  for (const name of await readdir(server.dir)) await rm(join(server.dir, name), { recursive: true })
}

/** The last bytes of its append-only file are gone, as after a disk that lied about a sync. */
export async function cutTail(server: TestRedis, bytes: number): Promise<void> {
  const file = await newestLog(server)
  await truncate(file, Math.max(0, (await stat(file)).size - bytes))
}

export async function newestLog({ dir }: Pick<TestRedis, 'dir'>): Promise<string> {
  const folder = join(dir, 'appendonlydir')
  const name = (await readdir(folder))
    .filter((one) => one.endsWith('.incr.aof'))
    .toSorted()
    .at(-1)
  if (name === undefined) throw new Error(`no append-only file in ${folder}`)
  return join(folder, name)
}
