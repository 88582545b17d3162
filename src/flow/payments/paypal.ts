/** The PayPal adapter: Orders v2 with intent AUTHORIZE, over a small client of our own. */
import { createPaypalClient, type PaypalClientOptions } from './paypal-client.ts'
import { toPaypalAmount } from './paypal-money.ts'
import {
  CUSTOM_ID_LENGTH,
  orderOfCapture,
  readEventSubject,
  readOrder,
  toCustomId,
} from './paypal-objects.ts'
import type { PaypalOrder } from './paypal-objects.ts'
import { createSignatureCheck } from './paypal-signature.ts'
import { ProviderRefused, ProviderUnavailable, startKey } from './provider.ts'
import type { PaymentProvider, ProviderEvent, ProviderPayment } from './provider.ts'

export interface PaypalOptions extends PaypalClientOptions {
  webhookId: string
}

const missing = () => new ProviderRefused('paypal', 'RESOURCE_NOT_FOUND', 'PayPal knows no such payment')

/** @throws Error at once when `apiUrl` is no plain http(s) address. */
export function createPaypalProvider(options: PaypalOptions): PaymentProvider {
  const { apiUrl, webhookId, clock, timeoutMs = 10_000 } = options
  const client = createPaypalClient(options)
  const checkSignature = createSignatureCheck({ webhookId, apiUrl, timeoutMs })

  /** Undefined: PayPal knows no such order, or no more: one nobody approved is forgotten after hours. */
  const look = async (ref: string): Promise<PaypalOrder | undefined> => {
    try {
      return readOrder(await client.call({ method: 'GET', path: `/v2/checkout/orders/${pathPart(ref)}` }))
    } catch (error) {
      if (error instanceof ProviderRefused && error.code === 'RESOURCE_NOT_FOUND') return undefined
      throw error
    }
  }

  /**
   * Asks for a change, then looks what became of the payment: the answer may be a repeated one, and a refusal may mean
   * that the change was made before. The changes used here cannot happen twice at PayPal, whatever the request id.
   */
  const change = async (ref: string, path: string, requestId: string, body: unknown = {}) => {
    const refusal = await client
      .call({ method: 'POST', path, requestId, body })
      .then(() => undefined)
      .catch((error: unknown) => {
        if (error instanceof ProviderRefused) return error
        throw error
      })
    const now = await look(ref)
    if (now === undefined) throw refusal ?? missing()
    return { ...now, refusal }
  }

  return {
    name: 'paypal',

    async start(order) {
      const custom_id = toCustomId(order.order_id, order.user_id)
      if (custom_id.length > CUSTOM_ID_LENGTH)
        throw new ProviderRefused('paypal', 'invalid_user', 'The name of this buyer is too long for PayPal')
      const body = {
        intent: 'AUTHORIZE',
        purchase_units: [
          {
            custom_id,
            // PayPal may refuse the same invoice twice, so each payment is one of its own.
            invoice_id: startKey(order),
            description: order.description.slice(0, 127),
            amount: toPaypalAmount(order.amount, order.currency),
          },
        ],
        payment_source: {
          paypal: {
            experience_context: {
              return_url: withAnswer(order.return_url, 'approved'),
              cancel_url: withAnswer(order.return_url, 'cancelled'),
              user_action: 'PAY_NOW',
              shipping_preference: 'NO_SHIPPING',
            },
          },
        },
      }
      const created = readOrder(
        await client.call({ method: 'POST', path: '/v2/checkout/orders', requestId: startKey(order), body }),
      )
      // A repeated answer shows the order as it was when it was new.
      const { payment } = (await look(created.payment.provider_ref)) ?? created
      return { payment, browser: { approve_url: created.approve_url ?? '' } }
    },

    find: async (ref) => (await look(ref))?.payment,

    async authorise(ref, orderId) {
      const path = `/v2/checkout/orders/${pathPart(ref)}/authorize`
      const { payment, refusal } = await change(ref, path, `${orderId}:authorize:${ref}`)
      switch (payment.state) {
        case 'authorised':
        case 'captured':
          return { kind: 'authorised', payment }
        case 'cancelled':
          return { kind: 'declined', payment }
        case 'approved':
          if (refusal === undefined) return { kind: 'waiting', payment }
          return { kind: 'declined', payment: { ...payment, failure_code: refusal.code } }
        case 'requires_payment':
        case 'requires_action':
        case 'processing':
          // Some refusals send the order back to its buyer.
          return refusal === undefined || refusal.code === 'ORDER_NOT_APPROVED'
            ? { kind: 'waiting', payment }
            : { kind: 'declined', payment: { ...payment, failure_code: refusal.code } }
      }
    },

    async capture(ref, orderId) {
      const before = await look(ref)
      if (before === undefined) throw missing()
      const { payment, authorization } = before
      if (payment.state === 'captured') return { kind: 'captured', payment }
      if (payment.state !== 'authorised' || authorization === undefined)
        return { kind: 'not_capturable', payment, code: '' }
      const path = `/v2/payments/authorizations/${authorization}/capture`
      const after = await change(ref, path, `${orderId}:capture:${authorization}`, { final_capture: true })
      if (after.payment.state === 'captured') return { kind: 'captured', payment: after.payment }
      if (after.payment.state === 'cancelled')
        return { kind: 'not_capturable', payment: after.payment, code: after.refusal?.code ?? '' }
      throw after.refusal ?? new ProviderUnavailable('paypal', `the capture of ${orderId} is not done yet`)
    },

    async cancel(ref, orderId) {
      const before = await look(ref)
      // Forgotten by PayPal, or never approved: no money is reserved, and without our authorise none will be.
      if (before === undefined) return { kind: 'cancelled', payment: gone(ref, orderId) }
      const { payment, authorization } = before
      if (payment.state === 'captured') return { kind: 'already_captured', payment }
      if (authorization === undefined || payment.state === 'cancelled')
        return { kind: 'cancelled', payment: { ...payment, state: 'cancelled' } }
      const path = `/v2/payments/authorizations/${authorization}/void`
      const after = await change(ref, path, `${orderId}:void:${authorization}`)
      if (after.payment.state === 'captured') return { kind: 'already_captured', payment: after.payment }
      if (after.payment.state === 'cancelled') return { kind: 'cancelled', payment: after.payment }
      throw after.refusal ?? new ProviderUnavailable('paypal', `the void of ${orderId} is not done yet`)
    },

    async refund(ref, orderId, reason) {
      const before = await look(ref)
      if (before === undefined) throw missing()
      const { payment, capture } = before
      if (capture === undefined) return { kind: 'nothing_captured', payment }
      if (isRefunded(payment)) return { kind: 'refunded', payment }
      const path = `/v2/payments/captures/${capture}/refund`
      const body = { note_to_payer: reason.slice(0, 255) }
      const after = await change(ref, path, `${orderId}:refund:${capture}`, body)
      if (isRefunded(after.payment)) return { kind: 'refunded', payment: after.payment }
      throw after.refusal ?? new ProviderUnavailable('paypal', `the refund of ${orderId} is not done yet`)
    },

    async readWebhook(rawBody, headers, nowSeconds = clock.now() / 1000) {
      const verdict = await checkSignature(rawBody, headers, nowSeconds)
      if (verdict !== 'genuine') return { kind: 'invalid', reason: verdict }
      const subject = readEventSubject(parse(rawBody))
      if (subject === undefined) return { kind: 'invalid', reason: 'bad_payload' }
      const { event_id, occurred_at } = subject
      const ref = subject.order ?? (await orderOf(subject.capture))
      // The signature covers no more than a checksum of the body: what is true of the payment, PayPal itself says.
      const payment = ref === undefined ? undefined : (await look(ref))?.payment
      const type = payment && eventType(payment)
      if (payment === undefined || type === undefined || payment.order_id === '')
        return { kind: 'ignored', event_id }
      return { kind: 'event', event: { event_id, type, payment, occurred_at } }
    },
  }

  async function orderOf(capture: string | undefined): Promise<string | undefined> {
    if (capture === undefined) return undefined
    return orderOfCapture(
      await client.call({ method: 'GET', path: `/v2/payments/captures/${pathPart(capture)}` }),
    )
  }
}

const isRefunded = ({ amount_received, amount_refunded }: ProviderPayment) =>
  amount_received > 0 && amount_refunded >= amount_received

function eventType(payment: ProviderPayment): ProviderEvent['type'] | undefined {
  switch (payment.state) {
    case 'captured':
      return isRefunded(payment) ? 'refunded' : 'captured'
    case 'approved':
    case 'authorised':
    case 'cancelled':
      return payment.state
    case 'requires_payment':
    case 'requires_action':
    case 'processing':
      return undefined
  }
}

/** What is known of a payment that PayPal has forgotten. */
const gone = (provider_ref: string, order_id: string): ProviderPayment => ({
  ...{ provider_ref, order_id, user_id: '', state: 'cancelled', currency: '' },
  ...{ amount: 0, amount_received: 0, amount_refunded: 0 },
})

function withAnswer(returnUrl: string, answer: string): string {
  const url = new URL(returnUrl)
  url.searchParams.set('paypal', answer)
  return url.href
}

function pathPart(id: string): string {
  return encodeURIComponent(id)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
