import type { PaymentCheck } from '../../src/contracts/shapes.ts'
import { ask } from '../lib/api.ts'
import { backoffMs, pause } from '../lib/time.ts'

/** How long a buyer waits for a provider's word before everything may be tried again; in ms. */
export const PATIENCE_MS = 30_000

/**
 * Has the shop ask the provider how the payment stands, instead of waiting until it is told. Resolves with the first
 * answer that is `enough`, undefined where none came in time. What it finds changes the order, which tells the rest.
 */
export async function findOut(
  orderId: string,
  provider: PaymentCheck['provider'],
  enough: (check: PaymentCheck) => boolean,
): Promise<PaymentCheck | undefined> {
  const until = performance.now() + PATIENCE_MS
  for (let asked = 0; performance.now() < until; asked++) {
    const path = `/api/orders/${orderId}/payment/check`
    const answer = await ask<PaymentCheck>(path, { method: 'POST', body: { provider } })
    if (answer.kind === 'ok' && enough(answer.body)) return answer.body
    await pause(backoffMs(asked))
  }
  return undefined
}
