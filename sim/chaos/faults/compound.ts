import { freezeFamily, thawFamily } from '../processes.ts'
import type { Fault } from '../fault.ts'
import { killRole } from './kills.ts'
import { suffer } from './network.ts'

/** A worker whose statements are slow takes longer until it is at work. */
const SLOW_START_MS = [1500, 2500] as const

/** Two things at once, where one alone would hardly ever hit the moment that counts. */
export const COMPOUND: readonly Fault[] = [
  {
    name: 'order-worker-kill-mid-write',
    component: 'order-worker',
    does: 'kill -9, 3 times, each while its statements take a quarter of a second',
    expected: 'what SQL has not confirmed is read again: no order lost, none twice',
    lasts: [6, 7],
    inject: async (world, random) => {
      const slow = await suffer(world, ['postgres-0', 'postgres-1'], { kind: 'slow', ms: 120, jitterMs: 60 })
      const killed = await killRole(world, random, 'order-worker', SLOW_START_MS)
      return {
        heal: async () => {
          await killed.heal()
          await slow.heal()
        },
        evidence: killed.evidence,
      }
    },
  },
  {
    name: 'order-worker-stall',
    component: 'order-worker',
    does: 'SIGSTOP for 15 s, the only one there is: holds end before their orders are written',
    expected: 'each such order is FAILED and stays so when its event comes after all',
    lasts: [15, 15],
    inject: async (world) => {
      const pid = world.pid('order-worker')
      const still = pid === undefined ? 0 : await freezeFamily(pid)
      return {
        heal: async () => void (pid && thawFamily(pid)),
        evidence: () => ({ count: still, of: 'processes stood still' }),
      }
    },
  },
]
