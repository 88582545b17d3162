import { ask, explain } from '../lib/api.ts'
import { byId, notice } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import type { PaymentAnswer } from '../../src/contracts/shapes.ts'
import { findOut, PATIENCE_MS } from './find-out.ts'

/** What PayPal's page sent the buyer back with. */
export type PaypalSaid = 'approved' | 'cancelled'

export interface PaypalPaying {
  readonly orderId: string
  readonly said: PaypalSaid | undefined
  /** Whether a payment is on its way; for at most this many ms. */
  readonly waitFor: (ms: number) => void
}

/** The way over PayPal's page: there with the button, and what came of it for who is back. */
export function wirePaypal({ orderId, said, waitFor }: PaypalPaying): void {
  const button = byId('pay-paypal', HTMLButtonElement)
  /** Beside the button, or where whoever comes back looks first. */
  const complain = (where: 'paypal-error' | 'pay-error', title: string, detail: string) =>
    notice(byId(where), { title, detail })

  button.addEventListener('click', () => void leave())
  if (said === 'cancelled')
    complain('pay-error', say('checkout.paypal_back'), say('checkout.paypal_back.text'))
  if (said === 'approved') void find()

  async function leave(): Promise<void> {
    button.disabled = true
    for (const error of ['paypal-error', 'pay-error']) notice(byId(error), undefined)
    const body = { provider: 'paypal' }
    const answer = await ask<PaymentAnswer>(`/api/orders/${orderId}/payment`, { method: 'POST', body })
    const address = answer.kind === 'ok' ? answer.body.browser['approve_url'] : undefined
    if (address !== undefined && /^https?:/.test(address)) return location.assign(address)
    button.disabled = false
    const { title, detail } =
      answer.kind === 'ok' ? { title: say('checkout.paypal_away'), detail: '' } : explain(answer)
    complain('paypal-error', title, detail || say('checkout.paypal_away.text'))
  }

  async function find(): Promise<void> {
    waitFor(PATIENCE_MS)
    const check = await findOut(orderId, 'paypal', ({ payment }) => payment !== 'waiting')
    if (check?.payment !== 'declined') return
    waitFor(0)
    complain('pay-error', say('checkout.paypal_declined'), check.reason ?? '')
  }
}
