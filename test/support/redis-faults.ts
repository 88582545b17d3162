import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
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

const FAILING_SYNC = `
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
int fdatasync(int fd) {
  if (access(getenv("FAIL_SYNC"), F_OK) == 0) { errno = EIO; return -1; }
  return syscall(SYS_fdatasync, fd);
}
`

/**
 * A disk whose syncs fail as soon as the file `trigger` exists: `env` for the server that is to meet it. Undefined, after a
 * loud line, where there is no C compiler.
 */
export async function failingSync(): Promise<
  { dir: string; trigger: string; env: Record<string, string> } | undefined
> {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-failing-sync-'))
  const [source, library, trigger] = ['sync.c', 'sync.so', 'trigger'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(source, FAILING_SYNC)
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source])
  if (status === 0) return { dir, trigger, env: { LD_PRELOAD: library, FAIL_SYNC: trigger } }
  await rm(dir, { recursive: true })
  process.stderr.write('\n*** SKIPPING THE FAILING SYNC: no C compiler ***\n\n')
  return undefined
}
