import { spawnSync } from 'node:child_process'
import { startOther } from '../others.ts'
import type { Fault } from '../fault.ts'

/** The clock of one machine an hour off: one more process of a role, which is told so, works beside the other. */

const HOUR_MS = 3_600_000
const offsetMs = (direction: 'ahead' | 'behind') => (direction === 'ahead' ? HOUR_MS : -HOUR_MS)

/** Whether the process was told so, by what the system says of its environment. */
function isTold(pid: number, offsetMs: number): boolean {
  const { stdout } = spawnSync('ps', ['eww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.includes(`CLOCK_OFFSET_MS=${offsetMs} `)
}

const off = (
  role: 'web' | 'order-worker' | 'cleanup',
  direction: 'ahead' | 'behind',
  expected: string,
): Fault => ({
  name: `${role}-clock-${direction}`,
  component: role,
  does: `the clock of one of two processes is an hour ${direction}`,
  expected,
  lasts: [3, 4],
  prepare: (world) => startOther(world, role, { CLOCK_OFFSET_MS: String(offsetMs(direction)) }),
  inject: async (world) => {
    const pid = world.otherPid(role)
    const isOff = pid !== undefined && isTold(pid, offsetMs(direction))
    return {
      heal: async () => undefined,
      // One that had to be started again in between was not there all the time.
      evidence: () => ({
        count: isOff && world.otherPid(role) === pid ? 1 : 0,
        of: `${role} at work with a clock an hour off`,
      }),
    }
  },
})

export const CLOCKS: readonly Fault[] = [
  off('web', 'ahead', 'the clocks of the servers rule: no pass and no hold ends early'),
  off('web', 'behind', 'the clocks of the servers rule: nobody is let in late, no deadline moves'),
  off('cleanup', 'ahead', 'no order times out early'),
  off('cleanup', 'behind', 'no hold outlives its deadline'),
  off('order-worker', 'ahead', 'nothing'),
]
