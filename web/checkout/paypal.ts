import { ask, explain } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'
import { backoffMs, pause } from '../lib/time.ts'
import type { PaymentAnswer, PaymentCheck } from '../../src/contracts/shapes.ts'

/** What PayPal's page sent the buyer back with. */
export type PaypalSaid = 'approved' | 'cancelled'

export interface PaypalPaying {
  readonly orderId: string
  readonly said: PaypalSaid | undefined
  /** Whether a payment is on its way; for at most this many ms. */
  readonly waitFor: (ms: number) => void
}

/** How long a buyer who has agreed waits for PayPal's word before everything may be tried again. */
const PATIENCE_MS = 30_000

/** The way over PayPal's page: there with the button, and what came of it for who is back. */
export function wirePaypal({ orderId, said, waitFor }: PaypalPaying): void {
  const button = byId('pay-paypal', HTMLButtonElement)
  const complain = (title: string, detail: string) => notice(byId('paypal-error'), { title, detail })
  const body = { provider: 'paypal' }

  button.addEventListener('click', () => void leave())
  if (said === 'cancelled')
    complain('You came back from PayPal without paying.', 'You were not charged. Try again, or pay by card.')
  if (said === 'approved') void find()

  async function leave(): Promise<void> {
    button.disabled = true
    notice(byId('paypal-error'), undefined)
    const answer = await ask<PaymentAnswer>(`/api/orders/${orderId}/payment`, { method: 'POST', body })
    const address = answer.kind === 'ok' ? answer.body.browser['approve_url'] : undefined
    if (address !== undefined && /^https?:/.test(address)) return location.assign(address)
    button.disabled = false
    const { title, detail } =
      answer.kind === 'ok' ? { title: 'PayPal can not be reached right now.', detail: '' } : explain(answer)
    complain(title, detail || 'Try again in a moment, or pay by card.')
  }

  /** Has the shop ask PayPal, instead of waiting until it is told. */
  async function find(): Promise<void> {
    waitFor(PATIENCE_MS)
    const until = performance.now() + PATIENCE_MS
    for (let asked = 0; performance.now() < until; asked++) {
      const answer = await ask<PaymentCheck>(`/api/orders/${orderId}/payment/check`, { method: 'POST', body })
      if (answer.kind === 'ok' && answer.body.payment === 'declined') {
        waitFor(0)
        return complain('PayPal did not pay.', answer.body.reason ?? '')
      }
      // The order itself tells the rest.
      if (answer.kind === 'ok' && answer.body.payment !== 'waiting') return
      await pause(backoffMs(asked))
    }
  }
}
