import { startOther } from '../others.ts'
import type { Fault } from '../fault.ts'
import type { World } from '../world.ts'

/** The clock of one machine an hour off: one more process of a role, which is told so, works beside the other. */

const HOUR_MS = 3_600_000

/** Whether the other web process tells a time about an hour away from ours. */
async function webIsOff({ otherWebPort }: World, item: string): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${otherWebPort}/api/items/${item}/stock`, {
    signal: AbortSignal.timeout(5000),
  })
  const { server_time = NaN } = (await answer.json()) as { server_time?: number }
  return Math.abs(Math.abs(server_time - Date.now()) - HOUR_MS) < HOUR_MS / 10
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
  prepare: (world) =>
    startOther(world, role, { CLOCK_OFFSET_MS: String(direction === 'ahead' ? HOUR_MS : -HOUR_MS) }),
  inject: async (world, _random, item) => {
    const pid = world.otherPid(role)
    const isOff = pid !== undefined && (role !== 'web' || (await webIsOff(world, item)))
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
