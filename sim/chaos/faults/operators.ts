import { now, sleep } from '../../clock.ts'
import type { Fault, Injected } from '../fault.ts'
import type { World } from '../world.ts'

/** What people do to their own sale. */

async function tell({ target }: World, path: string, body: object, method = 'POST'): Promise<boolean> {
  const answer = await target.fetch('ops', `/api/operator${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, reason: 'npm run chaos' }),
  })
  await answer.body?.cancel()
  return answer.ok
}

/** Repeats until healed; counts what was done. */
function again(of: string, everyMs: number, act: () => Promise<boolean>): Injected {
  let [count, over] = [0, false]
  const acting = (async () => {
    for (; !over; await sleep(everyMs)) if (await act().catch(() => false)) count++
  })()
  return {
    heal: async () => {
      over = true
      await acting
    },
    evidence: () => ({ count, of }),
  }
}

const operator = (fault: Omit<Fault, 'component'>): Fault => ({ component: 'operator', ...fault })

export const OPERATORS: readonly Fault[] = [
  operator({
    name: 'sale-paused',
    does: 'the sale is paused and resumed in the middle',
    expected: 'every place is kept; holds go on; then it sells on',
    lasts: [3, 5],
    inject: async (world, _random, sale) => {
      const paused = await tell(world, `/sales/${sale}/pause`, {})
      const from = now()
      let lasted = 0
      return {
        heal: async () => {
          if (await tell(world, `/sales/${sale}/resume`, {})) lasted = now() - from
        },
        evidence: () => ({
          count: paused ? Math.round(lasted) : 0,
          of: 'ms between the two',
        }),
      }
    },
  }),
  operator({
    name: 'pause-flicker',
    does: 'pause and resume, over and over',
    expected: 'the same',
    lasts: [3, 5],
    inject: async (world, _random, sale) =>
      again('times paused and resumed', 100, async () => {
        const paused = await tell(world, `/sales/${sale}/pause`, {})
        return (await tell(world, `/sales/${sale}/resume`, {})) && paused
      }),
  }),
  operator({
    name: 'reconcile-under-load',
    does: 'reconciliation of the item by hand, over and over, at the peak',
    expected: 'no false correction',
    lasts: [3, 5],
    inject: async (world, _random, sale) =>
      again('reconciliations', 50, () => tell(world, '/reconcile', { item_id: sale })),
  }),
  operator({
    name: 'rate-changed',
    does: 'the rate of the line is changed over and over, from slow to fast',
    expected: 'no place moves back, nobody is let in beyond the highest rate',
    lasts: [3, 5],
    inject: async (world, random, sale) =>
      again('changes of the rate', 300, () =>
        tell(world, `/sales/${sale}/rate`, { rate_per_second: Math.ceil(1 + random() * 30) }, 'PUT'),
      ),
  }),
]
