/** PayPal's orders, as much of them as we read, turned into the provider's terms. */
import { z } from 'zod'
import { fromPaypalAmount } from './paypal-money.ts'
import { ProviderUnavailable } from './provider.ts'
import type { ProviderPayment, ProviderState } from './provider.ts'

const Amount = z.object({ currency_code: z.string(), value: z.string() })
const Movement = z.object({ id: z.string(), status: z.string(), amount: Amount })
const Links = z.array(z.object({ rel: z.string(), href: z.string() })).default([])

const OrderObject = z.object({
  id: z.string(),
  status: z.string(),
  purchase_units: z
    .array(
      z.object({
        amount: Amount,
        custom_id: z.string().optional(),
        payments: z
          .object({
            authorizations: z.array(Movement).default([]),
            captures: z.array(Movement).default([]),
            refunds: z.array(Movement).default([]),
          })
          .optional(),
      }),
    )
    .min(1),
  links: Links,
})
export type OrderObject = z.infer<typeof OrderObject>

/** What our calls need beside the payment: where the money is, and where the buyer agrees. */
export interface PaypalOrder {
  readonly payment: ProviderPayment
  readonly authorization: string | undefined
  readonly capture: string | undefined
  readonly approve_url: string | undefined
}

/** Order and buyer in PayPal's `custom_id`, which every resource of the payment carries. */
export const toCustomId = (orderId: string, userId: string): string => `${orderId} ${userId}`
/** As PayPal limits it. */
export const CUSTOM_ID_LENGTH = 255

/** @throws ProviderUnavailable where the answer is none that PayPal documents: what it means is unknown. */
export function readOrder(body: unknown): PaypalOrder {
  const { id, status, purchase_units, links } = parsed(OrderObject, body)
  const [unit] = purchase_units
  if (unit === undefined) throw new ProviderUnavailable('paypal', 'an order without a purchase unit')
  const { authorizations = [], captures = [], refunds = [] } = unit.payments ?? {}
  const [order_id = '', ...user] = (unit.custom_id ?? '').split(' ')
  const taken = captures.filter((capture) => TAKEN.has(capture.status))
  const authorization = authorizations.find((one) => HELD.has(one.status)) ?? authorizations.at(-1)
  return {
    payment: {
      provider_ref: id,
      order_id,
      user_id: user.join(' '),
      state: stateOf(status, authorizations, captures),
      amount: fromPaypalAmount(taken[0]?.amount ?? authorization?.amount ?? unit.amount),
      amount_received: sum(taken),
      amount_refunded: sum(refunds.filter((refund) => refund.status === 'COMPLETED')),
      currency: unit.amount.currency_code,
      ...(authorization?.status === 'DENIED' ? { failure_code: 'AUTHORIZATION_DENIED' } : {}),
    },
    authorization: authorization?.id,
    capture: taken[0]?.id,
    approve_url: links.find(({ rel }) => rel === 'payer-action' || rel === 'approve')?.href,
  }
}

type Status = { readonly status: string }

const TAKEN = new Set(['COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED'])
const HELD = new Set(['CREATED', 'CAPTURED', 'PARTIALLY_CAPTURED'])

const BEFORE_MONEY: Readonly<Record<string, ProviderState>> = {
  CREATED: 'requires_payment',
  SAVED: 'requires_payment',
  PAYER_ACTION_REQUIRED: 'requires_payment',
  APPROVED: 'approved',
  VOIDED: 'cancelled',
}

/** A status this version does not know is neither payable nor final. */
function stateOf(
  order: string,
  authorizations: readonly Status[],
  captures: readonly Status[],
): ProviderState {
  if (captures.some(({ status }) => TAKEN.has(status))) return 'captured'
  if (captures.some(({ status }) => status === 'PENDING')) return 'processing'
  if (authorizations.some(({ status }) => HELD.has(status))) return 'authorised'
  if (authorizations.length > 0)
    return authorizations.every(({ status }) => /^(VOIDED|DENIED|EXPIRED)$/.test(status))
      ? 'cancelled'
      : 'processing'
  return BEFORE_MONEY[order] ?? 'processing'
}

const sum = (movements: readonly z.infer<typeof Movement>[]) =>
  movements.reduce((total, { amount }) => total + fromPaypalAmount(amount), 0)

const EventObject = z.object({
  id: z.string().min(1).max(200),
  event_type: z.string(),
  create_time: z.string(),
  resource: z.object({
    id: z.string().optional(),
    supplementary_data: z
      .object({ related_ids: z.object({ order_id: z.string().optional() }).optional() })
      .optional(),
    links: Links,
  }),
})

/** Which payment an event is about: an order, or a capture that knows its order. */
export interface EventSubject {
  readonly event_id: string
  readonly occurred_at: number
  readonly order: string | undefined
  readonly capture: string | undefined
}

/** Undefined: no event as PayPal writes them. */
export function readEventSubject(body: unknown): EventSubject | undefined {
  const event = EventObject.safeParse(body).data
  if (event === undefined) return undefined
  const { resource, event_type } = event
  const ofOrder = event_type.startsWith('CHECKOUT.') ? resource.id : undefined
  // A refund names its capture only, by a link.
  const up = resource.links.find(({ rel }) => rel === 'up')?.href
  return {
    event_id: event.id,
    occurred_at: Date.parse(event.create_time) || 0,
    order: OF_INTEREST.test(event_type)
      ? (ofOrder ?? resource.supplementary_data?.related_ids?.order_id)
      : undefined,
    capture: event_type === 'PAYMENT.CAPTURE.REFUNDED' ? /\/captures\/(\w+)$/.exec(up ?? '')?.[1] : undefined,
  }
}

const OF_INTEREST =
  /^(CHECKOUT\.(ORDER\.(APPROVED|COMPLETED|VOIDED)|PAYMENT-APPROVAL\.REVERSED)|PAYMENT\.(AUTHORIZATION|CAPTURE)\.)/

const CaptureObject = z.object({
  id: z.string(),
  supplementary_data: z.object({ related_ids: z.object({ order_id: z.string() }) }),
})

/** The order a capture belongs to; undefined where it does not say. */
export const orderOfCapture = (body: unknown): string | undefined =>
  CaptureObject.safeParse(body).data?.supplementary_data.related_ids.order_id

function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const { data, error } = schema.safeParse(body)
  if (data === undefined)
    throw new ProviderUnavailable('paypal', 'PayPal answers what it does not document', error)
  return data
}
