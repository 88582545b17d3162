import { spawnSync } from 'node:child_process'
import { isRunning, signalProcess, untilGone } from '../../src/platform/servers/os-process.ts'
import { sleep } from '../clock.ts'

/** Signals to a process and all it has started: PostgreSQL is one process for each connection. */

/** The process and its descendants, parents first. */
function family(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const children = Map.groupBy(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number)),
    ([, parent]) => parent,
  )
  const found = [pid]
  for (const one of found) for (const [child] of children.get(one) ?? []) if (child) found.push(child)
  return found
}

/** Ends it without a word, as the kernel does when memory runs out. True once all of it is gone. */
export async function killFamily(pid: number): Promise<boolean> {
  const pids = family(pid)
  for (const one of pids) signalProcess(one, 'SIGKILL')
  const gone = await Promise.all(pids.map((one) => untilGone(one, 5000)))
  return gone.every(Boolean)
}

/** Stops all of it where it stands. Answers how many processes the system says are stopped. */
export async function freezeFamily(pid: number): Promise<number> {
  const pids = family(pid)
  for (const one of pids) signalProcess(one, 'SIGSTOP')
  await sleep(50)
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pids.join()], { encoding: 'utf8' })
  return stdout.split('\n').filter((state) => state.trim().startsWith('T')).length
}

export function thawFamily(pid: number): void {
  for (const one of family(pid)) signalProcess(one, 'SIGCONT')
}

/** For the last moment of our own process. */
export function killNow(pid: number): void {
  if (isRunning(pid)) for (const one of family(pid)) signalProcess(one, 'SIGKILL')
}
