import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from '../fault.ts'
import type { World } from '../world.ts'

/** Redis on a small disk of its own, a tmpfs, that runs full. */

/** The append-only file of a round fits, with as much again. */
const ROOM_BYTES = 64 * 1024 * 1024

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

/** Also while somebody who was interrupted still has a file open there. */
const unmount = (dir: string): void => run('umount', '--lazy', dir)

/** Moves the data of Redis onto a small disk, while it is stopped; the answer moves them back. */
async function moveToSmallDisk({ redis }: World): Promise<() => Promise<void>> {
  const { dir } = redis
  const aside = `${dir}.aside`
  await redis.kill()
  renameSync(dir, aside)
  mkdirSync(dir, { mode: 0o700 })
  run('mount', '-t', 'tmpfs', '-o', `size=${ROOM_BYTES},mode=0700`, 'tmpfs', dir)
  const back = async () => {
    await redis.kill()
    try {
      rmSync(aside, { recursive: true })
      cpSync(dir, aside, { recursive: true })
    } finally {
      unmount(dir)
    }
    rmSync(dir, { recursive: true })
    renameSync(aside, dir)
    await redis.start()
  }
  try {
    cpSync(aside, dir, { recursive: true })
    await redis.start()
    return back
  } catch (error) {
    // Nothing stays mounted, whatever else went wrong.
    unmount(dir)
    throw error
  }
}

export const REDIS_DISK: readonly Fault[] = [
  {
    name: 'redis-disk-full',
    component: 'Redis',
    does: 'its disk is full: the append-only file can not grow',
    expected: 'it ends rather than say yes without having written; 503 until there is room, nothing lost',
    needs: 'root',
    lasts: [2, 3],
    prepare: moveToSmallDisk,
    inject: async ({ redis }) => {
      const ballast = join(redis.dir, 'ballast')
      const { bavail, bsize } = statfsSync(redis.dir)
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail - 1) * bsize))
      let ended = false
      return {
        heal: async () => {
          ended = !redis.running() && statfsSync(redis.dir).bavail < 4
          rmSync(ballast)
          await redis.start()
        },
        evidence: () => ({ count: ended ? 1 : 0, of: 'end of Redis by itself, its disk full' }),
      }
    },
  },
]
