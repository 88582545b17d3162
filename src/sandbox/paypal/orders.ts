/** What the API and the buyer's browser do with an order: create, approve, authorise; and what time does to it. */
import { z } from 'zod'
import { malformed, notFound, refused } from './errors.ts'
import { instrumentOf } from './instruments.ts'
import { readAmount } from './money.ts'
import { showAuthorization, showOrder } from './render.ts'
import type { Order } from './types.ts'
import type { Store, Work } from './work.ts'

/** An approved order that nobody authorises is given up by PayPal after so long. */
const APPROVAL_MS = 3 * 3600_000

const Link = z.url({ protocol: /^https?$/ })
const CreateBody = z.object({
  intent: z.enum(['AUTHORIZE', 'CAPTURE']),
  purchase_units: z
    .array(
      z.object({
        reference_id: z.string().max(256).optional(),
        description: z.string().max(127).optional(),
        custom_id: z.string().max(255).optional(),
        invoice_id: z.string().max(127).optional(),
        amount: z.object({ currency_code: z.string().length(3), value: z.string().max(32) }),
      }),
    )
    .length(1),
  payment_source: z
    .object({
      paypal: z.object({
        experience_context: z.object({
          return_url: Link,
          cancel_url: Link,
          user_action: z.enum(['CONTINUE', 'PAY_NOW']).optional(),
          shipping_preference: z.enum(['GET_FROM_FILE', 'NO_SHIPPING', 'SET_PROVIDED_ADDRESS']).optional(),
          brand_name: z.string().max(127).optional(),
          landing_page: z.string().optional(),
          locale: z.string().optional(),
          payment_method_preference: z.string().optional(),
        }),
      }),
    })
    .optional(),
})

export interface Reply {
  status: number
  body: unknown
}

export function createOrder(work: Work, store: Store, body: unknown): Reply {
  const parsed = CreateBody.safeParse(body)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = `/${issue?.path.join('/') ?? ''}`
    throw malformed(field, 'INVALID_PARAMETER_VALUE', 'The value of a field is invalid.')
  }
  const { intent, purchase_units, payment_source } = parsed.data
  const [unit] = purchase_units
  if (unit === undefined)
    throw malformed('/purchase_units', 'MISSING_REQUIRED_PARAMETER', 'A required field is missing.')
  if (intent === 'CAPTURE') throw refused('UNSUPPORTED_INTENT', 'The sandbox knows intent AUTHORIZE only.')
  const { currency_code, value } = unit.amount
  const context = payment_source?.paypal.experience_context
  const order: Order = {
    object: 'order',
    id: work.newId(),
    status: context === undefined ? 'CREATED' : 'PAYER_ACTION_REQUIRED',
    amount: readAmount(value, currency_code, '/purchase_units/0/amount/value'),
    currency: currency_code,
    description: unit.description,
    custom_id: unit.custom_id,
    invoice_id: unit.invoice_id,
    return_url: context?.return_url,
    cancel_url: context?.cancel_url,
    instrument: undefined,
    approved_at: undefined,
    created: work.now,
    updated: work.now,
  }
  work.put(order)
  return { status: context === undefined ? 201 : 200, body: showOrder(work, store, order) }
}

/** @throws PaypalFailure 404 */
export function findOrder(work: Work, store: Store, id: string): Order {
  const order = work.get('order', id)
  if (order === undefined) throw notFound()
  if (order.status === 'APPROVED' && work.now > (order.approved_at ?? 0) + APPROVAL_MS)
    reverseApproval(work, store, order)
  return order
}

/** What PayPal does by itself to an approval that nobody made use of. */
export function reverseApproval(work: Work, store: Store, order: Order): void {
  order.status = 'VOIDED'
  order.updated = work.now
  work.put(order)
  work.emit('CHECKOUT.PAYMENT-APPROVAL.REVERSED', 'checkout-order', showOrder(work, store, order))
}

/** The buyer agrees, at PayPal's page. False where there is nothing to agree to any more. */
export function approve(work: Work, store: Store, order: Order, instrument: string): boolean {
  if (order.status !== 'CREATED' && order.status !== 'PAYER_ACTION_REQUIRED' && order.status !== 'APPROVED')
    return false
  Object.assign(order, { status: 'APPROVED', instrument, approved_at: work.now, updated: work.now })
  work.put(order)
  work.emit('CHECKOUT.ORDER.APPROVED', 'checkout-order', showOrder(work, store, order))
  return true
}

export function authorize(work: Work, store: Store, order: Order): Reply {
  switch (order.status) {
    case 'CREATED':
    case 'PAYER_ACTION_REQUIRED':
      throw refused('ORDER_NOT_APPROVED', 'Payer has not yet approved the Order for payment.')
    case 'COMPLETED':
      throw refused('ORDER_ALREADY_AUTHORIZED', 'Order already authorized.')
    case 'VOIDED':
      throw refused('ORDER_EXPIRED', 'The order has expired.')
    case 'APPROVED':
  }
  const outcome = instrumentOf(order.instrument ?? '')?.outcome ?? { kind: 'approve' }
  if (outcome.kind === 'decline') throw refused(outcome.issue, outcome.description)
  const authorization = {
    object: 'authorization',
    id: work.newId(),
    order: order.id,
    status: outcome.kind === 'deny' ? 'DENIED' : 'CREATED',
    amount: order.amount,
    created: work.now,
    updated: work.now,
  } as const
  work.put(authorization)
  work.put({ ...order, status: 'COMPLETED', updated: work.now })
  if (outcome.kind === 'approve') {
    work.record('authorise', order, order.amount)
    work.emit('PAYMENT.AUTHORIZATION.CREATED', 'authorization', showAuthorization(work, order, authorization))
  }
  return { status: 201, body: showOrder(work, store, { ...order, status: 'COMPLETED' }) }
}
